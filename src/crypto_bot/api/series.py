"""Bounded columns for drawing: candles of one instrument, and the equity curve."""

from array import array
from dataclasses import dataclass, field
from typing import NamedTuple

from crypto_bot.domain.timeframe import phase_ns

CANDLES_KEPT = 20_000
POINTS_KEPT = 20_000
_TRIM = 2_000


class Candle(NamedTuple):
    """Open time in UTC ns, prices and volume as integers at the instrument's scales."""

    time_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def _column() -> "array[int]":
    return array("q")


@dataclass
class CandleColumns:
    """The newest candles of one instrument, oldest first; at most about 20,000."""

    times: "array[int]" = field(default_factory=_column)
    opens: "array[int]" = field(default_factory=_column)
    highs: "array[int]" = field(default_factory=_column)
    lows: "array[int]" = field(default_factory=_column)
    closes: "array[int]" = field(default_factory=_column)
    volumes: "array[int]" = field(default_factory=_column)

    def add(self, candle: Candle) -> None:
        """Append one candle and forget the oldest when there are too many."""
        columns = (self.times, self.opens, self.highs, self.lows, self.closes, self.volumes)
        for column, value in zip(columns, candle, strict=True):
            column.append(value)
        if len(self.times) >= CANDLES_KEPT + _TRIM:
            for column in columns:
                del column[:_TRIM]

    def newest(self, limit: int, length_ns: int, base_ns: int) -> list[Candle]:
        """Return the newest candles of `length_ns`, oldest first, put together from those of `base_ns`."""
        if length_ns == base_ns:
            first = max(0, len(self.times) - limit)
            return [self._candle(index) for index in range(first, len(self.times))]
        per_candle = length_ns // base_ns
        merged: list[Candle] = []
        for index in range(max(0, len(self.times) - (limit + 1) * per_candle), len(self.times)):
            one = self._candle(index)
            opened = one.time_ns - (one.time_ns - phase_ns(length_ns)) % length_ns
            if merged and merged[-1].time_ns == opened:
                last = merged[-1]
                high, low = max(last.high, one.high), min(last.low, one.low)
                merged[-1] = Candle(opened, last.open, high, low, one.close, last.volume + one.volume)
            else:
                merged.append(one._replace(time_ns=opened))
        return merged[-limit:]

    def _candle(self, index: int) -> Candle:
        return Candle(
            self.times[index],
            self.opens[index],
            self.highs[index],
            self.lows[index],
            self.closes[index],
            self.volumes[index],
        )


class Point(NamedTuple):
    """The equity after a bar's close: UTC ns, atoms, atoms of buy and hold, drawdown as a ratio <= 0."""

    time_ns: int
    equity: int
    hold: int
    drawdown: float


@dataclass
class Curve:
    """Equity over the whole run in bounded memory: when full, every second point goes.

    The first and the newest point are always there; peak and worst drawdown count every bar.
    """

    points: list[Point] = field(default_factory=list)
    newest: Point | None = None
    peak: int = 0
    worst: float = 0.0
    seen: int = 0
    stride: int = 1

    def add(self, time_ns: int, equity: int, hold: int) -> None:
        """Append the equity after one bar."""
        self.peak = max(self.peak, equity)
        drawdown = equity / self.peak - 1 if self.peak > 0 else 0.0
        self.worst = min(self.worst, drawdown)
        self.newest = Point(time_ns, equity, hold, drawdown)
        if self.seen % self.stride == 0:
            self.points.append(self.newest)
            if len(self.points) >= POINTS_KEPT:
                self.points = self.points[::2]
                self.stride *= 2
        self.seen += 1

    def since(self, time_ns: int | None, limit: int) -> list[Point]:
        """Return at most `limit` points after `time_ns`, spread evenly, the first and the newest among them."""
        kept = self.points if time_ns is None else [point for point in self.points if point.time_ns > time_ns]
        if self.newest is not None and (time_ns is None or self.newest.time_ns > time_ns):
            kept = kept if kept and kept[-1] == self.newest else [*kept, self.newest]
        if len(kept) <= limit:
            return list(kept)
        if limit == 1:
            return [kept[-1]]
        last = len(kept) - 1
        return [kept[round(step * last / (limit - 1))] for step in range(limit)]
