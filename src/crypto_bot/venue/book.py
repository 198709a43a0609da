"""The simulated venue's own books: resting orders, terms of trade and the two prices that matter.

For every lane the venue keeps the two prices outside of which a bar cannot touch any of its orders,
so that a quiet bar costs two comparisons.
"""

from typing import Any, NamedTuple

import numpy as np

from crypto_bot.kernel.compiled import COMPILE, Record, compiled, hasten, types
from crypto_bot.kernel.layout import (
    BUY,
    CANCEL,
    CANCELED,
    CLOSES,
    FAR,
    MARKET,
    OPEN,
    OPENS,
    ORDER_EVENT,
    POST_ONLY,
    REJECTED,
    STOP,
    STOP_LIMIT,
    Market,
    World,
)

resting_t = np.dtype([(n, "i8") for n in "id kind side price trigger left budget live since".split()])
gate_t = np.dtype([(n, "i8") for n in "low high live used stale kinds strategy instrument".split()])
terms_t = np.dtype(
    [
        (n, "i8")
        for n in (
            "mult div unit lot maker_ppm taker_ppm slippage_ppm fee_in_received base cash_asset through"
            " metered model impact_ppm volume_ppm legs room used used_ns"
        ).split()
    ]
)

BY_SHARE, BY_ROOT = 1, 2
"""How an order moves its own price beyond the fixed slippage: by its share of the volume, or by a root of it."""


class Venue(NamedTuple):
    """The simulated exchange: resting[lane, slot], gate[lane], terms[instrument]."""

    resting: Any
    gate: Any
    terms: Any


if COMPILE:
    from crypto_bot.kernel.layout import array_type

    VENUE = types.NamedTuple([array_type(resting_t, 2), array_type(gate_t), array_type(terms_t)], Venue)


@compiled(inline=True)
def report_order(world: World, r: Record, lane: int, slot: int, state: int, time_ns: int) -> None:
    """Write what the venue says of an order into the event register."""
    e = world.event[0]
    e["kind"] = ORDER_EVENT
    e["lane"] = lane
    e["slot"] = slot
    e["order_id"] = r["id"]
    e["state"] = state
    e["side"] = r["side"]
    e["time_ns"] = time_ns
    e["code"] = 0


@compiled(inline=True)
def receive(world: World, venue: Venue, index: int, market: Market, i: int) -> None:
    """Take one effect, an order or a cancel request, and report what became of it.

    The last price is the close of slice i: a post-only order that would trade at once is rejected.
    """
    effect = world.effects[index]
    lane = effect["lane"]
    slot = effect["slot"]
    if effect["kind"] == CANCEL:
        _cancel(world, venue, lane, slot)
    else:
        k = venue.gate[lane]["instrument"]
        _accept(world, venue, lane, slot, market.bars[CLOSES, i, k])
        # Opens are read where something is filled, and nowhere else: they are still far away.
        hasten(market.bars, (OPENS, i + 1, k))


@compiled(inline=True)
def _accept(world: World, venue: Venue, lane: int, slot: int, last: int) -> None:
    o = world.orders[lane, slot]
    r = venue.resting[lane, slot]
    g = venue.gate[lane]
    r["id"] = o["id"]
    r["kind"] = o["kind"]
    r["side"] = o["side"]
    r["price"] = o["price"]
    r["trigger"] = o["trigger"]
    r["left"] = o["left"]
    r["budget"] = o["budget"]
    if r["kind"] == POST_ONLY and (last - r["price"]) * r["side"] <= 0:
        report_order(world, r, lane, slot, REJECTED, world.desk[0]["time_ns"])
        return
    r["live"] = 1
    r["since"] = world.desk[0]["time_ns"]
    g["live"] += 1
    if slot >= g["used"]:
        g["used"] = slot + 1
    widen(g, r, venue.terms[venue.gate[lane]["instrument"]]["through"])
    report_order(world, r, lane, slot, OPEN, world.desk[0]["time_ns"])


@compiled(inline=True)
def _cancel(world: World, venue: Venue, lane: int, slot: int) -> None:
    r = venue.resting[lane, slot]
    remove(venue, lane, slot)
    report_order(world, r, lane, slot, CANCELED, world.desk[0]["time_ns"])


@compiled(inline=True)
def remove(venue: Venue, lane: int, slot: int) -> None:
    """Take an order off the book; the gate is recomputed before the next bar is looked at."""
    r = venue.resting[lane, slot]
    g = venue.gate[lane]
    if r["live"] != 0:
        r["live"] = 0
        g["live"] -= 1
        g["stale"] |= 1
        venue.gate[0]["stale"] |= 2


@compiled(inline=True)
def kind_bit(r: Record) -> int:
    """Return the steps of a bar that can fill an order: 1 at the open, 2 at a stop, 4 at a limit, 8 at the close."""
    if r["kind"] == MARKET:
        return 9
    if r["kind"] == STOP or (r["kind"] == STOP_LIMIT and r["trigger"] > 0):
        return 2
    return 4


@compiled(inline=True)
def widen(g: Record, r: Record, through: int) -> None:
    """Move the gate so that a bar which can touch this order is not quiet."""
    kind = r["kind"]
    side = r["side"]
    g["kinds"] |= kind_bit(r)
    if kind == MARKET:
        g["low"] = FAR
    elif kind == STOP or (kind == STOP_LIMIT and r["trigger"] > 0):
        if side == BUY:
            g["high"] = min(g["high"], r["trigger"])
        else:
            g["low"] = max(g["low"], r["trigger"])
    elif side == BUY:
        g["low"] = max(g["low"], r["price"] - through)
    else:
        g["high"] = min(g["high"], r["price"] + through)


@compiled(inner=True)
def reset_gate(venue: Venue, lane: int) -> None:
    """Recompute the two prices from all live orders of a lane."""
    g = venue.gate[lane]
    g["low"] = -FAR
    g["high"] = FAR
    g["stale"] = 0
    g["kinds"] = 0
    top = 0
    through = venue.terms[venue.gate[lane]["instrument"]]["through"]
    for slot in range(g["used"]):
        r = venue.resting[lane, slot]
        if r["live"] != 0:
            top = slot + 1
            widen(g, r, through)
    g["used"] = top


@compiled(inline=True)
def reset_gates(venue: Venue) -> None:
    """Recompute the gates of the lanes whose orders have changed."""
    if venue.gate[0]["stale"] == 0:
        return
    for lane in range(venue.gate.size):
        if venue.gate[lane]["stale"] & 1:
            reset_gate(venue, lane)
    venue.gate[0]["stale"] = 0
