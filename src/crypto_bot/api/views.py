"""Tell a replica as the API's answers."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crypto_bot.api.answers import (
    Amount,
    Drawdown,
    EquityPoint,
    Feed,
    HaltAnswer,
    OrderAnswer,
    Pnl,
    ReplicaAge,
    Status,
    TradeAnswer,
)
from crypto_bot.api.limits_view import halt_reason, reopens_at
from crypto_bot.api.positions import strategy_name
from crypto_bot.api.replica import Replica, RestingOrder, Trade
from crypto_bot.api.series import Candle, Point
from crypto_bot.api.texts import money, price_text, quantity_text, time_text
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, SECOND_NS, format_time
from crypto_bot.persistence.models import Trade as StoredTrade

if TYPE_CHECKING:
    from crypto_bot.api.follow import Follower

STALE_S = 5.0
SIDES = {1: "buy", -1: "sell"}


def status_of(follower: "Follower", version: str) -> Status:
    """Tell the whole state at a glance; `version` is this program's, the engine's own wins."""
    replica, now = follower.replica or Replica(""), follower.wall()
    start = replica.start
    state = state_of(follower)
    first = replica.instruments[0] if replica.instruments else None
    return Status(
        run_id=replica.run_id or None,
        mode=start.mode if start else None,
        state=state,
        halt=_halt(replica),
        venue=first.exchange if first else None,
        environment=_text_setting(replica, "environment") or _text_setting(replica, "feed"),
        quote=start.quote if start else None,
        version=(start.code_version if start else "") or version,
        symbols=[instrument.symbol for instrument in replica.instruments],
        strategies=[strategy.name for strategy in start.strategies] if start else [],
        timeframe=start.timeframe if start else None,
        started_at=format_time(replica.started_ns) if start else None,
        time=datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        event_time=format_time(replica.time_ns) if start else None,
        sequence=replica.sequence,
        bars=replica.slices,
        equity=None if replica.equity is None else money(replica.equity),
        initial_equity=money(start.cash) if start else None,
        cash=money(replica.account.cash) if start else None,
        exposure=_exposure(replica),
        pnl=pnl_of(replica),
        drawdown=drawdown_of(replica),
        open_orders=len(replica.orders),
        trades=replica.trade_count,
        feed=_feed(follower, replica, state),
        replica=ReplicaAge(age_ms=_age_ms(follower.polled_s, now)),
        failed=[
            f"{strategy_name(replica, number)}: {fault.reason}" for number, fault in sorted(replica.failed.items())
        ],
        problem=follower.problem or _silence(follower, replica),
    )


def point_answer(point: Point) -> EquityPoint:
    """Tell one point of the equity curve."""
    return EquityPoint(
        time=time_text(point.time_ns),
        equity=money(point.equity),
        buy_and_hold=money(point.hold),
        drawdown=round(point.drawdown, 8),
    )


def order_answer(order: RestingOrder, replica: Replica) -> OrderAnswer:
    """Tell one open order."""
    instrument = replica.instruments[order.instrument]
    last = replica.marks.get(order.instrument)
    return OrderAnswer(
        order_id=str(order.order_id),
        client_order_id=None,
        symbol=instrument.symbol,
        strategy=order.strategy,
        side=SIDES[order.side],
        type=order.type,
        price=None if order.price is None else price_text(order.price, instrument),
        quantity=quantity_text(order.quantity, instrument),
        filled=quantity_text(order.filled, instrument),
        distance_pct=None if order.price is None or not last else round(order.price / last - 1, 6),
        status=order.status,
        created_at=time_text(order.created_ns),
    )


def trade_answer(trade: Trade, replica: Replica) -> TradeAnswer:
    """Tell one fill."""
    fill, instrument = trade.fill, replica.instruments[trade.fill.instrument]
    return TradeAnswer(
        sequence=trade.sequence,
        venue_trade_id=str(fill.trade),
        order_id=str(fill.order),
        client_order_id=None,
        symbol=instrument.symbol,
        strategy=strategy_name(replica, fill.strategy),
        side=SIDES[1 if fill.side > 0 else -1],
        price=price_text(fill.price, instrument),
        quantity=quantity_text(fill.quantity, instrument),
        fee=money(fill.fee),
        fee_asset=fill.fee_asset,
        maker=fill.maker,
        realised_pnl=None if trade.realised is None else money(trade.realised),
        time=time_text(fill.time),
    )


def stored_trade_answer(row: StoredTrade, replica: Replica) -> TradeAnswer:
    """Tell one fill that the replica has forgotten; what it realised is not known any more."""
    number = replica.number_of(row.symbol)
    price, quantity = f"{row.price:f}", f"{row.amount:f}"
    if number is not None:
        instrument = replica.instruments[number]
        price = price_text(int(row.price * instrument.price_scale), instrument)
        quantity = quantity_text(int(row.amount * instrument.quantity_scale), instrument)
    return TradeAnswer(
        sequence=row.id,
        venue_trade_id=row.venue_trade_id,
        order_id=str(row.order_id),
        client_order_id=None,
        symbol=row.symbol,
        strategy=row.strategy,
        side=row.side,
        price=price,
        quantity=quantity,
        fee=money(int(row.fee * ATOMS)),
        fee_asset=row.fee_asset,
        maker=row.maker,
        realised_pnl=None,
        time=time_text(row.timestamp),
    )


def candle_answer(candle: Candle, instrument: Instrument) -> tuple[int, str, str, str, str, str]:
    """Tell one candle."""
    opened, high, low, closed = (price_text(price, instrument) for price in candle[1:5])
    return candle.time_ns // SECOND_NS, opened, high, low, closed, quantity_text(candle.volume, instrument)


def state_of(follower: "Follower") -> str:
    """Tell the run's last word, or, while it runs, what its rows say."""
    replica, run = follower.replica or Replica(""), follower.run
    if run is not None and run.run_id == replica.run_id and run.state in ("finished", "failed", "stopped"):
        return run.state
    if replica.start is not None and follower.engine_alive() is False:
        return "stopped"
    return replica.state


