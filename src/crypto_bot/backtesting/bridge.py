"""A backtest of one plain class: Python is called for bar after bar, the kernel only where something can happen.

A class that answers with a share sees prices and nothing else, so its Python runs ahead, a block of bars at a time,
and the replay of compiled strategies reads what it answered. A class that is shown its account runs through the bars in
which nothing but the mark can happen, as compiled strategies do. Decisions, fills and equity are those of the plain
loop in `classes`, to the last bit of the hash.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import length_hint
from typing import NamedTuple

import numpy as np

from crypto_bot.backtesting.quiet import commit_quiet, end_of_day, quiet_until
from crypto_bot.backtesting.replay import AT_CLOSE, replay
from crypto_bot.backtesting.settle import settle_slice, settle_wish, wished
from crypto_bot.backtesting.stage import Stage
from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.compiled import COMPILE, compiled, types
from crypto_bot.kernel.context import WARMUP
from crypto_bot.kernel.layout import GUARDED, SLOTS, TARGETED, Market, Memory, World
from crypto_bot.kernel.sight import LOOP_SIGNATURE, Reference, borrow
from crypto_bot.plain.meeting import players, tell_notes
from crypto_bot.plain.player import Player
from crypto_bot.plain.words import PriceBar
from crypto_bot.venue.book import Venue
from crypto_bot.venue.scene import Scene, lend

KEEP = -1
"""What is told of a slice in which the class wants what it wanted before."""
CUT = 4
"""Beside SKIP and AT_CLOSE: the class was not shown all of the bars that were looked at."""
_BLOCK = 4096
"""Bars that a class runs ahead."""
_FIRST_SPAN, _LONGEST_SPAN = 8, 1024


@compiled(LOOP_SIGNATURE)
def told(sight: Reference, first: int, stop: int) -> int:
    """Wish what a class has answered to slices first .. stop-1; return behind the first wish, stop when there is none.

    The class ran ahead: `memory.whole` holds a slice, then an answer for it and for each one after it, in parts per
    million or KEEP.
    """
    _, account, memory = borrow(sight)
    w = account.wish[0]
    origin = memory.whole[0] - 1
    for i in range(first, stop):
        share = memory.whole[i - origin]
        if share != KEEP and share != w["weight"]:
            w["weight"] = share
            w["hold"] = -1
            w["dirty"] |= TARGETED | GUARDED if share == 0 else TARGETED
            w["any"] = 1
            return i + 1
    return stop


class Step(NamedTuple):
    """What a class was shown, slices first .. shown-1 that wait for nothing but a commit, and how far it may look."""

    first: int
    shown: int
    limit: int
    ways: int


if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, INTEGERS, MARKET_VIEW, WORLD
    from crypto_bot.venue.book import VENUE

    STEP_SIGNATURE = INTEGER(WORLD, VENUE, MARKET_VIEW, INTEGERS, types.NamedTuple([INTEGER] * 4, Step))
else:
    STEP_SIGNATURE = None


@compiled(STEP_SIGNATURE)
def step_on(world: World, venue: Venue, market: Market, equity: IntArray, step: Step) -> int:
    """Remember the slices that were shown, answer the wish at the last of them, and go on to what can be shown next.

    Returns behind that: twice the slice when nothing but the mark happens in it, one more when one slice was settled.
    Where it stands still, the log is full or the limit is reached.
    """
    desk = world.desk[0]
    here = Scene(world, venue, market)
    scene = lend(here)
    i = step.shown
    if i > step.first:
        commit_quiet(world, market, step.first, i, equity, step.ways & CUT != 0)
    ordered = i > 0 and wished(world)
    if ordered:
        equity[i - 1] = settle_wish(here, scene, i - 1, equity[i - 1], step.ways & AT_CLOSE)
    if i >= step.limit or desk["log_count"] > world.log.size - 8 * SLOTS * world.wish.size:
        return 2 * i
    if not ordered and world.wish[0]["kept"] == 0:
        quiet = quiet_until(world, venue, market, i, min(step.limit, desk["day_index"]), equity)
        if quiet > i:
            return 2 * quiet
    new_day = market.times[i] >= desk["day_end"]
    equity[i] = settle_slice(here, scene, i, equity[i - 1] if i > 0 else desk["equity"])
    if new_day:
        desk["day_index"] = end_of_day(world, market, i)
    return 2 * (i + 1) + 1


def runs_ahead(stage: Stage) -> bool:
    """Tell whether the one class of a stage needs nothing but the bars, which are those that orders live on."""
    (player,) = players(stage.bounds).values()
    made = player.object()
    alone = len(stage.instruments) == 1 and stage.markets[0].due.size == 0
    return alone and player.is_simple and not hasattr(made, "on_order_filled")


def replay_ahead(stage: Stage, first: int, stop: int, ways: int) -> int:
    """Run slices first .. stop-1 for a class that answers with a share; return where it stopped: the log was full."""
    call = _past_the_dispatcher(replay)
    (player,) = players(stage.bounds).values()
    if not isinstance(player.ahead, Ahead):
        player.ahead = Ahead(player, stage.markets[0], first, int(stage.bounds[0].memory.whole[WARMUP]) - 1)
    ahead = player.ahead
    while first < stop:
        if ahead.until <= first:
            ahead.look(stop)
        until, memory = ahead.until, ahead.memory
        first = int(call(told, stage.markets[0], stage.world, stage.venue, stage.equity, memory, first, until, ways))
        if first < until:
            break
    return first


class Ahead:
    """How far a class has been shown its bars while the kernel waits, and in `memory` what it answered."""

    def __init__(self, player: Player, market: Market, first: int, warm: int) -> None:
        """Begin at a slice; until `warm` its answers do not count."""
        self.until = first
        self.memory = Memory(np.full(1 + _BLOCK, KEEP, np.int64), np.zeros(0), np.zeros(0))
        self._player, self._market, self._warm = player, market, warm
        self._wanted = 0.0
        self._opened: Iterator[int] = iter(())

    def look(self, stop: int) -> None:
        """Show the next block of bars, `stop` at most; `until` lies behind it."""
        first, self.until = self.until, min(self.until + _BLOCK, stop)
        self.memory.whole[0] = first
        self.memory.whole[1:] = KEEP
        times = self._market.times[first : self.until].tolist()
        self._opened = iter(times)
        bars = self._player.prices(self._market, first, self.until, 0, self._opened)
        with np.errstate(divide="warn", invalid="warn", over="warn", under="ignore"):
            self._player.guard.watched(partial(self._look, bars, times), doing="on_data", reached=self._left)

    def _left(self) -> int:
        return length_hint(self._opened) - self.until

    def _look(self, bars: Iterator[PriceBar], times: list[int]) -> None:
        player, answers, opened, wanted = self._player, self.memory.whole, self._opened, self._wanted
        on_data: Callable[[PriceBar], float | None] = player.object().on_data
        count, unready = len(times), self.until - self._warm
        for bar in bars:
            share = on_data(bar)
            if share is not None and share != wanted and (left := length_hint(opened)) < unready:
                wanted = share
                answers[count - left] = player.share_in_ppm(share, times[count - left - 1] + player.run_ns)
        self._wanted = wanted


def replay_spans(stage: Stage, first: int, stop: int, ways: int) -> int:
    """Run slices first .. stop-1 for one class of any kind; return where it stopped: earlier when the log is full."""
    world, market, account, bound = stage.world, stage.markets[0], stage.accounts[0], stage.bounds[0]
    call = _past_the_dispatcher(step_on)
    desk = world.desk[0]
    heard = int(desk["log_count"])
    begun, shown, flags, span = first, first, ways & AT_CLOSE, _FIRST_SPAN
    while True:
        step = Step(begun, shown, min(stop, shown + span), flags)
        reached, settled = divmod(int(call(world, stage.venue, market, stage.equity, step)), 2)
        count = int(desk["log_count"])
        tell_notes(stage.bounds, world.log[heard:count])
        heard = count
        if reached == shown:
            return shown
        done = bound.walk(market, shown, reached, account, bound.memory)
        span = min(2 * span, _LONGEST_SPAN) if done == reached == shown + span else _FIRST_SPAN
        begun, shown = done if settled else shown, done
        flags = ways & AT_CLOSE | (CUT if done < reached else 0)


def _past_the_dispatcher(function: Callable[..., int]) -> Callable[..., int]:
    """Return the compiled code itself: the dispatcher looks at the type of every argument on every call."""
    if not COMPILE:
        return function
    call: Callable[..., int] = function.overloads[function.signatures[0]].entry_point  # type: ignore[attr-defined] # the compiler's attributes
    return call
