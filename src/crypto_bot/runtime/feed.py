"""Where a run's prices come from: recorded candles at a chosen speed, or a synthetic stream."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Protocol

from crypto_bot.backtesting.tape import planes
from crypto_bot.data.synthetic import synthetic_stream
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Bar, Candles, Slice
from crypto_bot.domain.units import SECOND_NS
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, VOLUMES

_ORDER = (OPENS, HIGHS, LOWS, CLOSES, VOLUMES)


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
        self._pause_s = candles[0].bar_ns / SECOND_NS / speed if speed else 0.0

    def slices(self) -> Iterator[Slice]:
        """Yield every slice at once."""
        for i in range(self._times.size):
            yield self._slice(i)

    async def after(self, time_ns: int | None) -> AsyncIterator[Slice]:
        """Yield the slices that open after a time, at the feed's pace."""
        for i in range(self._times.size):
            if time_ns is None or self._times[i] > time_ns:
                yield self._slice(i)
                await asyncio.sleep(self._pause_s)

    def _slice(self, i: int) -> Slice:
        time_ns = int(self._times[i])
        columns = self._bars[_ORDER, i].T.tolist()
        return Slice(time_ns, tuple(Bar(time_ns, *row) for row in columns))


class SyntheticFeed:
    """An endless random walk for each instrument, the same for the same seed."""

    def __init__(
        self, seed: int, instruments: Sequence[Instrument], timeframe: str, start: tuple[int, int], speed: float
    ):
        """Begin at `start`: the first open time in UTC ns, and the first price."""
        self._streams = (seed, tuple(instruments), timeframe, start)
        self._speed = speed

    async def after(self, time_ns: int | None) -> AsyncIterator[Slice]:
        """Yield the slices that open after a time, at the feed's pace."""
        seed, instruments, timeframe, (start_ns, price) = self._streams
        streams = [
            synthetic_stream(seed + k, instrument, timeframe, start_ns, price)
            for k, instrument in enumerate(instruments)
        ]
        last = None
        for bars in zip(*streams, strict=True):
            opened = bars[0].time_ns
            if last is not None and self._speed:
                await asyncio.sleep((opened - last) / SECOND_NS / self._speed)
            if time_ns is None or opened > time_ns:
                yield Slice(opened, tuple(bars))
                last = opened
                if not self._speed:
                    await asyncio.sleep(0)
