"""Stories and silences as documents for scripts and as lines for people."""

from decimal import Decimal
from operator import itemgetter
from typing import TypedDict

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.signal import Signal
from crypto_bot.domain.units import ATOMS, PPM, format_scaled, format_time
from crypto_bot.persistence.payloads import Decision
from crypto_bot.runtime.silence import Silence
from crypto_bot.runtime.story import Fill, RoundTrip, Story, wanted


class SignalJson(TypedDict):
    """A signal; prices and quantities as exact text."""

    time: str
    strategy: str
    symbol: str
    inputs: str
    reason: str
    wants: str
    share: str
    quantity: str | None
    stop: str | None
    take_profit: str | None
    valid_until: str | None


class DecisionJson(TypedDict):
    """What risk, or the venue, made of an order."""

    time: str
    outcome: str
    side: str | None
    type: str | None
    price: str | None
    quantity: str | None
    budget: str | None
    reason: str | None


class FillJson(TypedDict):
    """One execution."""

    time: str
    side: str
    price: str
    quantity: str
    fee: str
    fee_asset: str
    maker: bool


class TripJson(TypedDict):
    """A round trip; `net` is after fees, and only told once the position is closed."""

    opened: str
    closed: str | None
    orders: list[int]
    fees: str
    net: str | None


class StoryJson(TypedDict):
    """`why ORDER --json`."""

    run_id: str
    kind: str
    order_id: int
    strategy: str
    symbol: str
    signal: SignalJson | None
    decisions: list[DecisionJson]
    states: list[dict[str, str]]
    fills: list[FillJson]
    round_trip: TripJson | None
    story: list[str]


class SilenceJson(TypedDict):
    """One strategy of `why --not SYMBOL --json`."""

    strategy: str
    symbol: str
    cause: str
    sentence: str
    signal: SignalJson | None
    decision: DecisionJson | None
    halted_by: str | None


def story_json(story: Story, run_id: str, kind: str) -> StoryJson:
    """Return the story of an order as a document."""
    return {
        "run_id": run_id,
        "kind": kind,
        "order_id": story.order_id,
        "strategy": story.strategy,
        "symbol": story.instrument.symbol,
        "signal": signal_json(story.signal, story.instrument),
        "decisions": [_decision_json(time_ns, each) for time_ns, each in story.decisions],
        "states": [{"time": format_time(time_ns), "state": state} for time_ns, state in story.states],
        "fills": [_fill_json(each, story.instrument) for each in story.fills],
        "round_trip": _trip_json(story.trip),
        "story": story_lines(story),
    }


def silence_json(silence: Silence) -> SilenceJson:
    """Return why there was no trade as a document."""
    decision = silence.decision
    return {
        "strategy": silence.strategy,
        "symbol": silence.instrument.symbol,
        "cause": silence.cause,
        "sentence": silence.sentence,
        "signal": signal_json(silence.signal, silence.instrument),
        "decision": None if decision is None else _decision_json(silence.decided_ns, decision),
        "halted_by": silence.halt or None,
    }


def story_lines(story: Story) -> list[str]:
    """Return the story as sentences, one for each thing that happened, with its time (UTC), in that order."""
    instrument, told = story.instrument, list[tuple[int, str]]()
    if story.signal is not None:
        because = f", because {story.signal.reason}" if story.signal.reason else ""
        what = f"{story.strategy} asked to {wanted(story.signal, instrument)}{because}"
        told.append((story.signal.time_ns, f"{what} (decided on inputs {story.signal.inputs})"))
    told += [(time_ns, _said(story, each)) for time_ns, each in story.decisions]
    told += [(time_ns, f"the exchange says {state}") for time_ns, state in story.states]
    for fill in story.fills:
        what = f"{'bought' if fill.side > 0 else 'sold'} {instrument.quantity_text(fill.quantity)} {instrument.base}"
        fee = f"fee {format_scaled(fill.fee, ATOMS)} {fill.fee_asset}, as {'maker' if fill.maker else 'taker'}"
        told.append((fill.time_ns, f"{what} at {instrument.price_text(fill.price)}, {fee}"))
    trip = story.trip
    if trip is not None and trip.closed_ns:
        orders = ", ".join(map(str, trip.orders))
        what = f"the position is closed (orders {orders}): net {_exact(trip.net)} {instrument.quote}"
        told.append((trip.closed_ns, f"{what} after fees of {_exact(trip.fees)} {instrument.quote}"))
    lines = [f"{format_time(time_ns)}  {text}" for time_ns, text in sorted(told, key=itemgetter(0))]
    still_open = trip is not None and not trip.closed_ns
    return [*lines, "the position that it belongs to is still open"] if still_open else lines


def _said(story: Story, decision: Decision) -> str:
    """Say one decision on an order."""
    instrument = story.instrument
    order = f"order {story.order_id} to {decision.side}"
    if decision.quantity:
        order += f" {decision.quantity} {instrument.base}"
    if decision.budget and decision.quantity is None:
        order += f" for {decision.budget} {instrument.quote}"
    kind = (decision.type or "").replace("_", "-")
    order += f" at {decision.price} ({kind})" if decision.price else f" ({kind})"
    reason = f": {decision.reason}" if decision.reason else ""
    words = {
        "approved": "was approved",
        "refused": "was refused",
        "cancel": "is taken back",
        "turned_down": "was turned down",
    }
    cut = f", cut because {decision.reason}" if decision.kind == "approved" and decision.reason else reason
    return f"{order} {words.get(decision.kind, decision.kind)}{cut}"


def signal_json(signal: Signal | None, instrument: Instrument) -> SignalJson | None:
    """Return a signal as a document."""
    if signal is None:
        return None
    return {
        "time": format_time(signal.time_ns),
        "strategy": signal.strategy,
        "symbol": signal.symbol,
        "inputs": signal.inputs,
        "reason": signal.reason,
        "wants": wanted(signal, instrument),
        "share": format_scaled(signal.share_ppm, PPM),
        "quantity": None if signal.quantity is None else instrument.quantity_text(signal.quantity),
        "stop": instrument.price_text(signal.stop) if signal.stop else None,
        "take_profit": instrument.price_text(signal.take_profit) if signal.take_profit else None,
        "valid_until": format_time(signal.valid_until_ns) if signal.valid_until_ns else None,
    }


def _decision_json(time_ns: int, decision: Decision) -> DecisionJson:
    return {
        "time": format_time(time_ns),
        "outcome": decision.kind,
        "side": decision.side,
        "type": decision.type,
        "price": decision.price,
        "quantity": decision.quantity,
        "budget": decision.budget,
        "reason": decision.reason,
    }


def _fill_json(fill: Fill, instrument: Instrument) -> FillJson:
    return {
        "time": format_time(fill.time_ns),
        "side": "buy" if fill.side > 0 else "sell",
        "price": instrument.price_text(fill.price),
        "quantity": instrument.quantity_text(fill.quantity),
        "fee": format_scaled(fill.fee, ATOMS),
        "fee_asset": fill.fee_asset,
        "maker": fill.maker,
    }


def _trip_json(trip: RoundTrip | None) -> TripJson | None:
    if trip is None:
        return None
    return {
        "opened": format_time(trip.opened_ns),
        "closed": format_time(trip.closed_ns) if trip.closed_ns else None,
        "orders": list(trip.orders),
        "fees": _exact(trip.fees),
        "net": _exact(trip.net) if trip.closed_ns else None,
    }


def _exact(amount: Decimal) -> str:
    return f"{amount:f}"
