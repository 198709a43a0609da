"""What has become of commands: told once they are durable, and found again when the same one is sent twice."""

from collections import OrderedDict
from typing import Literal

import msgspec

from crypto_bot.persistence.payloads import CommandEvent, Outcome

KEPT = 10_000
"""Receipts that are found again; the oldest go first."""


class Receipt(msgspec.Struct, frozen=True):
    """A command that was carried out: the run and the row of its journal, and what it did at once.

    `time_ns` is the time of the run, `cancelled` counts orders that were taken back, `halt` are the bits after it.
    """

    run_id: str
    sequence: int
    time_ns: int
    command: CommandEvent
    cancelled: int = 0
    halt: int = 0

    @classmethod
    def of(cls, run_id: str, sequence: int, time_ns: int, command: CommandEvent, outcome: Outcome) -> "Receipt":
        """Read it from its row."""
        cancelled = sum(decision.kind == "cancel" for decision in outcome.decisions)
        return cls(run_id, sequence, time_ns, command, cancelled, outcome.halt or 0)


class Reply(msgspec.Struct, frozen=True):
    """The engine's answer: `done` with a receipt, or why not in a sentence.

    `refused`: not now; `unknown`: no such order, symbol or strategy; `wrong`: a parameter's name or value;
    `reused`: the key belongs to another command; `unanswered`: the run is over or starting.
    """

    result: Literal["done", "refused", "unknown", "wrong", "reused", "unanswered"]
    sentence: str = ""
    receipt: Receipt | None = None


class Receipts:
    """The newest receipts by key."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_key: OrderedDict[str, Receipt] = OrderedDict()

    def add(self, receipt: Receipt) -> None:
        """Remember a receipt whose command has a key."""
        key = receipt.command.key
        if isinstance(key, str):
            self._by_key[key] = receipt
            if len(self._by_key) > KEPT:
                self._by_key.popitem(last=False)

    def find(self, command: CommandEvent) -> Receipt | None:
        """Return the receipt under a command's key, None when it has none."""
        return self._by_key.get(command.key) if isinstance(command.key, str) else None
