"""`warm`: fill the cache of compiled code, so that no backtest and no run has to wait for the compiler."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from crypto_bot.cli.output import columns, show

if TYPE_CHECKING:
    from crypto_bot.backtesting.setup import Chosen
    from crypto_bot.domain.market import Candles

_NOTHING = "CRYPTO_BOT_COMPILE=0: nothing is compiled"
_BARS = 300
_MINUTE_NS = 60_000_000_000
_PRICE, _SWING = 2_800_000, 100_000
"""In hundredths: inside the lines that a grid has when nothing is said, and wide enough to trade."""


class Step(NamedTuple):
    """One piece of the work: what it was, how long it took, and how many functions the compiler had to make."""

    name: str
    seconds: float
    compiled: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: what is compiled follows from the program."""


def execute(args: argparse.Namespace) -> int:
    """Run every compiled function once and say what was compiled; quick when nothing was."""
    began = perf_counter()
    from crypto_bot.kernel.compiled import FOLDER

    steps = [] if FOLDER is None else _fill(FOLDER, quiet=args.json)
    made = sum(step.compiled for step in steps)
    seconds = round(perf_counter() - began, 2)
    told = f"{made} functions compiled" if made else "everything was compiled already"
    lines = columns([(step.name, f"{step.seconds:.2f} s", f"{step.compiled} compiled") for step in steps])
    last = f"{told}, {seconds:.2f} s, in {FOLDER}" if FOLDER is not None else _NOTHING
    document = {
        "seconds": seconds,
        "compiled": made,
        "folder": None if FOLDER is None else str(FOLDER),
        "steps": [step._asdict() for step in steps],
    }
    show(args, document, [*lines, last])
    return 0


def _fill(folder: Path, *, quiet: bool) -> list[Step]:
    """Do every piece of the work, and tell on stderr which one it is."""
    steps = []
    for name, work in _works():
        if not quiet:
            print(f"{name} ...", file=sys.stderr)
        since, before = perf_counter(), _count(folder)
        work()
        steps.append(Step(name, round(perf_counter() - since, 2), _count(folder) - before))
    return steps


def _count(folder: Path) -> int:
    """Count the compiled functions in the cache."""
    return sum(1 for _ in folder.rglob("*.nbc"))


def _works() -> Iterator[tuple[str, Callable[[], object]]]:
    """Give the pieces of the work by name; each needs those before it."""
    from crypto_bot.strategies.catalogue import NAMES

    yield "replay loop", _replay_loop
    for name in NAMES:
        yield f"strategy {name}", partial(_one, name)
    yield "several strategies", _several
    yield "slice by slice", _slice_by_slice


def _replay_loop() -> None:
    from crypto_bot.backtesting.compiling import compile_kernel

    compile_kernel()


def _one(name: str) -> None:
    """Run a strategy as it is used: on bars shorter than its own, and on its own."""
    from crypto_bot.backtesting.engine import simulate
    from crypto_bot.backtesting.setup import Simulation
    from crypto_bot.domain.timeframe import timeframe_ns

    chosen = _chosen(name)
    simulate([chosen], [_candles()], Simulation())
    own = chosen.strategy.module.timeframe
    if own:
        chosen.strategy.bind(chosen.params, 1, timeframe_ns(own))


def _several() -> None:
    from crypto_bot.backtesting.engine import simulate
    from crypto_bot.backtesting.setup import Simulation

    for fill_at in ("next_open", "close"):
        simulate([_chosen("simple_ma"), _chosen("grid")], [_candles()], Simulation(fill_at=fill_at))


def _slice_by_slice() -> None:
    """Drive a run through the separate steps of a slice, as everything does that waits between them."""
    from crypto_bot.backtesting import interventions, slices
    from crypto_bot.backtesting.setup import Simulation
    from crypto_bot.backtesting.several import step_all
    from crypto_bot.backtesting.stage import prepare
    from crypto_bot.backtesting.tape import make_tape

    candles = _candles()
    stage = prepare([_chosen("simple_ma")], [candles.instrument], make_tape([candles]), Simulation())
    world, venue, market = stage.world, stage.venue, stage.markets[0]
    interventions.take_back(world, interventions.ANY, interventions.ANY, interventions.ANY, True)
    interventions.close_out(world)
    interventions.hush(world, 0)
    interventions.rouse(world, 0)

    def carry_out(i: int) -> None:
        while slices.send(world, venue, market, i):
            slices.happen(world, 0)

    for i in range(len(candles)):
        cursor = slices.find_match(world, venue, market, i, 0)
        while cursor >= 0:
            slices.happen(world, 0)
            carry_out(i)
            cursor = slices.find_match(world, venue, market, i, cursor)
        stage.equity[i] = slices.mark(world, market, i, slices.account_equity(world, market, i))
        step_all(stage, i)
        while slices.is_wished(world):
            slices.decide(world, market, i, stage.equity[i])
            carry_out(i)
            while slices.find_close_match(world, venue, market, i):
                slices.happen(world, 0)
                carry_out(i)


def _chosen(name: str) -> Chosen:
    from crypto_bot.authoring.binding import Strategy
    from crypto_bot.backtesting.setup import Chosen
    from crypto_bot.strategies.catalogue import find

    strategy = Strategy(find(name))
    return Chosen(strategy, strategy.module.parameters.defaults)


def _candles() -> Candles:
    """Return prices that go up and down, so that everybody has something to trade."""
    import numpy as np

    from crypto_bot.domain.instrument import Instrument
    from crypto_bot.domain.market import Candles

    times = np.arange(_BARS, dtype=np.int64) * _MINUTE_NS
    wave = np.abs(np.arange(_BARS + 1, dtype=np.int64) % 240 - 120) * (_SWING // 60) + _PRICE - _SWING
    opening, close = wave[:-1], wave[1:]
    high, low = np.maximum(opening, close) + 50, np.minimum(opening, close) - 50
    return Candles(Instrument("BTC/USDT"), "1m", times, opening, high, low, close, np.full(_BARS, 10**6, np.int64))
