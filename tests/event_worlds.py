"""A small world whose venue is the test itself: every acknowledgement, fill and cancel is an event given by hand."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crypto_bot.kernel.layout import CANCELED, CLOSES, EMPTY, FILL_EVENT, OPEN, ORDER_EVENT, SUBMIT
from tests.small_worlds import SmallWorld, layout
from tests.uncompiled import uncompiled

advance = uncompiled("kernel.advance")
orders = uncompiled("kernel.orders")


@dataclass
class EventWorld(SmallWorld):
    """What the kernel sends is only noted in `sent`; nothing happens to it before the test says so."""

    sent: list[tuple[int, int, int]] = field(default_factory=list)
    """Every effect: kind, lane, slot."""

    def go(self, bars: int = 1) -> "EventWorld":
        """Close the next bars and answer the wishes there."""
        for _ in range(bars):
            self.i += 1
            last = self.equity[-1] if self.equity else self.cash
            self.equity.append(int(advance.advance_slice(self.world, self.market, self.i, last)))
            self._settle()
            self.answer()
        return self

    def answer(self) -> bool:
        """Answer the wishes if the kernel asks for it; tell whether it did."""
        if not any(w["any"] for w in self.world.wish[:: len(self.instruments)]):
            return False
        with np.errstate(over="ignore", divide="raise"):
            advance.advance_wish(self.world, self.market, self.i, self.equity[-1])
        self._settle()
        return True

    def _answer(self, lane: int) -> None:
        self.world.wish[lane - lane % len(self.instruments)]["any"] = 1
        self.answer()

    def _settle(self) -> None:
        """Let every effect leave for a venue that does not answer."""
        desk = self.desk
        for index in range(int(desk["effects_done"]), int(desk["effects_made"])):
            orders.carry_out(self.world, index)
            effect = self.world.effects[index]
            self.sent.append((int(effect["kind"]), int(effect["lane"]), int(effect["slot"])))
        desk["effects_done"] = desk["effects_made"] = 0

    def submitted(self) -> list[Any]:
        """Return the records of all orders that were sent so far and are not done."""
        return [o for kind, lane, slot in self.sent if kind == SUBMIT and (o := self.world.orders[lane, slot])["state"]]

    def place_of(self, order_id: int) -> tuple[int, int]:
        """Return lane and slot of an order."""
        lanes, slots = np.nonzero(self.world.orders["id"] == order_id)
        return int(lanes[0]), int(slots[0])

    def says(self, order_id: int, state: int) -> None:
        """Let the venue say in which state an order is."""
        self._happen(order_id, kind=ORDER_EVENT, state=state, code=0)

    def opened(self, order_id: int) -> None:
        """Let the venue acknowledge an order."""
        self.says(order_id, OPEN)

    def canceled(self, order_id: int) -> None:
        """Let the venue confirm a cancel."""
        self.says(order_id, CANCELED)

    def filled(
        self, order_id: int, quantity: int, price: int, *, fee: int = 0, fee_asset: int = 0, final: int = 1
    ) -> None:
        """Let the venue report a fill; `final` 0 when more of the order is still open."""
        side = int(self.world.orders[self.place_of(order_id)]["side"])
        event = {"side": side, "quantity": quantity, "price": price, "fee": fee, "fee_asset": fee_asset}
        self._happen(order_id, kind=FILL_EVENT, maker=0, final=final, **event)

    def _happen(self, order_id: int, **parts: int) -> None:
        lane, slot = self.place_of(order_id)
        e = self.world.event[0]
        times = self.market.times
        e["lane"], e["slot"], e["order_id"], e["time_ns"] = lane, slot, order_id, times[self.i] + self.bar_ns
        for name, value in parts.items():
            e[name] = value
        advance.advance(self.world, self.equity[-1])
        self._settle()

    def orders_in(self, lane: int = 0) -> dict[int, Any]:
        """Return the live orders of a lane by slot."""
        return {slot: o for slot, o in enumerate(self.world.orders[lane]) if o["state"] != EMPTY}

    def last_close(self, k: int = 0) -> int:
        """Return the present close."""
        return int(self.market.bars[CLOSES, self.i, k])


__all__ = ["EventWorld", "layout"]
