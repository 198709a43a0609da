"""A backtest of one plain class: Python is called for bar after bar, the kernel only where something can happen.

A class that answers with a share sees prices and nothing else, so its Python runs ahead: when the share changes, one
compiled call replays the bars since the last change. A class that is shown its account runs through the bars in
which nothing but the mark can happen, as compiled strategies do. Decisions, fills and equity are those of the plain
loop in `classes`, to the last bit of the hash.
"""

from collections.abc import Callable, Iterator
from functools import partial
from operator import length_hint
from typing import NamedTuple

import numpy as np

from crypto_bot.backtesting.quiet import commit_quiet, end_of_day, quiet_until
from crypto_bot.backtesting.replay import AT_CLOSE
from crypto_bot.backtesting.settle import settle_slice, settle_wish, wished
from crypto_bot.backtesting.stage import Stage
from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.compiled import COMPILE, compiled, types
from crypto_bot.kernel.context import WARMUP
from crypto_bot.kernel.layout import GUARDED, SLOTS, TARGETED, Market, World
from crypto_bot.plain.meeting import players, tell_notes
from crypto_bot.plain.player import Player
from crypto_bot.plain.words import PriceBar
from crypto_bot.venue.book import Venue
from crypto_bot.venue.scene import Scene, lend

KEEP = -1
"""An errand without a new wish."""
CUT = 4
"""Beside SKIP and AT_CLOSE: the class was not shown all of the bars that were looked at."""


class Errand(NamedTuple):
    """What the kernel is to do: slices first .. stop-1, then answer a wish in parts per million, or KEEP."""

    first: int
    stop: int
    wish: int
    ways: int


if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, INTEGERS, MARKET_VIEW, WORLD
    from crypto_bot.venue.book import VENUE

    TURN_SIGNATURE = INTEGER(WORLD, VENUE, MARKET_VIEW, INTEGERS, types.NamedTuple([INTEGER] * 4, Errand))
else:
    TURN_SIGNATURE = None

_BLOCK = 1024
_FIRST_SPAN = 8


@compiled(TURN_SIGNATURE)
def turn(world: World, venue: Venue, market: Market, equity: IntArray, errand: Errand) -> int:
    """Do what the slices of an errand bring, and answer its wish at the close of the last one.

    Returns where it stopped: earlier when the log is full, and then without an answer. Every slice is settled by
    itself: skipping ahead would save a tenth of what one call of Python costs.
    """
    desk = world.desk[0]
    w = world.wish[0]
    room = world.log.size - 8 * SLOTS * world.wish.size
    here = Scene(world, venue, market)
    scene = lend(here)
    stop = errand.stop
    wish = errand.wish
    for i in range(errand.first, stop):
        if desk["log_count"] > room:
            return i
        equity[i] = settle_slice(here, scene, i, equity[i - 1] if i > 0 else desk["equity"])
        if i == stop - 1 and wish != KEEP and w["weight"] != wish:
            w["weight"] = wish
            w["hold"] = -1
            w["dirty"] |= TARGETED | GUARDED if wish == 0 else TARGETED
            w["any"] = 1
        if wished(world):
            equity[i] = settle_wish(here, scene, i, equity[i], errand.ways & AT_CLOSE)
    return stop


class Step(NamedTuple):
    """What a class was shown, slices first .. shown-1 that wait for nothing but a commit, and how far it may look."""

    first: int
    shown: int
    limit: int
    ways: int


STEP_SIGNATURE = (
    INTEGER(WORLD, VENUE, MARKET_VIEW, INTEGERS, types.NamedTuple([INTEGER] * 4, Step)) if COMPILE else None
)


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
    call = _past_the_dispatcher(turn)
    (player,) = players(stage.bounds).values()
    while first < stop:
        if not isinstance(player.ahead, Ahead):
            player.ahead = Ahead(player, stage.markets[0], first, int(stage.bounds[0].memory.whole[WARMUP]) - 1)
        ahead = player.ahead
        if ahead.until <= first:
            ahead.look(stop)
        errand = Errand(first, ahead.until, ahead.wish, ways & AT_CLOSE)
        first = int(call(stage.world, stage.venue, stage.markets[0], stage.equity, errand))
        if first < ahead.until:
            break
    return first


class Ahead:
    """How far a class has been shown its bars while the kernel waits, and what it answered last."""

    def __init__(self, player: Player, market: Market, first: int, warm: int) -> None:
        """Begin at a slice; until `warm` its answers do not count."""
        self.until, self.wish = first, KEEP
        self._player, self._market, self._warm = player, market, warm
        self._wanted = 0.0
        self._opened: Iterator[int] = iter(())
        self._bars: Iterator[PriceBar] = iter(())

    def look(self, stop: int) -> None:
        """Show bars until the share changes, or up to `stop`; `until` lies behind, `wish` is the change or KEEP."""
        self.wish = KEEP
        with np.errstate(divide="warn", invalid="warn", over="warn", under="ignore"):
            self._player.guard.watched(partial(self._look, stop), doing="on_data", reached=self._left)

    def _left(self) -> int:
        return length_hint(self._opened) - self.until

    def _look(self, stop: int) -> None:
        on_data: Callable[[PriceBar], float | None] = self._player.object().on_data
        wanted = self._wanted
        end = self.until + length_hint(self._opened)
        while True:
            for bar in self._bars:
                share = on_data(bar)
                if share is not None and share != wanted and end - length_hint(self._opened) > self._warm:
                    self.until, self._wanted = end - length_hint(self._opened), share
                    now_ns = int(self._market.times[self.until - 1]) + self._player.run_ns
                    self.wish = self._player.share_in_ppm(share, now_ns)
                    return
            self.until = end
            if end >= stop:
                return
            end = min(end + _BLOCK, stop)
            times = self._market.times[self.until : end].tolist()
            self._opened = iter(times)
            self._bars = self._player.prices(self._market, self.until, end, 0, self._opened)


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
        span = min(2 * span, _BLOCK) if done == reached == shown + span else _FIRST_SPAN
        begun, shown = done if settled else shown, done
        flags = ways & AT_CLOSE | (CUT if done < reached else 0)


def _past_the_dispatcher(function: Callable[..., int]) -> Callable[..., int]:
    """Return the compiled code itself: the dispatcher looks at the type of every argument on every call."""
    if not COMPILE:
        return function
    call: Callable[..., int] = function.overloads[function.signatures[0]].entry_point  # type: ignore[attr-defined] # the compiler's attributes
    return call
