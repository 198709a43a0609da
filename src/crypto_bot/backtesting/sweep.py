"""Many parameter sets of one strategy over one tape, on as many threads as there are processors.

Compiled code holds no lock of the interpreter, so threads run side by side and share the tape. What a
thread writes to, the curve of its equity, it takes over from the run before.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from os import cpu_count
from queue import SimpleQueue
from threading import Lock

import numpy as np

from crypto_bot.authoring.binding import Bound, Strategy
from crypto_bot.authoring.parameters import ParameterSet
from crypto_bot.backtesting.delisting import Gone, find_gone, give_up, next_stop
from crypto_bot.backtesting.replay import AT_CLOSE, SKIP, replay
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.backtesting.stage import HEADROOM, Stage, decisions_hash, warm_up
from crypto_bot.backtesting.tape import Tape, make_tape
from crypto_bot.domain.errors import RunFailed
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.kernel.genesis import Stake, new_world
from crypto_bot.kernel.layout import HIGHS, Account, Market
from crypto_bot.venue.opening import open_venue


@dataclass(frozen=True, slots=True)
class Trial:
    """What one parameter set came to; `final_equity` in atoms, `halt` the bits of the limits that stopped it."""

    params: ParameterSet
    final_equity: int
    fills: int
    orders: int
    refused: int
    halt: int
    decisions_hash: str


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all runs of a sweep share and none of them changes."""

    strategy: Strategy
    instruments: tuple[Instrument, ...]
    tape: Tape
    markets: Mapping[tuple[int, bool], Market]
    simulation: Simulation
    highest_prices: tuple[int, ...]
    first: int
    gone: tuple[Gone, ...]


def sweep(
    strategy: Strategy,
    sets: Sequence[ParameterSet],
    candles: Sequence[Candles],
    simulation: Simulation,
    *,
    start_ns: int | None = None,
    threads: int | None = None,
) -> tuple[Trial, ...]:
    """Run a strategy once with each parameter set and return the trials in the same order.

    Candles that open before `start_ns` serve as warm-up. Results do not depend on the number of threads. Fills are
    counted, not kept: simulate the best set again for them. Raises UsageError, DataError or RunFailed.
    """
    if not sets:
        return ()
    tape = make_tape(candles, fills=simulation.fills)
    instruments = tuple(each.instrument for each in candles)
    # Compiles, where that is needed.
    strategy.bind(sets[0], len(instruments), tape.run_ns, tape.bar_ns, gaps=tape.has_gaps)
    markets = {
        (own_ns, on_fills): tape.market(own_ns, on_fills=on_fills)
        for own_ns, on_fills in {(strategy.own_ns(params), strategy.wakes_on_fills(params)) for params in sets}
    }
    highest = tuple(int(tape.bars[HIGHS, :, k].max()) * HEADROOM for k in range(len(instruments)))
    first = 0 if start_ns is None else int(np.searchsorted(tape.times, start_ns, "left"))
    gone = find_gone(tape, candles, simulation, start_ns)
    ground = _Ground(strategy, instruments, tape, markets, simulation, highest, first, gone)
    workers = min(threads or cpu_count() or 1, len(sets))
    curves: SimpleQueue[IntArray] = SimpleQueue()
    for _ in range(workers):
        curves.put(np.zeros(tape.times.size, np.int64))
    binding = Lock()

    def run(params: ParameterSet) -> Trial:
        with binding:
            bound = strategy.bind(params, len(instruments), tape.run_ns, tape.bar_ns, gaps=tape.has_gaps)
        curve = curves.get()
        try:
            return _run(ground, bound, curve)
        finally:
            curves.put(curve)

    with ThreadPoolExecutor(workers) as pool:
        try:
            return tuple(pool.map(run, sets))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _run(ground: _Ground, bound: Bound, curve: IntArray) -> Trial:
    """Run one parameter set; the curve is overwritten."""
    stage = _lay_out(ground, bound, curve)
    warm_up(stage, 0)
    ways = SKIP | (AT_CLOSE if ground.simulation.fill_at == "close" else 0)
    parts = (ground.markets[bound.own_ns, bound.wakes_on_fills], stage.world, stage.venue, curve, bound.memory)
    total = ground.tape.times.size
    i = stage.first
    while i < total:
        i = stage.guarded(partial(replay, bound.loop, *parts, i, next_stop(ground.gone, i, total), ways))
        give_up(stage, ground.gone, i - 1, ground.simulation)
    desk = stage.world.desk[0]
    if desk["laws"] != 0:
        raise RunFailed(f"the ledger broke one of its own laws with {bound.params}; please report this")
    last = int(ground.tape.due[-1]) if ground.tape.is_split else -1
    return Trial(
        params=bound.params,
        final_equity=int(curve[last]),
        fills=int(desk["fills"]),
        orders=int(desk["approved"]),
        refused=int(desk["refused"]),
        halt=int(desk["halt"]),
        decisions_hash=decisions_hash(stage.world),
    )


def _lay_out(ground: _Ground, bound: Bound, curve: IntArray) -> Stage:
    """Lay out a run without a log: notes are hashed and counted, none is kept."""
    simulation = ground.simulation
    world = new_world(
        ground.instruments,
        Stake(simulation.cash),
        simulation.limits,
        simulation.costs,
        bar_ns=ground.tape.bar_ns,
        highest_prices=ground.highest_prices,
    )
    venue = open_venue(
        ground.instruments, 1, simulation.costs, through=simulation.way.through, legs=simulation.way.legs
    )
    curve[: ground.first] = simulation.cash
    account = Account(curve, world.book, world.subs, world.wish)
    return Stage(
        ground.instruments,
        ground.tape,
        world,
        venue,
        (bound,),
        (ground.markets[bound.own_ns, bound.wakes_on_fills],),
        (account,),
        curve,
        ground.first,
    )
