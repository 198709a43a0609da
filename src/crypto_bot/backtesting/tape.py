"""Candles as the kernel replays them: aligned planes of bars, and each strategy's own bars.

The base bars of a tape are those on which orders live. Usually they are the run's bars; with
`fills` = path, ohlc, olhc or adaptive every bar becomes three legs, and with a detail timeframe the base is
the finer candles. Strategies then decide on the run's bars all the same, each known from the base bar it closes with.
Where an instrument lacks bars that others have, `gaps` tells what stands in their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crypto_bot.backtesting.gaps import absent, first_opens, shown, united_times, without_bars
from crypto_bot.backtesting.intrabar import LEGS, WAYS
from crypto_bot.data.decoded import release
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import phase_ns
from crypto_bot.kernel.layout import CLOSES, FAR, HIGHS, LOWS, OPENS, PLANES, SUMS, VOLUMES, Market

_EMPTY = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Tape:
    """Base bars, and where among them each bar of the run closes (`due`; empty when both are the same).

    `path` is the order in which the legs of a bar were taken to come. With `has_gaps`, an instrument may lack bars
    that others have.
    """

    bars: IntArray
    times: IntArray
    bar_ns: int
    run_times: IntArray
    run_bars: IntArray
    run_ns: int
    due: IntArray
    path: str = "adaptive"
    has_gaps: bool = False

    @property
    def is_split(self) -> bool:
        """Whether the base bars are finer than those of the run."""
        return self.bar_ns != self.run_ns

    def market(self, own_ns: int, *, on_fills: bool = False) -> Market:
        """Return the market for a strategy that decides on bars of this length, 0 for those of the run.

        One that wakes on fills is shown base bars, for there they happen.
        """
        if on_fills and self.has_gaps:
            every = np.arange(self.times.size, dtype=np.int64)
            return Market(self.bars, self.times, shown_with_sums(self.bars), every)
        if own_ns and own_ns != self.run_ns:
            own, due = own_bars(self.run_bars, self.run_times, self.run_ns, own_ns)
            if self.has_gaps:
                own = shown_with_sums(own)
            return Market(self.bars, self.times, own, self.due[due] if self.is_split else due)
        if self.has_gaps:
            due = self.due if self.is_split else np.arange(self.times.size, dtype=np.int64)
            return Market(self.bars, self.times, shown_with_sums(self.run_bars), due)
        if self.is_split:
            return Market(self.bars, self.times, self.run_bars, self.due)
        return Market(self.bars, self.times, self.bars, _EMPTY)


def make_tape(candles: Sequence[Candles], *, fills: str = "pessimistic", detail: Sequence[Candles] = ()) -> Tape:
    """Lay candles of one timeframe side by side; instruments keep their order.

    Raises DataError when there are none, or when the detail does not cover them.
    """
    times, bars = planes(candles)
    run_ns = candles[0].bar_ns
    gappy = any(len(each) < times.size for each in candles)
    if detail:
        fine_times, fine = planes(detail)
        fine_ns = detail[0].bar_ns
        due = np.searchsorted(fine_times + fine_ns, times + run_ns, "left").astype(np.int64)
        whole = (due < fine_times.size) & (times >= fine_times[0])
        if not whole.any():
            raise DataError("the detail candles do not cover the run; import them for the same time")
        return Tape(fine, fine_times, fine_ns, times[whole], _kept(bars, whole), run_ns, due[whole], has_gaps=gappy)
    path = WAYS[fills].path
    if path:
        leg_times, legs = split_bars(times, bars, run_ns, path)
        due = np.arange(times.size, dtype=np.int64) * LEGS + LEGS - 1
        return Tape(legs, leg_times, run_ns // LEGS, times, bars, run_ns, due, path, gappy)
    return Tape(bars, times, run_ns, times, bars, run_ns, _EMPTY, has_gaps=gappy)


def planes(candles: Sequence[Candles]) -> tuple[IntArray, IntArray]:
    """Return the times at which any of the candles has a bar, and their bars[plane, time, instrument]."""
    times = united_times(candles)
    if times.size == 0:
        names = ", ".join(c.instrument.symbol for c in candles)
        raise DataError(f"{names} have no bar of {candles[0].timeframe}; choose another time or other symbols")
    bars = np.empty((PLANES, times.size, len(candles)), np.int64)
    if any(len(each) < times.size for each in candles):
        without_bars(bars, candles, times)
    for k, each in enumerate(candles):
        rows = slice(None) if each.times.size == times.size else np.searchsorted(times, each.times)
        for plane, column in zip((OPENS, HIGHS, LOWS, CLOSES, VOLUMES), each.columns()[1:], strict=True):
            bars[plane, rows, k] = column
            release(column)
    running_sums(bars)
    own_times = np.array(times, dtype=np.int64)
    release(times)
    return own_times, bars


def running_sums(bars: IntArray) -> None:
    """Fill the plane of running sums: for each bar the sum of all closes before it."""
    bars[SUMS, 0] = 0
    np.cumsum(bars[CLOSES, :-1], axis=0, out=bars[SUMS, 1:])


def own_bars(bars: IntArray, times: IntArray, bar_ns: int, own_ns: int) -> tuple[IntArray, IntArray]:
    """Return bars of a longer timeframe and, for each, the index of the bar with which it becomes known.

    That is the bar that closes the period or, when it is missing, the first one after it: what a live
    feed would know, and when. The last period is left out until it is over.
    """
    phase = phase_ns(own_ns)
    label = (times - phase) // own_ns
    starts = np.flatnonzero(np.r_[times.size > 0, label[1:] != label[:-1]])
    ends_ns = (label[starts] + 1) * own_ns + phase
    due = np.searchsorted(times + bar_ns, ends_ns, "left").astype(np.int64)
    starts, due = starts[due < times.size], due[due < times.size]
    own = np.zeros((PLANES, starts.size, bars.shape[2]), np.int64)
    if starts.size:
        stops = np.r_[starts[1:], np.searchsorted(label, label[starts[-1]], "right")]
        last = int(stops[-1])
        own[OPENS] = first_opens(bars, starts, last)
        own[CLOSES] = bars[CLOSES, stops - 1]
        own[HIGHS] = np.maximum.reduceat(bars[HIGHS, :last], starts, axis=0)
        own[LOWS] = np.minimum.reduceat(bars[LOWS, :last], starts, axis=0)
        own[VOLUMES] = np.add.reduceat(bars[VOLUMES, :last], starts, axis=0)
        running_sums(own)
    return own, due


def shown_with_sums(bars: IntArray) -> IntArray:
    """Return bars[plane, time, instrument] with gaps as strategies see them."""
    seen = shown(bars)
    if seen.shape[1]:
        running_sums(seen)
    return seen


def unknown_due(count: int) -> IntArray:
    """Return places for bars that are not closed yet: none of them is ever due."""
    return np.full(count, FAR, np.int64)


def _kept(bars: IntArray, rows: np.ndarray) -> IntArray:
    kept = np.ascontiguousarray(bars[:, rows])
    running_sums(kept)
    return kept


def split_bars(times: IntArray, bars: IntArray, run_ns: int, path: str = "adaptive") -> tuple[IntArray, IntArray]:
    """Split every bar into three monotone legs: open, one extreme, the other one, close.

    The path `ohlc` goes to the high first, `olhc` to the low; `adaptive` to the nearer extreme, and to the low
    when both are as near. Each leg has a third of the volume; what cannot be divided goes to the last.
    """
    count = times.size * LEGS
    opened, high, low, close = (bars[plane] for plane in (OPENS, HIGHS, LOWS, CLOSES))
    missing = absent(bars)
    up_first = (high - opened) < (opened - low)
    if path != "adaptive":
        up_first[:] = path == "ohlc"
    first = np.where(up_first, high, low)
    second = np.where(up_first, low, high)
    points = np.stack([opened, first, second, close])
    legs = np.zeros((PLANES, count, bars.shape[2]), np.int64)
    leg_times = np.empty(count, np.int64)
    for leg in range(LEGS):
        rows = slice(leg, count, LEGS)
        legs[OPENS, rows] = points[leg]
        legs[CLOSES, rows] = points[leg + 1]
        legs[HIGHS, rows] = np.maximum(points[leg], points[leg + 1])
        legs[LOWS, rows] = np.minimum(points[leg], points[leg + 1])
        leg_times[rows] = times + leg * (run_ns // LEGS)
        legs[VOLUMES, rows] = bars[VOLUMES] // LEGS
        legs[:, rows][:, missing] = bars[:, missing]
    legs[VOLUMES, LEGS - 1 :: LEGS] += bars[VOLUMES] % LEGS
    running_sums(legs)
    return leg_times, legs
