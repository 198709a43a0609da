"""The markets on which all ways to run have to agree: packaged samples, and the workload of the speed comparison."""

import functools
from dataclasses import replace
from pathlib import Path

import numpy as np

from crypto_bot.data.archive import Archive
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import SECOND_NS, parse_time_ns

WORKLOAD_BARS = 525_600
_START = parse_time_ns("2024-01-01")


@functools.cache
def sample(symbol: str, timeframe: str) -> Candles:
    """Return packaged candles: a year of five minutes, or some years of days."""
    start = parse_time_ns("2023-01-01") if timeframe == "5m" else None
    end = parse_time_ns("2023-12-31", end_of_day=True) if timeframe == "5m" else None
    return Archive(Path("/nonexistent")).load(symbol, timeframe, start_ns=start, end_ns=end)


MARKETS = {
    "BTC 5m": (("BTC/USDT",), "5m"),
    "ETH 5m": (("ETH/USDT",), "5m"),
    "two 5m": (("BTC/USDT", "ETH/USDT"), "5m"),
    "three 1d": (("BTC/USDT", "ETH/USDT", "SOL/USDT"), "1d"),
}


def market(name: str) -> list[Candles]:
    """Return all candles of one market; with gaps, the last instrument lists late and one ends early."""
    symbols, timeframe = MARKETS[name.removesuffix(" with gaps")]
    whole = [sample(symbol, timeframe) for symbol in symbols]
    return with_gaps(whole) if name.endswith(" with gaps") else whole


def with_gaps(whole: list[Candles], seed: int = 3) -> list[Candles]:
    """Take one bar in ten away, the first third of the last instrument, the last fifth of the one before."""
    dice = np.random.default_rng(seed)
    found = []
    for k, each in enumerate(whole):
        rows = np.flatnonzero(dice.random(len(each)) > 0.1)
        if k == len(whole) - 1:
            rows = rows[rows >= len(each) // 3]
        elif k == len(whole) - 2:
            rows = rows[rows < len(each) * 4 // 5]
        found.append(Candles(each.instrument, each.timeframe, *(column[rows] for column in each.columns())))
    return found


def cut(candles: list[Candles], bars: int) -> list[Candles]:
    """Return some bars out of the middle."""
    first = max(0, (len(candles[0]) - bars) // 3)
    start, end = int(candles[0].times[first]), int(candles[0].times[min(len(candles[0]), first + bars) - 1])
    return [each.between(start, end) for each in candles]


@functools.cache
def workload(seed: int = 7) -> Candles:
    """Return a year of minutes: a walk of eight steps a minute from 30,000, each bar opening at the last close."""
    dice = np.random.default_rng(seed)
    width, steps = 0.0008, 8
    shocks = dice.standard_normal((WORKLOAD_BARS, steps)) * (width / np.sqrt(steps)) - 0.5 * width * width / steps
    prices = np.round(np.exp(np.log(30_000.0) + np.cumsum(shocks.ravel())), 2).reshape(WORKLOAD_BARS, steps)
    cents = np.rint(prices * 100).astype(np.int64)
    close = cents[:, -1].copy()
    opened = np.r_[3_000_000, close[:-1]].astype(np.int64)
    high, low = np.maximum(cents.max(1), opened), np.minimum(cents.min(1), opened)
    times = _START + np.arange(WORKLOAD_BARS, dtype=np.int64) * 60 * SECOND_NS
    coin = Instrument("BTC/USDT", price_scale=100, quantity_scale=1_000_000)
    return Candles(coin, "1m", times, opened, high, low, close, np.full(WORKLOAD_BARS, 10**6, np.int64))


def without_rules(candles: Candles) -> Candles:
    """Return the same candles of a coin without a smallest order, down to the smallest unit."""
    return replace(candles, instrument=replace(candles.instrument, lot=1, tick=1, min_notional=0))
