"""The journal's pen: rows are compared with what already stands there, and written where nothing stands yet.

Recovery and recording are one thing: a restarted run plays the recorded slices again, every row that
comes out must be the recorded one, and after the last of them it goes on writing.
"""

from collections import deque
from collections.abc import Iterable
from time import monotonic

from crypto_bot.domain.errors import RunFailed
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime.entries import Entry

_MOST_HELD = 512
_LONGEST_HELD_S = 0.25


class Recorder:
    """Numbers rows and keeps them: durable before an effect leaves, otherwise within a quarter of a second."""

    def __init__(self, journal: Journal, known: Iterable[JournalRow] = (), *, after: int = -1) -> None:
        """Begin after the row `after`; `known` are the recorded rows that follow it."""
        self._journal = journal
        self._known = deque(known)
        self._held: list[JournalRow] = []
        self._since = monotonic()
        self.sequence = after
        self.decisions = 0

    @property
    def catching_up(self) -> bool:
        """Whether recorded rows are still ahead."""
        return bool(self._known)

    @property
    def next_known(self) -> JournalRow | None:
        """The next recorded row, None when there is none."""
        return self._known[0] if self._known else None

    def rest(self) -> Iterable[JournalRow]:
        """Return the recorded rows that are still ahead."""
        return tuple(self._known)

    def skip(self) -> None:
        """Pass over a recorded row that nothing has to come out of."""
        self._known.popleft()
        self.sequence += 1

    def record(self, entry: Entry) -> None:
        """Keep one row; it is durable on return when effects wait for it."""
        self.sequence += 1
        self.decisions += entry.decisions
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
        if (known.kind, known.payload, known.outcome, known.decisions_hash) != (
            row.kind,
            row.payload,
            row.outcome,
            row.decisions_hash,
        ):
            raise RunFailed(
                f"row {known.sequence} ({known.kind}) of run {self._journal.run_id} comes out differently than recorded: "
                "the program, a strategy or the journal has changed since; start a new run with --state and another folder"
            )
