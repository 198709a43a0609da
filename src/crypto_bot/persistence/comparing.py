"""Whether the tables say what the journal says: every row is told anew beside them, and the two are compared."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from sqlalchemy import BigInteger, Connection, Table, Text, func, select, type_coerce

from crypto_bot.persistence.booking import VERSION
from crypto_bot.persistence.columns import Atoms
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.models import PROJECTED, Model, OHLCVCache, Projection, table_of
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.run_record import RunRecord
from crypto_bot.persistence.runs import Runs
from crypto_bot.persistence.tables import journal as journal_table
from crypto_bot.persistence.tables import runs as runs_table

_CHUNK = 2_000
_TOLD = 20
"""Differences of one run that are told one by one."""

Cells = tuple[str | int | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a table does not say what the journal says; `table` is projections when it lags behind."""

    run_id: str
    table: str
    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found; no differences means that tables and journal agree."""

    runs: int
    rows: int
    differences: tuple[Difference, ...]


def check_runs(database: Database) -> Verdict:
    """Check the chain of every run's journal and compare its tables with it.

    Raises DataError when a page or a row of the journal is not as it was written: that cannot be mended from here.
    """
    database.check()
    found: list[Difference] = []
    rows = 0
    ids = journaled(database)
    for run_id in ids:
        rows += Journal(database, run_id).verify()
        found += islice(_differences(database, run_id), _TOLD)
    return Verdict(len(ids), rows, tuple(found))


def journaled(database: Database) -> list[str]:
    """Return the runs that have a journal, oldest first."""
    has_rows = select(journal_table.c.run_id).where(journal_table.c.run_id == runs_table.c.run_id).exists()
    query = select(runs_table.c.run_id).where(has_rows).order_by(runs_table.c.started_ns, runs_table.c.run_id)
    with database.read() as connection:
        return list(connection.scalars(query))


def lagging(database: Database) -> list[str]:
    """Return the runs whose tables do not reach to the end of their journal, or were told by another version."""
    ends = select(func.max(journal_table.c.sequence)).where(journal_table.c.run_id == runs_table.c.run_id)
    told = table_of(Projection)
    query = (
        select(runs_table.c.run_id, ends.scalar_subquery(), told.c.sequence, told.c.version)
        .join(told, told.c.run_id == runs_table.c.run_id, isouter=True)
        .order_by(runs_table.c.started_ns, runs_table.c.run_id)
    )
    with database.read() as connection:
        found = connection.execute(query).all()
    return [run_id for run_id, newest, *state in found if newest is not None and state != [newest, VERSION]]


def rebuild(database: Database, run_id: str) -> int:
    """Make a run's tables anew from its journal, in one transaction; return the number of its last row."""
    last = Journal(database, run_id).last()
    if last is None:
        return -1
    with database.write() as connection, closing(connection.connection.cursor()) as cursor:
        Projector(database, run_id).rebuild(cursor, last.sequence)
    return last.sequence


def _differences(database: Database, run_id: str) -> Iterator[Difference]:
    """Yield what differs in one run's tables."""
    if run_id in lagging(database):
        yield Difference(run_id, "projections", "-", "the tables do not tell the whole journal; `db upgrade` tells it")
        return
    with tempfile.TemporaryDirectory(prefix="cryptotrader-") as folder, Database.open(Path(folder) / "told.db") as told:
        Runs(told).start(RunRecord(run_id, "run", "told", "told", 0))
        projector = Projector(told, run_id)
        for rows in _batches(Journal(database, run_id)):
            with told.write() as connection, closing(connection.connection.cursor()) as cursor:
                projector.write(cursor, rows)
        models: list[type[Model]] = [*PROJECTED, OHLCVCache]
        with told.read() as wanted, database.read() as stored:
            yield from chain.from_iterable(_compare(stored, wanted, table_of(model), run_id) for model in models)


def _batches(journal: Journal) -> Iterator[list[JournalRow]]:
    rows = journal.rows()
    while batch := list(islice(rows, _CHUNK)):
        yield batch


def _compare(stored: Connection, wanted: Connection, table: Table, run_id: str) -> Iterator[Difference]:
    """Yield the rows of one table that are missing, too many, or say something else."""
    names = [column.name for column in table.columns]
    for key, have, want in _side_by_side(_rows(stored, table, run_id), _rows(wanted, table, run_id)):
        told = " ".join(str(part) for part in key if part != run_id)
        if have is None and _is_there(stored, table, key):
            continue
        if have is None:
            yield Difference(run_id, table.name, told, "the row is missing")
        elif want is None:
            yield Difference(run_id, table.name, told, "no row of the journal made it")
        elif have != want:
            pairs = zip(names, have, want, strict=True)
            why = ", ".join(f"{name} is {is_!r} and was {was!r}" for name, is_, was in pairs if is_ != was)
            yield Difference(run_id, table.name, told, why)


def _rows(connection: Connection, table: Table, run_id: str) -> Iterator[tuple[Cells, Cells]]:
    """Yield keys and rows of one run, in the order of the keys; text by its code points in every database."""
    keys = list(table.primary_key)
    is_server = connection.dialect.name == "postgresql"
    order = [column.collate("C") if is_server and isinstance(column.type, Text) else column for column in keys]
    bare = [type_coerce(column, BigInteger) if isinstance(column.type, Atoms) else column for column in table.columns]
    query = select(*bare).where(table.c.run_id == run_id).order_by(*order)
    places = [list(table.columns).index(column) for column in keys]
    for row in connection.execution_options(yield_per=_CHUNK).execute(query):
        cells = tuple(row)
        yield tuple(cells[place] for place in places), cells


def _side_by_side(
    stored: Iterator[tuple[Cells, Cells]], wanted: Iterator[tuple[Cells, Cells]]
) -> Iterator[tuple[Cells, Cells | None, Cells | None]]:
    """Yield every key of either side with the row of each, None where there is none."""
    have, want = next(stored, None), next(wanted, None)
    while have is not None or want is not None:
        if want is None or (have is not None and _sortable(have[0]) < _sortable(want[0])):
            assert have is not None
            yield have[0], have[1], None
            have = next(stored, None)
        elif have is None or _sortable(want[0]) < _sortable(have[0]):
            yield want[0], None, want[1]
            want = next(wanted, None)
        else:
            yield want[0], have[1], want[1]
            have, want = next(stored, None), next(wanted, None)


def _sortable(key: Cells) -> tuple[tuple[int, str], ...]:
    return tuple((part, "") if isinstance(part, int) else (0, str(part)) for part in key)


def _is_there(stored: Connection, table: Table, key: Cells) -> bool:
    """Tell whether a bar stands there that another run, or a download, has written since."""
    if table.name != OHLCVCache.__tablename__:
        return False
    same = [column == part for column, part in zip(table.primary_key, key, strict=True)]
    return stored.execute(select(table.c.timestamp).where(*same)).first() is not None
