"""The journal of one run: every event with its outcome, appended durably, read in order, chained."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from sqlalchemy import Row, column, delete, insert, select, table, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import PoolProxiedConnection

from crypto_bot.domain.errors import DataError, RunFailed
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.row import JournalRow, chain, genesis
from crypto_bot.persistence.tables import journal, snapshots

__all__ = ["Journal", "JournalRow", "Remembered", "Snapshot", "chain", "genesis"]

_CHUNK = 5_000
_STATES = table(
    "strategy_states", *(column(name) for name in ("strategy_name", "symbol", "state_data", "updated_at"))
)  # of `models`, which a process that only writes journals has no need of
_SNAPSHOTS_KEPT = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world after the row `sequence`, as bytes of the program version that wrote them."""

    sequence: int
    blob: bytes
    code_version: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a strategy keeps in mind of a symbol, as JSON text; see the model `StrategyState`."""

    strategy: str
    symbol: str
    text: str


@dataclass(frozen=True, slots=True)
class _Tail:
    sequence: int
    digest: str


class Companion(Protocol):
    """What writes other tables in the journal's own transactions."""

    def write(self, cursor: DBAPICursor, rows: Sequence[JournalRow]) -> None:
        """Write what follows from new rows; a failure takes the rows back too."""

    def forget(self) -> None:
        """Drop what is remembered of a transaction that failed."""


