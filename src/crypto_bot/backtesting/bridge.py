"""A plain Python class as a strategy: it is shown every closed bar and says which share of the equity to hold.

The class sees prices and nothing else, so the kernel need not run while it thinks. Python is called for
bar after bar without touching the kernel; when the wish changes, one compiled call replays the bars since
the last change, exactly as a backtest does, and answers the wish. Decisions, fills and equity are those of
the same rule written in the strategy language, to the last bit of the hash.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from time import perf_counter
from typing import NamedTuple, Protocol, TypeVar, cast

import numpy as np

from crypto_bot.backtesting.notes import NoteBook
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.settle import settle_slice, settle_wish, wished
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.backtesting.stage import HEADROOM, decisions_hash, ledger_hash
from crypto_bot.backtesting.tape import Tape, make_tape
from crypto_bot.data.digest import candles_digest
from crypto_bot.domain.errors import RunFailed, UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Bar, Candles, IntArray
from crypto_bot.domain.units import PPM, format_time
from crypto_bot.kernel.compiled import COMPILE, compiled, types
from crypto_bot.kernel.genesis import Stake, new_world
from crypto_bot.kernel.layout import GUARDED, HIGHS, SLOTS, TARGETED, Market, World
from crypto_bot.venue.book import Venue
from crypto_bot.venue.opening import open_venue
from crypto_bot.venue.scene import Scene, lend

KEEP = -1
"""An errand without a new wish."""


class Errand(NamedTuple):
    """What the kernel is to do: slices first .. stop-1, then answer a wish in parts per million, or KEEP."""

    first: int
    stop: int
    wish: int
    at_close: int


if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, INTEGERS, MARKET_VIEW, WORLD
    from crypto_bot.venue.book import VENUE

    TURN_SIGNATURE = INTEGER(WORLD, VENUE, MARKET_VIEW, INTEGERS, types.NamedTuple([INTEGER] * 4, Errand))
else:
    TURN_SIGNATURE = None

_BLOCK = 1024
_LOG = 1 << 16
_LEAST_ROOM = 8 * SLOTS
_LONGEST = 1 << 62


Shown = TypeVar("Shown", contravariant=True)


class PriceBar(NamedTuple):
    """One closed bar as plain decimals; `time_ns` is its open time (UTC)."""

    time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class PlainStrategy(Protocol[Shown]):
    """What a class needs to be run; it need not inherit from anything.

    With a class attribute `exact = True` its bars are those of `domain.market`: integers at the instrument's scales.
    """

    def on_start(self, symbols: tuple[str, ...], timeframe: str) -> None:
        """Learn what will be shown; called once, before the first bar."""

    def on_data(self, bar: Shown) -> float | None:
        """Return the share of the equity to hold from the next open on, 0 to 1; None leaves it as it is."""

    def on_stop(self) -> None:
        """Learn that there are no more bars."""


PlainClass = PlainStrategy[PriceBar] | PlainStrategy[Bar]


def simulate_class(strategy: PlainClass, candles: Candles, simulation: Simulation) -> Outcome:
    """Show the candles to a plain Python object, replay what it wants through the kernel, and return what came of it.

    Exceptions of the object's own code come through as they are. Raises UsageError for a share outside of 0..1,
    and for fills=path, whose bars are not those that the object sees.
    """
    return _simulate(strategy, candles, simulation)


def _simulate(strategy: PlainClass, candles: Candles, simulation: Simulation, *, longest: int = _LONGEST) -> Outcome:
    """Do the same, with a call of the kernel at least every `longest` bars."""
    if simulation.way.path:
        raise UsageError(f"fills = {simulation.fills} splits the bars that a class is shown; take pessimistic or touch")
    began = perf_counter()
    tape = make_tape([candles], fills=simulation.fills)
    kernel = _open(candles.instrument, tape, simulation)
    setup_seconds = perf_counter() - began
    began = perf_counter()
    strategy.on_start((candles.instrument.symbol,), candles.timeframe)
    _show_all(strategy, candles, kernel, longest)
    strategy.on_stop()
    engine_seconds = perf_counter() - began
    desk = kernel.world.desk[0]
    if desk["laws"] != 0:
        raise RunFailed("the ledger broke one of its own laws; please report this with the script and its data")
    return Outcome(
        instruments=(candles.instrument,),
        timeframe=candles.timeframe,
        strategies=(type(strategy).__name__,),
        times=tape.run_times,
        closes=candles.close[:, np.newaxis],
        equity=kernel.equity,
        initial_equity=simulation.cash,
        fills=kernel.notes.fills(1, tape.run_times),
        assets=(candles.instrument.quote, candles.instrument.base),
        decisions_hash=decisions_hash(kernel.world),
        ledger_hash=ledger_hash(kernel.world),
        data_hash=candles_digest(candles),
        orders=int(desk["approved"]),
        refused=int(desk["refused"]),
        engine_seconds=engine_seconds,
        setup_seconds=setup_seconds,
        warnings=tuple(kernel.notes.warnings()),
        candles=(candles,),
        assumptions=simulation.stated(),
    )


def _show_all(strategy: PlainClass, candles: Candles, kernel: "_Kernel", longest: int) -> None:
    """Call `on_data` for every bar; the kernel follows whenever the wish has changed, and at the end."""
    on_data = cast(Callable[[PriceBar | Bar], float | None], strategy.on_data)
    bars = _stream(candles, exact=getattr(strategy, "exact", False))
    total = len(candles)
    done, wanted = 0, 0.0
    while done < total:
        stop, wish = min(total, done + longest), KEEP
        for bar in islice(bars, stop - done):
            share = on_data(bar)
            if share is not None and share != wanted:
                stop, wish, wanted = int(candles.times.searchsorted(bar.time_ns)) + 1, _in_ppm(share, bar), share
                break
        kernel.follow(done, stop, wish)
        done = stop


def _in_ppm(share: float, bar: PriceBar | Bar) -> int:
    """Return a share in parts per million, as `target` rounds it."""
    if not 0.0 <= share <= 1.0:
        raise UsageError(
            f"on_data returned {share!r} for the bar of {format_time(bar.time_ns)}; return a share from 0 to 1, or None"
        )
    return int(share * PPM + 0.5)


def _stream(candles: Candles, *, exact: bool) -> Iterator[PriceBar | Bar]:
    """Yield the bars, made a block at a time when they are asked for; none is kept, so nothing needs collecting."""
    scales = [candles.instrument.price_scale] * 4 + [candles.instrument.quantity_scale]
    make = cast(Callable[[tuple[float, ...]], PriceBar | Bar], partial(tuple.__new__, Bar if exact else PriceBar))

    def block(first: int) -> Iterator[PriceBar | Bar]:
        times, *columns = (column[first : first + _BLOCK] for column in candles.columns())
        if exact:
            lists = [column.tolist() for column in columns]
        else:
            lists = [(column / scale).tolist() for column, scale in zip(columns, scales, strict=True)]
        return map(make, zip(times.tolist(), *lists, strict=True))

    return chain.from_iterable(map(block, range(0, len(candles), _BLOCK)))


@compiled(TURN_SIGNATURE)
def turn(world: World, venue: Venue, market: Market, equity: IntArray, errand: Errand) -> int:
    """Do what the slices of an errand bring, and answer its wish at the close of the last one.

    Returns where it stopped: earlier when the log is full, and then without an answer. Every slice is settled by
    itself: skipping ahead would save a tenth of what one call of Python costs.
    """
    desk = world.desk[0]
    w = world.wish[0]
    room = world.log.size - _LEAST_ROOM
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
            equity[i] = settle_wish(here, scene, i, equity[i], errand.at_close)
    return stop


@dataclass
class _Kernel:
    """The world of one run, and the way to let it follow."""

    market: Market
    world: World
    venue: Venue
    equity: IntArray
    at_close: int
    notes: NoteBook
    turn: Callable[..., int]

    def follow(self, first: int, stop: int, wish: int) -> None:
        """Replay slices first .. stop-1 and answer a wish at the last close; take the notes when the log is full."""
        while first < stop:
            errand = Errand(first, stop, wish, self.at_close)
            first = self.turn(self.world, self.venue, self.market, self.equity, errand)
            if first < stop or stop == self.equity.size:
                self.notes.collect(self.world)


def _open(instrument: Instrument, tape: Tape, simulation: Simulation) -> _Kernel:
    """Lay out a world in which nothing has happened yet."""
    world = new_world(
        [instrument],
        Stake(simulation.cash),
        simulation.limits,
        simulation.costs,
        bar_ns=tape.bar_ns,
        highest_prices=[int(tape.bars[HIGHS].max()) * HEADROOM],
        log_capacity=_LOG,
    )
    venue = open_venue([instrument], 1, simulation.costs, through=simulation.way.through, legs=simulation.way.legs)
    equity = np.zeros(tape.times.size, np.int64)
    call: Callable[..., int] = turn
    if COMPILE:  # past the dispatcher, which looks at the type of every argument on every call
        call = turn.overloads[turn.signatures[0]].entry_point  # type: ignore[attr-defined] # the compiler's attributes
    return _Kernel(tape.market(0), world, venue, equity, int(simulation.fill_at == "close"), NoteBook(world.log), call)
