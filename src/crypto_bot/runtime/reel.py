"""A tape that grows: bars arrive one slice at a time and are laid out as the kernel reads them."""

from collections.abc import Sequence

import numpy as np

from crypto_bot.backtesting.gaps import absent, no_bar, shown
from crypto_bot.backtesting.tape import Tape, own_bars, running_sums, shown_with_sums, split_bars, unknown_due
from crypto_bot.domain.market import IntArray, Slice
from crypto_bot.domain.timeframe import phase_ns
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, PLANES, SUMS, VOLUMES, Market

_FIRST_CAPACITY = 4096
_OF_A_BAR = (OPENS, HIGHS, LOWS, CLOSES, VOLUMES)
_NONE: IntArray = np.zeros(0, np.int64)


class Shelf:
    """Bars in time order in arrays with room to spare; `count` of them are known."""

    def __init__(self, instruments: int, planes: int = PLANES) -> None:
        """Begin empty."""
        self.bars: IntArray = np.zeros((planes, _FIRST_CAPACITY, instruments), np.int64)
        self.times: IntArray = np.zeros(_FIRST_CAPACITY, np.int64)
        self.due = unknown_due(_FIRST_CAPACITY)
        self.count = 0

    def append(self, time_ns: int, columns: IntArray, due: int) -> bool:
        """Add one bar per instrument (columns[plane, instrument]); True when the arrays moved to find room."""
        grown = self.count == self.times.size
        if grown:
            self._make_room(2 * self.count)
        i = self.count
        self.bars[:, i] = columns
        self.bars[SUMS, i] = self.bars[SUMS, i - 1] + self.bars[CLOSES, i - 1] if i else 0
        self.times[i] = time_ns
        self.due[i] = due
        self.count += 1
        return grown

    def fill(self, times: IntArray, bars: IntArray, due: IntArray) -> None:
        """Put bars[plane, time, instrument] on an empty shelf."""
        count = times.size
        if count > self.times.size:
            self._make_room(1 << count.bit_length())
        self.bars[:, :count] = bars
        self.times[:count] = times
        self.due[:count] = due
        self.count = count

    def _make_room(self, capacity: int) -> None:
        more = capacity - self.times.size
        self.bars = np.concatenate([self.bars, np.zeros((len(self.bars), more, self.bars.shape[2]), np.int64)], axis=1)
        self.times = np.concatenate([self.times, np.zeros(more, np.int64)])
        self.due = np.concatenate([self.due, unknown_due(more)])


class OwnBars:
    """The longer bars of one strategy, built from the run's bars exactly as `tape.own_bars` builds them."""

    def __init__(self, instruments: int, run_ns: int, own_ns: int, *, has_gaps: bool) -> None:
        """Begin with no period open."""
        self.shelf = Shelf(instruments, PLANES + has_gaps)
        self._has_gaps = has_gaps
        self._run_ns, self._own_ns, self._phase_ns = run_ns, own_ns, phase_ns(own_ns)
        self._label: int | None = None
        self._open: IntArray = np.zeros((PLANES, instruments), np.int64)

    def add(self, time_ns: int, columns: IntArray, due: int) -> bool:
        """Take in a bar of the run that becomes known with base bar `due`; True when the arrays moved."""
        label = self._label_of(time_ns)
        moved = False
        if self._label is not None and label != self._label:
            moved = self._close(due)
        if self._label is None:
            self._label, self._open = label, columns.copy()
        else:
            self._open[OPENS] = np.where(absent(self._open), columns[OPENS], self._open[OPENS])
            self._open[HIGHS] = np.maximum(self._open[HIGHS], columns[HIGHS])
            self._open[LOWS] = np.minimum(self._open[LOWS], columns[LOWS])
            self._open[CLOSES] = columns[CLOSES]
            self._open[VOLUMES] += columns[VOLUMES]
        if time_ns + self._run_ns == self._start_of(label + 1):
            moved = self._close(due) or moved
        return moved

    def fill(self, times: IntArray, bars: IntArray, due: IntArray) -> None:
        """Take in all bars of the run so far at once; `due` are the base bars that they become known with."""
        own, at = own_bars(bars, times, self._run_ns, self._own_ns)
        labels = (times - self._phase_ns) // self._own_ns
        firsts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
        closed = at.size
        if self._has_gaps:
            own = shown_with_sums(own)
        self.shelf.fill(labels[firsts[:closed]] * self._own_ns + self._phase_ns, own, due[at])
        for i in range(int(firsts[closed]) if closed < firsts.size else times.size, times.size):
            self.add(int(times[i]), bars[:, i], int(due[i]))

    def _label_of(self, time_ns: int) -> int:
        return (time_ns - self._phase_ns) // self._own_ns

    def _start_of(self, label: int) -> int:
        return label * self._own_ns + self._phase_ns

    def _close(self, due: int) -> bool:
        assert self._label is not None
        start_ns = self._start_of(self._label)
        self._label = None
        return self.shelf.append(start_ns, shown(self._open) if self._has_gaps else self._open, due)


