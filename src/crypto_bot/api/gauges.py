"""The state of the bot and of this server in the text format of Prometheus."""

from collections.abc import Iterable, Sequence

from fastapi import Request
from fastapi.responses import PlainTextResponse

from crypto_bot.api.asking import Following, api_router
from crypto_bot.api.follow import Follower
from crypto_bot.api.limits_view import TRIPPED, risk_of
from crypto_bot.api.meter import BOUNDS_S, Meter
from crypto_bot.api.replica import Replica
from crypto_bot.api.views import status_of

Labels = dict[str, str]
Sample = tuple[Labels, float]

STATES = ("starting", "running", "halted", "stopped", "finished", "failed")
MEDIA = "text/plain; version=0.0.4; charset=utf-8"


class Exposition(PlainTextResponse):
    """An answer in the text format of Prometheus."""

    media_type = MEDIA


router = api_router("")


@router.get("/metrics", response_class=Exposition)
async def metrics(request: Request, follower: Following) -> Exposition:
    """Tell every gauge and counter."""
    meter = request.app.state.meter
    assert isinstance(meter, Meter)
    lines = [*_bot(follower, request.app.version), *_server(meter)]
    return Exposition("\n".join(lines) + "\n")


def _bot(follower: Follower, version: str) -> Iterable[str]:
    """Tell the run; what is not known is left out."""
    told, replica = status_of(follower, version), follower.replica or Replica("")
    pnl, drawdown = told.pnl, told.drawdown
    run = {"run": told.run_id or "", "mode": told.mode or "", "version": told.version}
    yield from _metric("cryptotrader_info", "gauge", "The run that is told.", [(run, 1)])
    states = [({"state": state}, told.state == state) for state in STATES]
    yield from _metric("cryptotrader_state", "gauge", "1 for the state that the run is in.", states)
    halts = [({"by": name}, bool(replica.halt_bits & bit)) for bit, name in TRIPPED.items()]
    yield from _metric("cryptotrader_halted", "gauge", "1 for what halts the run.", halts)
    money: list[tuple[str, str, str | float | None]] = [
        ("equity", "What the account is worth, in the quote asset.", told.equity),
        ("cash", "Free and reserved money, in the quote asset.", told.cash),
        ("exposure_ratio", "Share of the equity that is invested.", told.exposure),
        ("pnl_total", "Gain since the start, in the quote asset.", pnl.total if pnl else None),
        ("pnl_day", "Gain since 00:00 UTC, in the quote asset.", pnl.day if pnl else None),
        ("pnl_realised", "Realised gain before fees, in the quote asset.", pnl.realised if pnl else None),
        ("pnl_unrealised", "Unrealised gain, in the quote asset.", pnl.unrealised if pnl else None),
        ("drawdown_ratio", "Distance from the highest equity, at most 0.", drawdown.now if drawdown else None),
        ("open_orders", "Orders that may still fill.", told.open_orders),
        ("feed_age_seconds", "Since the newest bar was written.", _seconds(told.feed.age_ms)),
        ("replica_age_seconds", "Since the journal was looked at.", _seconds(told.replica.age_ms)),
    ]
    for name, text, value in money:
        if value is not None:
            yield from _metric(f"cryptotrader_{name}", "gauge", text, [({}, float(value))])
    limits = risk_of(replica).limits
    yield from _metric(
        "cryptotrader_limit_used", "gauge", "How far it is.", [({"limit": x.id}, x.used) for x in limits]
    )
    yield from _metric("cryptotrader_limit", "gauge", "Where it stops.", [({"limit": x.id}, x.limit) for x in limits])
    counts = (
        ("trades", "Fills of this run.", told.trades),
        ("bars", "Slices of bars of this run.", told.bars),
        ("events", "Rows of this run's journal.", told.sequence + 1),
    )
    for name, text, count in counts:
        yield from _metric(f"cryptotrader_{name}_total", "counter", text, [({}, count)])
    fees = float(pnl.fees) if pnl else 0.0
    yield from _metric("cryptotrader_fees_total", "counter", "Fees paid, in the quote asset.", [({}, fees)])
    refused = [({"reason": reason}, count) for reason, count in sorted(replica.refused.items())]
    yield from _metric("cryptotrader_refused_total", "counter", "Orders that the gate refused.", refused)


def _server(meter: Meter) -> Iterable[str]:
    """Tell this server."""
    answers = [
        ({"method": method, "route": route, "status": str(status)}, count)
        for (method, route, status), count in sorted(meter.answers.items())
    ]
    yield from _metric("cryptotrader_http_answers_total", "counter", "Answers by route and status.", answers)
    name, total = "cryptotrader_http_seconds", 0
    yield f"# HELP {name} Time to the first byte of an answer."
    yield f"# TYPE {name} histogram"
    for bound, count in zip((*BOUNDS_S, "+Inf"), meter.classes, strict=True):
        total += count
        yield f'{name}_bucket{{le="{bound}"}} {total}'
    yield f"{name}_sum {meter.seconds:.6f}"
    yield f"{name}_count {total}"
    yield from _metric("cryptotrader_streams", "gauge", "Clients of the stream.", [({}, meter.streams)])


def _metric(name: str, kind: str, text: str, samples: Sequence[Sample]) -> Iterable[str]:
    """Yield the lines of one metric; without samples there are none."""
    if samples:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        told = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
        yield f"{name}{{{told}}} {float(value):.12g}" if told else f"{name} {float(value):.12g}"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(age_ms: int | None) -> float | None:
    return None if age_ms is None else age_ms / 1_000
