"""What a command does to a session, and what stands against it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting import interventions, slices
from crypto_bot.backtesting.interventions import ANY
from crypto_bot.kernel.layout import (
    COMMAND_EVENT,
    COMMAND_HALT,
    COMMAND_REBASE,
    COMMAND_RESUME,
    EMPTY,
    HALT_LAW,
    HALT_OPERATOR,
)
from crypto_bot.persistence.payloads import CommandEvent
from crypto_bot.runtime.receipts import Reply
from crypto_bot.runtime.tuning import tune, untunable

if TYPE_CHECKING:
    from crypto_bot.runtime.session import Session

Value = TypeVar("Value")

COMMANDS = (
    "halt", "resume", "reset", "cancel", "cancel_all", "flatten", "emergency_stop", "strategy_on", "strategy_off",
    "parameters",
)  # fmt: skip
"""What can be ordered: `reset` lifts what limits halted and counts from here; `flatten` and `emergency_stop` halt."""

_OF_ONE = ("strategy_on", "strategy_off", "parameters")
"""Commands that name one strategy."""


def refusal(session: "Session", command: CommandEvent) -> Reply | None:
    """Say why a command cannot be carried out now; None when it can."""
    names, symbol, strategy = session.names, _or(command.symbol, ""), _or(command.strategy, "")
    traded = [each.symbol for each in names.instruments]
    if command.command not in COMMANDS:
        return Reply("unknown", f"there is no command {command.command}")
    if symbol and symbol not in traded:
        return Reply("unknown", f"this run trades {', '.join(traded)}, not {symbol}")
    if (strategy or command.command in _OF_ONE) and strategy not in names.strategies:
        return Reply("unknown", f"this run has the strategies {', '.join(names.strategies)}, not {strategy or 'that'}")
    if command.command == "cancel" and not is_open(session, _or(command.order, 0)):
        return Reply("unknown", f"order {_or(command.order, 0)} is not open")
    failed = strategy in names.strategies and names.strategies.index(strategy) in session.stage.failed
    if failed and command.command in ("strategy_on", "parameters"):
        why = session.stage.failed[names.strategies.index(strategy)]
        return Reply("refused", f"{strategy} failed and stays off in this run: {why}")
    if command.command == "parameters":
        return untunable(session, names.strategies.index(strategy), _given(command))
    if session.halt & HALT_LAW and command.command in ("resume", "reset"):
        return Reply("refused", "the ledger broke one of its own laws; this run cannot go on")
    if session.halt & ~HALT_OPERATOR and command.command == "resume":
        return Reply("refused", "a limit has halted trading; reset the circuit breaker, and say why")
    return None


def intervene(session: "Session", command: CommandEvent) -> None:
    """Change the world as a command says; one that cannot be carried out changes nothing."""
    world = session.stage.world
    match command.command:
        case "halt":
            _limit(session, COMMAND_HALT)
        case "resume":
            _limit(session, COMMAND_RESUME)
        case "reset":
            _reset(session)
        case "cancel":
            interventions.take_back(world, ANY, ANY, _or(command.order, 0), True)
        case "cancel_all":
            strategy, instrument = _place(session, command)
            interventions.take_back(world, strategy, instrument, ANY, True)
        case "emergency_stop" | "flatten":
            everything = command.command == "flatten" or _or(command.flatten, False)
            _limit(session, COMMAND_HALT)
            interventions.take_back(world, ANY, ANY, ANY, everything)
            if everything:
                interventions.close_out(world)
        case "strategy_off":
            strategy, _ = _place(session, command)
            session.off.add(strategy)
            interventions.take_back(world, strategy, ANY, ANY, False)
        case "strategy_on":
            strategy, _ = _place(session, command)
            session.off.discard(strategy)
            interventions.rouse(world, strategy)
        case "parameters":
            strategy, _ = _place(session, command)
            tune(session, strategy, _given(command))
    for strategy in session.off:
        interventions.hush(world, strategy)


def recall(session: "Session", command: CommandEvent) -> None:
    """Take in a command whose consequences a snapshot holds, as far as no array tells of it."""
    strategy = _or(command.strategy, "")
    if strategy in session.names.strategies:
        number = session.names.strategies.index(strategy)
        if command.command == "strategy_off":
            session.off.add(number)
        elif command.command == "strategy_on":
            session.off.discard(number)
        elif command.command == "parameters":
            tune(session, number, _given(command))


def rehearse(session: "Session") -> None:
    """Call what commands are made of on nothing, so that no command waits for the compiler."""
    nothing = session.stage.world._replace(orders=session.stage.world.orders[:0], wish=session.stage.world.wish[:0])
    interventions.take_back(nothing, ANY, ANY, ANY, False)
    interventions.close_out(nothing)
    interventions.hush(nothing, ANY)
    interventions.rouse(nothing, ANY)


def is_open(session: "Session", order_id: int) -> bool:
    """Tell whether an order may still fill."""
    orders = session.stage.world.orders
    return bool(((orders["id"] == order_id) & (orders["state"] != EMPTY)).any())


def _reset(session: "Session") -> None:
    """Lift what limits have halted and count from here; a halt by hand stays."""
    by_hand = session.halt & HALT_OPERATOR
    if session.halt & ~(HALT_OPERATOR | HALT_LAW):
        _limit(session, COMMAND_REBASE)
        if by_hand:
            _limit(session, COMMAND_HALT)


def _limit(session: "Session", code: int) -> None:
    event = session.stage.world.event[0]
    event["kind"] = COMMAND_EVENT
    event["code"] = code
    slices.happen(session.stage.world, session.equity)


def _place(session: "Session", command: CommandEvent) -> tuple[int, int]:
    """Return the numbers of the strategy and the instrument that a command names, ANY for all."""
    names = session.names
    strategy, symbol = _or(command.strategy, ""), _or(command.symbol, "")
    symbols = [each.symbol for each in names.instruments]
    return (
        names.strategies.index(strategy) if strategy else ANY,
        symbols.index(symbol) if symbol else ANY,
    )


def _given(command: CommandEvent) -> Mapping[str, Given]:
    """Return the parameters that a command names."""
    return _or(command.params, {})


def _or(given: Value | msgspec.UnsetType, otherwise: Value) -> Value:
    return otherwise if isinstance(given, msgspec.UnsetType) else given
