"""The loop of a run: an event comes, happens, is written down, and only then do its effects leave."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from crypto_bot.domain.market import Slice
from crypto_bot.kernel.layout import HALT_OPERATOR
from crypto_bot.persistence.journal import Journal
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.feed import Feed
from crypto_bot.runtime.recover import Recovered, stop_entry
from crypto_bot.runtime.snapshot import pack

Watcher = Callable[[Slice, "Recovered"], None]

_SNAPSHOT_BARS = 2_000
_SNAPSHOT_S = 60.0


@dataclass
class Brake:
    """How a run is stopped from outside: an event set by a signal, and the flag file that forbids opening."""

    stop: asyncio.Event
    flag: Path
    reason: str = "stopped"


async def drive(run: Recovered, feed: Feed, journal: Journal, brake: Brake, code: str, watch: Watcher) -> bool:
    """Play a feed until it ends or the brake is pulled; True when it ended.

    Every row is durable before the effects that wait for it; all rows are when this returns.
    """
    session, recorder = run.session, run.recorder
    kept_bars, kept_at = run.bars, monotonic()
    ended = True
    stopped = asyncio.ensure_future(brake.stop.wait())
    slices = feed.after(run.last_slice_ns).__aiter__()
    try:
        while True:
            coming = asyncio.ensure_future(anext(slices, None))
            await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                coming.cancel()
                ended = False
                break
            item = coming.result()
            if item is None:
                break
            _record(run, _flagged(run, brake.flag))
            _record(run, session.play(item))
            run.last_slice_ns, run.bars = item.time_ns, run.bars + 1
            watch(item, run)
            if run.bars - kept_bars >= _SNAPSHOT_BARS or monotonic() - kept_at > _SNAPSHOT_S:
                _keep(run, journal, code)
                kept_bars, kept_at = run.bars, monotonic()
    finally:
        stopped.cancel()
        recorder.flush()
    if not recorder.catching_up:
        recorder.record(
            stop_entry(session, run.last_slice_ns or 0, "the prices are used up" if ended else brake.reason)
        )
        recorder.flush()
        _keep(run, journal, code)
    return ended


def _record(run: Recovered, entries: Iterator[Entry]) -> None:
    for entry in entries:
        run.recorder.record(entry)


def _flagged(run: Recovered, flag: Path) -> Iterator[Entry]:
    """Follow the flag file: while it is there no opening order leaves."""
    halted = bool(run.session.halt & HALT_OPERATOR)
    if flag.exists() and not halted:
        yield from run.session.obey("halt", f"the file {flag.name} is present", "flag file")
    elif halted and not flag.exists():
        yield from run.session.obey("resume", f"the file {flag.name} is gone", "flag file")


def _keep(run: Recovered, journal: Journal, code: str) -> None:
    """Keep a snapshot on the last durable row."""
    run.recorder.flush()
    journal.save_snapshot(run.recorder.sequence, pack(run.session), code)
