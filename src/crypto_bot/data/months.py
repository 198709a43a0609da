"""The files of a series: one Parquet file per month, or per year where a bar is a day or longer.

A file holds integers and says in its own metadata at which scales, so that each file can be read
and replaced alone, whatever happens to its neighbours.
"""

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

import numpy as np

from crypto_bot.data.digest import candles_digest
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.units import DAY_NS

COLUMNS = ("time", "open", "high", "low", "close", "volume")
METADATA_KEY = b"cryptotrader"
_FORMAT = 1
_NAME = re.compile(r"[0-9]{4}(-[0-9]{2})?\.parquet")


class Description(TypedDict):
    """What a file says about itself."""

    format: int
    exchange: str
    symbol: str
    timeframe: str
    price_scale: int
    quantity_scale: int
    digest: str
    sources: list[str]


@dataclass(frozen=True, slots=True)
class MonthFile:
    """One file, as it was read: integers at its own scales."""

    description: Description
    columns: tuple[IntArray, ...]


def month_files(folder: Path) -> list[Path]:
    """Return the files of a series in order of time; other files in the folder are left alone."""
    try:
        return sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError:
        raise DataError(
            f"{folder} may not be read; change its permissions or give another folder with --data."
        ) from None


def split_by_file(candles: Candles) -> Iterator[tuple[str, Candles]]:
    """Yield the name of each file these candles belong into, with its part of them."""
    if len(candles) == 0:
        return
    unit = "Y" if candles.bar_ns >= DAY_NS else "M"
    periods = candles.times.astype("datetime64[ns]").astype(f"datetime64[{unit}]")
    starts = np.flatnonzero(np.append(True, periods[1:] != periods[:-1]))
    for first, last in zip(starts, np.append(starts[1:], len(candles)), strict=True):
        part = (column[first:last] for column in candles.columns())
        yield f"{periods[first]}.parquet", Candles(candles.instrument, candles.timeframe, *part)


def encode_month(candles: Candles, sources: Sequence[str]) -> bytes:
    """Return the bytes of one file: zstd over differences, with the digest of its candles in the metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    instrument = candles.instrument
    description: Description = {
        "format": _FORMAT,
        "exchange": instrument.exchange,
        "symbol": instrument.symbol,
        "timeframe": candles.timeframe,
        "price_scale": instrument.price_scale,
        "quantity_scale": instrument.quantity_scale,
        "digest": candles_digest(candles),
        "sources": list(sources),
    }
    table = pa.table(dict(zip(COLUMNS, candles.columns(), strict=True)))
    target = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({METADATA_KEY: json.dumps(description)}),
        target,
        compression="zstd",
        compression_level=9,
        use_dictionary=False,
        column_encoding="DELTA_BINARY_PACKED",
        write_statistics=False,
    )
    return target.getvalue()


def read_month(file: Path) -> MonthFile:
    """Read one file whole; DataError names it when it is damaged or no file of an archive."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as parquet:
            metadata = parquet.schema_arrow.metadata or {}
            description = cast(Description, json.loads(metadata[METADATA_KEY]))
            if description["format"] != _FORMAT:
                raise DataError(f"{file} was written by a newer version of this program; use that one to read it.")
            table = parquet.read(columns=list(COLUMNS))
            columns = tuple(table.column(name).cast(pa.int64()).to_numpy() for name in COLUMNS)
            if (
                any(column.dtype != np.int64 for column in columns)
                or _digest(description, columns) != description["digest"]
            ):
                raise ValueError("its numbers are not those that were written")
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as problem:
        reason = "it does not say what it holds" if isinstance(problem, KeyError) else str(problem).split("\n")[0]
        raise DataError(f"{file} is damaged ({reason}); delete it and import its candles again.") from None
    return MonthFile(description, columns)


def _digest(description: Description, columns: tuple[IntArray, ...]) -> str:
    scales = {"price_scale": description["price_scale"], "quantity_scale": description["quantity_scale"]}
    instrument = Instrument(description["symbol"], description["exchange"], **scales)
    return candles_digest(Candles(instrument, description["timeframe"], *columns))
