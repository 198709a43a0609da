"""The JSON object of `backtest --json`: the promised keys, in their order.

Money is a string of exact decimals, ratios are numbers (0.153 is 15.3 percent), times ISO 8601 UTC, and what has no
meaning is null. `start` and `end` are open times of the first and the last bar. `max_drawdown` is <= 0;
`max_drawdown_days` is the longest time from a peak until equity was as high again, or to the end. `trades` counts what
`/api/trades` lists: one per execution. `expectancy` is the mean net profit of a round trip, rounded down to an atom.
`bracket` is null unless the run was repeated under the other ways of filling, `grid` unless a grid traded.
"""

import math
from typing import TYPE_CHECKING, TypedDict

from crypto_bot.backtesting.critique import criticise
from crypto_bot.backtesting.grid_account import GridAccount, account_of_run
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome, ParamValue, RunLabel
from crypto_bot.domain.units import ATOMS, DAY_NS, format_scaled, format_time

if TYPE_CHECKING:
    from crypto_bot.backtesting.bracket import Bracket, Way


class AssumptionsJson(TypedDict):
    """What the simulation took for granted."""

    fills: str
    fill_at: str
    limits: str
    fee_maker_bps: float
    fee_taker_bps: float
    slippage_bps: float
    seed: int
    fee_asset: str
    detail_timeframe: str | None
    slippage_model: str
    slippage_impact: float
    max_volume_share: float
    delisting_days: int
    delisting_haircut: float


class WayJson(TypedDict):
    """What the run comes to under one way of filling."""

    way: str
    final_equity: str
    total_return: float | None
    max_drawdown: float | None
    fills: int


class BracketJson(TypedDict):
    """The names of the ways that end lowest and highest, and all of them, the run's own first."""

    low: str
    high: str
    ways: list[WayJson]


class GridJson(TypedDict):
    """What a grid earned, told apart; `realised_apr` leaves out what is held."""

    cells_closed: int
    investment: str
    grid_profit: str
    initial_inventory_pnl: str
    stop_pnl: str
    floating_pnl: str
    total_pnl: str
    hold_pnl: str
    alpha: str
    realised_apr: float | None


class RunJson(TypedDict):
    """What was run, and how much happened."""

    run_id: str
    strategy: str
    params: dict[str, ParamValue]
    symbols: list[str]
    timeframe: str
    start: str
    end: str
    bars: int
    orders: int
    fills: int
    trades: int
    round_trips: int


class HeadlineJson(TypedDict):
    """What it came to."""

    initial_equity: str
    final_equity: str
    total_return: float | None
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sharpe_se: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    max_drawdown_days: float | None
    profit_factor: float | None
    expectancy: str | None
    win_rate: float | None
    exposure: float | None
    turnover: float | None
    fees_paid: str
    buy_and_hold_return: float | None
    periods_per_year: float


class CertaintyJson(TypedDict):
    """How sure that is, and the shape of the returns behind it."""

    psr: float | None
    psr_2025: float | None
    min_trl: float | None
    autocorrelation: float | None
    sharpe_se_ar1: float | None
    sharpe_lo: float | None
    skew: float | None
    kurtosis: float | None
    log_growth: float | None
    log_growth_t: float | None
    var_95: float | None
    cvar_95: float | None
    var_99: float | None
    cvar_99: float | None
    alpha: float | None
    alpha_t: float | None
    beta: float | None
    beta_t: float | None


class DetailJson(TypedDict):
    """More of drawdown, round trips and costs."""

    ulcer: float | None
    upi: float | None
    time_under_water: float | None
    calmar_36m: float | None
    payoff: float | None
    expectancy_ratio: float | None
    kelly: float | None
    sqn: float | None
    losses_in_a_row: int
    mean_exposure: float | None
    slippage_paid: str
    cost_ratio: float | None
    break_even_bps: float | None
    charged_bps: float | None
    bracket: BracketJson | None
    grid: GridJson | None


