"""One backtest in one process: candles, strategies and assumptions in, an Outcome out."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import NamedTuple

import numpy as np

from crypto_bot.backtesting.classes import replay_classes
from crypto_bot.backtesting.delisting import Gone, find_gone, give_up, next_stop
from crypto_bot.backtesting.notes import NoteBook
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.replay import AT_CLOSE, SKIP, replay
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.several import faults, replay_several, stop_all
from crypto_bot.backtesting.stage import Stage, decisions_hash, ledger_hash, prepare
from crypto_bot.backtesting.tape import Tape, make_tape
from crypto_bot.data.digest import candles_digest
from crypto_bot.domain.errors import DataError, RunFailed
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.units import format_time
from crypto_bot.kernel.compiled import COMPILE
from crypto_bot.kernel.layout import CLOSES
from crypto_bot.plain.meeting import players

Progress = Callable[[int, int], None]
"""Called with (bars done, bars in all) now and then."""

_NAMED = 5
"""So many symbols are named in a remark; the others are counted."""

_CHUNK, _SLOW_CHUNK = 1 << 19, 1 << 14
"""Bars between two calls of progress: a fraction of a second, for the compiled loop and for one of Python."""


def simulate(
    chosen: Sequence[Chosen],
    candles: Sequence[Candles],
    simulation: Simulation,
    *,
    start_ns: int | None = None,
    detail: Sequence[Candles] = (),
    skip: bool = True,
    progress: Progress | None = None,
) -> Outcome:
    """Replay candles through the kernel and return what came of it.

    Candles that open before `start_ns` serve as warm-up and are not counted. `skip=False` runs the
    plain loop at every bar; the result is the same. Raises UsageError, DataError or RunFailed.
    """
    began = perf_counter()
    data_hash = candles_digest(*(each.between(start_ns) for each in candles))
    tape = make_tape(candles, fills=simulation.fills, detail=detail)
    stage = prepare(chosen, [each.instrument for each in candles], tape, simulation, start_ns=start_ns)
    if stage.first == tape.times.size:
        raise DataError("no bar opens at or after the start; choose an earlier one")
    notes = NoteBook(stage.world.log)
    ways = (SKIP if skip else 0) | (AT_CLOSE if simulation.fill_at == "close" else 0)
    drive = _drive_of(stage)
    stage.guarded(lambda: drive(stage, 0, 0, ways))  # the first call resolves types; it is no part of the replay
    setup_seconds = perf_counter() - began
    began = perf_counter()
    gone = find_gone(tape, candles, simulation, start_ns)
    _run(stage, notes, Drive(lambda first, stop: drive(stage, first, stop, ways), gone, simulation), progress)
    stop_all(stage)
    engine_seconds = perf_counter() - began
    begin = 0 if start_ns is None else int(np.searchsorted(tape.run_times, start_ns, "left"))
    desk = stage.world.desk[0]
    instruments = stage.instruments
    return Outcome(
        instruments=instruments,
        timeframe=candles[0].timeframe,
        strategies=tuple(c.name for c in chosen),
        times=tape.run_times[begin:],
        closes=_closes(tape, candles, begin),
        equity=stage.equity[tape.due[begin:]] if tape.is_split else stage.equity[begin:],
        initial_equity=simulation.cash,
        fills=notes.fills(len(instruments), tape.run_times),
        assets=(instruments[0].quote, *(instrument.base for instrument in instruments)),
        decisions_hash=decisions_hash(stage.world),
        ledger_hash=ledger_hash(stage.world),
        data_hash=data_hash,
        orders=int(desk["approved"]),
        refused=int(desk["refused"]),
        engine_seconds=engine_seconds,
        setup_seconds=setup_seconds,
        warnings=(*faults(stage), *_gap_remarks(tape, candles, start_ns, gone), *notes.warnings()),
        faults=faults(stage),
        candles=tuple(candles),
        assumptions=simulation.stated(),
    )


def _drive_of(stage: Stage) -> Callable[[Stage, int, int, int], int]:
    """Return the loop that goes with the strategies of a stage."""
    if players(stage.bounds):
        return replay_classes
    return _replay_one if len(stage.bounds) == 1 else replay_several


def _replay_one(stage: Stage, first: int, stop: int, ways: int) -> int:
    bound = stage.bounds[0]
    arguments = (stage.markets[0], stage.world, stage.venue, stage.equity, bound.memory, first, stop, ways)
    return int(replay(bound.loop, *arguments))


class Drive(NamedTuple):
    """The loop over the bars of a stage, and where it stops because an instrument is given up."""

    loop: Callable[[int, int], int]
    gone: Sequence[Gone]
    simulation: Simulation


def _run(stage: Stage, notes: NoteBook, drive: Drive, progress: Progress | None) -> None:
    """Run all bars of a stage, collecting the notes whenever the log is nearly full."""
    total = stage.tape.times.size
    chunk = _CHUNK if COMPILE and len(stage.bounds) == 1 else _SLOW_CHUNK
    i = stage.first

    def go_on() -> int:
        stop = next_stop(drive.gone, i, total)
        return drive.loop(i, min(stop, i + chunk) if progress else stop)

    while i < total:
        reached = stage.guarded(go_on)
        if reached == i and stage.world.desk[0]["log_count"] == 0:
            raise RunFailed("the log is too small for one bar of this run; use fewer symbols or strategies")
        notes.collect(stage.world)
        if reached > i:
            give_up(stage, drive.gone, reached - 1, drive.simulation)
        i = reached
        if progress:
            progress(i - stage.first, total - stage.first)
    if stage.world.desk[0]["log_count"] != 0:
        notes.collect(stage.world)
    if stage.world.desk[0]["laws"] != 0:
        raise RunFailed("the ledger broke one of its own laws; please report this with the command and its data")


def _closes(tape: Tape, candles: Sequence[Candles], begin: int) -> IntArray:
    """Return the closes of the bars that count; not as a view of the tape, which would keep all of it in memory."""
    if len(candles) == 1 and len(candles[0]) == tape.run_times.size:
        return candles[0].close[begin:, np.newaxis]
    return tape.run_bars[CLOSES, begin:].copy()


def _gap_remarks(tape: Tape, candles: Sequence[Candles], start_ns: int | None, gone: Sequence[Gone]) -> list[str]:
    """Say which instruments come later than the first slice that counts, and which end before the last."""
    first_ns, last_ns = int(tape.run_times[0]), int(tape.run_times[-1])
    if start_ns is not None:
        first_ns = max(first_ns, start_ns)
    given_up = {each.instrument for each in gone}
    ends = [(k, each.instrument.symbol, int(each.times[-1])) for k, each in enumerate(candles)]
    late = [(each.instrument.symbol, int(each.times[0])) for each in candles if each.times[0] > first_ns]
    held = [(symbol, time_ns) for k, symbol, time_ns in ends if time_ns < last_ns and k not in given_up]
    lost = [(symbol, time_ns) for k, symbol, time_ns in ends if k in given_up]
    said = []
    if late:
        said.append(f"not there from the start: {_listed(late, 'from')}")
    if held:
        said.append(
            f"not there to the end: {_listed(held, 'until')}; what was held then could not be sold and is still counted"
            " at the last price"
        )
    if lost:
        said.append(
            f"given up because no bar came any more: {_listed(lost, 'until')}; what was held was sold at the last price"
            " less [execution] delisting_haircut"
        )
    return said


def _listed(known: Sequence[tuple[str, int]], word: str) -> str:
    """Name some symbols with their times, and count the others."""
    named = [f"{symbol} ({word} {format_time(time_ns)})" for symbol, time_ns in known[:_NAMED]]
    return ", ".join(named) + (f" and {len(known) - _NAMED} more" if len(known) > _NAMED else "")
