"""Columns for the charts: thinned to what a screen can show, as floats, because they are only drawn.

Times are UTC seconds. Lines keep the last value of each bucket, drawdown the deepest; candles are joined to the next
usual timeframe that leaves few enough of them.
"""

from typing import TypedDict

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting import drawdown
from crypto_bot.backtesting.figures import decimals
from crypto_bot.backtesting.holding import buy_and_hold_curve
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import phase_ns, timeframe_name, timeframe_ns
from crypto_bot.domain.units import ATOMS, SECOND_NS

MOST_POINTS = 2_000
MOST_BARS = 3_000
ALL_BARS = 12_000
MOST_CHARTS = 20
FAR = 8
LADDER = (
    "1m",
    "3m",
    "5m",
    "15m",
    "30m",
    "1h",
    "2h",
    "4h",
    "6h",
    "8h",
    "12h",
    "1d",
    "2d",
    "3d",
    "1w",
    "2w",
    "4w",
    "13w",
)

FloatArray = npt.NDArray[np.float64]


class Line(TypedDict):
    """Equity, holding (both in units of the quote asset) and drawdown (<= 0) at the same times."""

    time: list[int]
    bot: list[float]
    hold: list[float]
    fall: list[float]


class CandleChart(TypedDict):
    """One instrument's bars, and its fills as rows of bar, side, count, quantity and average price."""

    symbol: str
    timeframe: str
    places: int
    time: list[int]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    marks: list[list[float]]


def equity_line(outcome: Outcome) -> Line:
    """Return the equity chart's columns; the first point is the initial equity at the run's start."""
    count = outcome.times.size
    ends = np.unique(np.linspace(0, count, min(count, MOST_POINTS) + 1).astype(np.int64)[1:])
    bot = np.concatenate(([float(outcome.initial_equity)], outcome.equity.astype(np.float64))) / ATOMS
    hold = buy_and_hold_curve(outcome)
    starts = np.concatenate(([0], ends[:-1] + 1))
    depth = np.minimum.reduceat(drawdown.falls(bot), starts)
    times = np.concatenate((outcome.times[:1], outcome.times[ends - 1] + timeframe_ns(outcome.timeframe)))
    held = np.zeros(0) if hold is None else np.concatenate(([1.0], hold[ends - 1])) * bot[0]
    return {
        "time": (times // SECOND_NS).tolist(),
        "bot": rounded(bot[np.concatenate(([0], ends))], 2),
        "hold": rounded(held, 2),
        "fall": [0.0, *rounded(depth, 5)],
    }


def candle_charts(outcome: Outcome) -> list[CandleChart]:
    """Return the candles of the instruments, the most traded first, and no more than a page can hold."""
    traded = np.bincount(outcome.fills["instrument"], minlength=len(outcome.instruments))
    order = np.argsort(-traded, kind="stable")[:MOST_CHARTS].tolist()
    most = min(MOST_BARS, ALL_BARS // max(len(order), 1))
    return [_candles(outcome, k, most) for k in order]


def shown_timeframe(span_ns: int, bar_ns: int, most: int) -> int:
    """Return a multiple of bar_ns of which no more than `most` fit into the span; a usual length if one is near."""
    least = bar_ns * -(-span_ns // (most * bar_ns))
    usual = (timeframe_ns(name) for name in LADDER)
    return next((length for length in usual if least <= length <= FAR * least and length % bar_ns == 0), least)


def _candles(outcome: Outcome, k: int, most: int) -> CandleChart:
    """Join the bars of one instrument, and count its fills by bar and side."""
    instrument = outcome.instruments[k]
    bars = outcome.candles[k].between(int(outcome.times[0]), int(outcome.times[-1]))
    span = int(outcome.times[-1] - outcome.times[0]) + bars.bar_ns
    length = shown_timeframe(min(span, len(bars) * bars.bar_ns), bars.bar_ns, most)
    group = (bars.times - phase_ns(length)) // length
    first = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1]))) if len(bars) else np.zeros(0, np.int64)
    last = np.concatenate((first[1:], [len(bars)])) - 1 if len(bars) else first
    places = decimals(instrument.price_scale, instrument.tick)

    def price(column: IntArray) -> list[float]:
        return rounded(column / instrument.price_scale, places)

    starts = group[first] * length + phase_ns(length)
    return {
        "symbol": instrument.symbol,
        "timeframe": timeframe_name(length),
        "places": places,
        "time": (starts // SECOND_NS).tolist(),
        "open": price(bars.open[first]),
        "high": price(np.maximum.reduceat(bars.high, first) if first.size else first),
        "low": price(np.minimum.reduceat(bars.low, first) if first.size else first),
        "close": price(bars.close[last]),
        "volume": (
            [float(f"{v:.4g}") for v in (np.add.reduceat(bars.volume, first) / instrument.quantity_scale).tolist()]
            if first.size
            else []
        ),
        "marks": _marks(outcome, k, starts),
    }


def _marks(outcome: Outcome, k: int, starts: IntArray) -> list[list[float]]:
    """Return one row per bar and side that has fills: bar, side, count, quantity, average price."""
    instrument, fills = outcome.instruments[k], outcome.fills[outcome.fills["instrument"] == k]
    if fills.size == 0 or starts.size == 0:
        return []
    bar = np.maximum(np.searchsorted(starts, fills["time_ns"], "right") - 1, 0)
    keys, place = np.unique(bar * 2 + (fills["side"] > 0), return_inverse=True)
    count = np.bincount(place)
    quantity = np.bincount(place, fills["quantity"] / instrument.quantity_scale)
    worth = np.bincount(place, fills["quantity"] / instrument.quantity_scale * fills["price"] / instrument.price_scale)
    places = decimals(instrument.price_scale, instrument.tick)
    return [
        [key // 2, 1 if key % 2 else -1, number, round(amount, 8), round(total / amount, places)]
        for key, number, amount, total in zip(
            keys.tolist(), count.tolist(), quantity.tolist(), worth.tolist(), strict=True
        )
    ]


def rounded(values: FloatArray, places: int) -> list[float]:
    """Return values as plain numbers, short enough for a file."""
    return np.round(values, places).tolist()  # type: ignore[no-any-return]  # numpy's own type of tolist
