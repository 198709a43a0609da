"""Tables as files for other programs: CSV, JSON or Parquet; money is exact decimals, never floats."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Boolean, Column, LargeBinary, Table, Text, select

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import format_time, to_decimal
from crypto_bot.persistence.columns import Atoms
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.models import Model
from crypto_bot.persistence.sqlite_file import make_private_folder, translated

if TYPE_CHECKING:
    import pyarrow

Form = Literal["csv", "json", "parquet"]
FORMS: tuple[Form, ...] = ("csv", "json", "parquet")
_CHUNK = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a spreadsheet recognises a formula; such a text is told with an apostrophe before it."""

Cell = str | int | bool | Decimal | None
Rows = Iterator[list[tuple[Cell, ...]]]


@dataclass(frozen=True, slots=True)
class Exported:
    """One file that was written."""

    table: str
    path: Path
    rows: int


def exportable() -> dict[str, Table]:
    """Return the tables that can be exported, by name: all but those that hold bytes of one program version."""
    return {
        table.name: table
        for table in Model.metadata.sorted_tables
        if not any(isinstance(column.type, LargeBinary) for column in table.columns)
    }


def export(database: Database, folder: Path, form: Form, names: Sequence[str] = ()) -> list[Exported]:
    """Write tables, all when none is named, as one file each; every file is whole or not there.

    They show one state of the database. Raises UsageError for a table there is not and for a folder
    that cannot be written.
    """
    tables = exportable()
    for name in names:
        if name not in tables:
            raise UsageError(f"there is no table {name!r} to export; there are {', '.join(sorted(tables))}")
    make_private_folder(folder)
    done = []
    with database.read() as connection:
        for name in names or sorted(tables):
            table = tables[name]
            query = select(table).order_by(*table.primary_key)
            result = connection.execution_options(yield_per=_CHUNK).execute(query)
            chunks = ([_exact(table, tuple(row)) for row in part] for part in result.partitions())
            path = folder / f"{name}.{form}"
            draft = path.with_name(path.name + ".part")
            with translated(path):
                draft.unlink(missing_ok=True)
                draft.touch(0o600)
                count = _WRITERS[form](draft, table, chunks)
                draft.replace(path)
            done.append(Exported(name, path, count))
    return done


def _exact(table: Table, row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return a row with every price and volume as the decimal that it means."""
    scales = {column.name: cell for column, cell in zip(table.columns, row, strict=True)}
    cells = []
    for column, cell in zip(table.columns, row, strict=True):
        scale = scales.get(str(column.info.get("scale")))
        cells.append(to_decimal(cell, scale) if isinstance(scale, int) and isinstance(cell, int) else cell)
    return tuple(cells)


def _as_text(column: Column[object], cell: Cell) -> str | bool | int | None:
    """Return a cell as JSON spells it: decimals and times as text, counts as numbers."""
    if isinstance(cell, Decimal):
        text = f"{cell:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if column.info.get("time") and isinstance(cell, int):
        return format_time(cell)
    return cell


def _write_csv(path: Path, table: Table, chunks: Rows) -> int:
    count, columns = 0, list(table.columns)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for rows in chunks:
            for row in rows:
                writer.writerow([_csv_cell(column, cell) for column, cell in zip(columns, row, strict=True)])
            count += len(rows)
    return count


def _csv_cell(column: Column[object], cell: Cell) -> str | int:
    told = _as_text(column, cell)
    if told is None:
        return ""
    if isinstance(told, bool):
        return "true" if told else "false"
    if isinstance(column.type, Text) and str(told).startswith(_FORMULA):
        return f"'{told}"
    return told


def _write_json(path: Path, table: Table, chunks: Rows) -> int:
    count, columns = 0, list(table.columns)
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for rows in chunks:
            for row in rows:
                told = {column.name: _as_text(column, cell) for column, cell in zip(columns, row, strict=True)}
                file.write(("," if count else "") + "\n" + json.dumps(told, ensure_ascii=False))
                count += 1
        file.write("\n]\n")
    return count


def _write_parquet(path: Path, table: Table, chunks: Rows) -> int:
    import pyarrow
    from pyarrow import parquet

    count, columns = 0, list(table.columns)
    schema = pyarrow.schema([(column.name, _arrow_type(column)) for column in columns])
    with parquet.ParquetWriter(path, schema) as writer:
        for rows in chunks:
            cells: Iterable[Sequence[Cell]] = zip(*rows, strict=True)
            arrays = [pyarrow.array(list(cell), field.type) for cell, field in zip(cells, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            count += len(rows)
    return count


def _arrow_type(column: Column[object]) -> "pyarrow.DataType":
    import pyarrow

    if isinstance(column.type, Atoms) or "scale" in column.info:
        return pyarrow.decimal128(38, 8)
    if column.info.get("time"):
        return pyarrow.timestamp("ns", tz="UTC")
    if isinstance(column.type, Boolean):
        return pyarrow.bool_()
    return pyarrow.string() if isinstance(column.type, Text) else pyarrow.int64()


_WRITERS: dict[Form, Callable[[Path, Table, Rows], int]] = {
    "csv": _write_csv,
    "json": _write_json,
    "parquet": _write_parquet,
}
