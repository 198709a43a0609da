"""What a terminal shows, and what a file does."""

import io

import pytest

from crypto_bot.domain.market import Slice
from crypto_bot.persistence.payloads import CommandEvent
from crypto_bot.runtime import view as module
from crypto_bot.runtime.feed import RecordedFeed
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running
from crypto_bot.runtime.view import View
from tests.small_runs import GRID, PaperJournal, Setting, as_journal, walk

SETTING = Setting({"grid": GRID}, (walk(60),), before=3)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def played(view: View, clock: list[float], *, seconds: float, bars: int = 30) -> Running:
    """Play some bars with so many seconds between them."""
    running = recover(as_journal(PaperJournal()), SETTING.plan(), SETTING.history)
    items: list[Slice] = list(RecordedFeed([SETTING.candles[0].between(SETTING.start_ns)], 0).slices())
    for item in items[:bars]:
        clock[0] += seconds
        running.play(item)
        view(item, running)
    return running


def test_a_file_gets_a_plain_line_every_ten_seconds(clock: list[float]) -> None:
    stream = io.StringIO()
    view = View(stream)
    running = played(view, clock, seconds=1.0)
    view.close()
    lines = stream.getvalue().split("\n")
    assert len(lines) == 3 + 1 and "\x1b" not in stream.getvalue() and "bought" not in stream.getvalue()
    assert "COIN/USDT" in lines[0] and "  0 fills  " in lines[0] and lines[0].endswith("holding +0.00%")
    assert running.session.fills > 5


def test_a_terminal_gets_one_line_that_is_overwritten_and_every_fill(clock: list[float]) -> None:
    stream = Terminal()
    view = View(stream)
    running = played(view, clock, seconds=0.5)
    view.close()
    text = stream.getvalue()
    assert text.count("\r\x1b[2K") == 31 and text.endswith("\n")
    assert text.count(" bought ") + text.count(" sold ") == running.session.fills
    assert f"  {running.session.fills} fills" in text.rpartition("\r")[2]
    assert "  grid bought " in text and " COIN at " in text


def test_many_fills_at_once_are_counted(clock: list[float]) -> None:
    stream = Terminal()
    view = View(stream)
    running = played(view, clock, seconds=0.0, bars=57)
    view.close()
    told = stream.getvalue().count(" bought ") + stream.getvalue().count(" sold ")
    assert told == 8 and f"and {running.session.fills - 8} more fills" in stream.getvalue()


def test_lines_fit_the_terminal(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    played(View(stream), clock, seconds=0.5)
    drawn = stream.getvalue().replace("\r\x1b[2K", "\n").split("\n")
    assert max(len(line) for line in drawn) == 39


def test_a_halt_is_shown(clock: list[float]) -> None:
    stream = io.StringIO()
    view = View(stream)
    running = played(view, clock, seconds=1.0)
    running.obey(CommandEvent("halt"))
    clock[0] += 20
    view(Slice(0, SETTING.history()[-1].bars), running)
    assert "  HALTED  COIN/USDT " in stream.getvalue()


def test_a_run_outlives_its_terminal(clock: list[float]) -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    view = View(Gone())
    assert played(view, clock, seconds=1.0).bars == 30
    view.close()