class ProofJson(TypedDict):
    """What it takes for granted, what a repeated run must show again, how fast it was, what speaks against it."""

    assumptions: AssumptionsJson
    decisions_hash: str
    ledger_hash: str
    data_hash: str
    code_version: str
    engine_seconds: float | None
    bars_per_second: float | None
    setup_seconds: float | None
    warnings: list[str]


class Summary(RunJson, HeadlineJson, CertaintyJson, DetailJson, ProofJson):
    """The promised keys; scripts of users read them."""


def summarise(outcome: Outcome, metrics: Metrics, label: RunLabel, bracket: "Bracket | None" = None) -> Summary:
    """Gather what is promised of a run; the result holds only what JSON knows."""
    speed = _bar_steps(outcome) / outcome.engine_seconds if outcome.engine_seconds > 0 else math.nan
    return {
        **_run(outcome, metrics, label),
        **_headline(outcome, metrics),
        **_certainty(metrics),
        **_detail(metrics, bracket, account_of_run(outcome, label)),
        "assumptions": _assumptions(outcome),
        "decisions_hash": outcome.decisions_hash,
        "ledger_hash": outcome.ledger_hash,
        "data_hash": outcome.data_hash,
        "code_version": label.code_version,
        "engine_seconds": finite(outcome.engine_seconds),
        "bars_per_second": finite(speed),
        "setup_seconds": finite(outcome.setup_seconds),
        "warnings": [*outcome.warnings, *(str(remark) for remark in criticise(outcome, metrics, bracket))],
    }


def finite(value: float | None) -> float | None:
    """Return the number, or None for what JSON has no word for."""
    return None if value is None or not math.isfinite(value) else value


def _bar_steps(outcome: Outcome) -> int:
    return int(outcome.times.size) * len(outcome.instruments)


def _run(outcome: Outcome, metrics: Metrics, label: RunLabel) -> RunJson:
    """Say what was run."""
    return {
        "run_id": label.run_id,
        "strategy": ",".join(outcome.strategies),
        "params": dict(label.params),
        "symbols": [instrument.symbol for instrument in outcome.instruments],
        "timeframe": outcome.timeframe,
        "start": format_time(int(outcome.times[0])),
        "end": format_time(int(outcome.times[-1])),
        "bars": _bar_steps(outcome),
        "orders": outcome.orders,
        "fills": int(outcome.fills.size),
        "trades": int(outcome.fills.size),
        "round_trips": metrics.books.trips.closed,
    }


def _headline(outcome: Outcome, metrics: Metrics) -> HeadlineJson:
    """Say what it came to."""
    per_year, fall, scores = metrics.periods_per_year, metrics.drawdown, metrics.scores
    return {
        "initial_equity": format_scaled(outcome.initial_equity, ATOMS),
        "final_equity": format_scaled(int(outcome.equity[-1]), ATOMS),
        "total_return": finite(metrics.total_return),
        "cagr": finite(metrics.cagr),
        "volatility": finite(metrics.volatility),
        "sharpe": finite(metrics.sharpe),
        "sharpe_se": finite(metrics.sharpe_se),
        "sortino": finite(metrics.sortino),
        "calmar": finite(metrics.calmar),
        "max_drawdown": finite(fall.deepest),
        "max_drawdown_days": finite(fall.longest_ns / DAY_NS),
        "profit_factor": finite(scores.profit_factor),
        "expectancy": None if scores.expectancy is None else format_scaled(scores.expectancy, ATOMS),
        "win_rate": finite(scores.win_rate),
        "exposure": finite(metrics.exposure),
        "turnover": finite(metrics.turnover),
        "fees_paid": format_scaled(metrics.books.fees, ATOMS),
        "buy_and_hold_return": finite(metrics.buy_and_hold_return),
        "periods_per_year": int(per_year) if per_year == int(per_year) else per_year,
    }


