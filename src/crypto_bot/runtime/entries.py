"""What happened, as rows for the journal: each event with the decisions that came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.order import OrderKind, OrderState
from crypto_bot.domain.units import ATOMS, PPM, format_scaled
from crypto_bot.kernel.compiled import Record
from crypto_bot.kernel.layout import (
    APPROVED,
    BOOKED,
    GUARDED,
    HALTED,
    QUOTED,
    REFUSED,
    RESUMED,
    SIGNALED,
    TARGETED,
    TURNED_DOWN,
    WITHDRAWN,
)
from crypto_bot.kernel.reasons import HALTS, REASONS
from crypto_bot.persistence.payloads import Decision, FillEvent, OrderEvent, Outcome, encode
from crypto_bot.plain.answers import Told

Notes = npt.NDArray[np.void]
"""What the kernel noted during one event."""

_MOST_SAID = 1_000
"""Characters of a reason that the journal keeps: it has one for every wish that changed."""

_KINDS = {
    SIGNALED: "signal",
    APPROVED: "approved",
    REFUSED: "refused",
    WITHDRAWN: "cancel",
    BOOKED: "fill",
    HALTED: "halt",
    RESUMED: "resume",
    TURNED_DOWN: "turned_down",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row before it is numbered; `binding` when effects of this event wait for it to be durable."""

    kind: str
    time_ns: int
    payload: str
    outcome: str
    decisions_hash: str
    decisions: int = 0
    binding: bool = False


class Wish(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a strategy wants on one instrument: a share of its equity, a quantity to hold (-1: none), its guards.

    A plain class may have said why, and until when.
    """

    strategy: int
    instrument: int
    changed: int
    share_ppm: int
    hold: int
    stop: int
    take: int
    reason: str = ""
    until_ns: int = 0


class SignalEvent(msgspec.Struct, frozen=True):
    """SIGNAL: the wishes that have changed."""

    wishes: list[Wish]


@dataclass(frozen=True, slots=True)
class Names:
    """How a run's strategies, instruments and assets are called."""

    strategies: tuple[str, ...]
    instruments: tuple[Instrument, ...]

    def place(self, lane: int) -> tuple[int, int]:
        """Return the numbers of the strategy and of the instrument that a lane belongs to."""
        return divmod(lane, len(self.instruments))

    def asset(self, index: int) -> str:
        """Return the name of an asset by its place in the ledger: the quote asset, then each base asset."""
        return self.instruments[0].quote if index == 0 else self.instruments[index - 1].base

    def decisions(self, notes: Notes) -> list[Decision]:
        """Return notes of the kernel as decisions in words."""
        return [self._decision(note) for note in notes]

    def _decision(self, note: Record) -> Decision:
        kind = int(note["kind"])
        if kind in (HALTED, RESUMED):
            return Decision(_KINDS[kind], reason=HALTS.get(int(note["code"]), "a limit"))
        strategy, k = self.place(int(note["lane"]))
        name, instrument = self.strategies[strategy], self.instruments[k]
        if kind == SIGNALED:
            return Decision("signal", strategy=name, symbol=instrument.symbol, reason=_wanted(note, instrument))
        is_fill = kind == BOOKED
        code = 0 if is_fill else int(note["code"])
        return Decision(
            _KINDS[kind],
            strategy=name,
            symbol=instrument.symbol,
            order_id=int(note["order_id"]),
            side="buy" if note["side"] > 0 else "sell",
            type=None if is_fill else OrderKind(int(note["type"])).name.lower(),
            price=instrument.price_text(int(note["price"])) if note["price"] else None,
            quantity=instrument.quantity_text(int(note["quantity"])) if note["quantity"] else None,
            budget=format_scaled(int(note["money"]), ATOMS) if note["money"] and not is_fill else None,
            reason=REASONS.get(code, "turned down by the exchange") if code else None,
        )


def _wanted(note: Record, instrument: Instrument) -> str:
    """Say what has changed in a wish."""
    changed = int(note["type"])
    said = []
    if changed & TARGETED and note["quantity"] >= 0:
        said.append(f"hold {instrument.quantity_text(int(note['quantity']))} {instrument.base}")
    elif changed & TARGETED:
        said.append(f"hold {format_scaled(int(note['money']), PPM)} of the equity")
    if changed & QUOTED:
        said.append("keep other orders resting")
    if changed & GUARDED:
        said.append("guard the position")
    return ", ".join(said)


_PIECES = 1_000_000_000


def fill_payload(event: Record, names: Names, fills: int) -> str:
    """Return the fill in the event register as the journal keeps it; so many `fills` came before it.

    The venue's number of a fill is that of its order, and for a piece of an order one that no order has.
    """
    strategy, k = names.place(int(event["lane"]))
    order = int(event["order_id"])
    return encode(
        FillEvent(
            order=order,
            strategy=strategy,
            instrument=k,
            side=int(event["side"]),
            price=int(event["price"]),
            quantity=int(event["quantity"]),
            fee=int(event["fee"]),
            fee_asset=names.asset(int(event["fee_asset"])),
            maker=bool(event["maker"]),
            trade=order if event["final"] else order * _PIECES + fills,
            time=int(event["time_ns"]),
        )
    )


def order_payload(event: Record, names: Names) -> str:
    """Return the venue's word on an order as the journal keeps it."""
    strategy, k = names.place(int(event["lane"]))
    state = OrderState(int(event["state"])).name.lower()
    return encode(OrderEvent(int(event["order_id"]), strategy, k, state))


def signal_payload(notes: Notes, names: Names, told: Mapping[int, Told]) -> str:
    """Return the wishes that have changed, with what was said of them, by lane."""
    silent = Told(0, 0, "", None)
    wishes = [
        Wish(
            *names.place(int(note["lane"])),
            changed=int(note["type"]),
            share_ppm=int(note["money"]),
            hold=int(note["quantity"]),
            stop=int(note["price"]),
            take=int(note["code"]),
            reason=_written((said := told.get(int(note["lane"]), silent)).reason),
            until_ns=said.valid_until_ns or 0,
        )
        for note in notes
        if note["kind"] == SIGNALED
    ]
    return msgspec.json.encode(SignalEvent(wishes)).decode()


def _written(reason: str) -> str:
    """Return what a class gave as its reason as the journal keeps it: of bounded length, and text that can be told."""
    cut = f"{reason[:_MOST_SAID]} ..." if len(reason) > _MOST_SAID else reason
    return "".join(each if each.isprintable() or each in "\n\t" else "?" for each in cut)


def outcome_text(decisions: Sequence[Decision], equity: int | None = None, halt: int | None = None) -> str:
    """Return what came of an event as the journal keeps it."""
    return encode(Outcome(equity=equity, halt=halt, decisions=list(decisions)))
