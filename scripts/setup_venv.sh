#!/usr/bin/env bash
# Make .venv beside the project and install into it.
#
#   bash scripts/setup_venv.sh          all extras
#   bash scripts/setup_venv.sh --core   what `make run` and a backtest need
#   bash scripts/setup_venv.sh --dev    that, and what `make test` and `make check` need
#
# Running it again does nothing until pyproject.toml changes. PYTHON=/path/to/python chooses the interpreter.
set -euo pipefail

fail() {
  echo "setup_venv: $*" >&2
  exit 1
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "${1-}" in
  "") extras="all" ;;
  --core) extras="core" ;;
  --dev) extras="dev" ;;
  *) echo "usage: scripts/setup_venv.sh [--core | --dev]" >&2; exit 2 ;;
esac

suits() { # a Python that this project runs on
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  local candidate
  if [ -n "${PYTHON-}" ]; then
    suits "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13; point it at one, or leave it unset."
    echo "$PYTHON"
    return
  fi
  for candidate in python3.13 python3.12 python3.11 python3; do
    if suits "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "no Python 3.11, 3.12 or 3.13 on the PATH; install one, or set PYTHON to it."
}

# Stamps tell what is in .venv: one per set of extras, holding this folder and the hash of the pyproject.toml it came from.
hash_of_needs() {
  .venv/bin/python -c 'import hashlib, os; print(os.getcwd(), hashlib.sha256(open("pyproject.toml", "rb").read()).hexdigest())'
}

installed() {
  local stamp
  for stamp in "$@"; do
    [ "$(cat ".venv/installed-$stamp" 2>/dev/null)" = "$needs" ] && return 0
  done
  return 1
}

if ! suits .venv/bin/python; then
  python=$(find_python)
  echo "Making .venv with $("$python" --version)"
  if ! "$python" -m venv --clear .venv; then
    rm -rf .venv
    fail "$python cannot make an environment; on Debian or Ubuntu install the package python3-venv, then run this again."
  fi
fi

needs=$(hash_of_needs)
case "$extras" in
  core) installed core dev all && exit 0; wanted="." ;;
  dev) installed dev all && exit 0; wanted=".[dev]" ;;
  all) installed all && exit 0; wanted=".[all]" ;;
esac

echo "Installing $extras dependencies into .venv (the first time takes some minutes)"
.venv/bin/python -m pip install --quiet --quiet --no-input --disable-pip-version-check --editable "$wanted" ||
  fail "pip could not install $wanted; its message is above. Mend that and run this again: it goes on from there."

echo "Compiling the kernel"
.venv/bin/python -m crypto_bot warm >/dev/null || fail "'.venv/bin/python -m crypto_bot warm' failed; its message is above."

echo "$needs" > ".venv/installed-$extras"
echo "Ready: .venv ($extras)"
