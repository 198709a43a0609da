"""Candles in CSV: with a header, or the twelve columns of the exchange archive without one."""

import csv
import io

import numpy as np
import polars as pl

from crypto_bot.data.readers.table import COLUMNS, TIME_NAMES, RawTable, choose_columns
from crypto_bot.domain.errors import DataError

_ARCHIVE_COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count",
    "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip
_HEADER_WORDS = (*TIME_NAMES, *COLUMNS)
_LONGEST_LINE = 1_000_000


def read_csv(data: bytes, name: str) -> RawTable:
    """Read the text of a CSV file; DataError names the first line that is not like the others."""
    text = _decoded(data, name)
    lines = text.split("\n")
    if max(map(len, lines)) > _LONGEST_LINE:
        raise DataError(f"{name} has a line of more than {_LONGEST_LINE} characters; it is not a CSV file of candles.")
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise DataError(f"{name} is empty; download it again.")
    cells = next(csv.reader([lines[first]]), [])
    has_header = any(cell.strip().lower() in _HEADER_WORDS for cell in cells)
    if not has_header and len(cells) != len(_ARCHIVE_COLUMNS):
        raise DataError(
            f"{name} has no header line and not the {len(_ARCHIVE_COLUMNS)} columns of an exchange archive; "
            "give it the header timestamp,open,high,low,close,volume."
        )
    header = cells if has_header else list(_ARCHIVE_COLUMNS)
    wanted = choose_columns(header, name)
    numbers = _line_numbers(lines, first, len(header), name)[1 if has_header else 0 :]
    if not numbers:
        raise DataError(f"{name} has a header but no candles; download it again.")
    frame = _parsed("\n".join(lines[number - 1] for number in numbers), header, name)
    chosen = frame.select(
        frame.to_series(header.index(column)).alias(usual) for column, usual in zip(wanted, COLUMNS, strict=True)
    )
    if chosen.height != len(numbers):
        raise DataError(f"{name} has a quotation mark that is not closed on its line; remove it.")
    return RawTable(name, chosen, np.array(numbers, dtype=np.int64), "line")


def _decoded(data: bytes, name: str) -> str:
    if b"\0" in data:
        raise DataError(f"{name} is not UTF-8 text; save it as CSV in UTF-8.")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise DataError(f"{name} is not UTF-8 text; save it as CSV in UTF-8.") from None


def _line_numbers(lines: list[str], first: int, width: int, name: str) -> list[int]:
    """Return the numbers of the lines that are not blank; DataError for one with more or fewer cells."""
    numbers = []
    for number, line in enumerate(lines[first:], start=first + 1):
        if not line.strip():
            continue
        cells = line.count(",") + 1 if '"' not in line else len(next(csv.reader([line])))
        if cells != width:
            raise DataError(
                f"{name} has {cells} cells in line {number} where {width} belong; was its download cut short?"
            )
        numbers.append(number)
    return numbers


def _parsed(text: str, header: list[str], name: str) -> pl.DataFrame:
    try:
        return pl.read_csv(io.StringIO(text), has_header=False, infer_schema=False, new_columns=_unique(header))
    except pl.exceptions.PolarsError as problem:
        raise DataError(f"{name} is not a CSV file of candles ({str(problem).splitlines()[0]}).") from None


def _unique(header: list[str]) -> list[str]:
    return [f"{place} {cell}" for place, cell in enumerate(header)]
