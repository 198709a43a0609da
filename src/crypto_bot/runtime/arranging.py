"""From settings to a run that can begin: which strategies on which prices, and what their indicators see first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crypto_bot.backtesting.choosing import (
    GivenParameters,
    choose,
    history_bars,
    idle_remarks,
    parameters_of,
    simulation_of,
)
from crypto_bot.backtesting.loading import Asked, Window, cut, find_candles
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.universe import named_symbols, traded_symbols
from crypto_bot.config.modes import Arrangement
from crypto_bot.config.settings import Settings
from crypto_bot.data.archive import Archive
from crypto_bot.data.digest import candles_digest
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, Slice
from crypto_bot.domain.units import parse_scaled, parse_time_ns
from crypto_bot.runtime.feed import Feed, RecordedFeed, SyntheticFeed
from crypto_bot.runtime.plan import Plan, Prices

_SYNTHETIC_PRICE = 28_000
_SYNTHETIC_START = "2024-01-01"
_SYNTHETIC_LOT = 10
_HEADROOM = 16
"""How many times its first price an instrument may rise before orders are refused as too large."""


@dataclass(frozen=True)
class Arranged:
    """A run ready to begin or to go on. `remarks` say what its prices lack, and which symbols are not looked at.

    `history` gives the bars its indicators have to see first; asking compiles the strategies.
    """

    plan: Plan
    feed: Feed
    history: Callable[[], Sequence[Slice]]
    remarks: tuple[str, ...] = ()


def arrange_run(settings: Settings, arrangement: Arrangement, params: GivenParameters) -> Arranged:
    """Return the run that the settings ask for; `params` lie over those of [strategy.NAME].

    Nothing is compiled and nothing is written. Raises UsageError for what cannot be run, DataError for
    candles that are not there.
    """
    simulation = simulation_of(settings)
    chosen = choose(settings.trading.strategies, parameters_of(settings, params), simulation.costs)
    if arrangement.prices == "synthetic":
        return _synthetic(settings, arrangement.mode, chosen, simulation)
    return _recorded(settings, arrangement.mode, chosen, simulation)


def _synthetic(settings: Settings, mode: str, chosen: Sequence[Chosen], simulation: Simulation) -> Arranged:
    """Arrange a random walk that begins at the same time and price for the same seed."""
    trading = settings.trading
    instruments = tuple(Instrument(symbol, "synthetic", lot=_SYNTHETIC_LOT) for symbol in named_symbols(trading))
    first_prices = tuple(parse_scaled(_SYNTHETIC_PRICE, each.price_scale) for each in instruments)
    begin_ns = parse_time_ns(_SYNTHETIC_START)
    seed, speed = settings.general.seed, settings.data.speed
    feed = SyntheticFeed(seed, instruments, trading.timeframe, begin_ns, first_prices, speed)
    plan = Plan(
        mode=mode,
        strategies=trading.strategies,
        params=tuple(each.values() for each in chosen),
        instruments=instruments,
        timeframe=trading.timeframe,
        simulation=simulation,
        prices=Prices("synthetic"),
        begin_ns=begin_ns,
        highest_prices=tuple(price * _HEADROOM for price in first_prices),
        speed=speed,
    )
    remarks = list(idle_remarks(chosen, named_symbols(trading)))
    if trading.universe:
        remarks.append(
            f"[trading] universe = {trading.universe} chooses among real prices; made-up ones are of symbols"
        )
    return Arranged(plan, feed, tuple, tuple(remarks))


def _recorded(settings: Settings, mode: str, chosen: Sequence[Chosen], simulation: Simulation) -> Arranged:
    """Arrange recorded candles from [data] start to end."""
    trading, data = settings.trading, settings.data
    window = Window(data.start_ns, data.end_ns)
    archive, exchange = Archive(data.archive), settings.exchange.name
    symbols = traded_symbols(trading, archive, exchange, window)
    asked = Asked(archive, symbols, trading.timeframe, exchange, window)
    whole = find_candles(asked)
    played = cut(asked, whole, 0)
    if any(len(each) == 0 for each in played.candles):
        raise DataError(f"there are no candles between [data] start = {data.start} and end = {data.end}")
    feed = RecordedFeed(played.candles, data.speed)

    def history() -> Sequence[Slice]:
        count = history_bars(chosen, len(whole), asked.run_ns, split=bool(simulation.way.path), gaps=len(whole) > 1)
        return _slices_before(cut(asked, whole, count).candles, window.start_ns)

    plan = Plan(
        mode=mode,
        strategies=trading.strategies,
        params=tuple(each.values() for each in chosen),
        instruments=tuple(each.instrument for each in whole),
        timeframe=trading.timeframe,
        simulation=simulation,
        prices=Prices("recorded", data.start, data.end),
        begin_ns=feed.begin_ns,
        highest_prices=tuple(int(each.high[0]) * _HEADROOM for each in played.candles),
        speed=data.speed,
        data_hash=candles_digest(*played.candles),
    )
    return Arranged(plan, feed, history, (*played.remarks, *idle_remarks(chosen, symbols)))


def _slices_before(candles: Sequence[Candles], start_ns: int | None) -> tuple[Slice, ...]:
    if start_ns is None:
        return ()
    before = [each.between(None, start_ns - 1) for each in candles]
    if all(len(each) == 0 for each in before):
        return ()
    return tuple(RecordedFeed(before, 0.0).slices())
