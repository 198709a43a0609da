"""The loop of a run: it ends when the prices do, stops when it is told to, and leaves nothing unwritten."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crypto_bot.domain.errors import RunFailed
from crypto_bot.domain.market import Slice
from crypto_bot.runtime import drive as loop
from crypto_bot.runtime.brake import Brake
from crypto_bot.runtime.drive import USED_UP, drive
from crypto_bot.runtime.feed import RecordedFeed
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running
from tests.small_runs import GRID, PaperJournal, Setting, as_journal, walk

SETTING = Setting({"grid": GRID}, (walk(40),))
SLOW = RecordedFeed(SETTING.candles, 3_600 / 0.02)
"""The same bars, one every 20 ms."""


def begun(journal: PaperJournal) -> Running:
    return recover(as_journal(journal), SETTING.plan(), SETTING.history)


def kinds(journal: PaperJournal) -> list[str]:
    return [row.kind for row in journal.written]


def test_it_ends_with_the_prices(tmp_path: Path) -> None:
    journal, seen = PaperJournal(), list[int]()
    running = begun(journal)

    def watch(item: Slice, run: Running) -> None:
        assert run is running and run.last_ns == item.time_ns
        assert [entry.kind for entry in run.news].count("SLICE") == 1
        seen.append(item.time_ns)

    assert asyncio.run(drive(running, RecordedFeed(SETTING.candles, 0), Brake(tmp_path / "HALT"), watch))
    assert seen == SETTING.candles[0].times.tolist()
    assert (kinds(journal)[-1], journal.written[-1].payload) == ("STOP", f'{{"reason":"{USED_UP}"}}')
    assert journal.snapshots[-1].sequence == journal.written[-1].sequence


@pytest.mark.parametrize("early", [True, False])
def test_the_brake_stops_it_between_two_bars(early: bool, tmp_path: Path) -> None:
    journal, brake = PaperJournal(), Brake(tmp_path / "HALT")
    running = begun(journal)
    if early:
        brake.pull("before the first bar")
    pulling = threading.Timer(0.2, brake.pull, ["enough"])
    pulling.start()
    assert asyncio.run(drive(running, SLOW, brake)) is False
    pulling.join()
    assert running.bars <= 1 if early else 2 < running.bars < 30
    assert journal.written[-1].payload == f'{{"reason":"{"before the first bar" if early else "enough"}"}}'
    assert kinds(journal).count("SLICE") == running.bars
    assert not asyncio.run(drive(begun(journal), SLOW, brake)), "a pulled brake stays pulled"


def test_a_signal_pulls_it_and_what_was_before_comes_back(tmp_path: Path) -> None:
    brake = Brake(tmp_path / "HALT")
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with brake.on_signals():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert brake.reason == "SIGTERM was sent", "the first one counts"
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_no_row_waits_for_the_next_price(tmp_path: Path) -> None:
    """With five minutes between two bars the last one has to be durable, and on the page, at once."""
    journal, brake = PaperJournal(), Brake(tmp_path / "HALT")
    running = begun(journal)
    rows = 0

    async def look() -> None:
        nonlocal rows
        driving = asyncio.create_task(drive(running, RecordedFeed(SETTING.candles, 1.0), brake))
        await asyncio.sleep(0.7)
        rows = len(journal.written)
        brake.pull("seen")
        await driving

    asyncio.run(look())
    assert running.bars == 1 and kinds(journal)[:rows].count("SLICE") == 1


def test_the_flag_file_is_obeyed_while_no_price_comes(tmp_path: Path) -> None:
    journal, brake = PaperJournal(), Brake(tmp_path / "HALT")
    running = begun(journal)

    async def play() -> None:
        driving = asyncio.create_task(drive(running, RecordedFeed(SETTING.candles, 1.0), brake))
        await asyncio.sleep(0.05)
        brake.flag.touch()
        await asyncio.sleep(0.6)
        assert kinds(journal).count("COMMAND") == 1 and running.session.halt
        brake.flag.unlink()
        await asyncio.sleep(0.6)
        assert kinds(journal).count("COMMAND") == 2 and not running.session.halt
        brake.pull("seen")
        await driving

    asyncio.run(play())


def test_a_failure_is_raised_and_what_happened_before_it_is_kept(tmp_path: Path) -> None:
    class BrokenFeed(RecordedFeed):
        async def after(self, time_ns: int | None) -> AsyncIterator[Slice]:
            for number, item in enumerate(self.slices()):
                if number == 7:
                    raise RunFailed("the line is cut")
                yield item

    journal = PaperJournal()
    running = begun(journal)
    with pytest.raises(RunFailed, match="the line is cut"):
        asyncio.run(drive(running, BrokenFeed(SETTING.candles, 0), Brake(tmp_path / "HALT")))
    assert kinds(journal).count("SLICE") == 7 and "STOP" not in kinds(journal)


def test_a_full_disk_is_told_once_and_the_run_goes_on_later(tmp_path: Path) -> None:
    class FillingJournal(PaperJournal):
        room = 60

        def append(self, rows):  # type: ignore[no-untyped-def] # stands in for the method
            if len(self.written) + len(rows) > self.room:
                raise RunFailed("the disk is full")
            return super().append(rows)

    journal = FillingJournal()
    with pytest.raises(RunFailed, match="the disk is full"):
        SETTING.run(journal, tmp_path)
    assert 0 < len(journal.written) <= 60
    journal.room = 10**6
    whole = PaperJournal()
    SETTING.run(whole, tmp_path)
    SETTING.run(journal, tmp_path)
    assert journal.written == whole.written


def test_snapshots_are_kept_by_bars_and_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_SNAPSHOT_BARS", 15)
    journal = PaperJournal()
    SETTING.run(journal, tmp_path)
    assert len(journal.snapshots) == 2 + 1
    monkeypatch.setattr(loop, "_SNAPSHOT_S", 0.1)
    slow = PaperJournal()
    asyncio.run(drive(begun(slow), RecordedFeed(SETTING.candles[:1], 3_600 / 0.01), Brake(tmp_path / "HALT")))
    assert len(slow.snapshots) >= 4
