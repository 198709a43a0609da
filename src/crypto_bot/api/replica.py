"""The state of a run, rebuilt from its journal: a pure function of the rows, one at a time."""

from collections import deque
from dataclasses import dataclass, field, replace

import msgspec

from crypto_bot.api.account import Account
from crypto_bot.api.part import Part, WishesEvent
from crypto_bot.api.series import Candle, CandleColumns, Curve
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import DAY_NS
from crypto_bot.persistence.payloads import (
    CommandEvent,
    Decision,
    FaultEvent,
    FillEvent,
    OrderEvent,
    Outcome,
    Parameter,
    SliceEvent,
    Start,
    StopEvent,
    decode_outcome,
    decode_payload,
)
from crypto_bot.persistence.row import JournalRow

TRADES_KEPT = 2_000
ORDERS_KEPT = 5_000
COMMANDS_KEPT = 1_000
LIVE_STATES = ("pending", "sent", "open", "unknown")
"""What an order can be while it may still fill."""


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """An order that may still fill; price and quantity at the instrument's scales, times UTC ns."""

    order_id: int
    instrument: int
    strategy: str
    side: int
    type: str
    price: int | None
    quantity: int
    filled: int
    status: str
    created_ns: int


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill with the number of its row; `realised` is the gain before fees, None for an entry."""

    sequence: int
    fill: FillEvent
    realised: int | None


@dataclass(frozen=True, slots=True)
class Halt:
    """Why no opening orders are sent, by whom, since when (UTC ns)."""

    reason: str
    by: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a strategy was switched off, and when (UTC ns)."""

    reason: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Command:
    """One command as it was carried out: the number and time of its row, what was ordered, and what it did."""

    sequence: int
    time_ns: int
    event: CommandEvent
    decisions: tuple[Decision, ...]
    halt: int | None


