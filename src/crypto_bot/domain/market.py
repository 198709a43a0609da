"""Bars of one instrument as columns of integers, and the slice: all bars that close together."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.timeframe import timeframe_ns

IntArray = npt.NDArray[np.int64]


class Bar(NamedTuple):
    """One bar: open time in UTC nanoseconds; prices and volume as integers at the instrument's scales."""

    time_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class Slice(NamedTuple):
    """All bars, one per instrument in the run's order, that close at one time; None where an instrument has none."""

    time_ns: int
    bars: tuple[Bar | None, ...]


@dataclass(frozen=True, slots=True)
class Candles:
    """Closed bars of one instrument, in time order without duplicates; gaps are simply absent.

    `times` are open times (UTC ns); the other columns are int64 at the instrument's scales.
    """

    instrument: Instrument
    timeframe: str
    times: IntArray
    open: IntArray
    high: IntArray
    low: IntArray
    close: IntArray
    volume: IntArray

    def __len__(self) -> int:
        """How many bars."""
        return int(self.times.size)

    @property
    def bar_ns(self) -> int:
        """Length of one bar in nanoseconds."""
        return timeframe_ns(self.timeframe)

    def between(self, start_ns: int | None = None, end_ns: int | None = None) -> "Candles":
        """Return the bars whose open time lies in [start_ns, end_ns], both inclusive; views, no copies."""
        first = 0 if start_ns is None else int(np.searchsorted(self.times, start_ns, "left"))
        last = len(self) if end_ns is None else int(np.searchsorted(self.times, end_ns, "right"))
        columns = (column[first:last] for column in self.columns())
        return Candles(self.instrument, self.timeframe, *columns)

    def columns(self) -> tuple[IntArray, ...]:
        """Return times, open, high, low, close, volume."""
        return self.times, self.open, self.high, self.low, self.close, self.volume

    def bar(self, index: int) -> Bar:
        """Return one bar as a value."""
        return Bar(*(int(column[index]) for column in self.columns()))
