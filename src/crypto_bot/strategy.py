"""The words of a strategy. Import them from here; they work inside `step`.

`k` is a symbol, as in `for k in symbols()`. `ago` counts bars back on the strategy's own timeframe: 0 is the bar that
has just closed. With `timeframe="1d"` a word reads the closed bars of a longer timeframe, and `ago` counts those.
Prices, quantities and money are plain decimals of the quote or the base asset.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, NoReturn, TypeAlias

from crypto_bot.domain.errors import UsageError

__all__ = [
    "BUY", "SELL", "Literal", "Memory", "NamedTuple", "adx", "atr", "bollinger_lower", "bollinger_upper", "bought",
    "bracket", "break_even", "change", "close", "count", "day", "deviation", "ema", "entry", "equity",
    "ewma_volatility", "fee",
    "high", "highest", "highest_high", "hold", "hour", "lots", "low", "lowest", "lowest_low", "macd",
    "macd_histogram", "macd_signal", "minus_di", "minute", "open_", "plus_di", "position", "quote", "rank",
    "resting", "rsi", "seconds", "sma", "sold", "sqrt", "stop", "symbols", "take_profit", "target",
    "time_stop", "trail", "typical", "unquote",
    "volatility", "volume", "vwap", "vwap_day", "wanted", "weekday", "wma", "zscore",
]  # fmt: skip

BUY = 1
"""The side of a quote that buys."""

SELL = -1
"""The side of a quote that sells."""

Memory: TypeAlias = Any
"""The type of `m`, and of what `memory(p)` returns: its names are the author's own, so no type can list them."""


def _outside(word: str) -> NoReturn:
    raise UsageError(f"{word}() works inside step(p, m) only; run the file with the command backtest")


# ---- the market


def symbols() -> range:
    """Return the symbols of the slice, 0, 1, 2 and so on: those that have a bar in it and had enough before it."""
    _outside("symbols")


def count() -> int:
    """Return how many symbols the run has, whether they are in this slice or not."""
    _outside("count")


