"""The journal's pen: rows are compared with what already stands there, and written where nothing stands yet.

Recovery and recording are one thing: a restarted run plays the recorded slices again, every row that
comes out must be the recorded one, and after the last of them it goes on writing.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from time import monotonic

from crypto_bot.domain.errors import RunFailed
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import FaultEvent, fault_of
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime.entries import Entry

_MOST_HELD = 512
_LONGEST_HELD_S = 0.05


class Recorder:
    """Numbers rows and keeps them: durable before an effect leaves, otherwise a little later, many at once."""

    def __init__(self, journal: Journal, known: Iterable[JournalRow] = (), *, after: int = -1) -> None:
        """Begin after the row `after`; `known` are the recorded rows that follow it."""
        self._journal = journal
        self._known = deque(known)
        self._held: list[JournalRow] = []
        self._since = monotonic()
        self.sequence = after

    @property
    def next_known(self) -> JournalRow | None:
        """The next recorded row, None when there is none."""
        return self._known[0] if self._known else None

    def next_fault(self) -> FaultEvent | None:
        """Return the fault that was recorded next, None when it is something else."""
        return None if self.next_known is None else fault_of(self.next_known)

    def ahead(self, kind: str) -> Iterator[JournalRow]:
        """Yield the recorded rows of a kind that are still ahead."""
        return (row for row in tuple(self._known) if row.kind == kind)

    def skip(self) -> None:
        """Pass over a recorded row that nothing has to come out of."""
        self._known.popleft()
        self.sequence += 1

    def record(self, entry: Entry) -> None:
        """Keep one row; it is durable on return when effects wait for it.

        Raises RunFailed when the recorded row is another one, or the journal cannot be written.
        """
        self.sequence += 1
        row = JournalRow(self.sequence, entry.time_ns, entry.kind, entry.payload, entry.outcome, entry.decisions_hash)
        if self._known:
            self._compare(self._known.popleft(), row)
            return
        self._held.append(row)
        if entry.binding or len(self._held) >= _MOST_HELD or monotonic() - self._since > _LONGEST_HELD_S:
            self.flush()

    def flush(self) -> None:
        """Make every row durable."""
        if self._held:
            self._journal.append(self._held)
            self._held = []
        self._since = monotonic()

    def _compare(self, known: JournalRow, row: JournalRow) -> None:
        if _content(known) != _content(row):
            raise RunFailed(
                f"row {known.sequence} ({known.kind}) of run {self._journal.run_id} comes out differently than it was"
                " recorded, so nothing was written: the program, a strategy's file or the prices have changed since;"
                " put them back, or begin a new run with another folder as --state"
            )


def _content(row: JournalRow) -> tuple[str | int, ...]:
    return row.time_ns, row.kind, row.payload, row.outcome, row.decisions_hash
