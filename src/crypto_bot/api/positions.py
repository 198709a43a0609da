"""Tell what each strategy of a run holds and has earned."""

import msgspec

from crypto_bot.api.answers import PositionAnswer, StrategyAnswer, StrategyPnl
from crypto_bot.api.part import Part
from crypto_bot.api.replica import Replica
from crypto_bot.api.texts import money, price_text, quantity_text
from crypto_bot.domain.units import ATOMS, format_time

_PARAMETER: msgspec.json.Decoder[bool | int | float | str | list[int | float]] = msgspec.json.Decoder(
    bool | int | float | str | list[int | float]
)


def strategy_name(replica: Replica, number: int) -> str:
    """Return the name of a strategy by its number, as its orders carry it: of a file, the name without its ending."""
    strategies = replica.start.strategies if replica.start else []
    if not 0 <= number < len(strategies):
        return ""
    return strategies[number].name.rpartition("/")[2].removesuffix(".py")


def positions_of(replica: Replica) -> list[PositionAnswer]:
    """Tell every open position."""
    return [
        _position(replica, strategy, part, k)
        for strategy, part in sorted(replica.parts.items())
        for k in sorted(part.account.holdings)
        if k < len(replica.instruments) and part.holds(k, replica.instruments[k])
    ]


def strategy_pnl(replica: Replica, number: int) -> StrategyPnl:
    """Tell what one strategy earned."""
    account = replica.parts.get(number, Part()).account
    unrealised = account.value(replica.marks, replica.instruments) - account.cost()
    return StrategyPnl(
        strategy=strategy_name(replica, number),
        total=money(account.realised + unrealised - account.fees),
        realised=money(account.realised),
        unrealised=money(unrealised),
        fees=money(account.fees),
    )


def strategies_of(replica: Replica, state: str) -> list[StrategyAnswer]:
    """Tell every strategy; `state` is the run's."""
    start = replica.start
    if start is None:
        return []
    symbols = [instrument.symbol for instrument in replica.instruments]
    told = []
    for number, entry in enumerate(start.strategies):
        name = strategy_name(replica, number)
        told.append(
            StrategyAnswer(
                name=name,
                symbol=", ".join(symbols),
                symbols=symbols,
                state=_state(replica, number, state),
                pnl=strategy_pnl(replica, number).total if replica.equity is not None else None,
                trades=replica.parts.get(number, Part()).trades,
                open_orders=sum(order.strategy == name for order in replica.orders.values()),
                parameters={key: _PARAMETER.decode(raw) for key, raw in entry.params.items()}
                | replica.tuned.get(name, {}),
                note=_note(replica, number),
            )
        )
    return told


def _state(replica: Replica, number: int, state: str) -> str:
    """Tell how one strategy stands in a run whose state is known."""
    if number in replica.failed:
        return "failed"
    is_off = strategy_name(replica, number) in replica.off
    return "off" if is_off and state in ("running", "halted") else state


def _note(replica: Replica, number: int) -> str | None:
    """Say who stopped a strategy, or why it failed."""
    failed = replica.failed.get(number)
    if failed is not None:
        return f"switched off at {format_time(failed.at_ns)}: {failed.reason}"
    stopped = replica.off.get(strategy_name(replica, number))
    if stopped is None:
        return None
    why = f": {stopped.event.reason}" if stopped.event.reason else ""
    return f"stopped by {stopped.event.by} at {format_time(stopped.time_ns)}{why}"


def _position(replica: Replica, strategy: int, part: Part, k: int) -> PositionAnswer:
    instrument, holding, mark = replica.instruments[k], part.account.holdings[k], replica.marks.get(k)
    held = holding.quantity * instrument.quantity_scale // ATOMS
    value = None if mark is None else holding.quantity * mark // instrument.price_scale
    gain = None if value is None else value - holding.cost
    stop, take, opened = part.stops.get(k), part.takes.get(k), part.opened_ns.get(k)
    return PositionAnswer(
        symbol=instrument.symbol,
        strategy=strategy_name(replica, strategy),
        side="long" if holding.quantity > 0 else "short",
        quantity=quantity_text(held, instrument),
        entry_price=price_text(holding.cost * instrument.price_scale // holding.quantity, instrument),
        mark_price=None if mark is None else price_text(mark, instrument),
        value=None if value is None else money(value),
        unrealised_pnl=None if gain is None else money(gain),
        unrealised_pct=None if gain is None or not holding.cost else round(gain / holding.cost, 8),
        stop_price=None if stop is None else price_text(stop, instrument),
        take_profit_price=None if take is None else price_text(take, instrument),
        opened_at=None if opened is None else format_time(opened),
    )
