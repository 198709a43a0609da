"""Bars that are not there: instruments that list late, miss bars or are delisted, side by side with the others.

A slice exists when any instrument has a bar. Where one has none, orders see a bar that touches nothing: no open, a
high of zero and a low out of reach; its close is the last one, at which it is marked, or zero before the first.
Strategies are shown the same bar flat at that close, with a plane that tells it from a real one.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.kernel.layout import CLOSES, FAR, HIGHS, LOWS, OPENS, PLANES, PRESENT, VOLUMES

_NO_BAR = ((OPENS, 0), (HIGHS, 0), (LOWS, FAR), (VOLUMES, 0))


def united_times(candles: Sequence[Candles]) -> IntArray:
    """Return the open times at which any instrument has a bar."""
    times = candles[0].times
    for other in candles[1:]:
        if not np.array_equal(times, other.times):
            return np.unique(np.concatenate([each.times for each in candles]))
    return times


def has_gaps(candles: Sequence[Candles]) -> bool:
    """Tell whether any instrument lacks a bar that another has."""
    return any(not np.array_equal(each.times, candles[0].times) for each in candles[1:])


def without_bars(bars: IntArray, candles: Sequence[Candles], times: IntArray) -> None:
    """Fill bars[plane, time, instrument] with what orders see where there is no bar; the last close goes on."""
    for plane, value in _NO_BAR:
        bars[plane] = value
    for k, each in enumerate(candles):
        if each.times.size == times.size:
            continue
        last = np.searchsorted(each.times, times, "right")
        bars[CLOSES, :, k] = np.concatenate([[0], each.close])[last]


def no_bar(closes: IntArray) -> IntArray:
    """Return columns[plane, instrument] of a slice without any bar, after these closes."""
    columns = np.zeros((PLANES, closes.size), np.int64)
    for plane, value in _NO_BAR:
        columns[plane] = value
    columns[CLOSES] = closes
    return columns


def absent(bars: IntArray) -> npt.NDArray[np.bool_]:
    """Return where bars[plane, ...] holds no bar: no price is zero."""
    return bars[OPENS] == 0  # type: ignore[no-any-return] # numpy's comparison of an array


def shown(bars: IntArray) -> IntArray:
    """Return bars[plane, ...] as strategies see them, but for the running sums; one plane more tells what is real."""
    missing = absent(bars)
    seen = np.zeros((PLANES + 1, *bars.shape[1:]), np.int64)
    seen[PRESENT] = ~missing
    seen[CLOSES] = bars[CLOSES]
    seen[VOLUMES] = bars[VOLUMES]
    for plane in (OPENS, HIGHS, LOWS):
        np.copyto(seen[plane], bars[plane])
        np.copyto(seen[plane], bars[CLOSES], where=missing)
    return seen


def first_opens(bars: IntArray, starts: IntArray, last: int) -> IntArray:
    """Return the first open of each instrument in each period of bars that begins at `starts`; 0 where it has none."""
    opened: IntArray = bars[OPENS, starts]
    if (opened != 0).all():
        return opened
    rows = np.where(bars[OPENS, :last] != 0, np.arange(last)[:, np.newaxis], last)
    first = np.minimum.reduceat(rows, starts, axis=0)
    stops = np.r_[starts[1:], last][:, np.newaxis]
    found = np.take_along_axis(bars[OPENS], np.minimum(first, last - 1), axis=0)
    return np.where(first < stops, found, 0)
