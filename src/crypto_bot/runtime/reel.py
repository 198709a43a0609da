"""A tape that grows: bars arrive one slice at a time and are laid out as the kernel reads them."""

from collections.abc import Sequence

import numpy as np

from crypto_bot.backtesting.tape import Tape, split_bars, unknown_due
from crypto_bot.domain.market import Bar, IntArray, Slice
from crypto_bot.domain.timeframe import phase_ns
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, PLANES, SUMS, VOLUMES, Market

_FIRST_CAPACITY = 4096


class Shelf:
    """Bars in time order in arrays with room to spare; `count` of them are known."""

    def __init__(self, instruments: int) -> None:
        """Begin empty."""
        self.bars = np.zeros((PLANES, _FIRST_CAPACITY, instruments), np.int64)
        self.times = np.zeros(_FIRST_CAPACITY, np.int64)
        self.due = unknown_due(_FIRST_CAPACITY)
        self.count = 0

    def append(self, time_ns: int, columns: IntArray, due: int) -> bool:
        """Add one bar per instrument (columns[plane, instrument]); True when the arrays moved to find room."""
        grown = self.count == self.times.size
        if grown:
            self._grow()
        i = self.count
        self.bars[:, i] = columns
        self.bars[SUMS, i] = self.bars[SUMS, i - 1] + self.bars[CLOSES, i - 1] if i else 0
        self.times[i] = time_ns
        self.due[i] = due
        self.count += 1
        return grown

    def _grow(self) -> None:
        room = self.times.size
        self.bars = np.concatenate([self.bars, np.zeros_like(self.bars)], axis=1)
        self.times = np.concatenate([self.times, np.zeros(room, np.int64)])
        self.due = np.concatenate([self.due, unknown_due(room)])


class OwnBars:
    """The longer bars of one strategy, built from the run's bars exactly as `tape.own_bars` builds them."""

    def __init__(self, instruments: int, run_ns: int, own_ns: int) -> None:
        """Begin with no period open."""
        self.shelf = Shelf(instruments)
        self._run_ns, self._own_ns, self._phase = run_ns, own_ns, phase_ns(own_ns)
        self._label: int | None = None
        self._open: IntArray = np.zeros((PLANES, instruments), np.int64)

    def add(self, time_ns: int, columns: IntArray, due: int) -> bool:
        """Take in a bar of the run; True when the arrays moved."""
        label = (time_ns - self._phase) // self._own_ns
        moved = False
        if self._label is not None and label != self._label:
            moved = self._close(due)
        if self._label is None:
            self._label, self._open = label, columns.copy()
        else:
            self._open[HIGHS] = np.maximum(self._open[HIGHS], columns[HIGHS])
            self._open[LOWS] = np.minimum(self._open[LOWS], columns[LOWS])
            self._open[CLOSES] = columns[CLOSES]
            self._open[VOLUMES] += columns[VOLUMES]
        if time_ns + self._run_ns == (label + 1) * self._own_ns + self._phase:
            moved = self._close(due) or moved
        return moved

    def _close(self, due: int) -> bool:
        assert self._label is not None
        start = self._label * self._own_ns + self._phase
        self._label = None
        return self.shelf.append(start, self._open, due)


class Reel:
    """All bars of a run so far: the base bars on which orders live, the run's bars, every strategy's own."""

    def __init__(self, tape: Tape, own_lengths: Sequence[int]) -> None:
        """Begin with no bars; `tape` tells how long the run's bars and their base bars are."""
        self.run_ns, self.bar_ns = tape.run_ns, tape.bar_ns
        count = tape.bars.shape[2]
        self.base = Shelf(count)
        self.run = self.base if self.bar_ns == self.run_ns else Shelf(count)
        self.own = [OwnBars(count, self.run_ns, ns) if ns not in (0, self.run_ns) else None for ns in own_lengths]

    @property
    def is_split(self) -> bool:
        """Whether the base bars are finer than those of the run."""
        return self.run is not self.base

    def append(self, item: Slice) -> tuple[range, bool]:
        """Add a slice; return the base bars it became, and whether any array moved to find room."""
        columns = np.array([_planes(bar) for bar in item.bars], np.int64).T.copy()
        first = self.base.count
        moved = False
        if self.is_split:
            times, legs = split_bars(np.array([item.time_ns]), columns[:, None, :], self.run_ns)
            for leg, time_ns in enumerate(times):
                moved = self.base.append(int(time_ns), legs[:, leg], self.base.count) or moved
            moved = self.run.append(item.time_ns, columns, self.base.count - 1) or moved
        else:
            moved = self.base.append(item.time_ns, columns, first)
        last = self.base.count - 1
        for own in self.own:
            if own is not None:
                moved = own.add(item.time_ns, columns, last) or moved
        return range(first, self.base.count), moved

    def market(self, strategy: int) -> Market:
        """Return the market of a strategy over the present arrays."""
        own = self.own[strategy]
        if own is not None:
            return Market(self.base.bars, self.base.times, own.shelf.bars, own.shelf.due)
        if self.is_split:
            return Market(self.base.bars, self.base.times, self.run.bars, self.run.due)
        return Market(self.base.bars, self.base.times, self.base.bars, np.zeros(0, np.int64))


def _planes(bar: Bar) -> tuple[int, ...]:
    """Return a bar in the order of the planes; the running sum is filled in later."""
    planes = [0] * PLANES
    for plane, value in zip((OPENS, HIGHS, LOWS, CLOSES, VOLUMES), bar[1:], strict=True):
        planes[plane] = value
    return tuple(planes)
