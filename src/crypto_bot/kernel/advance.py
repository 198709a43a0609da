"""advance(world, event): the only thing that changes the world.

Backtest, paper and live are different ways to supply events and to carry out effects; what happens
to the world is decided here, by the same machine code in all of them. `advance_slice` is the
definition that the fast path of a replay has to equal.
"""

from crypto_bot.kernel.compiled import compiled
from crypto_bot.kernel.gates import weigh
from crypto_bot.kernel.guards import end_wish, keep_guards
from crypto_bot.kernel.intents import answer
from crypto_bot.kernel.layout import (
    ABSENT,
    BUY,
    CANCELED,
    COMMAND_EVENT,
    EMPTY,
    EXPIRED,
    FILL_EVENT,
    FILLED,
    FIRST_QUOTE,
    GUARDED,
    LEGAL,
    OPEN,
    REJECTED,
    STOP_SLOT,
    TAKE_SLOT,
    TARGETED,
    TURNED_DOWN,
    UNKNOWN,
    Market,
    World,
)
from crypto_bot.kernel.ledger import equity_at, settle_fill
from crypto_bot.kernel.limits import new_day, obey, watch
from crypto_bot.kernel.orders import close_order, transition, withdraw
from crypto_bot.kernel.trace import note_fill, note_order


@compiled(inline=True)
def advance_slice(world: World, market: Market, i: int, last_equity: int) -> int:
    """Mark the ledger at the closes of slice i, watch the limits, and return the equity.

    `last_equity` is the equity at the close before, with which a new UTC day opens.
    """
    desk = world.desk[0]
    desk["sequence"] += 1
    opened = market.times[i]
    if opened >= desk["day_end"]:
        new_day(world, opened, last_equity)
    desk["time_ns"] = opened + desk["bar_ns"]
    equity = equity_at(world, market, i)
    desk["equity"] = equity
    watch(world, equity)
    if world.funds.size > 1 or world.wish[0]["kept"] != 0:
        keep_guards(world, market, i)
    return equity


@compiled(inline=True)
def advance_wish(world: World, market: Market, i: int, equity: int) -> None:
    """Answer what the strategies want at the close of slice i: difference, risk, effects."""
    desk = world.desk[0]
    desk["time_ns"] = market.times[i] + desk["bar_ns"]
    desk["equity"] = equity
    answer(world, market, i)


@compiled(inline=True)
def advance_fill(world: World) -> None:
    """Book the fill in the event register and let the wish that it serves know."""
    desk = world.desk[0]
    e = world.event[0]
    lane = e["lane"]
    slot = e["slot"]
    o = world.orders[lane, slot]
    desk["sequence"] += 1
    desk["time_ns"] = max(desk["time_ns"], e["time_ns"])
    if o["id"] != e["order_id"] or o["state"] == EMPTY:
        desk["laws"] += 1
        return
    settle_fill(world)
    note_fill(world)
    desk["fills"] += 1
    if desk["gated"] != 0:
        weigh(world)
    w = world.wish[lane]
    head = world.wish[lane - world.subs[lane]["instrument"]]
    w["news"] = 1
    head["news"] = 1
    if slot == STOP_SLOT or (slot == TAKE_SLOT and e["final"] != 0):
        _end_guarded_wish(world, lane, STOP_SLOT + TAKE_SLOT - slot)
    elif w["stop"] != 0 or w["take"] != 0:
        w["dirty"] |= GUARDED
        head["any"] = 1
    if e["final"] != 0:
        close_order(world, lane, slot, FILLED)
        if slot >= FIRST_QUOTE:
            w["quote"][slot - FIRST_QUOTE]["quantity"] = 0
            if e["side"] == BUY:
                w["bought"] += 1
            else:
                w["sold"] += 1
        elif slot >= STOP_SLOT and world.subs[lane]["position"] >= world.book[world.subs[lane]["instrument"]]["lot"]:
            # More was bought since the stop was sized: the wish is over, so the rest goes too.
            w["dirty"] |= TARGETED
            head["any"] = 1
        if w["waiting"] != 0:
            head["any"] = 1


@compiled(inline=True)
def _end_guarded_wish(world: World, lane: int, other: int) -> None:
    """End the wish that opened a position, for its stop or take-profit was filled; the twin goes too."""
    end_wish(world.wish[lane])
    twin = world.orders[lane, other]
    if twin["state"] != EMPTY and twin["leaving"] == 0:
        withdraw(world, lane, other)


@compiled(inline=True)
def advance_order(world: World) -> None:
    """Follow what the venue says of an order: accepted, unknown, absent; rejected, cancelled or expired."""
    desk = world.desk[0]
    e = world.event[0]
    lane = e["lane"]
    slot = e["slot"]
    o = world.orders[lane, slot]
    desk["sequence"] += 1
    desk["time_ns"] = max(desk["time_ns"], e["time_ns"])
    if o["id"] != e["order_id"]:
        desk["laws"] += 1
        return
    state = e["state"]
    if state == OPEN or state == UNKNOWN or state == ABSENT:
        transition(desk, o, state)
        return
    if (state != CANCELED and state != REJECTED and state != EXPIRED) or LEGAL[o["state"], state] == 0:
        desk["laws"] += 1
        return
    w = world.wish[lane]
    head = world.wish[lane - world.subs[lane]["instrument"]]
    if state != CANCELED:
        note_order(world, TURNED_DOWN, lane, slot, e["code"])
        w["news"] = 1
        head["news"] = 1
    close_order(world, lane, slot, state)
    if w["waiting"] != 0:
        head["any"] = 1


@compiled(inline=True)
def advance_report(world: World) -> None:
    """Let what the venue has reported happen: a fill, or its word on an order."""
    if world.event[0]["kind"] == FILL_EVENT:
        advance_fill(world)
    else:
        advance_order(world)


@compiled(inline=True)
def advance(world: World, equity: int) -> None:
    """Let the event in the register happen, whatever it is."""
    if world.event[0]["kind"] == COMMAND_EVENT:
        obey(world, world.event[0]["code"], equity)
    else:
        advance_report(world)
