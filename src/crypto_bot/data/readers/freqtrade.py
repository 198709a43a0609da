"""Candles as freqtrade keeps them in JSON: a list of rows [milliseconds, open, high, low, close, volume]."""

import json

import numpy as np
import polars as pl

from crypto_bot.data.readers.table import COLUMNS, RawTable
from crypto_bot.domain.errors import DataError


def read_json(data: bytes, name: str) -> RawTable:
    """Read the rows with their numbers as they are written; DataError for anything that is not such a list."""
    try:
        rows = json.loads(data, parse_float=str, parse_int=str, parse_constant=str)
    except RecursionError:
        raise DataError(f"{name} is not a list of candles but something deeply nested.") from None
    except ValueError as problem:
        raise DataError(f"{name} is not whole JSON ({problem}); download it again.") from None
    if not isinstance(rows, list):
        raise DataError(f"{name} is not a list of candles [time, open, high, low, close, volume].")
    if not rows:
        raise DataError(f"{name} holds no candles; download it again.")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(COLUMNS):
            raise DataError(f"{name} has in row {number} no candle [time, open, high, low, close, volume].")
        if not all(cell is None or isinstance(cell, str) for cell in row):
            raise DataError(f"{name} has in row {number} a cell that is no number; correct that row or leave it out.")
    columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    frame = pl.DataFrame({column: pl.Series(cells, dtype=pl.String) for column, cells in columns})
    return RawTable(name, frame, np.arange(1, len(rows) + 1, dtype=np.int64), "row")
