"""The story of an order as steps: signal, risk, order, fills, and what came of it."""

from typing import TYPE_CHECKING

from crypto_bot.api.limits_view import LimitSettings
from crypto_bot.api.record_answers import Why, WhyStep
from crypto_bot.domain.units import PPM, format_scaled
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal

if TYPE_CHECKING:
    from crypto_bot.runtime.telling import DecisionJson, FillJson, SignalJson, TripJson

Facts = list[tuple[str, str]]

_TITLES = {"approved": "Approved", "refused": "Refused", "cancel": "Taken back", "turned_down": "Turned down"}


def why_order(database: Database, run_id: str, order_id: int, limits: LimitSettings) -> Why | None:
    """Tell the story of an order of a session; None when it has no such order."""
    # Imported here: the rooms behind it are wanted for a story alone.
    from crypto_bot.runtime.story import tell
    from crypto_bot.runtime.telling import story_json

    rows = list(Journal(database, run_id).rows())
    story = tell(rows, order_id) if rows else None
    if story is None:
        return None
    told = story_json(story, run_id, "run")
    lines = [line.partition("  ")[2] or line for line in told["story"]]
    steps: list[WhyStep] = []
    if (signal := told["signal"]) is not None:
        text = lines.pop(0)
        steps.append(WhyStep(kind="signal", time=signal["time"], title="Signal", text=text, facts=_wanted(signal)))
    for decision in told["decisions"]:
        outcome = decision["outcome"]
        facts = _decided(decision) + (_rule(decision["reason"] or "", limits) if outcome == "refused" else [])
        title, kind = _TITLES.get(outcome, outcome), "risk" if outcome in ("approved", "refused") else "order"
        steps.append(
            WhyStep.model_validate(
                {"kind": kind, "time": decision["time"], "title": title, "text": lines.pop(0), "facts": facts}
            )
        )
    for state in told["states"]:
        said, when = state["state"], state["time"]
        steps.append(
            WhyStep(kind="order", time=when, title=said.capitalize(), text=lines.pop(0), facts=[("state", said)])
        )
    for fill in told["fills"]:
        steps.append(WhyStep(kind="fill", time=fill["time"], title="Filled", text=lines.pop(0), facts=_executed(fill)))
    steps.sort(key=lambda step: step.time)
    if (trip := told["round_trip"]) is not None:
        steps.append(_result(trip, lines.pop(0)))
    return Why(
        run_id=run_id, order_id=str(order_id), strategy=told["strategy"], symbol=told["symbol"],
        steps=steps,
    )  # fmt: skip


def _result(trip: "TripJson", text: str) -> WhyStep:
    facts: Facts = [("fees", trip["fees"]), ("orders", str(len(trip["orders"])))]
    if trip["net"] is not None:
        facts.insert(0, ("net", trip["net"]))
    title = "Closed" if trip["closed"] else "Still open"
    return WhyStep(kind="result", time=trip["closed"] or trip["opened"], title=title, text=text, facts=facts)


def _wanted(signal: "SignalJson") -> Facts:
    named = {
        "strategy": signal["strategy"], "wants": signal["wants"], "reason": signal["reason"],
        "inputs": signal["inputs"],
        "stop": signal["stop"], "take profit": signal["take_profit"], "valid until": signal["valid_until"],
    }  # fmt: skip
    return [(name, value) for name, value in named.items() if value]


def _decided(decision: "DecisionJson") -> Facts:
    named = {
        "side": decision["side"], "type": decision["type"], "price": decision["price"],
        "quantity": decision["quantity"], "budget": decision["budget"], "reason": decision["reason"],
    }  # fmt: skip
    return [(name, value) for name, value in named.items() if value]


def _executed(fill: "FillJson") -> Facts:
    role = "maker" if fill["maker"] else "taker"
    return [
        ("side", fill["side"]),
        ("price", fill["price"]),
        ("quantity", fill["quantity"]),
        ("fee", f"{fill['fee']} {fill['fee_asset']}"),
        ("role", role),
    ]


def _rule(reason: str, limits: LimitSettings) -> Facts:
    """Name the limit that refused, in numbers."""
    told: tuple[tuple[str, int], ...] = ()
    if "exposure" in reason:
        told = (("of one symbol", limits.symbol_exposure_ppm), ("of all", limits.exposure_ppm))
    elif "stop" in reason:
        told = (("of one position's loss", limits.risk_ppm),)
    return [(f"limit {what}", f"{format_scaled(100 * ppm, PPM)} %") for what, ppm in told if ppm]
