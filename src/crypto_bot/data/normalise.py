"""The text of a file becomes integers: open times in nanoseconds, prices and volumes at the file's own scales."""

from dataclasses import dataclass

import numpy as np

from crypto_bot.data.numbers import Digits, take_apart
from crypto_bot.data.readers.table import COLUMNS, RawTable
from crypto_bot.data.rules import Fault, faults
from crypto_bot.data.times import TimeProblem, parse_times
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.units import format_scaled

PRICES = COLUMNS[1:5]
PRICE_DECIMALS = 8
VOLUME_DECIMALS = 6
_ROUNDED_DIGITS = 10
"""Digits kept of prices that are finer than can be counted."""

_WORST_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one file in their order: columns of integers, their scales, what is wrong and what was rounded."""

    table: RawTable
    columns: tuple[IntArray, ...]
    price_scale: int
    quantity_scale: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def normalise(table: RawTable) -> Rows:
    """Read times and numbers exactly; DataError when the times cannot be read, all else is told in `faults`.

    Rows with a fault in their text have zero for what could not be read.
    """
    try:
        times = parse_times(table.frame["time"])
    except TimeProblem as problem:
        raise DataError(
            f"{table.name}: {problem.told} in {table.where(problem.row)}; write all times in one way."
        ) from None
    found: list[Fault] = []
    notes: list[str] = []
    prices, price_decimals = _prices(table, found, notes)
    volume, volume_decimals = _volume(table, found, notes)
    columns = (times, *prices, volume)
    return Rows(table, columns, 10**price_decimals, 10**volume_decimals, (*found, *faults(columns)), tuple(notes))


def _prices(table: RawTable, found: list[Fault], notes: list[str]) -> tuple[list[IntArray], int]:
    """Return the four price columns and the number of decimals they share."""
    digits = {name: take_apart(table.frame[name]) for name in PRICES}
    for name, column in digits.items():
        _tell_unreadable(table, name, column, found)
    finest = max(column.decimals for column in digits.values())
    decimals = finest
    if finest > PRICE_DECIMALS:
        whole = max(column.whole_digits for column in digits.values())
        decimals = max(0, min(PRICE_DECIMALS, _ROUNDED_DIGITS - whole))
    columns = []
    rounded = np.zeros(table.frame.height, dtype=np.bool_)
    for name, column in digits.items():
        scaled = column.scaled(decimals)
        if scaled.too_large.any():
            found.append(Fault(scaled.too_large, f"{_one(name)} that does not fit into 64 bits"))
        if finest > PRICE_DECIMALS:
            exact = column.approximate()
            lost = np.abs(scaled.numbers / 10.0**decimals - exact) > np.abs(exact) * _WORST_ROUNDING
            if lost.any():
                found.append(Fault(lost, f"{_one(name)} too small to be counted in steps of {_step(PRICE_DECIMALS)}"))
        rounded |= scaled.rounded
        columns.append(np.where(scaled.too_large, 0, scaled.numbers))
    while decimals > 0 and finest > PRICE_DECIMALS and not any(np.any(column % 10) for column in columns):
        columns, decimals = [column // 10 for column in columns], decimals - 1
    if rounded.any():
        notes.append(
            f"rows whose prices have more than {PRICE_DECIMALS} decimals and were rounded to {_step(decimals)}: "
            f"{int(rounded.sum())}"
        )
    return columns, decimals


def _volume(table: RawTable, found: list[Fault], notes: list[str]) -> tuple[IntArray, int]:
    """Return the volumes and their number of decimals: six, or fewer where the largest would not fit."""
    digits = take_apart(table.frame["volume"])
    _tell_unreadable(table, "volume", digits, found)
    if digits.negative.any():
        found.append(Fault(digits.negative, "a negative volume"))
    decimals = VOLUME_DECIMALS
    scaled = digits.scaled(decimals)
    while scaled.too_large.any() and decimals > 0:
        decimals -= 1
        scaled = digits.scaled(decimals)
    if scaled.too_large.any():
        found.append(Fault(scaled.too_large, "a volume that does not fit into 64 bits"))
    if scaled.rounded.any():
        notes.append(f"volumes that were rounded to {_step(decimals)}: {int(scaled.rounded.sum())}")
    return np.where(scaled.too_large, 0, scaled.numbers), decimals


def _tell_unreadable(table: RawTable, name: str, digits: Digits, found: list[Fault]) -> None:
    if digits.unreadable.any():
        text = table.frame[name][int(digits.unreadable.argmax())]
        told = f"no {name}" if text is None or not text.strip() else f"{_one(name)} that is no number ({text[:40]!r})"
        found.append(Fault(digits.unreadable, told))


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _step(decimals: int) -> str:
    return format_scaled(1, 10**decimals)
