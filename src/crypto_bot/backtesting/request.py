"""A backtest as it is asked for, by a command line or by a script, and what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from crypto_bot.backtesting.again import words_beyond_flags
from crypto_bot.backtesting.choosing import (
    GivenParameters,
    choose,
    history_bars,
    idle_remarks,
    parameters_of,
    simulation_of,
)
from crypto_bot.backtesting.gaps import has_gaps
from crypto_bot.backtesting.loading import Asked, CandleSource, Window, cut, find_candles
from crypto_bot.backtesting.outcome import Outcome, ParamValue, RunLabel
from crypto_bot.backtesting.setup import Simulation, code_version
from crypto_bot.backtesting.universe import traded_symbols
from crypto_bot.config.settings import Settings
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.units import format_time
from crypto_bot.plain.opening import ClassStrategy

if TYPE_CHECKING:
    from crypto_bot.backtesting.engine import Progress

SETTING_OF: Mapping[str, str] = MappingProxyType(
    {
        "timeframe": "trading.timeframe",
        "exchange": "exchange.name",
        "cash": "trading.cash",
        "fee_maker_bps": "execution.fee_maker_bps",
        "fee_taker_bps": "execution.fee_taker_bps",
        "slippage_bps": "execution.slippage_bps",
        "slippage_model": "execution.slippage_model",
        "slippage_impact": "execution.slippage_impact",
        "max_volume_share": "execution.max_volume_share",
        "fills": "execution.fills",
        "fill_at": "execution.fill_at",
        "limits": "backtest.limits",
        "days_back": "backtest.days_back",
    }
)
"""Flags that stand for a setting, by the flag's name."""

FEEDS = ("candles", "trades", "book")
ISOLATIONS = ("fast_local", "process")


def refuse_promised(*, feed: str | None, isolation: str | None, settings: Settings) -> None:
    """Raise UsageError for what a later version will do."""
    if feed not in (None, "candles"):
        raise UsageError(f"a backtest on {feed} comes with the exchanges; this version replays candles")
    if isolation == "process" or (isolation is None and not settings.backtest.fast_local):
        asked = "--isolation process" if isolation else "[backtest] fast_local = false"
        raise UsageError(
            f"{asked} comes with the processes of live trading; this version runs a backtest's strategies in one "
            "process, with the same result: take --isolation fast_local"
        )


@dataclass(frozen=True)
class Request:
    """One backtest in full: who decides, on which candles, with what money and costs."""

    strategies: tuple[str, ...]
    params: GivenParameters
    asked: Asked
    simulation: Simulation
    settings: Settings

    @classmethod
    def of(
        cls,
        settings: Settings,
        source: CandleSource,
        window: Window,
        *,
        params: GivenParameters,
        detail_timeframe: str | None = None,
    ) -> "Request":
        """Return the backtest that the settings ask for; `params` lie over those of [strategy.NAME]."""
        trading = settings.trading
        simulation = simulation_of(settings, limits=settings.backtest.limits == "config")
        if detail_timeframe is not None and simulation.way.path:
            raise UsageError(f"fills = {simulation.fills} guesses what a detail timeframe knows; take one of the two")
        symbols = traded_symbols(trading, source, settings.exchange.name, window)
        asked = Asked(source, symbols, trading.timeframe, settings.exchange.name, window, detail_timeframe)
        return cls(trading.strategies, parameters_of(settings, params), asked, simulation, settings)


@dataclass(frozen=True)
class Manifest:
    """What it takes to make a backtest again, as the table of runs keeps it: `start` and `end` are its bars' times."""

    strategies: tuple[str, ...]
    params: Mapping[str, ParamValue]
    symbols: tuple[str, ...]
    exchange: str
    timeframe: str
    detail_timeframe: str | None
    start: str
    end: str
    simulation: Simulation
    data_hash: str
    code_version: str


@dataclass(frozen=True)
class Finished:
    """A backtest that was carried out; `params` are all parameters, by NAME.k where there are several strategies."""

    request: Request
    outcome: Outcome
    params: Mapping[str, ParamValue]
    version: str

    def label(self, run_id: str) -> RunLabel:
        """Return what a report has to know beside the outcome, to name the run and the command that makes it again."""
        request = self.request
        return RunLabel(
            run_id, self.version, self.params, named=request.strategies, more=words_beyond_flags(request.settings)
        )

    def manifest(self) -> Manifest:
        """Return what it takes to do the same again."""
        request, asked, outcome = self.request, self.request.asked, self.outcome
        return Manifest(
            strategies=request.strategies,
            params=self.params,
            symbols=asked.symbols,
            exchange=asked.exchange,
            timeframe=asked.timeframe,
            detail_timeframe=asked.detail_timeframe,
            start=format_time(int(outcome.times[0])),
            end=format_time(int(outcome.times[-1])),
            simulation=request.simulation,
            data_hash=outcome.data_hash,
            code_version=self.version,
        )


def carry_out(
    request: Request,
    *,
    progress: "Progress | None" = None,
    before_compiling: Callable[[], None] | None = None,
) -> Finished:
    """Choose the strategies, find the candles and replay; what cannot work is told before anything is compiled.

    `before_compiling` is called at the moment from which the compiler may be needed. Raises UsageError,
    DataError or RunFailed.
    """
    asked, simulation = request.asked, request.simulation
    chosen = choose(request.strategies, request.params, simulation.costs)
    split = asked.detail_ns is not None or bool(simulation.way.path)
    whole = find_candles(asked)
    if before_compiling is not None:
        before_compiling()
    from crypto_bot.backtesting.compiling import compile_kernel

    written = [each.strategy for each in chosen if not isinstance(each.strategy, ClassStrategy)]
    compile_kernel([each.module.path for each in written], asked.run_ns)
    from crypto_bot.backtesting.engine import simulate

    bars = cut(asked, whole, history_bars(chosen, len(whole), asked.run_ns, split=split, gaps=has_gaps(whole)))
    outcome = simulate(chosen, bars.candles, simulation, start_ns=bars.start_ns, detail=bars.detail, progress=progress)
    if outcome.times.size == 0:
        raise DataError(f"{', '.join(asked.symbols)} have no bar in the window; choose another window")
    stated = replace(outcome.assumptions, detail_timeframe=asked.detail_timeframe)
    remarks = (*bars.remarks, *idle_remarks(chosen, asked.symbols), *outcome.warnings)
    outcome = replace(outcome, warnings=remarks, assumptions=stated)
    several = len(chosen) > 1
    params = {f"{c.name}.{k}" if several else k: v for c in chosen for k, v in c.values().items()}
    return Finished(request, outcome, params, code_version())
