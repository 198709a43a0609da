"""Where a run's prices come from: recorded candles at a chosen speed, or a synthetic stream."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from crypto_bot.backtesting.tape import planes
from crypto_bot.data.synthetic import synthetic_stream
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Bar, Candles, Slice
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import SECOND_NS
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, VOLUMES

_ORDER = (OPENS, HIGHS, LOWS, CLOSES, VOLUMES)
_WITHOUT_REST = 16
"""How many slices a feed without a pace hands out before it lets signals and timers through."""


class Feed(Protocol):
    """Supplies closed bars, one slice after the other."""

    def after(self, time_ns: int | None) -> AsyncIterator[Slice]:
        """Yield the slices that open after a time, from the beginning when it is None."""
        ...


class RecordedFeed:
    """Recorded candles, `speed` times as fast as they were; 0 waits for nothing."""

    def __init__(self, candles: Sequence[Candles], speed: float) -> None:
        """Hold the candles to play, already cut to the run's window."""
        self._times, self._bars = planes(candles)
        self._pause_s = _pause_s(candles[0].bar_ns, speed)

    @property
    def begin_ns(self) -> int:
        """The open time of the first slice."""
        return int(self._times[0])

    def slices(self) -> Iterator[Slice]:
        """Yield every slice at once."""
        return (self._slice(i) for i in range(self._times.size))

    async def after(self, time_ns: int | None) -> AsyncIterator[Slice]:
        """Yield the slices that open after a time, each `pause` after the one before."""
        first = 0 if time_ns is None else int(self._times.searchsorted(time_ns, "right"))
        for i in range(first, self._times.size):
            yield self._slice(i)
            await _rest(self._pause_s, i)

    def _slice(self, i: int) -> Slice:
        time_ns = int(self._times[i])
        columns = self._bars[_ORDER, i].T.tolist()
        return Slice(time_ns, tuple(Bar(time_ns, *row) if row[0] else None for row in columns))


@dataclass(frozen=True, slots=True)
class SyntheticFeed:
    """An endless random walk for each instrument from a time (UTC ns) and a price on, the same for the same seed."""

    seed: int
    instruments: tuple[Instrument, ...]
    timeframe: str
    begin_ns: int
    first_prices: tuple[int, ...]
    speed: float

    async def after(self, time_ns: int | None) -> AsyncIterator[Slice]:
        """Yield the slices that open after a time, each `pause` after the one before; there is no last one."""
        streams = [
            synthetic_stream(self.seed + k, instrument, self.timeframe, self.begin_ns, self.first_prices[k])
            for k, instrument in enumerate(self.instruments)
        ]
        pause_s = _pause_s(timeframe_ns(self.timeframe), self.speed)
        for i in count():
            bars = tuple(next(stream) for stream in streams)
            if time_ns is None or bars[0].time_ns > time_ns:
                yield Slice(bars[0].time_ns, bars)
                await _rest(pause_s, i)


def _pause_s(bar_ns: int, speed: float) -> float:
    return bar_ns / SECOND_NS / speed if speed else 0.0


async def _rest(pause_s: float, i: int) -> None:
    if pause_s or i % _WITHOUT_REST == 0:
        await asyncio.sleep(pause_s)
