"""The story of an order: what was wanted and why, what risk made of it, what the venue did, and what came of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from hashlib import blake2b

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.signal import Signal
from crypto_bot.domain.units import ATOMS, PPM, format_scaled, to_decimal
from crypto_bot.kernel.layout import QUOTED
from crypto_bot.persistence.payloads import (
    CommandEvent,
    Decision,
    FillEvent,
    OrderEvent,
    Parameter,
    Start,
    decode_outcome,
    decode_payload,
)
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime.entries import SignalEvent, Wish

DIGITS = 60
"""Enough for every product of a price and a quantity to be exact."""

Place = tuple[int, int]
"""The number of a strategy, and of an instrument."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an order, at the instrument's scales; `fee` in atoms of `fee_asset`."""

    time_ns: int
    order_id: int
    side: int
    price: int
    quantity: int
    fee: int
    fee_asset: str
    maker: bool

    @classmethod
    def of(cls, event: FillEvent) -> "Fill":
        """Read it from its row."""
        return cls(
            event.time, event.order, event.side, event.price, event.quantity, event.fee, event.fee_asset, event.maker
        )


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A position from nothing to nothing; money in units of the quote asset, exact. `closed_ns` 0: still open."""

    opened_ns: int
    closed_ns: int
    orders: tuple[int, ...]
    fees: Decimal
    net: Decimal


@dataclass
class Story:
    """What is known of one order; decisions and states with their times (UTC ns)."""

    order_id: int
    place: Place
    instrument: Instrument
    strategy: str
    signal: Signal | None
    decisions: list[tuple[int, Decision]] = field(default_factory=list)
    states: list[tuple[int, str]] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    trip: RoundTrip | None = None


@dataclass
class Reading:
    """What has been read of a run so far: the last slice, the last signal and the open position of every place."""

    start: Start
    strategies: tuple[str, ...]
    bars: str = ""
    tuned: dict[str, dict[str, Parameter]] = field(default_factory=dict)
    signals: dict[Place, Signal] = field(default_factory=dict)
    held: dict[Place, int] = field(default_factory=dict)
    trips: dict[Place, list[Fill]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[JournalRow]) -> "Reading":
        """Begin with the first row."""
        start = decode_payload(rows[0], Start)
        names = tuple(each.name.rpartition("/")[2].removesuffix(".py") for each in start.strategies)
        return cls(start, names)

    def place(self, decision: Decision) -> Place | None:
        """Return whose decision it is; None for a halt."""
        symbols = [each.symbol for each in self.start.instruments]
        if decision.strategy is None or decision.symbol not in symbols:
            return None
        return self.strategies.index(decision.strategy), symbols.index(decision.symbol)

    def take_in(self, row: JournalRow) -> None:
        """Read one row."""
        if row.kind == "SLICE":
            self.bars = row.payload
        elif row.kind == "SIGNAL":
            for wish in decode_payload(row, SignalEvent).wishes:
                place = wish.strategy, wish.instrument
                self.signals[place] = self._signal(row.time_ns, wish, place)
        elif row.kind == "FILL":
            self._fill(decode_payload(row, FillEvent))
        elif row.kind == "COMMAND":
            self._tune(decode_payload(row, CommandEvent))

    def _tune(self, command: CommandEvent) -> None:
        """Remember parameters that were changed while the run went on."""
        if isinstance(command.params, dict) and isinstance(command.strategy, str):
            self.tuned[command.strategy] = self.tuned.get(command.strategy, {}) | command.params

    def _signal(self, time_ns: int, wish: Wish, place: Place) -> Signal:
        entry = self.start.strategies[wish.strategy]
        inputs = blake2b(digest_size=8)
        given = {key: json.loads(bytes(raw)) for key, raw in entry.params.items()}
        params = dict(sorted((given | self.tuned.get(self.strategies[wish.strategy], {})).items()))
        for part in (entry.name, json.dumps(params), self.bars, str(self.held.get(place, 0))):
            inputs.update(part.encode() + b"\0")
        return Signal(
            strategy=self.strategies[wish.strategy],
            symbol=self.start.instruments[wish.instrument].symbol,
            time_ns=time_ns,
            inputs=inputs.hexdigest(),
            reason=wish.reason,
            share_ppm=wish.share_ppm,
            quantity=wish.hold if wish.hold >= 0 else None,
            stop=wish.stop,
            take_profit=wish.take,
            valid_until_ns=wish.until_ns,
            quotes=bool(wish.changed & QUOTED),
        )

    def _fill(self, event: FillEvent) -> None:
        """Follow the position of a place; what is less than a lot is nothing."""
        place, instrument = (event.strategy, event.instrument), self.start.instruments[event.instrument]
        held = self.held.get(place, 0)
        if held < instrument.lot:
            self.trips[place] = []
        self.trips[place].append(Fill.of(event))
        change = event.side * event.quantity
        if event.fee_asset == instrument.base:
            change -= -(-event.fee * instrument.quantity_scale // ATOMS)
        self.held[place] = held + change


def tell(rows: Sequence[JournalRow], order_id: int) -> Story | None:
    """Return the story of an order; None when the run has no such order."""
    reading = Reading.of(rows)
    story: Story | None = None
    for row in rows[1:]:
        reading.take_in(row)
        for decision in decode_outcome(row).decisions:
            place = reading.place(decision)
            if decision.order_id != order_id or place is None:
                continue
            if story is None:
                instrument = reading.start.instruments[place[1]]
                signal = reading.signals.get(place)
                story = Story(order_id, place, instrument, reading.strategies[place[0]], signal)
            if decision.kind != "fill":
                story.decisions.append((row.time_ns, decision))
        if story is None:
            continue
        if row.kind == "ORDER" and (event := decode_payload(row, OrderEvent)).order == order_id:
            story.states.append((row.time_ns, event.state))
        if row.kind == "FILL":
            _follow(story, reading, decode_payload(row, FillEvent))
            if story.trip is not None and story.trip.closed_ns:
                break
    return story


def _follow(story: Story, reading: Reading, event: FillEvent) -> None:
    if event.order == story.order_id:
        story.fills.append(Fill.of(event))
    trip = reading.trips.get(story.place, [])
    if (event.strategy, event.instrument) != story.place or story.order_id not in [each.order_id for each in trip]:
        return
    closed = reading.held[story.place] < story.instrument.lot
    story.trip = round_trip(trip, story.instrument, closed_ns=trip[-1].time_ns if closed else 0)


def round_trip(fills: Sequence[Fill], instrument: Instrument, *, closed_ns: int) -> RoundTrip:
    """Add up the fills of a position; what is still held is not valued."""
    with localcontext() as context:
        context.prec = DIGITS
        fees = net = Decimal(0)
        for fill in fills:
            price = to_decimal(fill.price, instrument.price_scale)
            net -= fill.side * price * to_decimal(fill.quantity, instrument.quantity_scale)
            fee = to_decimal(fill.fee, ATOMS)
            if fill.fee_asset == instrument.quote:
                net -= fee
            fees += fee if fill.fee_asset == instrument.quote else fee * price
        orders = tuple(dict.fromkeys(each.order_id for each in fills))
        return RoundTrip(fills[0].time_ns, closed_ns, orders, fees.normalize(), net.normalize())


def wanted(signal: Signal, instrument: Instrument) -> str:
    """Say what a signal wants."""
    wants = []
    if signal.quantity is not None:
        wants.append(f"hold {instrument.quantity_text(signal.quantity)} {instrument.base}")
    elif signal.share_ppm or not signal.quotes:
        wants.append(f"hold {format_scaled(signal.share_ppm, PPM)} of the equity")
    if signal.stop:
        wants.append(f"stop at {instrument.price_text(signal.stop)}")
    if signal.take_profit:
        wants.append(f"take profit at {instrument.price_text(signal.take_profit)}")
    if signal.quotes:
        wants.append("change the limit orders that rest")
    return ", ".join(wants)
