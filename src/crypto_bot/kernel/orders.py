"""The order table: legal moves only, effects for the venue, reservations until an order's last word."""

from crypto_bot.kernel.compiled import Record, compiled
from crypto_bot.kernel.layout import (
    BUY,
    CANCEL,
    EMPTY,
    LEGAL,
    PENDING,
    SENT,
    SUBMIT,
    WITHDRAWN,
    World,
)
from crypto_bot.kernel.trace import note_order


@compiled(inline=True)
def transition(desk: Record, o: Record, state: int) -> bool:
    """Move an order to another state; an illegal move is refused and counted as a broken law."""
    if LEGAL[o["state"], state] == 0:
        desk["laws"] += 1
        return False
    o["state"] = state
    return True


@compiled(inline=True)
def want_effect(world: World, kind: int, lane: int, slot: int) -> None:
    """Queue what the venue is to do; the queue holds one submit and one cancel for every slot."""
    desk = world.desk[0]
    effect = world.effects[desk["effects_made"]]
    desk["effects_made"] += 1
    effect["kind"] = kind
    effect["lane"] = lane
    effect["slot"] = slot


@compiled(inline=True)
def carry_out(world: World, index: int) -> None:
    """Note that an effect leaves for the venue now: from here on an order may exist there."""
    effect = world.effects[index]
    if effect["kind"] == SUBMIT:
        transition(world.desk[0], world.orders[effect["lane"], effect["slot"]], SENT)


@compiled(inline=True)
def place(world: World, lane: int, slot: int) -> None:
    """Send the approved order of a slot on its way; reserve what it may cost, expect what it will bring."""
    desk = world.desk[0]
    o = world.orders[lane, slot]
    transition(desk, o, PENDING)
    reserve(world, lane, o, o["reserved"])
    want_effect(world, SUBMIT, lane, slot)


@compiled(inline=True)
def reserve(world: World, lane: int, o: Record, amount: int) -> None:
    """Keep money aside for a buy, or give it back when the amount is negative; of a sale, expect the proceeds."""
    s = world.subs[lane]
    if o["side"] != BUY:
        world.funds[s["strategy"]]["expected"] += amount
        return
    world.book[s["instrument"]]["reserved"] += amount
    world.funds[s["strategy"]]["reserved"] += amount
    world.desk[0]["reserved"] += amount


@compiled(inline=True)
def withdraw(world: World, lane: int, slot: int) -> None:
    """Ask the venue to cancel; the order stays open until the venue confirms."""
    desk = world.desk[0]
    o = world.orders[lane, slot]
    o["leaving"] = 1
    desk["cancels"] += 1
    note_order(world, WITHDRAWN, lane, slot, 0)
    want_effect(world, CANCEL, lane, slot)


@compiled(inline=True)
def close_order(world: World, lane: int, slot: int, state: int) -> None:
    """End an order in its last state and free its slot and its reservation."""
    desk = world.desk[0]
    o = world.orders[lane, slot]
    if not transition(desk, o, state):
        return
    reserve(world, lane, o, -o["reserved"])
    o["reserved"] = 0
    o["leaving"] = 0
    transition(desk, o, EMPTY)
