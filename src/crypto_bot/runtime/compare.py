"""Run a recorded session again from its journal and compare every decision."""

from dataclasses import dataclass
from itertools import zip_longest

from crypto_bot.domain.errors import CryptoBotError, DataError
from crypto_bot.domain.units import format_time
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import CommandEvent, Start, decode_payload
from crypto_bot.persistence.row import JournalRow, chain, genesis
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.history import history_of, slice_of
from crypto_bot.runtime.plan import Plan
from crypto_bot.runtime.session import Session


@dataclass(frozen=True)
class Difference:
    """The first event that is not as it was recorded."""

    sequence: int
    kind: str
    time: str
    why: str


@dataclass(frozen=True)
class Comparison:
    """What came of running a session again."""

    run_id: str
    events: int
    decisions: int
    first_difference: Difference | None
    hash_recorded: str
    hash_replayed: str

    @property
    def identical(self) -> bool:
        """Whether every row came out as recorded."""
        return self.first_difference is None


def compare(journal: Journal) -> Comparison:
    """Play a run's journal again, row by row; DataError when it has no rows or cannot be read."""
    rows = list(journal.rows())
    if not rows:
        raise DataError(f"run {journal.run_id} has no rows in its journal; there is nothing to replay")
    tampered = _broken_chain(journal.run_id, rows)
    session = Plan.from_start(decode_payload(rows[0], Start)).session()
    difference = tampered
    decisions = 0
    position = 0
    while position < len(rows):
        try:
            entries = _again(session, rows, position)
        except CryptoBotError as fault:
            difference = difference or _difference(rows[position], str(fault))
            break
        decisions += sum(entry.decisions for entry in entries)
        for row, entry in zip_longest(rows[position : position + len(entries)], entries):
            why = _unlike(row, entry)
            if why and difference is None:
                difference = _difference(row or rows[-1], why)
        position += len(entries)
    recorded = next(row.decisions_hash for row in reversed(rows) if row.decisions_hash)
    return Comparison(journal.run_id, len(rows), decisions, difference, recorded, session.decisions_hash)


def _again(session: Session, rows: list[JournalRow], position: int) -> list[Entry]:
    """Let happen what the row at a position began; return the rows that come of it."""
    row = rows[position]
    if row.kind == "COMMAND":
        command = decode_payload(row, CommandEvent)
        return list(session.obey(command.command, command.reason, command.by))
    if row.kind == "HISTORY":
        session.see(history_of(row))
    elif row.kind not in ("START", "STOP"):
        mark = next((other for other in rows[position:] if other.kind == "SLICE"), None)
        if mark is None:
            # The run ended inside a bar that was never recorded whole: nothing more can be compared.
            return [_copy(other) for other in rows[position:]]
        return list(session.play(slice_of(mark)))
    return [_copy(row)]


def _copy(row: JournalRow) -> Entry:
    return Entry(row.kind, row.time_ns, row.payload, row.outcome, row.decisions_hash, 0, False)


def _unlike(row: JournalRow | None, entry: Entry) -> str:
    """Say how a recorded row and a replayed one differ; empty when they do not."""
    if row is None:
        return f"a {entry.kind} comes out that was not recorded"
    if row.kind != entry.kind:
        return f"{row.kind} was recorded, {entry.kind} comes out"
    if row.payload != entry.payload:
        return f"the event differs: recorded {row.payload[:120]}, replayed {entry.payload[:120]}"
    if row.outcome != entry.outcome or row.decisions_hash != entry.decisions_hash:
        return f"the decisions differ: recorded {row.outcome[:200]}, replayed {entry.outcome[:200]}"
    return ""


def _broken_chain(run_id: str, rows: list[JournalRow]) -> Difference | None:
    digest = genesis(run_id)
    for row in rows:
        if chain(digest, row) != row.digest:
            return _difference(row, "the row is not as it was written: its digest does not fit")
        digest = row.digest
    return None


def _difference(row: JournalRow, why: str) -> Difference:
    return Difference(row.sequence, row.kind, format_time(row.time_ns), why)
