"""Open times as files write them: epoch seconds, milliseconds, microseconds, nanoseconds or ISO 8601."""

import numpy as np
import polars as pl

from crypto_bot.data.numbers import take_apart
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.units import parse_time_ns

UNITS = {"seconds": 1_000_000_000, "milliseconds": 1_000_000, "microseconds": 1_000, "nanoseconds": 1}
"""Nanoseconds in each unit of an epoch."""

_FIRST_SECOND = 1_000_000_000
"""September 2001: an epoch below it cannot be told from a shorter unit's, and no coin is that old."""

_LAST_NS = 9_000_000_000_000_000_000


class TimeProblem(Exception):
    """A time that cannot be read: which row, and why."""

    def __init__(self, row: int, told: str) -> None:
        """Remember the row, counted from zero, and the words."""
        super().__init__(told)
        self.row = row
        self.told = told


def parse_times(column: pl.Series) -> IntArray:
    """Turn a column of times into UTC nanoseconds; all of it must be written in one way.

    Raises TimeProblem for the first row that is unreadable, or written differently from the first.
    """
    text = column.str.strip_chars().fill_null("")
    if text.len() == 0:
        return np.empty(0, dtype=np.int64)
    if text[0].lstrip("+-").replace(".", "").isdecimal() or "e+" in text[0].lower():
        return _epochs(text)
    return _dates(text)


def _epochs(text: pl.Series) -> IntArray:
    digits = take_apart(text)
    scaled = digits.scaled(0)
    bad = digits.unreadable | scaled.too_large | scaled.rounded
    if bad.any():
        row = int(bad.argmax())
        raise TimeProblem(
            row, f"{text[row]!r} is not a time like those before it" if text[row] else "the time is missing"
        )
    numbers = scaled.numbers
    factors = np.zeros(numbers.size, dtype=np.int64)
    for factor in UNITS.values():
        first = _FIRST_SECOND * (UNITS["seconds"] // factor)
        factors[(numbers >= first) & (numbers < min(first * 10, _LAST_NS))] = factor
    if (factors == 0).any():
        row = int((factors == 0).argmax())
        raise TimeProblem(row, f"{text[row]} is no time since 1970 in seconds, milliseconds or microseconds")
    if (factors != factors[0]).any():
        row = int((factors != factors[0]).argmax())
        names = {factor: name for name, factor in UNITS.items()}
        told = f"the times change from {names[int(factors[0])]} to {names[int(factors[row])]}"
        raise TimeProblem(row, told)
    times: IntArray = numbers * factors[0]
    return times


def _dates(text: pl.Series) -> IntArray:
    times = np.empty(text.len(), dtype=np.int64)
    for row, value in enumerate(text):
        try:
            time_ns = parse_time_ns(value)
        except ValueError:
            told = f"{value!r} is neither an epoch nor an ISO 8601 time" if value else "the time is missing"
            raise TimeProblem(row, told) from None
        if not _FIRST_SECOND * UNITS["seconds"] <= time_ns < _LAST_NS:
            raise TimeProblem(row, f"{value} is too far from our time")
        times[row] = time_ns
    return times
