"""Tell the limits of a run: what they are, how much of each is used, and what stands open."""

import msgspec

from crypto_bot.api.record_answers import Breaker, LimitAnswer, Risk
from crypto_bot.api.replica import Replica
from crypto_bot.domain.units import DAY_NS, PPM, format_time

DRAWDOWN, DAILY_LOSS, OPERATOR, LAW, LOSSES = 1, 2, 4, 8, 16
"""Bits of a halt, as the engine's rows tell them."""

TRIPPED = {DRAWDOWN: "drawdown", DAILY_LOSS: "daily_loss", OPERATOR: "operator", LAW: "law", LOSSES: "losses"}
WORDS = {
    DRAWDOWN: "drawdown limit",
    DAILY_LOSS: "daily loss limit",
    OPERATOR: "operator",
    LAW: "broken law",
    LOSSES: "losses in a row",
}


class LimitSettings(msgspec.Struct, frozen=True):
    """The limits of a run in parts per million of the equity; 0 is no limit."""

    drawdown_ppm: int = 0
    daily_loss_ppm: int = 0
    symbol_exposure_ppm: int = 0
    exposure_ppm: int = 0
    risk_ppm: int = 0


class _Simulation(msgspec.Struct, frozen=True):
    limits: LimitSettings = LimitSettings()


def risk_of(replica: Replica) -> Risk:
    """Tell the breaker and every limit that is in force."""
    return Risk(breaker=_breaker(replica), limits=_limits(replica), refused=dict(sorted(replica.refused.items())))


def limit_settings(replica: Replica) -> LimitSettings:
    """Return the limits that the run began with; all of them 0 when its first row does not tell."""
    raw = replica.start.settings.get("simulation") if replica.start else None
    if raw is None:
        return LimitSettings()
    try:
        return msgspec.json.decode(raw, type=_Simulation).limits
    except msgspec.ValidationError:
        return LimitSettings()


def tripped_by(replica: Replica) -> str | None:
    """Return the name of what halts the run, None when nothing does."""
    if replica.halt is None:
        return None
    bits = replica.halt_bits
    named = [name for bit, name in TRIPPED.items() if bits & bit]
    return named[0] if named else "operator" if replica.halt.by else "limit"


def reopens_at(replica: Replica) -> str | None:
    """Return when a halt ends by itself: that of a daily loss at the next 00:00 UTC."""
    others = replica.halt_bits & ~DAILY_LOSS
    if replica.halt is None or others or not replica.halt_bits & DAILY_LOSS:
        return None
    return format_time((replica.time_ns - 1) // DAY_NS * DAY_NS + DAY_NS)


def halt_reason(replica: Replica) -> str:
    """Say why the run is halted, in the words of who halted it or of the limit."""
    halt = replica.halt
    if halt is None:
        return ""
    words = [said for bit, said in WORDS.items() if replica.halt_bits & bit]
    return halt.reason or ", ".join(words)


def _breaker(replica: Replica) -> Breaker:
    halt = replica.halt
    if halt is None:
        return Breaker(state="closed", tripped_by=None, reason=None, by=None, at=None, reopens_at=None)
    return Breaker(
        state="open",
        tripped_by=tripped_by(replica),
        reason=halt_reason(replica),
        by=halt.by or None,
        at=format_time(halt.at_ns),
        reopens_at=reopens_at(replica),
    )


def _limits(replica: Replica) -> list[LimitAnswer]:
    limits, equity = limit_settings(replica), replica.equity
    if not equity or replica.start is None:
        return []
    worths = [
        holding.quantity * replica.marks.get(k, 0) // replica.instruments[k].price_scale
        for k, holding in replica.account.holdings.items()
    ]
    newest = replica.curve.newest
    lost = 1 - equity / replica.day_baseline if replica.day_baseline else 0.0
    told = (
        ("daily_loss", "Daily loss", lost, limits.daily_loss_ppm, "no new positions until 00:00 UTC"),
        ("drawdown", "Drawdown", -newest.drawdown if newest else 0.0, limits.drawdown_ppm,
         "no new positions until the breaker is reset by hand"),
        ("exposure", "Exposure", sum(worths) / equity, limits.exposure_ppm, "buys are cut or refused"),
        ("symbol_exposure", "Largest position", max(worths, default=0) / equity, limits.symbol_exposure_ppm,
         "buys of that symbol are cut or refused"),
    )  # fmt: skip
    return [
        LimitAnswer(id=name, label=label, used=round(max(0.0, used), 6), limit=ppm / PPM, unit="ratio", action=action)
        for name, label, used, ppm, action in told
        if ppm
    ]