def _silence(follower: "Follower", replica: Replica) -> str | None:
    """Say so when the engine is gone without having said why."""
    run = follower.run
    if run is None or run.state != "running" or replica.start is None or replica.stopped is not None:
        return None
    if follower.engine_alive() is not False:
        return None
    return "the engine ended without a word; start it with `python -m crypto_bot run` and it goes on where it stopped"


def _halt(replica: Replica) -> HaltAnswer | None:
    halt = replica.halt
    if halt is None:
        return None
    return HaltAnswer(
        reason=halt_reason(replica), by=halt.by or None, at=format_time(halt.at_ns), reopens_at=reopens_at(replica)
    )


def _feed(follower: "Follower", replica: Replica, state: str) -> Feed:
    age_ms = _age_ms(follower.slice_s, follower.wall())
    speed = replica.start.setting("speed") if replica.start else None
    factor = float(speed) if isinstance(speed, int | float) and speed > 0 else 1.0
    patience_s = max(STALE_S, 2 * replica.bar_ns / SECOND_NS / factor)
    if state in ("stopped", "finished", "failed"):
        told = "ended"
    elif age_ms is None:
        told = "waiting"
    else:
        told = "stale" if age_ms > patience_s * 1_000 else "ok"
    return Feed(state=told, age_ms=age_ms, source=_text_setting(replica, "feed"))


def _exposure(replica: Replica) -> float | None:
    if replica.start is None or not replica.equity:
        return None
    return round(replica.account.value(replica.marks, replica.instruments) / replica.equity, 6)


def pnl_of(replica: Replica) -> Pnl | None:
    """Tell what the whole account earned; None before the first event."""
    if replica.start is None or replica.equity is None:
        return None
    initial, account = replica.start.cash, replica.account
    day, total = replica.equity - replica.day_baseline, replica.equity - initial
    return Pnl(
        day=money(day),
        day_pct=_ratio(day, replica.day_baseline),
        total=money(total),
        total_pct=_ratio(total, initial),
        realised=money(account.realised),
        unrealised=money(account.value(replica.marks, replica.instruments) - account.cost()),
        fees=money(account.fees),
        other_fees=[Amount(asset=asset, amount=money(fee)) for asset, fee in sorted(account.other_fees.items())],
        buy_and_hold_pct=_ratio(replica.hold() - initial, initial),
    )


def drawdown_of(replica: Replica) -> Drawdown | None:
    """Tell how far the equity is below its peak; None before the first bar."""
    newest = replica.curve.newest
    if newest is None:
        return None
    limit = replica.start.setting("max_drawdown") if replica.start else None
    return Drawdown(
        now=round(newest.drawdown, 8),
        max=round(replica.curve.worst, 8),
        limit=-abs(float(limit)) if isinstance(limit, int | float) and limit else None,
        peak_equity=money(replica.curve.peak),
    )


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 8) if whole else 0.0


def _age_ms(then_s: float | None, now_s: float) -> int | None:
    return None if then_s is None else max(0, round((now_s - then_s) * 1_000))


def _text_setting(replica: Replica, name: str) -> str | None:
    value = replica.start.setting(name) if replica.start else None
    return value if isinstance(value, str) else None
