"""From settings to a plan and a feed: which strategies on which prices, with what history before the start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.config.settings import Settings
from crypto_bot.data.archive import Archive
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, Slice
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import parse_scaled
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.runtime.feed import Feed, RecordedFeed, SyntheticFeed
from crypto_bot.runtime.plan import Plan
from crypto_bot.strategies.catalogue import find

_SYNTHETIC_PRICE = 30_000
_SYNTHETIC_START_NS = 1_704_067_200_000_000_000
_HEADROOM = 16
"""How many times its first price an instrument may rise before orders are refused as too large."""


@dataclass(frozen=True)
class Arranged:
    """A run ready to begin or to go on: its plan, its prices, and the bars its indicators have to see first."""

    plan: Plan
    feed: Feed
    history: tuple[Slice, ...]


def arrange_run(settings: Settings, mode: str, prices: str, params: Mapping[str, Mapping[str, str]]) -> Arranged:
    """Return the run that the settings ask for; `params` override the parameters of [strategy.NAME].

    Raises UsageError for what cannot be run, DataError for candles that are not there.
    """
    names = settings.trading.strategies
    chosen = []
    for name in names:
        strategy = Strategy(find(name))
        given = {**settings.strategy_parameters(strategy.name), **params.get(strategy.name, {})}
        chosen.append(Chosen(strategy, strategy.module.parameters.read(given)))
    simulation = _simulation(settings)
    if prices == "synthetic":
        return _synthetic(settings, mode, chosen, simulation)
    return _recorded(settings, mode, chosen, simulation)


def _simulation(settings: Settings) -> Simulation:
    execution, risk = settings.execution, settings.risk.ppm()
    return Simulation(
        cash=settings.trading.cash_atoms,
        limits=Limits(risk["max_drawdown"], risk["max_daily_loss"], risk["max_symbol_exposure"], risk["max_exposure"]),
        costs=Costs(execution.fee_maker_ppm, execution.fee_taker_ppm, execution.slippage_ppm, execution.fee_asset),
        fills=execution.fills,
        fill_at=execution.fill_at,
        seed=settings.general.seed,
    )


def _synthetic(settings: Settings, mode: str, chosen: Sequence[Chosen], simulation: Simulation) -> Arranged:
    """A dry run: a random walk that begins at the same price and time for the same seed."""
    trading = settings.trading
    instruments = tuple(Instrument(symbol, "synthetic", lot=10) for symbol in trading.symbols)
    price = parse_scaled(_SYNTHETIC_PRICE, instruments[0].price_scale)
    feed = SyntheticFeed(
        settings.general.seed, instruments, trading.timeframe, (_SYNTHETIC_START_NS, price), settings.data.speed
    )
    plan = Plan.of(
        chosen,
        trading.strategies,
        instruments,
        simulation,
        mode=mode,
        timeframe=trading.timeframe,
        highest_prices=tuple(price * _HEADROOM for _ in instruments),
        prices={"feed": "synthetic", "seed": settings.general.seed},
    )
    return Arranged(plan, feed, ())


def _recorded(settings: Settings, mode: str, chosen: Sequence[Chosen], simulation: Simulation) -> Arranged:
    """Recorded candles between [data] start and end, with as many bars before them as the indicators need."""
    trading, data = settings.trading, settings.data
    archive = Archive(data.archive)
    start, end = data.start_ns, data.end_ns
    run_ns = timeframe_ns(trading.timeframe)
    before = None if start is None else start - history_bars(chosen, len(trading.symbols), run_ns) * run_ns
    whole = [
        archive.load(symbol, trading.timeframe, exchange=settings.exchange.name, start_ns=before, end_ns=end)
        for symbol in trading.symbols
    ]
    played = [candles.between(start, end) for candles in whole]
    for candles in played:
        if len(candles) == 0:
            raise DataError(
                f"there are no {trading.timeframe} candles of {candles.instrument.symbol} between [data] start and end;"
                " `data list` shows what there is"
            )
    history = _slices_before(whole, start)
    instruments = tuple(candles.instrument for candles in whole)
    plan = Plan.of(
        chosen,
        trading.strategies,
        instruments,
        simulation,
        mode=mode,
        timeframe=trading.timeframe,
        highest_prices=tuple(int(candles.high[0]) * _HEADROOM for candles in played),
        prices={"feed": "recorded", "start_ns": int(played[0].times[0]), "end_ns": int(played[0].times[-1])},
    )
    return Arranged(plan, RecordedFeed(played, data.speed), history)


def history_bars(chosen: Sequence[Chosen], symbols: int, run_ns: int) -> int:
    """Return how many bars of the run the indicators have to see before the first decision."""
    bounds = [each.strategy.bind(each.params, symbols, run_ns) for each in chosen]
    return max(bound.warmup * max(1, bound.own_ns // run_ns) + 2 * max(1, bound.own_ns // run_ns) for bound in bounds)


def _slices_before(whole: Sequence[Candles], start: int | None) -> tuple[Slice, ...]:
    if start is None:
        return ()
    before = [candles.between(None, start - 1) for candles in whole]
    if any(len(candles) == 0 for candles in before):
        return ()
    return tuple(RecordedFeed(before, 0.0).slices())
