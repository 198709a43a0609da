"""The JSON object of `backtest --json`: the promised keys, in their order.

Money is a string of exact decimals, ratios are numbers (0.153 is 15.3 percent), times ISO 8601 UTC, and what has no
meaning is null. `start` and `end` are open times of the first and the last bar. `max_drawdown` is <= 0;
`max_drawdown_days` is the longest time from a peak until equity was as high again, or to the end. `trades` counts what
`/api/trades` lists: one per execution. `expectancy` is the mean net profit of a round trip, rounded down to an atom.
"""

import math
from typing import TypedDict

from crypto_bot.backtesting.critique import criticise
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome, ParamValue, RunLabel
from crypto_bot.domain.units import ATOMS, DAY_NS, format_scaled, format_time


class AssumptionsJson(TypedDict):
    """What the simulation took for granted."""

    fills: str
    fill_at: str
    limits: str
    fee_maker_bps: float
    fee_taker_bps: float
    slippage_bps: float
    seed: int


class Summary(TypedDict):
    """The promised keys; scripts of users read them."""

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
    assumptions: AssumptionsJson
    decisions_hash: str
    ledger_hash: str
    data_hash: str
    code_version: str
    engine_seconds: float | None
    bars_per_second: float | None
    setup_seconds: float | None
    warnings: list[str]


def summarise(outcome: Outcome, metrics: Metrics, label: RunLabel) -> Summary:
    """Gather what is promised of a run; the result holds only what JSON knows."""
    bars = int(outcome.times.size) * len(outcome.instruments)
    speed = bars / outcome.engine_seconds if outcome.engine_seconds > 0 else math.nan
    per_year = metrics.periods_per_year
    return {
        "run_id": label.run_id,
        "strategy": ",".join(outcome.strategies),
        "params": dict(label.params),
        "symbols": [instrument.symbol for instrument in outcome.instruments],
        "timeframe": outcome.timeframe,
        "start": format_time(int(outcome.times[0])),
        "end": format_time(int(outcome.times[-1])),
        "bars": bars,
        "orders": outcome.orders,
        "fills": int(outcome.fills.size),
        "trades": int(outcome.fills.size),
        "round_trips": metrics.books.trips.closed,
        "initial_equity": format_scaled(outcome.initial_equity, ATOMS),
        "final_equity": format_scaled(int(outcome.equity[-1]), ATOMS),
        "total_return": finite(metrics.total_return),
        "cagr": finite(metrics.cagr),
        "volatility": finite(metrics.volatility),
        "sharpe": finite(metrics.sharpe),
        "sharpe_se": finite(metrics.sharpe_se),
        "sortino": finite(metrics.sortino),
        "calmar": finite(metrics.calmar),
        "max_drawdown": finite(metrics.drawdown.deepest),
        "max_drawdown_days": finite(metrics.drawdown.longest_ns / DAY_NS),
        "profit_factor": finite(metrics.profit_factor),
        "expectancy": None if metrics.expectancy is None else format_scaled(metrics.expectancy, ATOMS),
        "win_rate": finite(metrics.win_rate),
        "exposure": finite(metrics.exposure),
        "turnover": finite(metrics.turnover),
        "fees_paid": format_scaled(metrics.books.fees, ATOMS),
        "buy_and_hold_return": finite(metrics.buy_and_hold_return),
        "periods_per_year": int(per_year) if per_year == int(per_year) else per_year,
        "assumptions": _assumptions(outcome),
        "decisions_hash": outcome.decisions_hash,
        "ledger_hash": outcome.ledger_hash,
        "data_hash": outcome.data_hash,
        "code_version": label.code_version,
        "engine_seconds": finite(outcome.engine_seconds),
        "bars_per_second": finite(speed),
        "setup_seconds": finite(outcome.setup_seconds),
        "warnings": [*outcome.warnings, *(str(remark) for remark in criticise(outcome, metrics))],
    }


def finite(value: float | None) -> float | None:
    """Return the number, or None for what JSON has no word for."""
    return None if value is None or not math.isfinite(value) else value


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
    }
