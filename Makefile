# Each target sets up what it needs on a fresh machine: no prompt, no key, no container.
.DEFAULT_GOAL := help
.PHONY: help run test quick check bench bench-load
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PY := .venv/bin/python
ARGS ?=
# Test processes: one per processor. TESTS chooses what runs, as in `make test TESTS=tests/laws`.
WORKERS ?= auto
TESTS ?= tests
BANDIT := $(PY) -m bandit --quiet --confidence-level medium --configfile pyproject.toml --recursive src
PYTEST := $(PY) -m pytest --numprocesses $(WORKERS) --dist loadfile

help: ## say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 14

run: ## the bot on its default configuration: recorded candles, simulated fills, page on 127.0.0.1:8080 (ARGS="...")
	@bash scripts/setup_venv.sh --core
	@exec $(PY) -m crypto_bot run $(ARGS)

test: ## every test
	@bash scripts/setup_venv.sh --dev
	@$(PYTEST) $(TESTS)

quick: ## the tests for every save
	@bash scripts/setup_venv.sh --dev
	@$(PYTEST) -m "not slow" $(TESTS)

check: ## format, lint, docstrings, types, import contracts, security, known weaknesses
	@bash scripts/setup_venv.sh --dev
	@failed=; \
	echo "format (black)"; $(PY) -m black --check . 2>&1 | sed -n '/^would reformat\|^error/p' || failed=yes; \
	echo "lint and docstrings (ruff)"; $(PY) -m ruff check --quiet --output-format concise . || failed=yes; \
	echo "types (mypy)"; $(PY) -m mypy --no-error-summary || failed=yes; \
	echo "arrows between the rooms (import-linter)"; .venv/bin/lint-imports --no-logo || failed=yes; \
	echo "security (bandit)"; $(BANDIT) 2>&1 | sed '/Test in comment/d' || failed=yes; \
	echo "known weaknesses of dependencies (pip-audit)"; audited=; $(PY) scripts/audit_dependencies.py; \
	case $$? in 0) ;; 3) audited=", dependencies not audited" ;; *) failed=yes ;; esac; \
	if [ "$$failed" ]; then echo "check: failed"; exit 1; else echo "check: passed$$audited"; fi

bench: ## speed as ratios, a database of 5 million rows, the API under load; PEERS=1 installs the peers and runs them in turn
	@bash scripts/setup_venv.sh --core
	@$(PY) benchmarks/run.py $(if $(filter 1,$(PEERS)),--peers) $(ARGS)
	@$(PY) benchmarks/persistence.py $(if $(findstring --quick,$(ARGS)),--rows 20000)
	@$(PY) benchmarks/load.py $(if $(findstring --quick,$(ARGS)),--seconds 5)

bench-load: ## the API under 200 requests a second and 100 streams, while the engine trades
	@bash scripts/setup_venv.sh --core
	@$(PY) benchmarks/load.py $(ARGS)
