"""Rows of the journal as events of the stream, each told once however many listen."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from crypto_bot.api.answers import TradeAnswer
from crypto_bot.api.replica import Replica, Trade
from crypto_bot.api.series import Candle
from crypto_bot.api.texts import money, time_text
from crypto_bot.api.views import candle_answer, trade_answer
from crypto_bot.persistence.payloads import (
    CommandEvent,
    Decision,
    FaultEvent,
    FillEvent,
    OrderEvent,
    SliceEvent,
    StopEvent,
    decode_outcome,
    decode_payload,
)
from crypto_bot.persistence.row import JournalRow

FRAMES_KEPT = 5_000
"""Events in memory; what lies before them is read from the journal."""

_EVERYTHING = ("status", "candles", "orders", "positions", "trades", "equity", "strategies", "risk", "alerts")
PANELS: dict[str, tuple[str, ...]] = {
    "START": _EVERYTHING,
    "SLICE": ("status", "candles", "equity", "positions", "risk"),
    "FILL": ("trades", "orders", "positions", "status", "strategies"),
    "ORDER": ("orders",),
    "SIGNAL": ("orders",),
    "LIMIT": ("status", "orders", "risk", "alerts"),
    "COMMAND": ("status", "orders", "strategies", "risk", "alerts"),
    "FAULT": ("status", "orders", "strategies", "alerts"),
    "STOP": ("status", "alerts"),
}
"""Which panels of the page an event changes."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of the stream; what does not concern its kind is absent. Money and prices are exact text."""

    run_id: str
    sequence: int
    kind: str
    time: str
    panels: tuple[str, ...]
    equity: str | None = None
    halt: int | None = None
    candles: dict[str, tuple[int, str, str, str, str, str]] = {}
    trade: dict[str, str | int | bool | None] | None = None
    order: dict[str, str] | None = None
    command: CommandEvent | None = None
    reason: str | None = None
    decisions: list[Decision] = []


@dataclass
class Frame:
    """One row, and its text once somebody has asked for it; `trade` is the fill as the replica booked it."""

    row: JournalRow
    trade: Trade | None = None
    _text: bytes = b""

    def text(self, replica: Replica) -> bytes:
        """Return it as the stream sends it."""
        if not self._text:
            event = event_of(self.row, self.trade, replica)
            self._text = frame_text(event.kind, msgspec.json.encode(event), self.row.sequence)
        return self._text


@dataclass
class Tail:
    """The newest events of a run."""

    frames: deque[Frame] = field(default_factory=lambda: deque(maxlen=FRAMES_KEPT))

    @property
    def first(self) -> int:
        """The number of the oldest event in memory; beyond every other when there is none."""
        return self.frames[0].row.sequence if self.frames else 1 << 62

    def after(self, sequence: int) -> Iterator[Frame]:
        """Yield the events in memory that follow one."""
        start = max(0, sequence + 1 - self.first) if self.frames else 0
        return (self.frames[place] for place in range(start, len(self.frames)))


def frame_text(kind: str, data: bytes, sequence: int | None = None) -> bytes:
    """Spell an event as server-sent events are."""
    number = b"" if sequence is None else b"id: %d\n" % sequence
    return number + b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def event_of(row: JournalRow, trade: Trade | None, replica: Replica) -> Event:
    """Tell a row; what it realised is known of fills that the replica has just booked alone."""
    outcome = decode_outcome(row)
    told = Event(
        replica.run_id, row.sequence, row.kind.lower(), time_text(row.time_ns), PANELS.get(row.kind, ()),
        equity=None if outcome.equity is None else money(outcome.equity), halt=outcome.halt,
        decisions=outcome.decisions,
    )  # fmt: skip
    change = msgspec.structs.replace
    match row.kind:
        case "SLICE":
            return change(told, candles=_candles(decode_payload(row, SliceEvent), replica))
        case "FILL":
            fill = trade or Trade(row.sequence, decode_payload(row, FillEvent), None)
            return change(told, trade=_dumped(trade_answer(fill, replica)))
        case "ORDER":
            event = decode_payload(row, OrderEvent)
            return change(told, order={"order_id": str(event.order), "status": event.state})
        case "COMMAND":
            command = decode_payload(row, CommandEvent)
            return change(told, command=command, reason=command.reason)
        case "FAULT":
            return change(told, reason=decode_payload(row, FaultEvent).reason)
        case "STOP":
            return change(told, reason=decode_payload(row, StopEvent).reason)
    return told


def _candles(event: SliceEvent, replica: Replica) -> dict[str, tuple[int, str, str, str, str, str]]:
    return {
        instrument.symbol: candle_answer(Candle(event.time, *bar), instrument)
        for instrument, bar in zip(replica.instruments, event.bars, strict=False)
        if bar is not None
    }


def _dumped(answer: TradeAnswer) -> dict[str, str | int | bool | None]:
    return answer.model_dump()
