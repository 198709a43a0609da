"""Run a recorded session again from its journal and compare every row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crypto_bot.domain.errors import CryptoBotError, DataError
from crypto_bot.domain.units import format_time
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import CommandEvent, Start, decode_payload, fault_of
from crypto_bot.persistence.row import JournalRow, chain, genesis
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.history import history_of, slice_of
from crypto_bot.runtime.plan import Plan
from crypto_bot.runtime.session import Session

_SHOWN = 160
"""Letters of a row that a sentence shows."""


@dataclass(frozen=True)
class Difference:
    """The first event that is not as it was recorded."""

    sequence: int
    kind: str
    time: str
    why: str


@dataclass(frozen=True)
class Comparison:
    """What came of running a session again.

    `unfinished` rows at the end belong to a bar that a crash cut off; nothing can be said about them.
    """

    run_id: str
    events: int
    decisions: int
    unfinished: int
    first_difference: Difference | None
    hash_recorded: str
    hash_replayed: str

    @property
    def identical(self) -> bool:
        """Whether every row came out as recorded."""
        return self.first_difference is None


def compare(journal: Journal) -> Comparison:
    """Play a run's journal again, row by row; DataError when it has no rows or its first one cannot be read."""
    rows = list(journal.rows())
    if not rows:
        raise DataError(f"run {journal.run_id} has no rows in its journal; there is nothing to replay")
    session = Session(Plan.from_start(decode_payload(rows[0], Start)))
    difference = _broken_link(journal.run_id, rows)
    replayed: list[Entry] = []
    try:
        replayed.extend(_played_again(session, rows))
    except CryptoBotError as fault:
        difference = difference or _difference(rows[min(len(replayed), len(rows) - 1)], str(fault))
    difference = difference or _first_unlike(rows, replayed)
    # A crash may have cut the journal inside a bar, before or after the row of its slice.
    common = min(len(rows), len(replayed))
    return Comparison(
        run_id=journal.run_id,
        events=len(rows),
        decisions=sum(entry.decisions for entry in replayed[:common]),
        unfinished=len(rows) - common,
        first_difference=difference,
        hash_recorded=rows[common - 1 if difference is None else -1].decisions_hash,
        hash_replayed=replayed[common - 1].decisions_hash if difference is None else session.decisions_hash,
    )


def _played_again(session: Session, rows: Sequence[JournalRow]) -> Iterator[Entry]:
    """Let happen what the journal says came from outside; yield the rows that come of it."""
    made = 0
    session.foretold = lambda: fault_of(rows[made]) if made < len(rows) else None
    for entry in _entries(session, rows):
        made += 1
        yield entry


def _entries(session: Session, rows: Sequence[JournalRow]) -> Iterator[Entry]:
    for row in rows:
        if row.kind == "SLICE":
            yield from session.play(slice_of(row))
        elif row.kind == "COMMAND":
            yield from session.obey(decode_payload(row, CommandEvent))
        elif row.kind in ("START", "HISTORY", "STOP"):
            if row.kind == "HISTORY":
                session.see(history_of(row))
            yield Entry(row.kind, row.time_ns, row.payload, row.outcome, session.decisions_hash)


def _first_unlike(rows: Sequence[JournalRow], replayed: Sequence[Entry]) -> Difference | None:
    """Return the first recorded row that comes out differently, or not at all."""
    for row, entry in zip(rows, replayed, strict=False):
        why = _unlike(row, entry)
        if why:
            return _difference(row, why)
    missing = next((row for row in rows[len(replayed) :] if row.kind == "SIGNAL"), None)
    return None if missing is None else _difference(missing, "it was recorded, and does not come out again")


def _unlike(row: JournalRow, entry: Entry) -> str:
    """Say how a recorded row and a replayed one differ; empty when they do not."""
    if row.kind != entry.kind:
        return f"{row.kind} was recorded, {entry.kind} comes out"
    if row.payload != entry.payload:
        return f"the event differs: recorded {row.payload[:_SHOWN]}, replayed {entry.payload[:_SHOWN]}"
    if (row.time_ns, row.outcome, row.decisions_hash) != (entry.time_ns, entry.outcome, entry.decisions_hash):
        return f"the decisions differ: recorded {row.outcome[:_SHOWN]}, replayed {entry.outcome[:_SHOWN]}"
    return ""


def _broken_link(run_id: str, rows: Sequence[JournalRow]) -> Difference | None:
    """Return the first row that is not as it was written, by its digest."""
    digest = genesis(run_id)
    for row in rows:
        if chain(digest, row) != row.digest:
            return _difference(row, "the row is not as it was written: its digest does not fit")
        digest = row.digest
    return None


def _difference(row: JournalRow, why: str) -> Difference:
    return Difference(row.sequence, row.kind, format_time(row.time_ns), why)
