"""The arrows between the rooms point one way; each contract is shown to break when it should."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.style.tree import PACKAGE, ROOT

CHECK = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename=sys.argv[1]))"


def lint(source_folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml against the package that lies in a folder."""
    return subprocess.run(
        [sys.executable, "-c", CHECK, str(ROOT / "pyproject.toml")],
        cwd=source_folder,
        env={**os.environ, "PYTHONPATH": str(source_folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_contracts_hold() -> None:
    result = lint(ROOT / "src")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


PLANTS = [
    ("novelty/__init__.py", '"""A room nobody has placed."""', "novelty"),
    ("novelty.py", '"""A module nobody has placed."""', "novelty"),
    ("domain/upward.py", "import crypto_bot.kernel", "crypto_bot.domain.upward -> crypto_bot.kernel"),
    ("kernel/upward.py", "def f():\n    import crypto_bot.data", "crypto_bot.kernel.upward -> crypto_bot.data"),
    ("kernel/clock.py", "import time", "crypto_bot.kernel.clock -> time"),
    ("venue/dice.py", "import random", "crypto_bot.venue.dice -> random"),
    ("strategies/diary.py", "import logging", "crypto_bot.strategies.diary -> logging"),
    ("kernel/second.py", "import numba", "crypto_bot.kernel.second -> numba"),
    ("backtesting/oracle.py", "import crypto_bot.ml", "crypto_bot.backtesting.oracle -> crypto_bot.ml"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "text", "told"), PLANTS, ids=[place for place, _, _ in PLANTS])
def test_contracts_break(tmp_path: Path, place: str, text: str, told: str) -> None:
    """Plant one forbidden file in a copy of the package, and see the check name it."""
    package = tmp_path / "crypto_bot"
    shutil.copytree(ROOT / PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
    for room in ("kernel", "venue", "strategies", "data", "backtesting", "ml"):
        (package / room).mkdir(exist_ok=True)
        (package / room / "__init__.py").touch()
    (package / place).parent.mkdir(exist_ok=True)
    (package / place).write_text(text, encoding="utf-8")
    result = lint(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert told in result.stdout
