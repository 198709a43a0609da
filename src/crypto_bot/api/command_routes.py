"""What somebody may order: each command is handed to the engine, and is durable in its journal when it is answered."""

from typing import Annotated

from fastapi import HTTPException, Path, Response
from msgspec import UNSET

from crypto_bot.api.asking import LONGEST_NAME, NAME, Known, api_router, problems
from crypto_bot.api.command_answers import Cancel, CancelAll, Done, EmergencyStop, Parameters, Plain, Reasoned
from crypto_bot.api.ordering import KEY, Sending, done_answer
from crypto_bot.persistence.payloads import CommandEvent, Outcome
from crypto_bot.runtime.receipts import Receipt

Named = Annotated[str, Path(pattern=NAME, max_length=LONGEST_NAME)]

router = api_router()


@router.post("/orders/cancel", responses=problems(404, 409))
async def cancel(sender: Sending, body: Cancel) -> Done:
    """Cancel one order; its strategy may ask for it again."""
    return await sender.order(CommandEvent("cancel", body.reason, order=int(body.order_id)))


@router.post("/orders/cancel-all", responses=problems(404, 409))
async def cancel_all(sender: Sending, body: CancelAll | None = None) -> Done:
    """Cancel all orders, stops among them; their strategies may ask for them again."""
    asked = body or CancelAll()
    symbol, strategy = asked.symbol or UNSET, asked.strategy or UNSET
    return await sender.order(CommandEvent("cancel_all", asked.reason, symbol=symbol, strategy=strategy))


@router.post("/risk/halt", responses={**problems(409), 202: {"model": Done}})
async def halt(sender: Sending, answer: Response, body: Plain | None = None) -> Done:
    """Stop opening: orders that open are cancelled, what guards positions stays."""
    answer.status_code, told = await sender.stop(CommandEvent("halt", (body or Plain()).reason))
    return told


@router.post("/risk/emergency-stop", responses={**problems(409), 202: {"model": Done}})
async def emergency_stop(sender: Sending, answer: Response, body: EmergencyStop | None = None) -> Done:
    """Halt and cancel every order but the guards; with `flatten` close every position. 202: by the flag file."""
    asked = body or EmergencyStop()
    command = CommandEvent("emergency_stop", asked.reason, flatten=asked.flatten)
    answer.status_code, told = await sender.stop(command)
    return told


@router.post("/risk/flatten", responses=problems(409))
async def flatten(sender: Sending, body: Plain | None = None) -> Done:
    """Halt, cancel everything and close every position at market."""
    return await sender.order(CommandEvent("flatten", (body or Plain()).reason))


@router.post("/risk/resume", responses=problems(409))
async def resume(sender: Sending, body: Plain | None = None) -> Done:
    """Go on after a halt by hand; what a limit has halted needs the breaker to be reset."""
    return await sender.order(CommandEvent("resume", (body or Plain()).reason))


@router.post("/risk/reset-circuit-breaker", responses=problems(409))
async def reset_circuit_breaker(sender: Sending, body: Reasoned) -> Done:
    """Lift what a limit has halted, and count drawdown and daily loss from the present equity on; limits stay."""
    return await sender.order(CommandEvent("reset", body.reason))


@router.post("/strategies/{name}/start", responses=problems(404, 409))
async def start_strategy(sender: Sending, name: Named, body: Plain | None = None) -> Done:
    """Let a strategy decide again."""
    return await sender.order(CommandEvent("strategy_on", (body or Plain()).reason, strategy=name))


@router.post("/strategies/{name}/stop", responses=problems(404, 409))
async def stop_strategy(sender: Sending, name: Named, body: Plain | None = None) -> Done:
    """Cancel a strategy's orders but its stops, and let it decide nothing; what it holds stays."""
    return await sender.order(CommandEvent("strategy_off", (body or Plain()).reason, strategy=name))


@router.post("/strategies/{name}/parameters", responses=problems(404, 409))
async def change_parameters(sender: Sending, name: Named, body: Parameters) -> Done:
    """Let a strategy decide with other parameters from its next bar on, as far as what it remembers allows."""
    return await sender.order(CommandEvent("parameters", body.reason, strategy=name, params=body.parameters))


@router.get("/commands/{key}", responses=problems(404))
async def command(replica: Known, key: Annotated[str, Path(pattern=KEY)]) -> Done:
    """Tell what became of a command by its key."""
    for each in reversed(replica.commands):
        if each.event.key == key:
            outcome = Outcome(decisions=list(each.decisions), halt=each.halt)
            return done_answer(Receipt.of(replica.run_id, each.sequence, each.time_ns, each.event, outcome))
    raise HTTPException(404, f"No command under the key {key} was carried out.")
