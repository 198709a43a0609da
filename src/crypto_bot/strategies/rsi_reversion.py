"""Wilder's RSI comes back up through a low, above the long mean: buy; out on strength, on time, or at the stop.

RSI = 100 U / (U + D), Wilder's means of rises and falls. Entry with `recross`: it was below `low` and is not any more;
with `level`: it is below. Only while close > SMA(trend); trend = 0 asks for nothing. Exit when RSI >= `leave`, when it
falls back through `fade`, after `max_bars`, or at the stop of close - stop_atr ATR, set at the entry.
Source: Wilder 1978, New Concepts in Technical Trading Systems; `length=2 low=10 entry=level` is the variant of Connors.
"""

from crypto_bot.strategy import (
    Literal,
    Memory,
    NamedTuple,
    atr,
    close,
    count,
    position,
    rsi,
    sma,
    stop,
    symbols,
    target,
)


class Params(NamedTuple):
    """Bars to decide on; lengths in such bars; levels of the RSI from 0 to 100; ATRs; a share of the equity."""

    timeframe: Literal["1m", "5m", "15m", "1h", "4h", "1d"] = "1h"
    length: int = 14
    low: float = 30.0
    entry: Literal["recross", "level"] = "recross"
    leave: float = 55.0
    fade: float = 70.0
    trend: int = 200
    stop_atr: float = 2.0
    max_bars: int = 10
    fraction: float = 1.0


def check(p: Params) -> None:
    """Refuse levels in the wrong order, and what cannot be held."""
    assert p.length >= 2, "length must be 2 or more"
    assert 0 < p.low < p.leave <= 100, "low must be below leave, both between 0 and 100"
    assert 0 < p.fade <= 100, "fade must lie between 0 and 100"
    assert p.trend >= 0, "trend must be 0 or more; 0 asks for no trend"
    assert p.stop_atr > 0, "stop_atr must be above 0"
    assert p.max_bars >= 1, "max_bars must be 1 or more"
    assert 0 < p.fraction <= 1, "fraction must lie between 0 and 1"


def memory(p: Params) -> Memory:
    """Start without a position; `held` counts its bars."""
    return {"held": 0}


def enters(p: Params, k: int) -> bool:
    """Tell whether the RSI asks for an entry, and the trend allows it."""
    strength = rsi(k, p.length)
    asks = strength < p.low if p.entry == "level" else rsi(k, p.length, ago=1) < p.low <= strength
    return asks and (p.trend == 0 or close(k) > sma(k, max(1, p.trend)))


def step(p: Params, m: Memory) -> None:
    """Leave what is held when it is time, else look for an entry; one that was refused is forgotten."""
    for k in symbols():
        if position(k) > 0:
            m.held[k] += 1
            faded = rsi(k, p.length) < p.fade <= rsi(k, p.length, ago=1)
            if rsi(k, p.length) >= p.leave or faded or m.held[k] >= p.max_bars:
                target(k, 0)
        elif enters(p, k):
            m.held[k] = 0
            target(k, p.fraction / count())
            stop(k, max(0.0, close(k) - p.stop_atr * atr(k, p.length)))
        else:
            target(k, 0)
