"""The journal of one run: every event with its outcome, appended durably, read in order, chained."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sqlalchemy import Row, delete, insert, select, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import PoolProxiedConnection

from crypto_bot.domain.errors import DataError, RunFailed
from crypto_bot.persistence.database import Database, explained
from crypto_bot.persistence.row import JournalRow, chain, genesis
from crypto_bot.persistence.tables import journal, snapshots

__all__ = ["Journal", "JournalRow", "Snapshot", "chain", "genesis"]

_CHUNK = 5_000
_SNAPSHOTS_KEPT = 2


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world after the row `sequence`, as bytes of the program version that wrote them."""

    sequence: int
    blob: bytes
    code_version: str


@dataclass(frozen=True, slots=True)
class _Tail:
    sequence: int
    digest: str


class Journal:
    """Rows of one run in one database; one process appends, any number read.

    An append holds one connection for the life of the journal and goes to the driver directly:
    building a Core statement per commit costs more than the commit.
    """

    def __init__(self, database: Database, run_id: str) -> None:
        """Attach to a run, which must stand in `runs` before the first append."""
        self.database = database
        self.run_id = run_id
        self._tail: _Tail | None = None
        self._connection: PoolProxiedConnection | None = None
        self._insert = str(insert(journal).compile(database.engine))

    def append(self, rows: Iterable[JournalRow]) -> str:
        """Write the rows in one transaction, durable on return; return the digest of the last one.

        Rows follow the stored ones without a gap, else ValueError; their digests are filled in here.
        Raises RunFailed when the disk is full or another process writes to the same run; then
        nothing of this call is kept and everything before it is.
        """
        tail = self._tail if self._tail is not None else self._stored_tail()
        values, reached = self._chained(rows, tail)
        if values:
            self._tail = None
            self._commit(values)
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

    def save_snapshot(self, sequence: int, blob: bytes, code_version: str) -> None:
        """Keep the world after the row `sequence`; the newest two are kept, older ones go."""
        mine = snapshots.c.run_id == self.run_id
        newest = select(snapshots.c.sequence).where(mine).order_by(snapshots.c.sequence.desc()).limit(_SNAPSHOTS_KEPT)
        with self.database.write() as connection:
            connection.execute(delete(snapshots).where(mine, snapshots.c.sequence == sequence))
            connection.execute(
                insert(snapshots).values(run_id=self.run_id, sequence=sequence, blob=blob, code_version=code_version)
            )
            connection.execute(delete(snapshots).where(mine, snapshots.c.sequence.not_in(newest)))

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

    def _commit(self, values: Sequence[tuple[str | int, ...]]) -> None:
        if self.database.readonly:
            raise RunFailed(f"{self.database.path} was opened for reading only")
        with explained(self.database.path):
            cursor = self._cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                cursor.executemany(self._insert, values)
                cursor.execute("COMMIT")
            except sqlite3.IntegrityError as error:
                self._roll_back()
                raise RunFailed(
                    f"row {values[0][1]} of run {self.run_id} was refused by {self.database.path} ({error});"
                    " another process writes to this run, or the run was never started"
                ) from error
            except BaseException:
                self._roll_back()
                raise
            finally:
                cursor.close()

    def _cursor(self) -> DBAPICursor:
        if self._connection is None:
            self._connection = self.database.engine.raw_connection()
        return self._connection.cursor()

    def _roll_back(self) -> None:
        if self._connection is not None:
            self._connection.rollback()

    def _broken(self, sequence: int, why: str) -> DataError:
        return DataError(
            f"row {sequence} of run {self.run_id} in {self.database.path} is not as it was written ({why});"
            " rows before it can be trusted, put a backup in place to have the rest"
        )


def _row(row: Row[tuple[str | int, ...]]) -> JournalRow:
    """Return a stored row without the name of its run; by place, because a restart reads all of them."""
    return JournalRow(*row[1:])  # type: ignore[call-arg] # the columns of the table are the fields, in their order
