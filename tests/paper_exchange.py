"""An account and an exchange on paper, in exact fractions: what the kernel's ledger and matcher are held against.

Written from the defaults of the simulation alone. Prices, quantities and money are fractions of whole
coins; nothing here knows scales, records or atoms, but for the 1e-8 to which money is rounded.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

CENT = Fraction(1, 100_000_000)
Bar = tuple[Fraction, Fraction, Fraction, Fraction]


def up(value: Fraction, step: Fraction = CENT) -> Fraction:
    """Round up to a step: what is paid."""
    return ceil(value / step) * step


def down(value: Fraction, step: Fraction = CENT) -> Fraction:
    """Round down to a step: what is received."""
    return floor(value / step) * step


@dataclass
class Coin:
    """One symbol: its steps, and its smallest order."""

    tick: Fraction
    unit: Fraction
    lot: Fraction
    least: Fraction


@dataclass
class PaperOrder:
    """One order; without a price it is a market order, with a budget its quantity follows from the price."""

    number: int
    buys: bool
    quantity: Fraction
    price: Fraction | None
    budget: Fraction
    promised: Fraction
    fresh: bool = True


@dataclass
class Paper:
    """The whole of it; an order lives at (strategy, coin, slot)."""

    coins: list[Coin]
    cash: list[Fraction]
    maker: Fraction
    taker: Fraction
    slippage: Fraction
    fee_in_coin: bool
    through: bool
    held: dict[tuple[int, int], Fraction] = field(default_factory=dict)
    orders: dict[tuple[int, int, int], PaperOrder] = field(default_factory=dict)
    numbers: int = 0
    fills: list[tuple[int, bool, Fraction, Fraction, Fraction]] = field(default_factory=list)
    """Number, whether it bought, price, quantity, fee (in quote, or in the coin that was bought)."""

    def _cost(self, price: Fraction, quantity: Fraction, fee: Fraction) -> Fraction:
        return up(price * quantity) + up(up(price * quantity) * fee)

    def _most(self, money: Fraction, lot: Fraction, cost: Callable[[Fraction], Fraction], price: Fraction) -> Fraction:
        """Return the largest number of lots that the money pays for, found by trying."""
        quantity = down(max(money, Fraction(0)) / price, lot)
        while quantity > 0 and cost(quantity) > money:
            excess = cost(quantity) - money
            quantity -= max(lot, down(excess / price / 2, lot))
        while cost(quantity + lot) <= money:
            quantity += lot
        return quantity

    def place(
        self,
        at: tuple[int, int, int],
        buys: bool,
        quantity: Fraction,
        price: Fraction | None,
        *,
        budget: Fraction,
        close: Fraction,
    ) -> None:
        """Check, size and accept an order at a close."""
        s, k, _ = at
        coin = self.coins[k]
        self.numbers += 1
        worth_at = price or close
        promised = Fraction(0)
        if buys:
            own = [o for place, o in self.orders.items() if place[0] == s]
            free = self.cash[s] - sum(o.promised for o in own if o.buys) + sum(o.promised for o in own if not o.buys)
            free = max(free, Fraction(0))
            dearer = max(self.maker, self.taker)
            if budget:
                promised = budget = min(budget, free)
            else:
                if self._cost(worth_at, quantity, dearer) > free:
                    quantity = self._most(free, coin.lot, lambda q: self._cost(worth_at, q, dearer), worth_at)
                promised = self._cost(worth_at, quantity, dearer)
        else:
            rivals = sum(o.quantity for place, o in self.orders.items() if place[:2] == (s, k) and not o.buys)
            quantity = max(Fraction(0), min(quantity, self.held.get((s, k), Fraction(0)) - rivals))
        quantity = down(quantity, coin.lot)
        worth = budget or down(worth_at * quantity)
        if worth <= 0 or worth < coin.least:
            return
        if not buys and price is None:
            promised = worth - up(worth * (self.taker + self.slippage))
        self.orders[at] = PaperOrder(self.numbers, buys, quantity, price, budget, promised)

    def bar(self, bars: list[Bar]) -> None:
        """Let one bar of every coin happen: markets at the open, then limits, sells before buys."""
        for is_limit in (False, True):
            for buys in (False, True):
                for at in sorted(self.orders):
                    order = self.orders.get(at)
                    if order and order.buys == buys and (order.price is not None) == is_limit:
                        self._match(at, order, bars[at[1]])
        for order in self.orders.values():
            order.fresh = False

    def _match(self, at: tuple[int, int, int], order: PaperOrder, bar: Bar) -> None:
        opened, high, low, _ = bar
        tick = self.coins[at[1]].tick
        slip = up(opened * self.slippage, tick)
        taken = opened + slip if order.buys else max(tick, opened - slip)
        if order.price is None:
            self._fill(at, order, taken, self.taker)
        elif order.fresh and (order.price > opened if order.buys else order.price < opened):
            self._fill(at, order, min(taken, order.price) if order.buys else max(taken, order.price), self.taker)
        else:
            reach, limit = (-low, -order.price) if order.buys else (high, order.price)
            if reach > limit or (reach == limit and not self.through):
                self._fill(at, order, order.price, self.maker)

    def _fill(self, at: tuple[int, int, int], order: PaperOrder, price: Fraction, rate: Fraction) -> None:
        s, k, _ = at
        coin = self.coins[k]
        del self.orders[at]
        held = self.held.get((s, k), Fraction(0))
        if order.buys:
            purse = min(self.cash[s], order.budget) if order.budget else self.cash[s]
            fee_rate = Fraction(0) if self.fee_in_coin else rate
            most = self._most(purse, coin.lot, lambda q: self._cost(price, q, fee_rate), price)
            quantity = most if order.budget else min(order.quantity, most)
            if quantity <= 0:
                return
            fee = up(quantity * rate, coin.unit) if self.fee_in_coin else up(up(price * quantity) * rate)
            self.cash[s] -= up(price * quantity) + (0 if self.fee_in_coin else fee)
            self.held[s, k] = held + quantity - (fee if self.fee_in_coin else 0)
        else:
            quantity = order.quantity if order.quantity <= held else down(held, coin.lot)
            if quantity <= 0:
                return
            fee = up(down(price * quantity) * rate)
            self.cash[s] += down(price * quantity) - fee
            self.held[s, k] = held - quantity
        self.fills.append((order.number, order.buys, price, quantity, fee))

    def worth(self, closes: Iterable[Fraction]) -> Fraction:
        """Return the equity at these closes."""
        total = sum(self.cash, Fraction(0))
        for k, close in enumerate(closes):
            total += down(close * sum(q for (_, coin), q in self.held.items() if coin == k))
        return total
