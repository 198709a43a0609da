"""Command lines run for tests: one as a process of its own, or many in one process where only their ends matter."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_MANY = """
import contextlib, io, json, sys
from crypto_bot.cli.frame import run_command
ends = []
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_command(words)
    ends.append([status, out.getvalue(), err.getvalue()])
print(json.dumps(ends))
"""


class End(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str


def environment(folder: Path, *, compile: bool = False) -> dict[str, str]:
    """Return the environment of a command: decoded candles in the folder; compiled code where it always is."""
    own = {} if compile else {"CRYPTO_BOT_COMPILE": "0", "CRYPTO_BOT_CACHE_DIR": str(folder / "cache")}
    return {**os.environ, **own}


def run(*words: str, cwd: Path, compile: bool = False) -> End:
    """Run one command as a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "crypto_bot", *words], cwd=cwd, env=environment(cwd, compile=compile),
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    return End(ended.returncode, ended.stdout, ended.stderr)


def run_all(lines: Sequence[Sequence[str]], cwd: Path) -> list[End]:
    """Run many commands, uncompiled, one after the other in one process."""
    answer = script(_MANY, cwd, json.dumps([list(line) for line in lines]))
    return [End(*each) for each in json.loads(answer)]


def script(text: str, cwd: Path, given: str = "") -> str:
    """Run a Python text in a fresh, uncompiled process and return what it printed; it has to end well."""
    ended = subprocess.run(
        [sys.executable, "-c", text], cwd=cwd, env=environment(cwd), input=given,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