def open_(k: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the open of the bar."""
    _outside("open_")


def high(k: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the high of the bar."""
    _outside("high")


def low(k: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the low of the bar."""
    _outside("low")


def close(k: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the close of the bar."""
    _outside("close")


def typical(k: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the typical price of the bar: (high + low + close) / 3."""
    _outside("typical")


def volume(k: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the volume of the bar in the base asset."""
    _outside("volume")


def change(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the rise of the close over so many bars: 0.05 is five per cent."""
    _outside("change")


def seconds() -> int:
    """Return the time of the decision, the bar's close, in seconds since 1970, UTC."""
    _outside("seconds")


def minute() -> int:
    """Return the minutes since 1970, UTC."""
    _outside("minute")


def hour() -> int:
    """Return the hour of the day, UTC, 0 to 23."""
    _outside("hour")


def day() -> int:
    """Return the days since 1970, UTC."""
    _outside("day")


def weekday() -> int:
    """Return the day of the week, UTC; Monday is 0."""
    _outside("weekday")


# ---- indicators: their length is known before the run, and they are kept up to date at every bar.
# `source` is what is taken instead of the close, an expression of words: source=volume(k), source=rsi(k, 14).
# `timeframe` asks for closed bars of a longer timeframe: timeframe="1d".


def sma(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return the mean of the last closes, exact."""
    _outside("sma")


def ema(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return the exponential mean, alpha 2 / (length + 1), seeded by the first mean."""
    _outside("ema")


def wma(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return the linearly weighted mean, weight 1 for the oldest close and length for the newest."""
    _outside("wma")


def macd(
    k: int, fast: int = 12, slow: int = 26, ago: int = 0, *, source: float | None = None, timeframe: str | None = None
) -> float:
    """Return the MACD line: the fast exponential mean less the slow one."""
    _outside("macd")


def macd_signal(
    k: int,
    fast: int = 12,
    slow: int = 26,
    signal: int = 9,
    ago: int = 0,
    *,
    source: float | None = None,
    timeframe: str | None = None,
) -> float:
    """Return the MACD's signal: the exponential mean of its line."""
    _outside("macd_signal")


def macd_histogram(
    k: int,
    fast: int = 12,
    slow: int = 26,
    signal: int = 9,
    ago: int = 0,
    *,
    source: float | None = None,
    timeframe: str | None = None,
) -> float:
    """Return the MACD's histogram: its line less its signal."""
    _outside("macd_histogram")


def rsi(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return Wilder's RSI, 0 to 100; a flat market is 50."""
    _outside("rsi")


def atr(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return Wilder's average true range."""
    _outside("atr")


def adx(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return Wilder's average directional index, 0 to 100: how much of a trend there is, up or down."""
    _outside("adx")


def plus_di(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return Wilder's +DI, 0 to 100: the part of the true range that went up."""
    _outside("plus_di")


def minus_di(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return Wilder's -DI, 0 to 100: the part of the true range that went down."""
    _outside("minus_di")


def highest(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return the highest close of the last bars, this one included."""
    _outside("highest")


def lowest(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return the lowest close of the last bars, this one included."""
    _outside("lowest")


def highest_high(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the highest high of the last bars, this one included."""
    _outside("highest_high")


def lowest_low(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the lowest low of the last bars, this one included."""
    _outside("lowest_low")


def deviation(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return the standard deviation (ddof 0) of the last closes."""
    _outside("deviation")


def bollinger_upper(
    k: int,
    length: int = 20,
    width: float = 2.0,
    ago: int = 0,
    *,
    source: float | None = None,
    timeframe: str | None = None,
) -> float:
    """Return Bollinger's upper band: the mean plus so many deviations; the middle one is sma."""
    _outside("bollinger_upper")


def bollinger_lower(
    k: int,
    length: int = 20,
    width: float = 2.0,
    ago: int = 0,
    *,
    source: float | None = None,
    timeframe: str | None = None,
) -> float:
    """Return Bollinger's lower band: the mean less so many deviations."""
    _outside("bollinger_lower")


def zscore(k: int, length: int, ago: int = 0, *, source: float | None = None, timeframe: str | None = None) -> float:
    """Return (close - mean) / deviation (ddof 0) of the last closes."""
    _outside("zscore")


def volatility(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the realised volatility: the deviation (ddof 1) of the last returns, a year's worth."""
    _outside("volatility")


def ewma_volatility(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the same, exponentially weighted, with length as the centre of mass."""
    _outside("ewma_volatility")


def vwap(k: int, length: int, ago: int = 0, *, timeframe: str | None = None) -> float:
    """Return the mean of the last typical prices, weighted by volume."""
    _outside("vwap")


def vwap_day(k: int, ago: int = 0) -> float:
    """Return the mean of this UTC day's typical prices so far, weighted by volume."""
    _outside("vwap_day")


# ---- the account


def equity() -> float:
    """Return what everything is worth now."""
    _outside("equity")


def position(k: int) -> float:
    """Return the quantity held; 0 for less than a lot, which a fee paid in coins leaves and nobody can sell."""
    _outside("position")


def entry(k: int) -> float:
    """Return the average price paid for what is held; 0 when nothing is."""
    _outside("entry")


def fee(k: int) -> float:
    """Return the fee as a fraction: 0.001 is ten basis points."""
    _outside("fee")


def wanted(k: int) -> float:
    """Return the share that target() asked for last."""
    _outside("wanted")


def bought(k: int) -> int:
    """Return how many quotes to buy were filled since the last step."""
    _outside("bought")


def sold(k: int) -> int:
    """Return how many quotes to sell were filled since the last step."""
    _outside("sold")


def resting(k: int, slot: int) -> bool:
    """Return whether a quote rests in the slot; once filled, it no longer does."""
    _outside("resting")


# ---- wishes: say what should be true; asking for the same again does nothing


def target(k: int, fraction: float, band: float = 0.0) -> None:
    """Hold this share of the equity, 0 to 1; with a band, small changes of a running position are left alone."""
    _outside("target")


def hold(k: int, quantity: float) -> None:
    """Hold this quantity."""
    _outside("hold")


def quote(k: int, slot: int, side: int, price: float, quantity: float) -> None:
    """Keep a limit order resting in a numbered slot; buys are rounded down to the tick, sells up."""
    _outside("quote")


def unquote(k: int, slot: int) -> None:
    """Take the order of a slot away."""
    _outside("unquote")


def stop(k: int, price: float) -> None:
    """Sell the position when the price falls to this; 0 takes the stop away."""
    _outside("stop")


def take_profit(k: int, price: float) -> None:
    """Sell the position when the price rises to this; 0 takes the target away."""
    _outside("take_profit")


def bracket(k: int, stop: float, take: float) -> None:
    """Guard the position with a stop below and a limit above; 0 means none."""
    _outside("bracket")


def trail(k: int, share: float = 0.0, by: float = 0.0, after: float = 0.0) -> None:
    """Keep the stop this share of the highest price since the entry, or this far, below it; from a rise `after` on."""
    _outside("trail")


def break_even(k: int, rise: float) -> None:
    """Move the stop up to the entry price once the position has risen by this share; 0 ends it."""
    _outside("break_even")


def time_stop(k: int, bars: int) -> None:
    """Sell the position when it is so many bars old; 0 ends it."""
    _outside("time_stop")


# ---- plain


def lots(k: int, quantity: float) -> float:
    """Return the quantity rounded down to what can be traded."""
    _outside("lots")


def rank(scores: Sequence[float], k: int) -> int:
    """Return the place of k among the scores of the symbols of the slice; 0 is the best, nan comes last."""
    _outside("rank")


def sqrt(x: float) -> float:
    """Return the square root; it is nan below zero."""
    _outside("sqrt")
