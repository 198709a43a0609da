"""What happened, as rows for the journal: each event with the decisions that came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.notes import HALTS, REASONS
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Slice
from crypto_bot.domain.order import OrderKind, OrderState
from crypto_bot.domain.units import ATOMS, PPM, format_scaled
from crypto_bot.kernel.compiled import Record
from crypto_bot.kernel.layout import (
    APPROVED,
    BOOKED,
    HALTED,
    REFUSED,
    RESUMED,
    SIGNALED,
    TURNED_DOWN,
    WITHDRAWN,
)
from crypto_bot.persistence.payloads import Decision, FillEvent, OrderEvent, Outcome, SliceEvent, encode

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
    """One row before it is numbered; `binding` when effects wait for it to be durable."""

    kind: str
    time_ns: int
    payload: str
    outcome: str
    decisions_hash: str
    decisions: int
    binding: bool


@dataclass(frozen=True, slots=True)
class Names:
    """How a run's strategies, instruments and assets are called."""

    strategies: tuple[str, ...]
    instruments: tuple[Instrument, ...]

    def asset(self, index: int) -> str:
        """Return the name of an asset by its place in the ledger: the quote asset, then each base asset."""
        return self.instruments[0].quote if index == 0 else self.instruments[index - 1].base

    def decisions(self, notes: npt.NDArray[np.void]) -> list[Decision]:
        """Return notes of the kernel as decisions in words."""
        return [self._decision(note) for note in notes]

    def _decision(self, note: Record) -> Decision:
        kind = int(note["kind"])
        if kind in (HALTED, RESUMED):
            return Decision(_KINDS[kind], reason=HALTS.get(int(note["code"]), "a limit"))
        strategy, k = divmod(int(note["lane"]), len(self.instruments))
        instrument = self.instruments[k]
        names: dict[str, Any] = {"strategy": self.strategies[strategy], "symbol": instrument.symbol}
        if kind == SIGNALED:
            return Decision("signal", **names, **_wish(note, instrument))
        names["order_id"] = int(note["order_id"])
        names["side"] = "buy" if note["side"] > 0 else "sell"
        if note["price"]:
            names["price"] = instrument.price_text(int(note["price"]))
        if note["quantity"]:
            names["quantity"] = instrument.quantity_text(int(note["quantity"]))
        if kind == BOOKED:
            return Decision("fill", **names)
        if note["money"]:
            names["budget"] = format_scaled(int(note["money"]), ATOMS)
        if note["code"]:
            names["reason"] = REASONS.get(int(note["code"]), "turned down by the exchange")
        return Decision(_KINDS[kind], **names, type=OrderKind(int(note["type"])).name.lower())


def _wish(note: Record, instrument: Instrument) -> dict[str, Any]:
    """Return what a signal asks for, as far as one line tells it."""
    if note["quantity"] >= 0:
        return {"quantity": instrument.quantity_text(int(note["quantity"])), "reason": "hold this quantity"}
    share = format_scaled(int(note["money"]), PPM)
    return {"reason": f"hold {share} of the equity"}


def slice_payload(item: Slice) -> str:
    """Return a slice as the journal keeps it."""
    return encode(SliceEvent(item.time_ns, [tuple(bar[1:]) for bar in item.bars]))  # type: ignore[misc] # five columns


def fill_payload(event: Record, names: Names) -> str:
    """Return the fill in the event register as the journal keeps it."""
    strategy, k = divmod(int(event["lane"]), len(names.instruments))
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
            trade=order,
            time=int(event["time_ns"]),
        )
    )


def order_payload(event: Record, names: Names) -> str:
    """Return the venue's word on an order as the journal keeps it."""
    strategy, k = divmod(int(event["lane"]), len(names.instruments))
    state = OrderState(int(event["state"])).name.lower()
    return encode(OrderEvent(int(event["order_id"]), strategy, k, state))


def signal_payload(notes: npt.NDArray[np.void], instruments: int) -> str:
    """Return the wishes that have changed: share in parts per million, quantity, stop and target, by lane."""
    wishes = [
        {
            "strategy": int(note["lane"]) // instruments,
            "instrument": int(note["lane"]) % instruments,
            "share_ppm": int(note["money"]),
            "hold": int(note["quantity"]),
            "stop": int(note["price"]),
            "take": int(note["code"]),
        }
        for note in notes
        if note["kind"] == SIGNALED
    ]
    return msgspec.json.encode({"wishes": wishes}).decode()


def outcome_text(decisions: Sequence[Decision], equity: int | None = None, halt: int | None = None) -> str:
    """Return what came of an event as the journal keeps it."""
    return encode(Outcome(equity=equity, halt=halt, decisions=list(decisions)))
