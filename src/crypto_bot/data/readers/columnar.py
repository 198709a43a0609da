"""Candles in columns: Parquet, and the feather files of freqtrade."""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from crypto_bot.data.months import METADATA_KEY
from crypto_bot.data.readers.table import COLUMNS, RawTable, choose_columns
from crypto_bot.domain.errors import DataError

_BROKEN = (pa.ArrowException, ValueError, OSError, MemoryError)


def read_feather(data: bytes, name: str, *, limit: int) -> RawTable:
    """Read a feather file, at most `limit` bytes of it unpacked."""
    try:
        with ipc.open_file(pa.BufferReader(data)) as file:
            wanted = choose_columns(file.schema.names, name)
            batches, size = [], 0
            for number in range(file.num_record_batches):
                batches.append(file.get_batch(number).select(wanted))
                size += batches[-1].nbytes
                _check_size(size, limit, name)
            table = pa.Table.from_batches(batches, pa.schema([file.schema.field(column) for column in wanted]))
            table.validate(full=True)
    except _BROKEN as problem:
        raise _broken(name, problem) from None
    return _as_text(table, name)


def read_parquet(data: bytes, name: str, *, limit: int) -> RawTable:
    """Read a Parquet file, at most `limit` bytes of it unpacked."""
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            if METADATA_KEY in (file.schema_arrow.metadata or {}):
                raise DataError(f"{name} is part of an archive already; give its folder with --data instead.")
            wanted = choose_columns(file.schema_arrow.names, name)
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            _check_size(sum(group.total_byte_size for group in groups), limit, name)
            _check_size(file.metadata.num_rows * len(COLUMNS) * 8, limit, name)
            table = file.read(columns=wanted).select(wanted)
            table.validate(full=True)
    except _BROKEN as problem:
        raise _broken(name, problem) from None
    return _as_text(table, name)


def _broken(name: str, problem: Exception) -> DataError:
    words = (str(problem) or type(problem).__name__).splitlines()[0]
    reason = "".join(letter for letter in words if letter.isprintable())
    return DataError(f"{name} is broken ({reason}); download it again.")


def _check_size(size: int, limit: int, name: str) -> None:
    if size > limit:
        raise DataError(f"{name} unpacks to more than {limit >> 20} MiB; split it into smaller files.")


def _as_text(table: pa.Table, name: str) -> RawTable:
    """Write every cell out exactly: times as nanoseconds, floats as the shortest decimal that gives them again."""
    if table.num_rows == 0:
        raise DataError(f"{name} holds no candles; download it again.")
    columns = {}
    for place, usual in enumerate(COLUMNS):
        kind = table.schema.field(place).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        is_time = usual == "time" and (pa.types.is_timestamp(kind) or pa.types.is_date(kind))
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
        if not (is_time or is_number or is_text) or kind == pa.float16():
            raise DataError(f"{name} has cells of the type {kind} in {table.column_names[place]}; store numbers there.")
        cells = pl.Series(usual, table.column(place).cast(kind))
        columns[usual] = (
            cells.cast(pl.Datetime("ns")).to_physical().cast(pl.String) if is_time else cells.cast(pl.String)
        )
    return RawTable(name, pl.DataFrame(columns), np.arange(1, table.num_rows + 1, dtype=np.int64), "row")
