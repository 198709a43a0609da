"""Symbols of which no bar comes any more: what is held of them is given up, at the last price less a part of it.

That a symbol is gone is known when it has been without a bar for so many days, and not before: a backtest looks at no
later bar for it, and a run knows it in the same slice.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from crypto_bot.backtesting import slices
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.backtesting.stage import Stage
from crypto_bot.backtesting.tape import Tape
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import DAY_NS
from crypto_bot.kernel.arithmetic import fee_on
from crypto_bot.kernel.compiled import compiled
from crypto_bot.kernel.guards import end_wish
from crypto_bot.kernel.layout import CLOSES, FILL_EVENT, GUARDED, QUOTED, SELL, TARGET_SLOT, TARGETED, Market, World
from crypto_bot.kernel.ledger import equity_at
from crypto_bot.plain.meeting import tell_fill
from crypto_bot.venue.book import Venue, reset_gates
from crypto_bot.venue.matching import fill_at

LEAST_BARS = 3
"""So many bars have to be missing at least."""


class Gone(NamedTuple):
    """Where it is known that an instrument is gone: a base bar of the tape."""

    at: int
    instrument: int


def patience_ns(simulation: Simulation, run_ns: int) -> int:
    """Return how long an instrument may be without a bar; 0 is for ever."""
    return max(simulation.delisting_days * DAY_NS, LEAST_BARS * run_ns) if simulation.delisting_days else 0


def find_gone(tape: Tape, candles: Sequence[Candles], simulation: Simulation, start_ns: int | None) -> tuple[Gone, ...]:
    """Return every instrument that is given up in a run over these candles, in order of time."""
    patience = patience_ns(simulation, tape.run_ns)
    if patience == 0 or not tape.has_gaps:
        return ()
    found = []
    for k, each in enumerate(candles):
        times = each.times if start_ns is None else each.times[np.searchsorted(each.times, start_ns) :]
        at = np.searchsorted(tape.run_times, times + patience)
        known = np.append(tape.run_times, np.iinfo(np.int64).max)[at]
        gone = np.flatnonzero((at < tape.run_times.size) & (known < np.append(times[1:], np.iinfo(np.int64).max)))
        if gone.size:
            i = int(at[gone[0]])
            found.append(Gone(int(tape.due[i]) if tape.is_split else i, k))
    return tuple(sorted(found))


def next_stop(gone: Sequence[Gone], i: int, total: int) -> int:
    """Return the slice to run to from slice i on: to the next one in which something is given up, or to the end."""
    return min((each.at + 1 for each in gone if each.at >= i), default=total)


@compiled()
def renounce(world: World, k: int) -> None:
    """Let no strategy want anything of an instrument: orders are to go, and what is held is to be sold."""
    for lane in range(k, world.wish.size, world.book.size):
        w = world.wish[lane]
        head = world.wish[lane - k]
        end_wish(w)
        for n in range(w["quotes"]):
            w["quote"][n]["quantity"] = 0
        w["owed"] = 0
        w["dirty"] |= TARGETED | QUOTED | GUARDED
        w["news"] = 1
        head["news"] = 1
        head["any"] = 1


@compiled()
def find_sale(world: World, venue: Venue, market: Market, gone: Gone, haircut_ppm: int) -> bool:
    """Fill the next sale of what is held, at the last price less the haircut; False when all is sold."""
    last = market.bars[CLOSES, gone.at, gone.instrument]
    for lane in range(gone.instrument, world.wish.size, world.book.size):
        r = venue.resting[lane, TARGET_SLOT]
        if r["live"] != 0 and r["side"] == SELL:
            fill_at(world, venue, lane, TARGET_SLOT, max(1, last - fee_on(last, haircut_ppm)))
            return True
    reset_gates(venue)
    return False


@compiled()
def strike_off(world: World, market: Market, gone: Gone) -> int:
    """Take no more orders of an instrument; return the equity."""
    world.book[gone.instrument]["most"] = 0
    equity = equity_at(world, market, gone.at)
    world.desk[0]["equity"] = equity
    return equity


def give_up(stage: Stage, gone: Sequence[Gone], i: int, simulation: Simulation) -> None:
    """Give up what is gone in slice i, after the wishes of it were answered."""
    for each in gone:
        if each.at == i:
            stage.guarded(partial(_give_up, stage, each, simulation))


def _give_up(stage: Stage, gone: Gone, simulation: Simulation) -> None:
    world, venue, market, equity = stage.world, stage.venue, stage.markets[0], stage.equity
    i = gone.at
    renounce(world, gone.instrument)
    slices.close_slice(world, venue, market, i, int(equity[i]), 0)
    while find_sale(world, venue, market, gone, simulation.delisting_ppm):
        _happen(stage, 0)
        while world.desk[0]["effects_made"] != 0 and slices.send(world, venue, market, i):
            _happen(stage, int(world.desk[0]["equity"]))
    equity[i] = strike_off(world, market, gone)
    equity[i] = slices.close_slice(world, venue, market, i, int(equity[i]), int(simulation.fill_at == "close"))


def _happen(stage: Stage, equity: int) -> None:
    """Let the report in the event register happen, and tell a plain class of its fill."""
    event = stage.world.event[0]
    if event["kind"] == FILL_EVENT:
        tell_fill(stage.bounds, event, fee=int(event["fee"]))
    slices.happen(stage.world, equity)