def _certainty(metrics: Metrics) -> CertaintyJson:
    """Say how sure that is."""
    sure, market, mild, wild = metrics.certainty, metrics.market, metrics.tail_95, metrics.tail_99
    return {
        "psr": finite(sure.skill),
        "psr_2025": finite(sure.skill_2025),
        "min_trl": finite(sure.needed),
        "autocorrelation": finite(sure.echo),
        "sharpe_se_ar1": finite(sure.echo_error),
        "sharpe_lo": finite(sure.echo_sharpe),
        "skew": finite(sure.shape.skew),
        "kurtosis": finite(sure.shape.kurtosis),
        "log_growth": finite(metrics.log_growth),
        "log_growth_t": finite(metrics.log_growth_t),
        "var_95": None if mild is None else finite(mild.at_risk),
        "cvar_95": None if mild is None else finite(mild.beyond),
        "var_99": None if wild is None else finite(wild.at_risk),
        "cvar_99": None if wild is None else finite(wild.beyond),
        "alpha": None if market is None else finite(market.alpha),
        "alpha_t": None if market is None else finite(market.alpha_t),
        "beta": None if market is None else finite(market.beta),
        "beta_t": None if market is None else finite(market.beta_t),
    }


def _detail(metrics: Metrics, bracket: "Bracket | None", grid: GridAccount | None) -> DetailJson:
    """Say more of drawdown, round trips and costs."""
    fall, scores, costs = metrics.drawdown, metrics.scores, metrics.costs
    return {
        "ulcer": finite(fall.ulcer),
        "upi": finite(metrics.upi),
        "time_under_water": finite(fall.under_water),
        "calmar_36m": finite(metrics.recent_calmar),
        "payoff": finite(scores.payoff),
        "expectancy_ratio": finite(scores.expectancy_ratio),
        "kelly": finite(scores.kelly),
        "sqn": finite(scores.sqn),
        "losses_in_a_row": scores.losses_in_a_row,
        "mean_exposure": finite(metrics.mean_invested),
        "slippage_paid": format_scaled(costs.slippage, ATOMS),
        "cost_ratio": finite(costs.share),
        "break_even_bps": finite(costs.break_even_bps),
        "charged_bps": finite(costs.charged_bps),
        "bracket": None if bracket is None else _bracket(bracket),
        "grid": None if grid is None else _grid(grid),
    }


def _grid(grid: GridAccount) -> GridJson:
    """Spell a grid's account as JSON."""
    return {
        "cells_closed": grid.cells_closed,
        "investment": format_scaled(grid.investment, ATOMS),
        "grid_profit": format_scaled(grid.grid_profit, ATOMS),
        "initial_inventory_pnl": format_scaled(grid.initial_inventory_pnl, ATOMS),
        "stop_pnl": format_scaled(grid.stop_pnl, ATOMS),
        "floating_pnl": format_scaled(grid.floating_pnl, ATOMS),
        "total_pnl": format_scaled(grid.total_pnl, ATOMS),
        "hold_pnl": format_scaled(grid.hold_pnl, ATOMS),
        "alpha": format_scaled(grid.alpha, ATOMS),
        "realised_apr": finite(grid.realised_apr),
    }


def _bracket(bracket: "Bracket") -> BracketJson:
    """Spell the bracket as JSON."""
    return {"low": bracket.low.fills, "high": bracket.high.fills, "ways": [_way(way) for way in bracket.ways]}


def _way(way: "Way") -> WayJson:
    return {
        "way": way.fills,
        "final_equity": format_scaled(way.final_equity, ATOMS),
        "total_return": finite(way.total_return),
        "max_drawdown": finite(way.deepest),
        "fills": way.executions,
    }


def _assumptions(outcome: Outcome) -> AssumptionsJson:
    """Spell the assumptions as JSON."""
    taken = outcome.assumptions
    return {
        "fills": taken.fills,
        "fill_at": taken.fill_at,
        "limits": taken.limits,
        "fee_maker_bps": taken.fee_maker_bps,
        "fee_taker_bps": taken.fee_taker_bps,
        "slippage_bps": taken.slippage_bps,
        "seed": taken.seed,
        "fee_asset": taken.fee_asset,
        "detail_timeframe": taken.detail_timeframe,
        "slippage_model": taken.slippage_model,
        "slippage_impact": taken.slippage_impact,
        "max_volume_share": taken.max_volume_share,
        "delisting_days": taken.delisting_days,
        "delisting_haircut": taken.delisting_haircut,
    }
