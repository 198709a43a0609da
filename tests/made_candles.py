"""Candles made for tests, and the files others would write of them."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.timeframe import phase_ns, timeframe_ns
from crypto_bot.domain.units import format_time, parse_time_ns, to_decimal

START = "2024-01-30"
"""Near the end of a month, so that a few dozen hours lie in two files."""

ARCHIVE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)

Row = tuple[int, str, str, str, str, str]
"""Open time in ns, then open, high, low, close and volume as exact text."""


def made(
    count: int = 60, *, symbol: str = "TEST/USDT", timeframe: str = "1h", start: str = START, seed: int = 1
) -> Candles:
    """Return a random walk with the filters an import would assume."""
    random = np.random.default_rng(seed)
    bar_ns = timeframe_ns(timeframe)
    first = parse_time_ns(start)
    first -= (first - phase_ns(bar_ns)) % bar_ns
    times = first + np.arange(count, dtype=np.int64) * bar_ns
    path = 10_001 + np.abs(np.cumsum(random.integers(-60, 61, count + 1)))
    opening, close = path[:-1], path[1:]
    high = np.maximum(opening, close) + random.integers(0, 40, count)
    low = np.minimum(opening, close) - random.integers(0, 40, count)
    volume = random.integers(0, 10**9, count)
    return Candles(Instrument(symbol), timeframe, times, opening, high, low, close, volume)


def changed(candles: Candles, row: int, **values: int) -> Candles:
    """Return the candles with some numbers of one row replaced."""
    columns = {name: getattr(candles, name).copy() for name in values}
    for name, value in values.items():
        columns[name][row] = value
    return replace(candles, **columns)


def chosen(candles: Candles, rows: Iterable[int]) -> Candles:
    """Return the candles of these rows, in this order."""
    picked = np.array(list(rows), dtype=np.int64)
    columns = (column[picked] for column in candles.columns())
    return Candles(candles.instrument, candles.timeframe, *columns)


def equal(left: Candles, right: Candles) -> bool:
    """Tell whether two series say the same, at whatever scales."""
    return left.timeframe == right.timeframe and exact_rows(left) == exact_rows(right)


def exact_rows(candles: Candles) -> list[tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]]:
    """Return the rows as exact decimals."""
    price, quantity = candles.instrument.price_scale, candles.instrument.quantity_scale
    times, *numbers = (column.tolist() for column in candles.columns())
    scales = (price, price, price, price, quantity)
    exact = [[to_decimal(number, scale) for number in column] for column, scale in zip(numbers, scales, strict=True)]
    return list(zip(times, *exact, strict=True))


def text_rows(candles: Candles) -> list[Row]:
    """Return the rows as the text a file holds."""
    return [(row[0], *(f"{number:f}" for number in row[1:])) for row in exact_rows(candles)]  # type: ignore[misc]  # five texts


def csv_text(candles: Candles, *, unit_ns: int = 1_000_000, extra: str = "") -> str:
    """Return CSV with the promised header; times as epochs in units of `unit_ns`, or ISO 8601 for 0."""
    lines = ["timestamp,open,high,low,close,volume" + (",extra" if extra else "")]
    for time_ns, *cells in text_rows(candles):
        time = str(time_ns // unit_ns) if unit_ns else format_time(time_ns)
        lines.append(",".join([time, *cells, *([extra] if extra else [])]))
    return "\n".join(lines) + "\n"


def archive_text(candles: Candles, *, unit_ns: int = 1_000_000, header: bool = False) -> str:
    """Return the twelve columns of the exchange archive."""
    lines = [ARCHIVE_HEADER] if header else []
    for time_ns, *cells in text_rows(candles):
        closing = (time_ns + candles.bar_ns) // unit_ns - 1
        lines.append(",".join([str(time_ns // unit_ns), *cells, str(closing), "1.5", "7", "0.5", "0.7", "0"]))
    return "\n".join(lines) + "\n"


def zipped(name: str, text: str | bytes, **others: bytes) -> bytes:
    """Return a zip archive with one file, and more where they are given."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
        for other, content in others.items():
            archive.writestr(other.replace("__", "."), content)
    return target.getvalue()


def json_text(candles: Candles) -> str:
    """Return freqtrade's JSON, its numbers exactly as they are."""
    rows = [f"[{row[0] // 1_000_000},{','.join(row[1:])}]" for row in text_rows(candles)]
    return f"[{','.join(rows)}]"


def float_columns(candles: Candles) -> dict[str, object]:
    """Return the columns as freqtrade keeps them: a UTC timestamp and floats."""
    import pyarrow as pa

    rows = exact_rows(candles)
    columns: dict[str, object] = {"date": pa.array([row[0] for row in rows], pa.timestamp("ns", "UTC"))}
    for place, name in enumerate(("open", "high", "low", "close", "volume"), start=1):
        columns[name] = pa.array([float(row[place]) for row in rows], pa.float64())
    return columns


def feather_bytes(candles: Candles) -> bytes:
    """Return freqtrade's feather file."""
    import pyarrow as pa
    import pyarrow.feather as feather

    target = io.BytesIO()
    feather.write_feather(pa.table(float_columns(candles)), target, compression="lz4")
    return target.getvalue()


def parquet_bytes(candles: Candles) -> bytes:
    """Return a Parquet file as pandas or polars would write it."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    target = io.BytesIO()
    parquet.write_table(pa.table(float_columns(candles)), target)
    return target.getvalue()


FORMATS: dict[str, Callable[[Candles], bytes]] = {
    "TESTUSDT-1h.csv": lambda c: csv_text(c).encode(),
    "TESTUSDT-1h-s.csv": lambda c: csv_text(c, unit_ns=10**9).encode(),
    "TESTUSDT-1h-us.csv": lambda c: csv_text(c, unit_ns=10**3).encode(),
    "TESTUSDT-1h-iso.csv": lambda c: csv_text(c, unit_ns=0).encode(),
    "TESTUSDT-1h-extra.csv": lambda c: csv_text(c, extra="note").encode(),
    "TESTUSDT-1h-bom.csv": lambda c: b"\xef\xbb\xbf" + csv_text(c).replace("\n", "\r\n").encode(),
    "TESTUSDT-1h-2024-01.csv": lambda c: archive_text(c).encode(),
    "TESTUSDT-1h-2024-02.csv": lambda c: archive_text(c, header=True).encode(),
    "TESTUSDT-1h-2024-01.zip": lambda c: zipped("TESTUSDT-1h-2024-01.csv", archive_text(c)),
    "TESTUSDT-1h-2025-01.zip": lambda c: zipped("TESTUSDT-1h-2025-01.csv", archive_text(c, unit_ns=1_000)),
    "TESTUSDT-1h.csv.gz": lambda c: gzip.compress(csv_text(c).encode()),
    "TEST_USDT-1h.json": lambda c: json_text(c).encode(),
    "TEST_USDT-1h.json.gz": lambda c: gzip.compress(json_text(c).encode()),
    "TEST_USDT-1h.feather": feather_bytes,
    "TEST_USDT-1h.parquet": parquet_bytes,
}
"""Every accepted format by a file name that tells symbol and timeframe."""


def put(folder: Path, name: str, content: bytes | str) -> Path:
    """Write a file and return it."""
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder with its contents, but for the empty lock."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != ".lock")
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def json_of(rows: list[list[object]]) -> bytes:
    """Return any rows as JSON."""
    return json.dumps(rows).encode()
