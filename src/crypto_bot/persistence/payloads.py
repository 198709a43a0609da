"""What stands in the rows of the journal, kind by kind, and how it is spelled as compact JSON.

Integers are at the instrument's scales and money is in atoms, except in `Decision`, which tells
prices and quantities as exact decimal text. Unknown keys are passed over, so that an older reader
can follow a newer writer.
"""

from typing import TypeVar

import msgspec

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.persistence.row import JournalRow


class StrategyEntry(msgspec.Struct, frozen=True):
    """A strategy of the run with its parameters."""

    name: str
    params: dict[str, msgspec.Raw] = {}


class Start(msgspec.Struct, frozen=True):
    """START: everything a reader needs to understand the rows that follow."""

    mode: str
    strategies: list[StrategyEntry]
    instruments: list[Instrument]
    timeframe: str
    cash: int
    quote: str
    settings: dict[str, msgspec.Raw] = {}
    code_version: str = ""
    data_hash: str = ""

    def setting(self, name: str) -> str | int | float | bool | None:
        """Return a plain setting, None when it is absent or a structure."""
        raw = self.settings.get(name)
        if raw is None:
            return None
        try:
            return msgspec.json.decode(raw, type=str | int | float | bool | None)
        except msgspec.ValidationError:
            return None


class SliceEvent(msgspec.Struct, frozen=True):
    """SLICE: the bars that closed together, open time in UTC ns; null where an instrument had none."""

    time: int
    bars: list[tuple[int, int, int, int, int] | None]


class FillEvent(msgspec.Struct, frozen=True):
    """FILL: one execution as the venue told it; `strategy` and `instrument` count from 0 in START's order."""

    order: int
    strategy: int
    instrument: int
    side: int
    price: int
    quantity: int
    fee: int
    fee_asset: str
    maker: bool
    trade: int | str
    time: int


class OrderEvent(msgspec.Struct, frozen=True):
    """ORDER: the venue's word on an order: open, rejected, canceled, expired."""

    order: int
    strategy: int
    instrument: int
    state: str


Parameter = bool | int | float | str | list[int | float]
"""What a strategy's parameter may be."""


class CommandEvent(msgspec.Struct, frozen=True):
    """COMMAND: what somebody ordered: halt, resume and the like; why, who (`by`) and from where (`origin`).

    `key` makes it happen once, however often it is sent. What a command does not need is absent.
    """

    command: str
    reason: str = ""
    by: str = ""
    origin: str | msgspec.UnsetType = msgspec.UNSET
    key: str | msgspec.UnsetType = msgspec.UNSET
    order: int | msgspec.UnsetType = msgspec.UNSET
    symbol: str | msgspec.UnsetType = msgspec.UNSET
    strategy: str | msgspec.UnsetType = msgspec.UNSET
    flatten: bool | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, Parameter] | msgspec.UnsetType = msgspec.UNSET

    def asks_the_same(self, other: "CommandEvent") -> bool:
        """Tell whether both order the same; who sent them, and from where, does not matter."""
        nobody = {"by": "", "origin": msgspec.UNSET}
        return msgspec.structs.replace(self, **nobody) == msgspec.structs.replace(other, **nobody)


class FaultEvent(msgspec.Struct, frozen=True):
    """FAULT: a strategy that could not go on and was switched off, and why; it counts from 0 in START's order."""

    strategy: int
    name: str
    reason: str


class StopEvent(msgspec.Struct, frozen=True):
    """STOP: the run ended in order, and why."""

    reason: str = ""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """One item of an outcome: signal, approved, refused, cancel, fill, halt or resume."""

    kind: str
    strategy: str | None = None
    symbol: str | None = None
    order_id: int | None = None
    side: str | None = None
    type: str | None = None
    price: str | None = None
    quantity: str | None = None
    budget: str | None = None
    reason: str | None = None


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of an event: equity in atoms and halt bits where they were told, decisions in order."""

    equity: int | None = None
    halt: int | None = None
    decisions: list[Decision] = []


Shape = TypeVar("Shape")
Payload = Start | SliceEvent | FillEvent | OrderEvent | CommandEvent | FaultEvent | StopEvent


def encode(value: Payload | Outcome) -> str:
    """Spell a payload or an outcome as compact JSON."""
    return msgspec.json.encode(value).decode()


def decode_payload(row: JournalRow, shape: type[Shape]) -> Shape:
    """Read the payload of a row as the shape its kind promises; DataError names the row."""
    return _decode(row, row.payload, shape)


def fault_of(row: JournalRow) -> FaultEvent | None:
    """Read the fault that a row tells of, None when it tells of something else."""
    return decode_payload(row, FaultEvent) if row.kind == "FAULT" else None


def decode_outcome(row: JournalRow) -> Outcome:
    """Read the outcome of a row; DataError names the row."""
    return _decode(row, row.outcome, Outcome)


def _decode(row: JournalRow, text: str, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(text, type=shape)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise DataError(
            f"row {row.sequence} ({row.kind}) of the journal cannot be read ({error});"
            " put a backup of the database in place"
        ) from error
