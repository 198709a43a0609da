"""A run that is going on: what decides, what is written of it, and how far it is."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from crypto_bot.backtesting.several import told
from crypto_bot.domain.market import Slice
from crypto_bot.kernel.layout import HALT_OPERATOR
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import CommandEvent, FaultEvent, Outcome, StopEvent, encode
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.intervening import refusal
from crypto_bot.runtime.receipts import Receipt, Receipts, Reply
from crypto_bot.runtime.recorder import Recorder
from crypto_bot.runtime.remembering import remembered
from crypto_bot.runtime.session import Session
from crypto_bot.runtime.snapshot import pack

log = logging.getLogger(__name__)

FLAG = "flag file"
"""Who gives the commands that follow the flag file."""


@dataclass
class Running:
    """One run between two rows of its journal.

    `last_ns` is the open time of the last slice it has seen, `flagged` whether the flag file halted
    it, `program` who wrote its snapshots. `news` are the rows of the last slice. `refused` is told of
    commands that leave no row.
    """

    session: Session
    recorder: Recorder
    journal: Journal
    program: str
    last_ns: int | None = None
    bars: int = 0
    flagged: bool = False
    news: list[Entry] = field(default_factory=list)
    receipts: Receipts = field(default_factory=Receipts)
    refused: Callable[[CommandEvent, str], None] = field(default=lambda _command, _why: None)

    def __post_init__(self) -> None:
        """Let strategies fail where the journal says so."""
        self.session.foretold = self.recorder.next_fault

    def play(self, item: Slice) -> None:
        """Let one slice happen and record it; every row is durable before an effect that waits for it leaves."""
        self.news = list(self._recorded(self.session.play(item)))
        self.last_ns, self.bars = item.time_ns, self.bars + 1

    def obey(self, command: CommandEvent) -> Receipt:
        """Carry out an operator's command and record it."""
        first, *_ = self._numbered(self.session.obey(command))
        sequence, entry = first
        outcome = msgspec.json.decode(entry.outcome, type=Outcome)
        receipt = Receipt.of(self.journal.run_id, sequence, entry.time_ns, command, outcome)
        self.note(receipt)
        return receipt

    def note(self, receipt: Receipt) -> None:
        """Remember a command that was carried out, and whether it is the flag file that halts the run."""
        command = receipt.command
        self.receipts.add(receipt)
        if command.by == FLAG:
            self.flagged = command.command == "halt"
        elif command.command == "resume":
            self.flagged = False

    def answer(self, command: CommandEvent, flag: Path) -> Reply:
        """Carry out a command that somebody sent, once for its key; it is durable on return.

        To resume takes the flag file away: otherwise it would halt again at once.
        """
        known = self.receipts.find(command)
        if known is not None and not known.command.asks_the_same(command):
            reply = Reply("reused", f"the key {command.key} belongs to another command; take a new one")
        elif known is not None:
            return Reply("done", receipt=known)
        else:
            reply = refusal(self.session, command) or Reply("done")
        if reply.result != "done":
            self.refused(command, reply.sentence)
            return reply
        if command.command == "resume":
            flag.unlink(missing_ok=True)
        receipt = self.obey(command)
        self.recorder.flush()
        return Reply("done", receipt=receipt)

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
        minds = remembered(self.session)
        packed, now = pack(self.session), self.session.time_ns
        self.journal.save_snapshot(self.recorder.sequence, packed, self.program, time_ns=now, minds=minds)

    def stop(self, reason: str) -> None:
        """End in order: everything written, and a snapshot to go on from."""
        self.recorder.flush()
        if self.recorder.next_known is None:
            payload = encode(StopEvent(reason))
            self.recorder.record(Entry("STOP", self.session.time_ns, payload, "{}", self.session.decisions_hash))
            self.keep()
        self.session.close()

    def _recorded(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        return (entry for _, entry in self._numbered(entries))

    def _numbered(self, entries: Iterator[Entry]) -> Iterator[tuple[int, Entry]]:
        """Record rows one by one, each with its number, before the next one comes about."""
        for entry in entries:
            self.recorder.record(entry)
            if entry.kind == "FAULT":
                fault = msgspec.json.decode(entry.payload, type=FaultEvent)
                log.error(told(fault.name, fault.reason))
            yield self.recorder.sequence, entry
