"""What no market makes: the rules a row must keep, told one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crypto_bot.data.timeline import off_grid
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.units import format_time

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: the rows that break it, and the words for it."""

    rows: Mask
    told: str


def faults(columns: tuple[IntArray, ...]) -> Iterator[Fault]:
    """Yield what is wrong with times, open, high, low, close and volume; nothing for sound rows."""
    _, opening, high, low, close, volume = columns
    rules = (
        ((np.minimum(np.minimum(opening, high), np.minimum(low, close)) <= 0), "a price that is not positive"),
        ((volume < 0), "a negative volume"),
        ((high < low), "a high below its low"),
        (((opening > high) | (opening < low)), "an open outside of low and high"),
        (((close > high) | (close < low)), "a close outside of low and high"),
    )
    for rows, told in rules:
        if rows.any():
            yield Fault(rows, told)


def check_candles(candles: Candles, source: str) -> None:
    """Refuse candles that no market makes or that are not in order; DataError names the time."""
    for fault in faults(candles.columns()):
        when = format_time(int(candles.times[int(fault.rows.argmax())]))
        raise DataError(f"{source} has {fault.told} at {when}; correct that bar or leave it out.")
    if np.any(np.diff(candles.times) <= 0):
        row = int(np.argmax(np.diff(candles.times) <= 0)) + 1
        when = format_time(int(candles.times[row]))
        raise DataError(f"{source} is not in order of time, or repeats a bar, at {when}; sort it first.")
    wrong = off_grid(candles.times, candles.bar_ns)
    if wrong.any():
        when = format_time(int(candles.times[int(wrong.argmax())]))
        raise DataError(
            f"{source} has a bar at {when}, where no bar of {candles.timeframe} begins; check the timeframe."
        )
