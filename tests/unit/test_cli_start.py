"""`python main.py`: its flags, its menu, and the ways to leave it."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from crypto_bot.cli import start as start_module
from crypto_bot.cli.start import Choice, choose, start

ROOT = Path(__file__).resolve().parents[2]
MENU = (Choice("grid", "lines"), Choice("simple_ma", "two averages"), Choice("dca", "a bit each day"))


def ask(monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[str, ...] | None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return choose(MENU, ("grid",))


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("2\n", ("simple_ma",)),
        (" 3 , 1,3\n", ("dca", "grid")),
        ("\n", ("grid",)),
        ("0\n4\nx\n-1\n2;3\n²\n1\n", ("grid",)),
        ("", None),
        ("9\n", None),
    ],
)
def test_choosing(monkeypatch: pytest.MonkeyPatch, text: str, chosen: tuple[str, ...] | None) -> None:
    assert ask(monkeypatch, text) == chosen


def test_the_menu_is_numbered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ask(monkeypatch, "7\n1\n")
    shown = capsys.readouterr().out
    assert "  1  grid" in shown and "  3  dca" in shown and "two averages" in shown
    assert "That is not a number from 1 to 3." in shown and "Enter for grid" in shown


@pytest.fixture
def dispatched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Sequence[str]]:
    """Catch the command line that the menu leads to."""
    caught: list[Sequence[str]] = []

    def catch(words: Sequence[str]) -> int:
        caught.append(words)
        return 0

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(start_module, "dispatch", catch)
    monkeypatch.setattr(start_module, "_catalogue", lambda: MENU)
    return caught


def test_flags_go_on_to_run(dispatched: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert start([]) == 0
    assert start(["--dry-run", "--state", "S", "--speed", "9"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("2,3\n"))
    assert start(["--interactive", "--dry-run"]) == 0
    assert dispatched == [
        ["run"],
        ["run", "--dry-run", "--state", "S", "--speed", "9"],
        ["run", "--dry-run", "--strategy", "simple_ma", "--strategy", "dca"],
    ]


def test_mode_backtest_runs_a_backtest_and_a_dry_run_does_not(
    dispatched: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--set", "general.mode=backtest"]
    assert start(words) == 0
    assert start([*words, "--dry-run"]) == 0
    monkeypatch.setenv("TRADING_DRY_RUN", "true")
    assert start(words) == 0
    assert [caught[0] for caught in dispatched] == ["backtest", "run", "run"]


def main_py(*words: str, cwd: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words], cwd=cwd, env=dict(os.environ), input=text,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_nobody_there_to_answer(tmp_path: Path) -> None:
    result = main_py("--config", str(ROOT / "src/crypto_bot/config/default.ini"), "--interactive", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "  1  grid" in result.stdout and result.stdout.endswith("nothing was started\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_leaving_the_menu_by_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "--interactive"], cwd=tmp_path,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        shown = b""
        while b"Enter for" not in shown:
            piece = os.read(process.stdout.fileno(), 4096)
            assert piece, process.stderr.read()
            shown += piece
        time.sleep(0.3)  # between printing the question and waiting for the answer a signal is only noted
        process.send_signal(number)
        assert process.wait(30) == 130
        assert process.stderr.read() == b""
        assert process.stdout.read().endswith(b"nothing was started\n")


def test_wrong_settings_and_help(tmp_path: Path) -> None:
    result = main_py("--config", "none.ini", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "none.ini cannot be read" in result.stderr and result.stderr.count("\n") == 1
    told = main_py("--help", cwd=tmp_path)
    assert told.returncode == 0 and "--interactive" in told.stdout
