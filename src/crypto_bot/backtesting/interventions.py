"""What an operator changes beside the limits: orders taken back, positions closed, a strategy quiet or woken.

Like everything that changes the world these are events, and leave notes and effects; a command that
halts or resumes is the kernel's own. Wishes stay: an order that was taken back comes again when its
strategy's wishes are next looked at.
"""

from crypto_bot.kernel.compiled import compiled
from crypto_bot.kernel.layout import (
    EMPTY,
    GUARDED,
    QUOTED,
    STOP_SLOT,
    TAKE_SLOT,
    TARGETED,
    World,
)
from crypto_bot.kernel.orders import withdraw

ANY = -1
"""Any strategy, any instrument, any order."""


@compiled()
def take_back(world: World, strategy: int, instrument: int, order_id: int, guards: bool) -> None:
    """Withdraw live orders; without `guards` stops and take-profits stay."""
    for lane in range(world.orders.shape[0]):
        sub = world.subs[lane]
        if strategy != ANY and sub["strategy"] != strategy:
            continue
        if instrument != ANY and sub["instrument"] != instrument:
            continue
        for slot in range(world.orders.shape[1]):
            o = world.orders[lane, slot]
            if o["state"] == EMPTY or o["leaving"] != 0 or (order_id != ANY and o["id"] != order_id):
                continue
            if guards or (slot != STOP_SLOT and slot != TAKE_SLOT):
                withdraw(world, lane, slot)


@compiled()
def close_out(world: World) -> None:
    """Want nothing of anything: what is held is sold at market as soon as no order is in the way."""
    for lane in range(world.wish.size):
        w = world.wish[lane]
        w["weight"] = 0
        w["hold"] = -1
        w["stop"] = 0
        w["take"] = 0
        w["owed"] = 0
        w["dirty"] |= TARGETED
        world.wish[lane - world.subs[lane]["instrument"]]["any"] = 1


@compiled()
def hush(world: World, strategy: int) -> None:
    """Pass over what a strategy wants, but for the guards of what it holds: a stop, or the end of its time, sells."""
    for lane in range(world.wish.size):
        if world.subs[lane]["strategy"] == strategy:
            w = world.wish[lane]
            is_guards = w["ending"] != 0 or (w["weight"] == 0 and w["hold"] < 0)
            w["dirty"] &= GUARDED | TARGETED if is_guards else GUARDED


@compiled()
def rouse(world: World, strategy: int) -> None:
    """Look at a strategy's wishes again, and give it something to wake up for if it waits for fills."""
    for lane in range(world.wish.size):
        if world.subs[lane]["strategy"] == strategy:
            w = world.wish[lane]
            head = world.wish[lane - world.subs[lane]["instrument"]]
            w["dirty"] |= QUOTED | GUARDED | w["owed"]
            w["news"] = 1
            head["news"] = 1
            head["any"] = 1
