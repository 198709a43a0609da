"""What the journal's rows say, as rows of the tables beside it: a pure function, one row at a time.

The engine books each row in the transaction that writes it; `db check` books them all anew and compares.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field

import msgspec

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, DAY_NS, PPM, parse_scaled
from crypto_bot.persistence.models import (
    LIVE_STATUSES,
    BalanceSnapshot,
    Intent,
    Model,
    OHLCVCache,
    RiskDecision,
    SignalRecord,
    Trade,
)
from crypto_bot.persistence.payloads import (
    Decision,
    FillEvent,
    OrderEvent,
    SliceEvent,
    Start,
    decode_outcome,
    decode_payload,
)
from crypto_bot.persistence.row import JournalRow

VERSION = 1
"""Raised when the same journal would be told differently; then what an older program wrote is made anew."""

Cell = str | int | bool | None
Values = tuple[Cell, ...]

_STATUS = {"sent": "pending"}
"""Where an order's status is called otherwise than its state."""


class _Costs(msgspec.Struct, frozen=True):
    maker_ppm: int = 0
    taker_ppm: int = 0


class _Assumed(msgspec.Struct, frozen=True):
    costs: _Costs = _Costs()


class _History(msgspec.Struct, frozen=True):
    slices: list[SliceEvent]


@dataclass(slots=True)
class OrderLine:
    """One row of `orders`, its fields in the order of the columns; amounts in atoms."""

    run_id: str
    id: int
    client_order_id: str | None
    strategy: str
    exchange: str
    symbol: str
    side: str
    type: str
    status: str
    price: int | None
    amount: int | None
    budget: int | None
    filled: int
    cost: int
    reason: str | None
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Changes:
    """Rows to write: new ones by table, orders as they stand now, and fills that came after an order's end.

    A late fill is (amount, cost, time, run id, order id).
    """

    added: dict[type[Model], list[Values]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[int, OrderLine] = field(default_factory=dict)
    late: list[Values] = field(default_factory=list)


@dataclass
class Books:
    """The part of a run's state that its tables depend on: instruments, live orders, balances, the day."""

    run_id: str
    exchange_of: dict[str, str] = field(default_factory=dict)
    start: Start | None = None
    live: dict[int, OrderLine] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    day: int | None = None
    changes: Changes = field(default_factory=Changes)
    used: dict[str, int] = field(default_factory=dict)
    _kept: dict[int, tuple[str, int]] = field(default_factory=dict)
    _fee_ppm: int = 0

    def begin(self, start: Start) -> None:
        """Learn from the run's first row what the numbers of the others mean."""
        self.start = start
        self.exchange_of = {each.symbol: each.exchange for each in start.instruments}
        assumed = start.settings.get("simulation")
        costs = _Costs() if assumed is None else msgspec.json.decode(assumed, type=_Assumed).costs
        self._fee_ppm = max(costs.maker_ppm, costs.taker_ppm)

    def resume(self, live: Iterable[OrderLine], totals: Mapping[str, int], equity_ns: int | None) -> None:
        """Go on from what the tables hold; `equity_ns` is the last close whose equity was written down."""
        self.totals = dict(totals)
        self.day = None if equity_ns is None else _day(equity_ns)
        for order in live:
            self.live[order.id] = order
            self._hold(order)

    def apply(self, row: JournalRow) -> None:
        """Book one row into `changes`; DataError for a row that cannot be read."""
        match row.kind:
            case "START":
                self.begin(decode_payload(row, Start))
                self._open(row)
            case "SLICE":
                self._cache(decode_payload(row, SliceEvent))
            case "HISTORY":
                for each in decode_payload(row, _History).slices:
                    self._cache(each)
            case "FILL":
                self._fill(row, decode_payload(row, FillEvent))
            case "ORDER":
                event = decode_payload(row, OrderEvent)
                self._move(event.order, _STATUS.get(event.state, event.state), row.time_ns)
        if row.outcome == "{}":
            return
        outcome = decode_outcome(row)
        for item, decision in enumerate(outcome.decisions):
            self._decide(row, item, decision)
        if row.kind == "SLICE" and outcome.equity is not None and _day(row.time_ns) != self.day:
            self.day = _day(row.time_ns)
            for currency in self.totals:
                self._balance(row, currency, outcome.equity)

    def take(self) -> Changes:
        """Hand out what has changed since the last time."""
        changes, self.changes = self.changes, Changes()
        return changes

    def _open(self, row: JournalRow) -> None:
        assert self.start is not None
        if not self.totals:
            self.totals[self.start.quote] = self.start.cash
            self.day = _day(row.time_ns)
            self._balance(row, self.start.quote, self.start.cash)

    def _cache(self, event: SliceEvent) -> None:
        if self.start is None:
            return
        for each, bar in zip(self.start.instruments, event.bars, strict=False):
            if bar is not None:
                place = (each.exchange, each.symbol, self.start.timeframe, event.time)
                self.changes.added[OHLCVCache].append(
                    (*place, *bar, each.price_scale, each.quantity_scale, self.run_id)
                )

    def _fill(self, row: JournalRow, fill: FillEvent) -> None:
        if self.start is None or not 0 <= fill.instrument < len(self.start.instruments):
            return
        instrument = self.start.instruments[fill.instrument]
        amount = fill.quantity * ATOMS // instrument.quantity_scale
        cost = _worth(fill, instrument)
        sign = 1 if fill.side > 0 else -1
        self.changes.added[Trade].append((
            self.run_id, row.sequence, fill.order, self._strategy(fill.strategy), instrument.exchange, "",
            str(fill.trade), instrument.symbol, "buy" if sign > 0 else "sell", amount,
            fill.price * ATOMS // instrument.price_scale, cost, fill.fee, fill.fee_asset, fill.maker, fill.time,
        ))  # fmt: skip
        self._book_on_order(fill.order, amount, cost, row.time_ns)
        for currency, change in (
            (instrument.base, sign * amount), (instrument.quote, -sign * cost), (fill.fee_asset, -fill.fee)
        ):  # fmt: skip
            self.totals[currency] = self.totals.get(currency, 0) + change
        for currency in dict.fromkeys((instrument.base, instrument.quote, fill.fee_asset)):
            self._balance(row, currency, None)

    def _book_on_order(self, number: int, amount: int, cost: int, time_ns: int) -> None:
        order = self.live.get(number)
        if order is None:
            self.changes.late.append((amount, cost, time_ns, self.run_id, number))
            return
        order.filled += amount
        order.cost += cost
        # A budget is spent at once, as far as it goes; what is left of another order goes on resting.
        done = order.amount is None or order.filled >= order.amount
        self._move(number, "filled" if done else "open", time_ns)

    def _move(self, number: int, status: str, time_ns: int, reason: str | None = None) -> None:
        order = self.live.get(number)
        if order is None:
            return
        order.status, order.updated_at = status, time_ns
        order.reason = reason or order.reason
        self.changes.orders[number] = order
        self._hold(order)
        if status not in LIVE_STATUSES:
            del self.live[number]

    def _decide(self, row: JournalRow, item: int, decision: Decision) -> None:
        place = (self.run_id, row.sequence, item, row.time_ns)
        number = decision.order_id or None
        match decision.kind:
            case "signal":
                told = (decision.strategy or "", decision.symbol or "", decision.reason or "")
                self.changes.added[SignalRecord].append((*place, *told))
            case "approved" | "refused":
                self._judge(place, decision)
                if decision.kind == "approved" and number is not None:
                    self.changes.added[Intent].append((*place, number, "place"))
                    self._place(number, row.time_ns, decision)
            case "cancel" if number is not None:
                self.changes.added[Intent].append((*place, number, "cancel"))
            case "turned_down" if number is not None:
                self._move(number, "rejected", row.time_ns, decision.reason)

    def _judge(self, place: Values, decision: Decision) -> None:
        self.changes.added[RiskDecision].append((
            *place, decision.order_id or None, decision.strategy or "", decision.symbol or "", decision.kind,
            decision.side or "", decision.type or "", _atoms(decision.price), _atoms(decision.quantity),
            _atoms(decision.budget), decision.reason,
        ))  # fmt: skip

    def _place(self, number: int, time_ns: int, decision: Decision) -> None:
        symbol = decision.symbol or ""
        self.live[number] = self.changes.orders[number] = OrderLine(
            run_id=self.run_id,
            id=number,
            client_order_id=None,
            strategy=decision.strategy or "",
            exchange=self.exchange_of.get(symbol, ""),
            symbol=symbol,
            side=decision.side or "",
            type=decision.type or "",
            status="pending",
            price=_atoms(decision.price),
            amount=_atoms(decision.quantity),
            budget=_atoms(decision.budget),
            filled=0,
            cost=0,
            reason=decision.reason,
            created_at=time_ns,
            updated_at=time_ns,
        )
        self._hold(self.live[number])

    def _balance(self, row: JournalRow, currency: str, equity: int | None) -> None:
        """Note one currency; the equity, which is counted in the quote currency, only there."""
        total, used = self.totals[currency], self.used.get(currency, 0)
        told = equity if self.start is not None and currency == self.start.quote else None
        self.changes.added[BalanceSnapshot].append(
            (self.run_id, row.sequence, currency, row.time_ns, total - used, used, total, told)
        )

    def _hold(self, order: OrderLine) -> None:
        """Keep aside what a live order may still take, instead of what was kept for it before."""
        currency, before = self._kept.pop(order.id, ("", 0))
        if before:
            self.used[currency] -= before
        if order.status in LIVE_STATUSES:
            currency, amount = self._needed(order)
            self._kept[order.id] = currency, amount
            self.used[currency] = self.used.get(currency, 0) + amount

    def _needed(self, order: OrderLine) -> tuple[str, int]:
        """Return what a live order may still take; of a market buy without a budget that is not known."""
        base, _, quote = order.symbol.partition("/")
        rest = max(0, (order.amount or 0) - order.filled)
        if order.side == "sell":
            return base, rest
        if order.budget is not None:
            return quote, order.budget
        worth = -(-(order.price or 0) * rest // ATOMS)
        return quote, worth - (-worth * self._fee_ppm // PPM)

    def _strategy(self, number: int) -> str:
        assert self.start is not None
        names = self.start.strategies
        return names[number].name if 0 <= number < len(names) else ""


def values_of(order: OrderLine) -> Values:
    """Return an order as the values of its row."""
    return astuple(order)


def _day(time_ns: int) -> int:
    """Return the UTC day that a close belongs to: one at midnight ends the day before."""
    return (time_ns - 1) // DAY_NS


def _atoms(text: str | None) -> int | None:
    return None if text is None else parse_scaled(text, ATOMS)


def _worth(fill: FillEvent, instrument: Instrument) -> int:
    """Return price x quantity in atoms of the quote asset, rounded against us."""
    numerator = fill.price * fill.quantity * ATOMS
    denominator = instrument.price_scale * instrument.quantity_scale
    return -(-numerator // denominator) if fill.side > 0 else numerator // denominator
