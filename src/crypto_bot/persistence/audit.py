"""The audit log: who did what from where, and what came of it; rows are only added, and chained by digests.

A command is written down in the transaction that brings its row into the journal, so that neither is there
without the other; `verify` finds a row that was changed, and a command whose line was cut off.
"""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.orm import Session

from crypto_bot.domain.errors import DataError
from crypto_bot.persistence.models import AuditRecord, columns_of
from crypto_bot.persistence.repositories import PAGE, PAGE_MAX, Page
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.tables import journal

_CHUNK = 5_000
COMMAND = "COMMAND"
GENESIS = blake2b(b"audit", digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody did: `origin` is where from, `details` JSON text, `result` what came of it."""

    timestamp: int
    actor: str
    origin: str
    action: str
    result: str
    details: str = "{}"


class AuditRepository:
    """Adds to the log and checks its chain."""

    def __init__(self, session: Session) -> None:
        """Work on a session; adding needs one that holds the write lock."""
        self.session = session

    def add(self, deed: Deed) -> AuditRecord:
        """Add one deed after the newest."""
        last = self.session.scalars(select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).first()
        number, before = (0, GENESIS) if last is None else (last.id + 1, last.digest)
        record = _record(number, before, deed)
        self.session.add(record)
        self.session.flush()
        return record

    def page(self, *, before: int | None = None, limit: int = PAGE) -> Page[AuditRecord]:
        """Return deeds older than the deed `before`, newest first; ValueError for a page of another size."""
        if not 1 <= limit <= PAGE_MAX:
            raise ValueError(f"a page has 1 to {PAGE_MAX} items, not {limit}")
        query = select(AuditRecord).order_by(AuditRecord.id.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditRecord.id < before)
        items = self.session.scalars(query).all()
        return Page(items, items[-1].id if items and items[-1].id > 0 else None)

    def verify(self) -> int:
        """Recompute the chain, and look for every command of the journal; return how many deeds hold.

        DataError names the first that does not hold, and the first command that is not in the log.
        """
        count, digest, told = 0, GENESIS, set[tuple[str, int]]()
        while found := self._after(count - 1):
            for record in found:
                if record.id != count or record.digest != link(digest, record):
                    raise DataError(f"row {count} of the audit log is not as it was written; put a backup in place")
                count, digest = count + 1, record.digest
                told.add(_place(record.details))
            self.session.expunge_all()
        commands = select(journal.c.run_id, journal.c.sequence).where(journal.c.kind == COMMAND)
        for run_id, sequence in self.session.execute(commands.order_by(journal.c.run_id, journal.c.sequence)):
            if (run_id, sequence) not in told:
                raise DataError(
                    f"the audit log lacks the command in row {sequence} of run {run_id}: lines were cut off;"
                    " put a backup in place"
                )
        return count

    def _after(self, number: int) -> Sequence[AuditRecord]:
        query = select(AuditRecord).where(AuditRecord.id > number).order_by(AuditRecord.id).limit(_CHUNK)
        return self.session.scalars(query).all()


class Auditor:
    """Writes the commands among a journal's new rows into the log, in the journal's own transaction."""

    def __init__(self, run_id: str, mark: str, wall_ns: Callable[[], int] = time.time_ns) -> None:
        """Name the run, and how its database's driver marks a value."""
        self.run_id = run_id
        self.wall_ns = wall_ns
        names = [column.name for column in columns_of(AuditRecord)]
        marks = ", ".join([mark] * len(names))
        self._insert = f"INSERT INTO audit_log ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 # nosec B608: names of our own columns

    def write(self, cursor: DBAPICursor, rows: Iterable[JournalRow]) -> None:
        """Add a deed for each command; other rows leave none."""
        commands = [row for row in rows if row.kind == COMMAND]
        if not commands:
            return
        cursor.execute("SELECT id, digest FROM audit_log ORDER BY id DESC LIMIT 1")
        last = cursor.fetchall()
        first, digest = (int(last[0][0]) + 1, str(last[0][1])) if last else (0, GENESIS)
        for number, row in enumerate(commands, start=first):
            record = _record(number, digest, deed_of(self.run_id, row, self.wall_ns()))
            digest = record.digest
            cursor.execute(self._insert, tuple(getattr(record, column.name) for column in columns_of(AuditRecord)))


def deed_of(run_id: str, row: JournalRow, wall_ns: int) -> Deed:
    """Return what a command's row says: `by` did it from `origin`; the details name the row and what was asked."""
    asked = json.loads(row.payload)
    actor, origin, action = (str(asked.pop(name, "")) for name in ("by", "origin", "command"))
    details = {"run": run_id, "row": row.sequence, "time": row.time_ns, **asked}
    return Deed(wall_ns, actor, origin, action, "done", json.dumps(details, ensure_ascii=False, separators=(",", ":")))


def _place(details: str) -> tuple[str, int]:
    """Return the run and the row that a deed's details name; nothing much for a deed that is no command."""
    try:
        found = json.loads(details)
        return str(found["run"]), int(found["row"])
    except (ValueError, TypeError, KeyError):
        return "", -1


def _record(number: int, before: str, deed: Deed) -> AuditRecord:
    record = AuditRecord(
        id=number,
        timestamp=deed.timestamp,
        actor=deed.actor,
        origin=deed.origin,
        action=deed.action,
        details=deed.details,
        result=deed.result,
        digest="",
    )
    record.digest = link(before, record)
    return record


def link(before: str, record: AuditRecord) -> str:
    """Return the digest of a row that follows the digest `before`; texts are preceded by their lengths."""
    texts = (record.actor, record.origin, record.action, record.details, record.result)
    head = " ".join(str(number) for number in (record.id, record.timestamp, *map(len, texts)))
    text = f"{before} {head}\n{''.join(texts)}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
