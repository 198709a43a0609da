"""What an operator changes beside the limits: orders taken back, positions closed, a strategy woken.

Like everything that changes the world these are events, and leave notes and effects; a command that
halts or resumes is the kernel's own.
"""

from crypto_bot.kernel.compiled import compiled
from crypto_bot.kernel.layout import (
    EMPTY,
    FIRST_QUOTE,
    STOP_SLOT,
    TAKE_SLOT,
    TARGET_SLOT,
    TARGETED,
    World,
)
from crypto_bot.kernel.orders import withdraw

ANY = -1
"""Any strategy, any instrument, any order."""


@compiled(inline=True)
def _forget(world: World, lane: int, slot: int) -> None:
    """Take the wish back that an order serves, so that only the strategy can ask for it again."""
    w = world.wish[lane]
    if slot >= FIRST_QUOTE:
        w["quote"][slot - FIRST_QUOTE]["quantity"] = 0
    elif slot == STOP_SLOT:
        w["stop"] = 0
    elif slot == TAKE_SLOT:
        w["take"] = 0
    elif slot == TARGET_SLOT:
        w["owed"] = 0


@compiled()
def take_back(world: World, strategy: int, instrument: int, order_id: int, guards: bool) -> None:
    """Withdraw live orders, and forget the wishes they serve; without `guards` stops and take-profits stay."""
    for lane in range(world.orders.shape[0]):
        sub = world.subs[lane]
        if strategy != ANY and sub["strategy"] != strategy:
            continue
        if instrument != ANY and sub["instrument"] != instrument:
            continue
        for slot in range(world.orders.shape[1]):
            o = world.orders[lane, slot]
            if order_id != ANY and (o["state"] == EMPTY or o["id"] != order_id):
                continue
            if not guards and (slot == STOP_SLOT or slot == TAKE_SLOT):
                continue
            if o["state"] != EMPTY and o["leaving"] == 0:
                withdraw(world, lane, slot)
            _forget(world, lane, slot)


@compiled()
def pull_back(world: World, guards: bool) -> None:
    """Withdraw every live order and keep the wishes: they are looked at again when trading goes on."""
    for lane in range(world.orders.shape[0]):
        for slot in range(world.orders.shape[1]):
            o = world.orders[lane, slot]
            if not guards and (slot == STOP_SLOT or slot == TAKE_SLOT):
                continue
            if o["state"] != EMPTY and o["leaving"] == 0:
                withdraw(world, lane, slot)


@compiled()
def close_out(world: World) -> None:
    """Want nothing of anything: what is held is sold at market as soon as no order is in the way."""
    for lane in range(world.wish.size):
        w = world.wish[lane]
        w["weight"] = 0
        w["hold"] = ANY
        w["stop"] = 0
        w["take"] = 0
        w["owed"] = 0
        w["dirty"] |= TARGETED
        world.wish[lane - world.subs[lane]["instrument"]]["any"] = 1


@compiled()
def rouse(world: World, strategy: int) -> None:
    """Give a strategy that waits for fills something to wake up for."""
    for lane in range(world.wish.size):
        if world.subs[lane]["strategy"] == strategy:
            world.wish[lane]["news"] = 1
            world.wish[lane - world.subs[lane]["instrument"]]["news"] = 1