@dataclass
class Replica:
    """What the page shows of one run. Two replicas that applied the same rows are equal."""

    run_id: str
    sequence: int = -1
    time_ns: int = 0
    slices: int = 0
    start: Start | None = None
    started_ns: int = 0
    stopped: str | None = None
    halt: Halt | None = None
    halt_bits: int = 0
    equity: int | None = None
    day_baseline: int = 0
    account: Account = field(default_factory=lambda: Account(0))
    parts: dict[int, Part] = field(default_factory=dict)
    commands: deque[Command] = field(default_factory=lambda: deque(maxlen=COMMANDS_KEPT))
    off: dict[str, Command] = field(default_factory=dict)
    failed: dict[int, Fault] = field(default_factory=dict)
    tuned: dict[str, dict[str, Parameter]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    curve: Curve = field(default_factory=Curve)
    candles: list[CandleColumns] = field(default_factory=list)
    marks: dict[int, int] = field(default_factory=dict)
    first_closes: dict[int, int] = field(default_factory=dict)
    orders: dict[int, RestingOrder] = field(default_factory=dict)
    leaving: dict[int, RestingOrder] = field(default_factory=dict)
    trades: deque[Trade] = field(default_factory=lambda: deque(maxlen=TRADES_KEPT))
    trade_count: int = 0

    def apply(self, row: JournalRow) -> None:
        """Take in the next row; kinds of a later version are passed over.

        Raises DataError for a row that cannot be read; the replica then stays behind and takes no more.
        """
        outcome = decode_outcome(row)
        match row.kind:
            case "START":
                self._begin(row, decode_payload(row, Start))
            case "SLICE":
                self._mark(decode_payload(row, SliceEvent), outcome)
            case "FILL":
                self._fill(row, decode_payload(row, FillEvent))
            case "ORDER":
                self._order(decode_payload(row, OrderEvent))
            case "SIGNAL":
                for wish in decode_payload(row, WishesEvent).wishes:
                    self.part(wish.strategy).guard(wish)
            case "COMMAND":
                self._command(row, decode_payload(row, CommandEvent), outcome)
            case "FAULT":
                fault = decode_payload(row, FaultEvent)
                self.failed[fault.strategy] = Fault(fault.reason, row.time_ns)
            case "STOP":
                self.stopped = decode_payload(row, StopEvent).reason
        for decision in outcome.decisions:
            self._decide(row, decision)
        self._obey(row, outcome)
        self.sequence, self.time_ns = row.sequence, max(self.time_ns, row.time_ns)

    @property
    def instruments(self) -> list[Instrument]:
        """The instruments of the run, in its order."""
        return [] if self.start is None else self.start.instruments

    @property
    def bar_ns(self) -> int:
        """The length of a bar."""
        return 0 if self.start is None else timeframe_ns(self.start.timeframe)

    @property
    def state(self) -> str:
        """What the rows say: starting, running, halted or stopped."""
        if self.start is None:
            return "starting"
        if self.stopped is not None:
            return "stopped"
        return "running" if self.halt is None else "halted"

    def hold(self) -> int:
        """Return what the initial cash would be worth, had it bought at the first close, split evenly."""
        if self.start is None or not self.instruments:
            return 0
        share = self.start.cash // len(self.instruments)
        bought = sum(share * self.marks[number] // close for number, close in self.first_closes.items())
        return self.start.cash - share * len(self.first_closes) + bought

    def number_of(self, symbol: str) -> int | None:
        """Return the place of a symbol among the run's instruments, None when it is not traded."""
        return next((number for number, one in enumerate(self.instruments) if one.symbol == symbol), None)

    def part(self, strategy: int) -> Part:
        """Return what one strategy did, by its number."""
        return self.parts.setdefault(strategy, Part())

    def _begin(self, row: JournalRow, start: Start) -> None:
        self.stopped = None
        if self.start is None:
            self.started_ns = row.time_ns
            self.account = Account(start.cash)
            self.equity = self.day_baseline = start.cash
            self.candles = [CandleColumns() for _ in start.instruments]
            self.start = start
        else:
            self.start = msgspec.structs.replace(
                self.start, mode=start.mode, settings=start.settings, code_version=start.code_version
            )

    def _mark(self, event: SliceEvent, outcome: Outcome) -> None:
        self.stopped = None
        for number, bar in enumerate(event.bars[: len(self.candles)]):
            if bar is None or bar[3] <= 0:
                continue
            self.candles[number].add(Candle(event.time, *bar))
            self.marks[number] = bar[3]
            self.first_closes.setdefault(number, bar[3])
        if self.start is None or outcome.equity is None:
            return
        closed = event.time + self.bar_ns
        if self.curve.newest is None:
            self.curve.add(event.time, self.start.cash, self.start.cash)
        elif (closed - 1) // DAY_NS != (self.curve.newest.time_ns - 1) // DAY_NS:
            self.day_baseline = self.curve.newest.equity
        self.equity = outcome.equity
        self.slices += 1
        self.curve.add(closed, outcome.equity, self.hold())

    def _fill(self, row: JournalRow, fill: FillEvent) -> None:
        if not 0 <= fill.instrument < len(self.instruments):
            return
        instrument = self.instruments[fill.instrument]
        realised = self.account.book(fill, instrument)
        self.part(fill.strategy).book(fill, instrument)
        self.trades.append(Trade(row.sequence, fill, realised))
        self.trade_count += 1
        order = self.orders.get(fill.order)
        if order is not None:
            filled = order.filled + fill.quantity
            if filled >= order.quantity:
                del self.orders[fill.order]
            else:
                self.orders[fill.order] = replace(order, filled=filled, status="open")

    def _order(self, event: OrderEvent) -> None:
        if event.state in LIVE_STATES:
            order = self.orders.get(event.order) or self.leaving.pop(event.order, None)
            if order is not None:
                self.orders[event.order] = replace(order, status=event.state)
        else:
            self.orders.pop(event.order, None)
            self.leaving.pop(event.order, None)

    def _command(self, row: JournalRow, event: CommandEvent, outcome: Outcome) -> None:
        self.commands.append(Command(row.sequence, row.time_ns, event, tuple(outcome.decisions), outcome.halt))
        if event.command in ("halt", "emergency_stop", "flatten"):
            self.halt = Halt(event.reason, event.by, row.time_ns)
        elif event.command == "resume":
            self.halt = None
        elif event.command == "strategy_off" and isinstance(event.strategy, str):
            self.off[event.strategy] = self.commands[-1]
        elif event.command == "strategy_on" and isinstance(event.strategy, str):
            self.off.pop(event.strategy, None)
        elif isinstance(event.params, dict) and isinstance(event.strategy, str):
            self.tuned[event.strategy] = self.tuned.get(event.strategy, {}) | event.params

    def _decide(self, row: JournalRow, decision: Decision) -> None:
        match decision.kind:
            case "approved":
                self._approve(row, decision)
            case "cancel" if decision.order_id is not None:
                self._cancel(decision.order_id)
            case "refused":
                reason = decision.reason or "another reason"
                self.refused[reason] = self.refused.get(reason, 0) + 1
            case "turned_down" if decision.order_id is not None:
                self.orders.pop(decision.order_id, None)
            case "halt" if self.halt is None:
                self.halt = Halt(decision.reason or "", "", row.time_ns)
            case "resume":
                self.halt = None

    def _approve(self, row: JournalRow, decision: Decision) -> None:
        number = self.number_of(decision.symbol or "")
        if decision.order_id is None or number is None or decision.quantity is None:
            return
        instrument = self.instruments[number]
        try:
            price = None if decision.price is None else instrument.parse_price(decision.price)
            quantity = instrument.parse_quantity(decision.quantity)
        except ValueError as error:
            raise DataError(f"row {row.sequence} ({row.kind}) of the journal cannot be read: {error}") from error
        self.orders[decision.order_id] = RestingOrder(
            order_id=decision.order_id,
            instrument=number,
            strategy=decision.strategy or "",
            side=-1 if decision.side == "sell" else 1,
            type=decision.type or "market",
            price=price,
            quantity=quantity,
            filled=0,
            status="pending",
            created_ns=row.time_ns,
        )
        if len(self.orders) > ORDERS_KEPT:
            del self.orders[next(iter(self.orders))]

    def _cancel(self, order_id: int) -> None:
        """Take an order off the list; the venue may still say that it is open."""
        order = self.orders.pop(order_id, None)
        if order is not None:
            self.leaving[order_id] = order
            if len(self.leaving) > ORDERS_KEPT:
                del self.leaving[next(iter(self.leaving))]

    def _obey(self, row: JournalRow, outcome: Outcome) -> None:
        """Let the halt bits, where the engine told them, have the last word."""
        if outcome.halt is not None:
            self.halt_bits = outcome.halt
        if outcome.halt == 0:
            self.halt = None
        elif outcome.halt is not None and self.halt is None:
            self.halt = Halt("", "", row.time_ns)