class Journal:
    """Rows of one run in one database; one process appends, any number read.

    An append holds one connection for the life of the journal and goes to the driver directly:
    building a Core statement per commit costs more than the commit.
    """

    def __init__(self, database: Database, run_id: str, companion: Companion | None = None) -> None:
        """Attach to a run, which must stand in `runs` before the first append.

        The rows and what the companion writes of them are committed together.
        """
        self.database = database
        self.run_id = run_id
        self._companion = companion
        self._tail: _Tail | None = None
        self._connection: PoolProxiedConnection | None = None
        marks = ", ".join(["?" if database.is_file else "%s"] * len(journal.columns))
        self._insert = f"INSERT INTO journal ({', '.join(journal.columns.keys())}) VALUES ({marks})"  # noqa: S608 # nosec B608: our own names

    def append(self, rows: Iterable[JournalRow]) -> str:
        """Write the rows in one transaction, durable on return; return the digest of the last one.

        Rows follow the stored ones without a gap, else ValueError; their digests are filled in here.
        Raises RunFailed when the disk is full or another process writes to the same run; then
        nothing of this call is kept and everything before it is.
        """
        tail = self._tail if self._tail is not None else self._stored_tail()
        new = list(rows)
        values, reached = self._chained(new, tail)
        if values:
            self._tail = None
            self._commit(values, new)
        self._tail = reached
        return reached.digest

    def last(self) -> JournalRow | None:
        """Return the newest row, or None for a run without any."""
        query = select(journal).where(journal.c.run_id == self.run_id).order_by(journal.c.sequence.desc()).limit(1)
        with self.database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _row(row)

    def read(self, after: int = -1, limit: int = 1_000) -> list[JournalRow]:
        """Return up to `limit` rows that follow the sequence `after`, in order; DataError at a gap."""
        query = (
            select(journal)
            .where(journal.c.run_id == self.run_id, journal.c.sequence > after)
            .order_by(journal.c.sequence)
            .limit(limit)
        )
        with self.database.read() as connection:
            found = [_row(row) for row in connection.execute(query).all()]
        for expected, row in enumerate(found, start=after + 1):
            if row.sequence != expected:
                raise self._broken(expected, "it is missing")
        return found

    def rows(self, after: int = -1) -> Iterator[JournalRow]:
        """Yield every row after the sequence `after`, a chunk in memory at a time."""
        while chunk := self.read(after, _CHUNK):
            yield from chunk
            after = chunk[-1].sequence

    def fills_before(self, sequence: int, limit: int) -> list[JournalRow]:
        """Return up to `limit` FILL rows older than `sequence`, newest first."""
        query = (
            select(journal)
            .where(journal.c.run_id == self.run_id, text("kind = 'FILL'"), journal.c.sequence < sequence)
            .order_by(journal.c.sequence.desc())
            .limit(limit)
        )
        with self.database.read() as connection:
            return [_row(row) for row in connection.execute(query)]

    def verify(self) -> int:
        """Recompute the chain of digests; return how many rows hold, DataError names the first that does not."""
        digest, count = genesis(self.run_id), 0
        for row in self.rows():
            if row.digest != chain(digest, row):
                raise self._broken(row.sequence, "its digest does not fit")
            digest, count = row.digest, count + 1
        return count

    def save_snapshot(
        self, sequence: int, blob: bytes, code_version: str, *, time_ns: int = 0, minds: Iterable[Remembered] = ()
    ) -> None:
        """Keep the world after the row `sequence`, and what strategies then remember in the place of what they did.

        The newest two snapshots are kept, older ones go.
        """
        mine = snapshots.c.run_id == self.run_id
        newest = select(snapshots.c.sequence).where(mine).order_by(snapshots.c.sequence.desc()).limit(_SNAPSHOTS_KEPT)
        with self.database.write() as connection:
            connection.execute(delete(snapshots).where(mine, snapshots.c.sequence == sequence))
            connection.execute(
                insert(snapshots).values(run_id=self.run_id, sequence=sequence, blob=blob, code_version=code_version)
            )
            connection.execute(delete(snapshots).where(mine, snapshots.c.sequence.not_in(newest)))
            for mind in minds:
                place = (_STATES.c.strategy_name == mind.strategy, _STATES.c.symbol == mind.symbol)
                connection.execute(delete(_STATES).where(*place))
                told = {"state_data": mind.text, "updated_at": time_ns}
                connection.execute(insert(_STATES).values(strategy_name=mind.strategy, symbol=mind.symbol, **told))

    def latest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot that stands on a stored row, or None."""
        last = self.last()
        if last is None:
            return None
        query = (
            select(snapshots.c.sequence, snapshots.c.blob, snapshots.c.code_version)
            .where(snapshots.c.run_id == self.run_id, snapshots.c.sequence <= last.sequence)
            .order_by(snapshots.c.sequence.desc())
            .limit(1)
        )
        with self.database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Snapshot(row.sequence, row.blob, row.code_version)

    def close(self) -> None:
        """Give the connection back; the database stays open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stored_tail(self) -> _Tail:
        last = self.last()
        return _Tail(-1, genesis(self.run_id)) if last is None else _Tail(last.sequence, last.digest)

    def _chained(self, rows: Iterable[JournalRow], tail: _Tail) -> tuple[list[tuple[str | int, ...]], _Tail]:
        """Return the values to insert, in the order of the table's columns, and the tail they lead to."""
        values: list[tuple[str | int, ...]] = []
        sequence, digest, run_id = tail.sequence, tail.digest, self.run_id
        for row in rows:
            sequence += 1
            if row.sequence != sequence:
                raise ValueError(f"row {row.sequence} cannot follow row {sequence - 1} of run {run_id}")
            digest = chain(digest, row)
            fields = (run_id, sequence, row.time_ns, row.kind, row.payload, row.outcome, row.decisions_hash, digest)
            values.append(fields)
        return values, _Tail(sequence, digest)

    def _commit(self, values: Sequence[tuple[str | int, ...]], rows: Sequence[JournalRow]) -> None:
        database, companion = self.database, self._companion
        if database.readonly:
            raise RunFailed(f"{database.path} was opened for reading only")
        with database.explained():
            if self._connection is None:
                self._connection = database.engine.raw_connection()
            cursor = self._connection.cursor()
            try:
                cursor.execute(database.begin_writing)
                cursor.executemany(self._insert, values)
                if companion is not None:
                    companion.write(cursor, rows)
                self._connection.commit()
            except database.integrity_error as error:
                self._roll_back()
                raise RunFailed(
                    f"row {values[0][1]} of run {self.run_id} was refused by {database.path} ({_one_line(error)});"
                    " another process writes to this run, or the run was never started"
                ) from error
            except BaseException:
                self._roll_back()
                raise
            finally:
                cursor.close()

    def _roll_back(self) -> None:
        """Take back what the failed transaction wrote; a connection that is lost has taken it back itself."""
        if self._companion is not None:
            self._companion.forget()
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(self.database.driver_error):
                connection.rollback()
            connection.close()

    def _broken(self, sequence: int, why: str) -> DataError:
        return DataError(
            f"row {sequence} of run {self.run_id} in {self.database.path} is not as it was written ({why});"
            " rows before it can be trusted, put a backup in place to have the rest"
        )


def _row(row: Row[tuple[str | int, ...]]) -> JournalRow:
    """Return a stored row without the name of its run; by place, because a restart reads all of them."""
    return JournalRow(*row[1:])  # type: ignore[call-arg] # the columns of the table are the fields, in their order


def _one_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
