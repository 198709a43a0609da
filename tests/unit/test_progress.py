"""What a long backtest says while it works, and what it does not say."""

import sys
from io import StringIO
from pathlib import Path

import pytest

from crypto_bot.cli import progress
from crypto_bot.cli.progress import Watch, tell_of_compiling
from crypto_bot.kernel import compiled


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the test say how late it is."""
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


def test_a_quick_run_is_silent(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Watch() as watch:
        clock[0] += 0.9
        watch(10, 100)
    assert capsys.readouterr() == ("", "")


def test_a_long_run_draws_on_stderr_and_leaves_stdout_alone(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Watch() as watch:
        clock[0] += 1.1
        watch(10, 100)
        watch(100, 100)
    assert "100%" in terminal.getvalue() and capsys.readouterr().out == ""


@pytest.mark.parametrize(("files", "told"), [((), True), (("backtesting_1/replay.replay-232.py311.nbi",), False)])
def test_waiting_for_the_compiler_is_told_before(
    files: tuple[str, ...],
    told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    monkeypatch.setattr(compiled, "COMPILE", True)
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)
    tell_of_compiling()
    assert ("compiling the kernel" in capsys.readouterr().err) is told


def test_nothing_is_told_where_nothing_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled, "COMPILE", False)
    monkeypatch.setattr(compiled, "FOLDER", tmp_path)
    tell_of_compiling()
    assert capsys.readouterr().err == ""