class Reel:
    """All bars of a run so far: the base bars on which orders live, the run's bars, every strategy's own."""

    def __init__(self, tape: Tape, own_lengths: Sequence[int], on_fills: Sequence[bool] = ()) -> None:
        """Begin with no bars; `tape` tells how long the run's bars and their base bars are, and if any may lack.

        `own_lengths` are those of the strategies' own bars, 0 for the run's; `on_fills` tells who wakes on fills.
        """
        self.run_ns, self.bar_ns, self.path, self._has_gaps = tape.run_ns, tape.bar_ns, tape.path, tape.has_gaps
        count = tape.bars.shape[2]
        self.base = Shelf(count)
        apart = self._has_gaps or self.is_split
        self.run = Shelf(count, PLANES + self._has_gaps) if apart else self.base
        self._on_fills = {s for s, wakes in enumerate(on_fills) if wakes and self._has_gaps}
        self.legs = Shelf(count, PLANES + 1) if self._on_fills and self.is_split else self.run
        self.own = [
            OwnBars(count, self.run_ns, ns, has_gaps=self._has_gaps) if ns not in (0, self.run_ns) else None
            for ns in own_lengths
        ]

    @property
    def is_split(self) -> bool:
        """Whether the base bars are finer than those of the run."""
        return self.bar_ns != self.run_ns

    def append(self, item: Slice) -> tuple[range, bool]:
        """Add a slice; return the base bars it became, and whether any array moved to find room."""
        columns = self._columns(item)
        first = self.base.count
        moved = False
        if self.is_split:
            times, legs = split_bars(np.array([item.time_ns]), columns[:, None, :], self.run_ns, self.path)
            for leg, time_ns in enumerate(times):
                at = self.base.count
                moved = self.base.append(int(time_ns), legs[:, leg], at) or moved
                if self.legs is not self.run:
                    moved = self.legs.append(int(time_ns), shown(legs[:, leg]), at) or moved
        else:
            moved = self.base.append(item.time_ns, columns, first)
        last = self.base.count - 1
        if self.run is not self.base:
            moved = self.run.append(item.time_ns, shown(columns) if self._has_gaps else columns, last) or moved
        for own in self.own:
            if own is not None:
                moved = own.add(item.time_ns, columns, last) or moved
        return range(first, self.base.count), moved

    def _columns(self, item: Slice) -> IntArray:
        """Return a slice as columns[plane, instrument]."""
        before = self.base.bars[CLOSES, self.base.count - 1] if self.base.count else np.zeros(len(item.bars), np.int64)
        columns = no_bar(before)
        for k, bar in enumerate(item.bars):
            if bar is not None:
                columns[_OF_A_BAR, k] = bar[1:]
        columns[SUMS] = 0
        return columns

    def lay(self, times: IntArray, columns: IntArray) -> None:
        """Put many bars on an empty reel: columns[time, instrument, (open, high, low, close, volume)]."""
        if times.size == 0:
            return
        bars = np.zeros((PLANES, times.size, columns.shape[1]), np.int64)
        bars[_OF_A_BAR, :] = columns.transpose(2, 0, 1)
        running_sums(bars)
        due = np.arange(times.size, dtype=np.int64)
        if self.is_split:
            base_times, legs = split_bars(times, bars, self.run_ns, self.path)
            every = np.arange(base_times.size, dtype=np.int64)
            self.base.fill(base_times, legs, every)
            if self.legs is not self.run:
                self.legs.fill(base_times, shown_with_sums(legs), every)
            per_bar = base_times.size // times.size
            due = due * per_bar + per_bar - 1
        else:
            self.base.fill(times, bars, due)
        if self.run is not self.base:
            self.run.fill(times, shown_with_sums(bars) if self._has_gaps else bars, due)
        for own in self.own:
            if own is not None:
                own.fill(times, bars, due)

    def last_closes(self) -> list[int]:
        """Return the newest closes by instrument; 0 for one that is not listed yet."""
        closes: list[int] = self.run.bars[CLOSES, self.run.count - 1].tolist()
        return closes

    def seen(self, strategy: int) -> int:
        """Return how many of the bars that a strategy decides on are known."""
        if strategy in self._on_fills:
            return self.base.count
        own = self.own[strategy]
        return self.run.count if own is None else own.shelf.count

    def market(self, strategy: int) -> Market:
        """Return the market of a strategy over the present arrays."""
        if strategy in self._on_fills:
            return Market(self.base.bars, self.base.times, self.legs.bars, self.legs.due)
        own = self.own[strategy]
        if own is not None:
            return Market(self.base.bars, self.base.times, own.shelf.bars, own.shelf.due)
        if self.run is not self.base:
            return Market(self.base.bars, self.base.times, self.run.bars, self.run.due)
        return Market(self.base.bars, self.base.times, self.base.bars, _NONE)
