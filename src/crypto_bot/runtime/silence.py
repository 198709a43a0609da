"""Why there was no trade: the last thing that a run said about a symbol, and what stood in the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.signal import Signal
from crypto_bot.domain.units import ATOMS, PPM, format_scaled, format_time
from crypto_bot.persistence.payloads import Decision, OrderEvent, decode_outcome, decode_payload, fault_of
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime.plan import Plan
from crypto_bot.runtime.story import Reading, wanted


@dataclass
class Silence:
    """What is known of one strategy's silence on one symbol.

    `cause` is one of failed, traded, resting, halted, refused, turned_down, flat, too_small,
    warm_up, no_wish.
    """

    strategy: str
    instrument: Instrument
    cause: str = "no_wish"
    sentence: str = ""
    signal: Signal | None = None
    decision: Decision | None = None
    decided_ns: int = 0
    filled_ns: int = 0
    ended: str = ""
    halt: str = ""
    halted_ns: int = 0
    failed: str = ""
    failed_ns: int = 0


def silences(rows: Sequence[JournalRow], symbol: str) -> list[Silence]:
    """Return for every strategy of a run why it does not trade a symbol; empty when the run has no such symbol."""
    reading = Reading.of(rows)
    instruments = [each for each in reading.start.instruments if each.symbol.upper() == symbol.upper()]
    if not instruments:
        return []
    instrument = instruments[0]
    found = [Silence(name, instrument) for name in reading.strategies]
    slices = 0
    for row in rows[1:]:
        slices += row.kind == "SLICE"
        reading.take_in(row)
        fault = fault_of(row)
        if fault is not None:
            found[fault.strategy].failed, found[fault.strategy].failed_ns = fault.reason, row.time_ns
        for decision in decode_outcome(row).decisions:
            _take_in(found, row.time_ns, decision)
        if row.kind == "ORDER":
            event = decode_payload(row, OrderEvent)
            if event.state != "open":
                _end(found[event.strategy], event)
        for s, each in enumerate(found):
            signal = reading.signals.get((s, reading.start.instruments.index(instrument)))
            if signal is not None and signal is not each.signal:
                each.signal, each.ended = signal, ""
                if each.decision is not None and each.decided_ns < signal.time_ns:
                    each.decision = None
    warm_ups = _warm_ups(rows, reading)
    for each, needed in zip(found, warm_ups, strict=True):
        each.cause, each.sentence = _explained(each, rows, slices, needed)
    return found


def _take_in(found: Sequence[Silence], time_ns: int, decision: Decision) -> None:
    for each in found:
        if decision.kind in ("halt", "resume"):
            each.halt, each.halted_ns = (decision.reason or "a limit", time_ns) if decision.kind == "halt" else ("", 0)
        elif (decision.strategy, decision.symbol) != (each.strategy, each.instrument.symbol):
            continue
        elif decision.kind in ("approved", "refused", "turned_down"):
            each.decision, each.decided_ns = decision, time_ns
        elif decision.kind == "fill":
            each.filled_ns = time_ns


def _end(silence: Silence, event: OrderEvent) -> None:
    if silence.decision is not None and silence.decision.order_id == event.order:
        silence.ended = event.state


def _warm_ups(rows: Sequence[JournalRow], reading: Reading) -> list[int]:
    """Return how many bars each strategy sees before its first decision."""
    plan = Plan.from_start(reading.start)
    count = len(plan.instruments)
    bounds = [each.strategy.bind(each.params, count, plan.run_ns, gaps=count > 1) for each in plan.chosen()]
    return [bound.warmup * max(1, bound.own_ns // plan.run_ns) for bound in bounds]


def _explained(silence: Silence, rows: Sequence[JournalRow], slices: int, needed: int) -> tuple[str, str]:
    """Return the cause in a word, and in a sentence."""
    who, symbol, signal = silence.strategy, silence.instrument.symbol, silence.signal
    if silence.failed:
        return "failed", f"at {format_time(silence.failed_ns)} {who} was switched off: {silence.failed}"
    if signal is None:
        history = any(row.kind == "HISTORY" for row in rows)
        if slices < needed and not history:
            return "warm_up", f"{who} still warms up: it needs {needed} bars before its first decision and saw {slices}"
        return "no_wish", f"{who} has asked for nothing on {symbol} in {slices} bars"
    asked = f"at {format_time(signal.time_ns)} {who} asked to {wanted(signal, silence.instrument)}"
    if signal.reason:
        asked += f", because {signal.reason}"
    halted = f"trading is halted by {silence.halt} since {format_time(silence.halted_ns)}, and nothing is opened"
    decision = silence.decision
    if decision is None:
        if silence.halt:
            return "halted", f"{asked}; {halted}"
        if signal.share_ppm == 0 and not signal.quantity:
            return "flat", f"{asked}: it wants no position"
        lot = silence.instrument.quantity_text(silence.instrument.lot)
        return (
            "too_small",
            f"{asked}; the difference to what is held is less than a lot, which is {lot}",
        )
    order = f"order {decision.order_id} to {decision.side}"
    if decision.kind == "refused":
        return "refused", f"{asked}; {order} was refused: {decision.reason}{_limit(rows, silence)}"
    if decision.kind == "turned_down":
        return "turned_down", f"{asked}; {order} was turned down by the exchange"
    if silence.filled_ns >= silence.decided_ns:
        return "traded", f"{asked}; there was a trade: {order}, filled at {format_time(silence.filled_ns)}"
    if silence.ended:
        return "refused", f"{asked}; {order} was {silence.ended}"
    if decision.type == "market":
        return "resting", f"{asked}; {order} waits for the open of the next bar"
    price = f" at {decision.price}" if decision.price else ""
    return "resting", f"{asked}; {order}{price} rests, and the price has not come to it"


def _limit(rows: Sequence[JournalRow], silence: Silence) -> str:
    """Name the limit that a refusal came from, in numbers."""
    decision, instrument = silence.decision, silence.instrument
    raw = Reading.of(rows).start.settings.get("simulation")
    if decision is None or raw is None:
        return ""
    limits = msgspec.json.decode(raw, type=Simulation).limits
    reason = decision.reason or ""
    if "exposure" in reason:
        shares = (("of one symbol", limits.symbol_exposure_ppm), ("in all", limits.exposure_ppm))
        told = ", ".join(f"{format_scaled(100 * ppm, PPM)} % of the equity {what}" for what, ppm in shares if ppm)
        return f" ({told})" if told else ""
    if "smallest" in reason:
        least = format_scaled(instrument.min_notional, ATOMS)
        lot = instrument.quantity_text(instrument.lot)
        return f" (a lot is {lot} {instrument.base}, an order is worth at least {least} {instrument.quote})"
    if "halted" in reason and silence.halt:
        return f" by {silence.halt} since {format_time(silence.halted_ns)}"
    return ""
