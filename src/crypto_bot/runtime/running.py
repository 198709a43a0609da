"""A run that is going on: what decides, what is written of it, and how far it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crypto_bot.domain.market import Slice
from crypto_bot.kernel.layout import HALT_OPERATOR
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import CommandEvent, StopEvent, encode
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.recorder import Recorder
from crypto_bot.runtime.session import Session
from crypto_bot.runtime.snapshot import pack

FLAG = "flag file"
"""Who gives the commands that follow the flag file."""


@dataclass
class Running:
    """One run between two rows of its journal.

    `last_ns` is the open time of the last slice it has seen, `flagged` whether the flag file halted
    it, `program` who wrote its snapshots. `news` are the rows of the last slice.
    """

    session: Session
    recorder: Recorder
    journal: Journal
    program: str
    last_ns: int | None = None
    bars: int = 0
    flagged: bool = False
    news: list[Entry] = field(default_factory=list)

    def play(self, item: Slice) -> None:
        """Let one slice happen and record it; every row is durable before an effect that waits for it leaves."""
        self.news = list(self._recorded(self.session.play(item)))
        self.last_ns, self.bars = item.time_ns, self.bars + 1

    def obey(self, command: CommandEvent) -> None:
        """Carry out an operator's command and record it."""
        for _ in self._recorded(self.session.obey(command)):
            pass
        self.note(command)

    def note(self, command: CommandEvent) -> None:
        """Remember whether it is the flag file that halts the run."""
        if command.by == FLAG:
            self.flagged = command.command == "halt"

    def follow(self, flag: Path) -> None:
        """Obey the flag file: while it is there nothing is opened; when it goes, trading goes on."""
        if self.recorder.next_known is not None:
            return  # inside a bar whose first rows stand in the journal: nothing may come between them
        present = flag.exists()
        if present and not self.session.halt & HALT_OPERATOR:
            self.obey(CommandEvent("halt", f"the file {flag.name} is present", FLAG))
        elif self.flagged and not present:
            self.obey(CommandEvent("resume", f"the file {flag.name} is gone", FLAG))

    def keep(self) -> None:
        """Keep a snapshot on the last row, so that a restart need not begin at the first."""
        self.recorder.flush()
        self.journal.save_snapshot(self.recorder.sequence, pack(self.session), self.program)

    def stop(self, reason: str) -> None:
        """End in order: everything written, and a snapshot to go on from."""
        self.recorder.flush()
        if self.recorder.next_known is None:
            payload = encode(StopEvent(reason))
            self.recorder.record(Entry("STOP", self.session.time_ns, payload, "{}", self.session.decisions_hash))
            self.keep()
        self.session.close()

    def _recorded(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self.recorder.record(entry)
            yield entry
