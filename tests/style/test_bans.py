"""What the code never does, whoever asks: run stored bytes, run text, trust a broken certificate, hold a secret."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.style.tree import ROOT

PACKAGE = ROOT / "src" / "crypto_bot"
MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "yaml",
    "xml",
    "telnetlib",
    "ftplib",
}
"""Modules whose reading runs code or follows references, or whose wire is open."""
CALLS = re.compile(
    r"(eval|exec|__import__|os\.(system|popen|exec\w+|spawn\w+)|subprocess\.getoutput|ssl\._create_unverified_context"
    r"|tempfile\.mktemp|random\.(choice|randint|random|token_\w+))"
)
RUNS_TEXT = {
    "authoring/binding.py": "the module of a strategy that the user named on the command line or in the settings",
    "authoring/ordinary.py": "a strategy without annotations, checked by the reader before",
    "authoring/lengths.py": "arithmetic on numbers and parameters that the reader has accepted, without builtins",
    "plain/opening.py": "a strategy file that the user named on the command line or in the settings",
}
"""Files that run text, each with whose text it is; none of it comes over the network."""


def findings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the lines that do what is banned."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from ((node.lineno, name) for name in names if name.split(".")[0] in MODULES)
        elif isinstance(node, ast.Call):
            if CALLS.fullmatch(called := ast.unparse(node.func)):
                yield node.lineno, called
            for word in node.keywords:
                said = f"{word.arg}={ast.unparse(word.value)}"
                if said in ("shell=True", "verify=False", "allow_pickle=True", "check_hostname=False"):
                    yield node.lineno, said
            if called.endswith(("np.load", "numpy.load")) and "allow_pickle" not in {
                each.arg for each in node.keywords
            }:
                yield node.lineno, f"{called} without allow_pickle=False"


def test_no_stored_bytes_and_no_text_are_run() -> None:
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        lines = list(findings(ast.parse(file.read_text(encoding="utf-8"))))
        if lines:
            found[file.relative_to(PACKAGE).as_posix()] = lines
    assert {place: lines for place, lines in found.items() if place not in RUNS_TEXT} == {}
    assert set(RUNS_TEXT) <= set(found), "an entry that nobody needs any more"
    assert {called for place in RUNS_TEXT for _, called in found[place]} <= {"eval", "exec"}
    assert not [place for place in RUNS_TEXT if place.startswith(("api/", "persistence/", "data/", "runtime/"))]


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from yaml import load", "import xml.etree", "eval(x)", "os.system(x)", "run(x, shell=True)",
        "np.load(x)", "np.load(x, allow_pickle=True)", "get(x, verify=False)", "tempfile.mktemp()", "random.choice(x)",
    ],
)  # fmt: skip
def test_each_ban_is_noticed(code: str) -> None:
    assert list(findings(ast.parse(code)))


CALLERS = ("httpx", "requests", "aiohttp", "urllib3", "urllib.request", "websockets", "ftplib", "smtplib", "ccxt")


def test_the_web_process_has_nothing_to_call_others_with() -> None:
    """What asks to be let in cannot make the server ask somebody else."""
    text = "import sys, crypto_bot.api.serve; print(*(name for name in sys.argv[1:] if name in sys.modules))"
    words = [sys.executable, "-c", text, *CALLERS, "crypto_bot.api.guard"]
    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split() == ["crypto_bot.api.guard"]


# ---- secrets in the files and in their history ---
SECRETS = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bxox[abpr]-[\w-]{20,}"
    r"|\b\d{8,10}:AA[\w-]{33}\b|\bctb_(?!x{43})[\w-]{43}\b|\bsk_live_\w{20,}|\bAIza[\w-]{35}\b"
    r"|discord(?:app)?\.com/api/webhooks/\d{17,}/[\w-]{60,}"
    r"|(?i:api_?(?:key|secret)|token|password)['\"]?\s*[:=]\s*['\"](?=[^'\"]*\d)(?=[^'\"]*[A-Z])[A-Za-z0-9+/_-]{40,}={0,2}['\"]"
)
SAMPLES = {"110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw": "the sample token of Telegram's own manual"}


def test_no_secret_is_in_the_history() -> None:
    """Every line that was ever added, in every branch that is here."""
    told = subprocess.run(
        ["git", "log", "--all", "-p", "--no-color", "--unified=0", "--no-textconv"],
        cwd=ROOT, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    if told.returncode != 0:
        pytest.skip("this tree is not a git checkout: it has no history to search")
    added = [line for line in told.stdout.decode("utf-8", "replace").splitlines() if line.startswith("+")]
    assert len(added) > 1_000
    assert found_in("\n".join(added)) == []


def found_in(text: str) -> list[str]:
    return [match[0] for match in SECRETS.finditer(text) if match[0] not in SAMPLES]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "RSA PRIVATE KEY-----", "AKIA" + "A" * 16, "ghp_" + "a" * 36, "123456789:AA" + "b" * 33,
        "ctb_" + "b" * 43, 'api_secret = "' + "A1b2" * 11 + '"', "{'apiKey': '" + "Z9y8" * 16 + "'}",
    ],
)  # fmt: skip
def test_each_kind_of_secret_is_noticed(text: str) -> None:
    assert found_in(text)


def test_files_that_hold_secrets_are_not_taken_into_the_history(tmp_path: Path) -> None:
    for name in (".env", "State/api_token", "State/api_tokens.json", "State/trading.db", "State/logs/engine.jsonl"):
        done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False)
        if done.returncode == 128:
            pytest.skip("this tree is not a git checkout")
        assert done.returncode == 0, f"{name} would be committed"
