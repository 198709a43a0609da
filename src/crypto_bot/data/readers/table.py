"""The one form every reader brings its file into: six columns of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import IntArray

COLUMNS = ("time", "open", "high", "low", "close", "volume")
TIME_NAMES = ("timestamp", "open_time", "datetime", "date", "time", "unix", "ts", "__index_level_0__")
"""What the column of open times may be called, the first that is there wins."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """The rows of one file as text, null where a cell is empty, and what to call each row when telling of it."""

    name: str
    frame: pl.DataFrame
    numbers: IntArray
    word: Literal["line", "row"]

    def where(self, row: int) -> str:
        """Name one row the way the file's owner counts."""
        return f"{self.word} {int(self.numbers[row])}"


def choose_columns(header: Sequence[str], name: str) -> list[str]:
    """Return the names in the file of time, open, high, low, close and volume; DataError when one is missing."""
    usual = [cell.strip().lower().replace(" ", "_") for cell in header]
    time = next((alias for alias in TIME_NAMES if alias in usual), "timestamp")
    wanted = (time, *COLUMNS[1:])
    if missing := [column for column in wanted if column not in usual]:
        raise DataError(
            f"{name} has no column {', '.join(missing)}; it needs timestamp, open, high, low, close and volume."
        )
    if double := [column for column in wanted if usual.count(column) > 1]:
        raise DataError(f"{name} has two columns called {double[0]}; leave the wrong one out.")
    return [header[usual.index(column)] for column in wanted]
