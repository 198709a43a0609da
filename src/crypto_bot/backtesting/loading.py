"""The candles of a backtest: cut to its window, with the bars before it that the strategies have to see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.market import Candles
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import DAY_NS, INT64_MAX, format_time, parse_time_ns


class CandleSource(Protocol):
    """Where candles are: an archive, or what a script holds."""

    def load(
        self,
        symbol: str,
        timeframe: str,
        *,
        exchange: str = "binance",
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Candles:
        """Return the candles that open in [start_ns, end_ns]; DataError when there are none."""


@dataclass(frozen=True, slots=True)
class Held:
    """Candles that somebody has in hand already."""

    candles: tuple[Candles, ...]

    def load(
        self,
        symbol: str,
        timeframe: str,
        *,
        exchange: str = "binance",
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Candles:
        """Return those of a symbol and a timeframe; the exchange is that of the candles."""
        for each in self.candles:
            if (each.instrument.symbol.upper(), each.bar_ns) == (symbol.upper(), timeframe_ns(timeframe)):
                chosen = each.between(start_ns, end_ns)
                if len(chosen):
                    return chosen
        raise DataError(f"the candles given hold no {timeframe} bars of {symbol} in the time that is asked for")


@dataclass(frozen=True, slots=True)
class Window:
    """Which bars count, by their open times (UTC ns), both inclusive; `days_back` counts from the last bar."""

    start_ns: int | None = None
    end_ns: int | None = None
    days_back: int = 0

    @classmethod
    def of(cls, start: str | None, end: str | None, days_back: int = 0) -> "Window":
        """Read a window from ISO 8601 texts; a date as the end means its whole day. UsageError says what is wrong."""
        try:
            start_ns = parse_time_ns(start.strip()) if start else None
            end_ns = parse_time_ns(end.strip(), end_of_day=True) if end else None
        except ValueError as error:
            raise UsageError(f"{error}; write the first and the last bar as 2024-01-31 or 2024-01-31T08:00") from None
        if start_ns is not None and end_ns is not None and start_ns > end_ns:
            raise UsageError(f"the window begins on {start} and ends on {end}, which is before; swap them")
        return cls(_countable(start_ns), _countable(end_ns), 0 if start_ns is not None else days_back)


def _countable(time_ns: int | None) -> int | None:
    """Return the nearest time that candles can have: `--to 9999-12-31` means to the end."""
    return None if time_ns is None else min(max(time_ns, 0), INT64_MAX)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which candles a backtest wants, from where."""

    source: CandleSource
    symbols: tuple[str, ...]
    timeframe: str
    exchange: str
    window: Window
    detail_timeframe: str | None = None

    @property
    def run_ns(self) -> int:
        """Length of one bar of the run."""
        return timeframe_ns(self.timeframe)

    @property
    def detail_ns(self) -> int | None:
        """Length of the finer bars on which orders live; UsageError when the run's bars are not made of them."""
        if self.detail_timeframe is None:
            return None
        try:
            fine = timeframe_ns(self.detail_timeframe)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if fine >= self.run_ns or self.run_ns % fine:
            raise UsageError(
                f"the detail timeframe {self.detail_timeframe} must be shorter than the run's {self.timeframe}, and "
                f"divide it, as 1m divides 5m"
            )
        return fine


@dataclass(frozen=True, slots=True)
class Bars:
    """Candles ready to be replayed; those that open before `start_ns` are warm-up. `remarks` are for the user."""

    candles: tuple[Candles, ...]
    detail: tuple[Candles, ...]
    start_ns: int | None
    remarks: tuple[str, ...]


def find_candles(asked: Asked) -> tuple[Candles, ...]:
    """Return everything up to the window's end, whole: looked at before anything is compiled. Raises DataError."""
    end_ns = asked.window.end_ns
    return tuple(
        asked.source.load(symbol, asked.timeframe, exchange=asked.exchange, end_ns=end_ns) for symbol in asked.symbols
    )


def cut(asked: Asked, whole: Sequence[Candles], history: int) -> Bars:
    """Cut what `find_candles` gave to the window and so many bars before it, and add the finer bars."""
    run_ns, window = asked.run_ns, asked.window
    start_ns = window.start_ns
    if window.days_back:
        start_ns = max(int(each.times[-1]) for each in whole) + run_ns - window.days_back * DAY_NS
    candles = list(whole)
    if start_ns is not None:
        candles = [_with_history(asked, each, start_ns, history) for each in whole]
    counted = [each.between(start_ns) for each in candles]
    remarks = tuple(remark for each in counted for remark in _lacking(each, window))
    detail: tuple[Candles, ...] = ()
    if asked.detail_ns is not None:
        detail = tuple(_finer(asked, asked.detail_timeframe or "", each) for each in candles)
        candles = [each.between(int(fine.times[0])) for each, fine in zip(candles, detail, strict=True)]
        if any(len(each.between(start_ns)) == 0 for each in candles):
            raise DataError(f"the {asked.detail_timeframe} candles begin after the run; choose a later start")
    return Bars(tuple(candles), detail, start_ns, remarks)


def _with_history(asked: Asked, whole: Candles, start_ns: int, history: int) -> Candles:
    if len(whole.between(start_ns)) == 0:
        # Another place of the archive may hold the window; if none does, it says what there is.
        symbol, end_ns = whole.instrument.symbol, asked.window.end_ns
        return asked.source.load(symbol, asked.timeframe, exchange=asked.exchange, start_ns=start_ns, end_ns=end_ns)
    return whole.between(start_ns - history * asked.run_ns)


def _finer(asked: Asked, timeframe: str, candles: Candles) -> Candles:
    first_ns, end_ns = int(candles.times[0]), int(candles.times[-1]) + asked.run_ns - 1
    symbol = candles.instrument.symbol
    return asked.source.load(symbol, timeframe, exchange=asked.exchange, start_ns=first_ns, end_ns=end_ns)


def _lacking(counted: Candles, window: Window) -> list[str]:
    """Say which bars of the window are not there."""
    run_ns, symbol = counted.bar_ns, counted.instrument.symbol
    first_ns, last_ns = int(counted.times[0]), int(counted.times[-1])
    said = []
    if window.start_ns is not None and first_ns - window.start_ns >= run_ns:
        said.append(f"the candles of {symbol} begin on {format_time(first_ns)}, after the start that was asked for")
    if window.end_ns is not None and window.end_ns - last_ns >= run_ns:
        said.append(f"the candles of {symbol} end on {format_time(last_ns)}, before the end that was asked for")
    missing = (last_ns - first_ns) // run_ns + 1 - len(counted)
    if missing:
        said.append(f"{missing} bar{' is' if missing == 1 else 's are'} missing between the candles of {symbol}")
    return said
