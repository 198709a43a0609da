"""The audit log: who did what from where, and what came of it; rows are only added, and chained by digests."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto_bot.domain.errors import DataError
from crypto_bot.persistence.models import AuditRecord
from crypto_bot.persistence.repositories import PAGE, PAGE_MAX, Page

_CHUNK = 5_000
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
        """Recompute the chain; return how many deeds hold, DataError names the first that does not."""
        count, digest = 0, GENESIS
        while found := self._after(count - 1):
            for record in found:
                if record.id != count or record.digest != link(digest, record):
                    raise DataError(f"row {count} of the audit log is not as it was written; put a backup in place")
                count, digest = count + 1, record.digest
        return count

    def _after(self, number: int) -> Sequence[AuditRecord]:
        query = select(AuditRecord).where(AuditRecord.id > number).order_by(AuditRecord.id).limit(_CHUNK)
        return self.session.scalars(query).all()


def link(before: str, record: AuditRecord) -> str:
    """Return the digest of a row that follows the digest `before`; texts are preceded by their lengths."""
    texts = (record.actor, record.origin, record.action, record.details, record.result)
    head = " ".join(str(number) for number in (record.id, record.timestamp, *map(len, texts)))
    text = f"{before} {head}\n{''.join(texts)}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
