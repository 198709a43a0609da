"""Match resting orders against one bar, and say at what price, how much and for what fee.

Inside a bar: market orders at the open, then stops, then limits, sells before buys; a stop comes
before a target, unless the bar opens beyond that. A resting limit fills at its own price, when the bar
trades through it (or touches it, if the terms say so); a stop fills at its trigger or at a worse open;
takers pay slippage.
"""

from typing import NamedTuple

from crypto_bot.kernel.arithmetic import DOWN, PPM, UP, affordable, before_fee, fee_on, money, quantise
from crypto_bot.kernel.compiled import Record, compiled
from crypto_bot.kernel.layout import (
    BUY,
    CLOSES,
    EXPIRED,
    FAR,
    FILL_EVENT,
    HIGHS,
    LOWS,
    MARKET,
    OPENS,
    POST_ONLY,
    SELL,
    SLOTS,
    STOP,
    STOP_LIMIT,
    STOP_SLOT,
    TAKE_SLOT,
    Market,
    World,
)
from crypto_bot.venue.book import Venue, remove, report_order
from crypto_bot.venue.volume import find_room, moved, take_part

AT_OPEN, AT_STOP, AT_LIMIT, AT_CLOSE = 0, 2, 4, 6
"""Phases of a bar, each run for sells, then (phase + 1) for buys; 1 << phase // 2 is the order's kind bit."""
PHASES = 8
_IN_BAR = 7
"""The kinds of what a bar fills by itself; at the close it does so only for drives that ask for it."""


@compiled(inline=True)
def touched(venue: Venue, market: Market, i: int) -> bool:
    """Tell whether slice i can touch any order of any lane."""
    for lane in range(venue.gate.size):
        g = venue.gate[lane]
        k = venue.gate[lane]["instrument"]
        if market.bars[LOWS, i, k] <= g["low"] or market.bars[HIGHS, i, k] >= g["high"]:
            return True
    return False


class Reach(NamedTuple):
    """The lanes first .. stop-1 that a slice can touch, and the steps of a bar in which it can fill their orders."""

    first: int
    stop: int
    kinds: int


@compiled(inline=True)
def reach(venue: Venue, market: Market, i: int) -> Reach:
    """Return what slice i can touch; nothing that is placed meanwhile is filled by it."""
    first = -1
    stop = 0
    kinds = 0
    for lane in range(venue.gate.size):
        g = venue.gate[lane]
        k = g["instrument"]
        if market.bars[LOWS, i, k] <= g["low"] or market.bars[HIGHS, i, k] >= g["high"]:
            first = lane if first < 0 else first
            stop = lane + 1
            kinds |= g["kinds"]
    return Reach(max(first, 0), stop, kinds & _IN_BAR)


@compiled(inline=True)
def closing(venue: Venue) -> Reach:
    """Return what can be filled at the close that it was decided on: market orders, for comparison with papers."""
    return Reach(0, venue.gate.size, 1 << AT_CLOSE // 2)


@compiled(inline=True)
def match_slot(world: World, venue: Venue, market: Market, i: int, lane: int, slot: int, phase: int) -> bool:
    """Match one order against slice i in one phase; True when a report stands in the event register."""
    r = venue.resting[lane, slot]
    if r["live"] == 0 or r["side"] != (SELL if phase % 2 == 0 else BUY):
        return False
    price = _price_met(venue, market, i, lane, slot, phase - phase % 2)
    if price == 0:
        return False
    time_ns = market.times[i] if phase < AT_CLOSE else world.desk[0]["time_ns"]
    return _trade(world, venue, market, i, lane, slot, price, time_ns)


@compiled(inline=True)
def _trade(world: World, venue: Venue, market: Market, i: int, lane: int, slot: int, price: int, time_ns: int) -> bool:
    """Fill an order at a price, below 0 as a maker; False when the bar has no volume left for it."""
    t = venue.terms[venue.gate[lane]["instrument"]]
    if t["metered"] != 0:
        find_room(venue, market, i, lane, slot)
        if t["room"] == 0:
            return False
        if t["model"] != 0 and price > 0:
            price = moved(world, venue, market, i, lane, slot, price)
    _execute(world, venue, time_ns, lane, slot, abs(price), int(price < 0))
    return True


@compiled(inline=True)
def _price_met(venue: Venue, market: Market, i: int, lane: int, slot: int, step: int) -> int:
    """Return the price at which slice i fills an order in one step: below 0 as a maker's, 0 when it does not."""
    r = venue.resting[lane, slot]
    k = venue.gate[lane]["instrument"]
    kind = r["kind"]
    if step == AT_LIMIT:
        if kind == MARKET or kind == STOP or r["trigger"] > 0:
            return 0
        return _limit_met(r, market, i, k, venue.terms[k])
    if step == AT_OPEN or step == AT_CLOSE:
        # Where this instrument has no bar the order waits for the next one's open.
        reached = market.bars[OPENS, i, k] if kind == MARKET else 0
        if step == AT_CLOSE and reached != 0:
            reached = market.bars[CLOSES, i, k]
    else:
        reached = _stop_met(r, market, i, k) if r["trigger"] > 0 else 0
        if slot == STOP_SLOT and reached != 0 and _is_taken_at_open(venue, market, i, lane):
            return 0
    if reached == 0:
        return 0
    price = _slipped(reached, r["side"], venue.terms[k])
    if kind != STOP_LIMIT:
        return price
    # A reached stop-limit takes if its price allows; otherwise it rests as a limit from the next bar on.
    r["trigger"] = 0
    r["since"] = market.times[i] + 1
    venue.gate[lane]["stale"] |= 1
    venue.gate[0]["stale"] |= 2
    return price if (r["price"] - price) * r["side"] >= 0 else 0


@compiled(inline=True)
def _stop_met(r: Record, market: Market, i: int, k: int) -> int:
    """Return where a stop is filled before slippage, 0 when the bar does not reach it."""
    opened = market.bars[OPENS, i, k]
    if r["side"] == BUY:
        return int(max(opened, r["trigger"])) if market.bars[HIGHS, i, k] >= r["trigger"] else 0
    return int(min(opened, r["trigger"])) if market.bars[LOWS, i, k] <= r["trigger"] else 0


@compiled(inner=True)
def _is_taken_at_open(venue: Venue, market: Market, i: int, lane: int) -> bool:
    """Tell whether the bar opens beyond the target of a guarded position, and so before it can reach the stop."""
    take = venue.resting[lane, TAKE_SLOT]
    k = venue.gate[lane]["instrument"]
    opened = market.bars[OPENS, i, k]
    if take["live"] == 0 or take["since"] > market.times[i] or opened <= venue.resting[lane, STOP_SLOT]["trigger"]:
        return False
    return bool(opened >= take["price"] + venue.terms[k]["through"])


@compiled(inline=True)
def _limit_met(r: Record, market: Market, i: int, k: int, t: Record) -> int:
    """Return where a limit is filled: below 0 at its own price as a maker, above 0 as a taker on arrival."""
    if r["since"] > market.times[i]:
        return 0
    opened = market.bars[OPENS, i, k]
    if opened == 0:  # no bar of this instrument
        return 0
    price = r["price"]
    side = r["side"]
    # A stop-limit that was triggered in the bar before is dated one nanosecond after its open: it has rested since.
    arrives = i == 0 or r["since"] > market.times[i - 1] + 1
    if arrives and (price - opened) * side > 0:
        taken = _slipped(opened, side, t)
        return int(min(taken, price) if side == BUY else max(taken, price))
    if side == BUY:
        crossed = market.bars[LOWS, i, k] <= price - t["through"]
    else:
        crossed = market.bars[HIGHS, i, k] >= price + t["through"]
    return int(-price) if crossed else 0


@compiled(inline=True)
def _slipped(price: int, side: int, t: Record) -> int:
    """Return the price a taker gets: worse by the slippage, rounded against him, but never nothing."""
    ppm = t["slippage_ppm"]
    if ppm == 0:
        return price
    if side == BUY:
        return int(price + (price * ppm + PPM - 1) // PPM)
    return int(max(1, price - (price * ppm + PPM - 1) // PPM))


@compiled(inline=True)
def _execute(world: World, venue: Venue, time_ns: int, lane: int, slot: int, price: int, maker: int) -> None:
    """Report a fill of all that is left, or of what the account can pay or has; nothing left over rests.

    Only what a bar's volume has no room for stays on the book. A post-only order that would take is turned away.
    """
    r = venue.resting[lane, slot]
    t = venue.terms[venue.gate[lane]["instrument"]]
    ppm = t["maker_ppm"] if maker else t["taker_ppm"]
    if r["side"] == BUY:
        funds = world.funds[venue.gate[lane]["strategy"]]["balance"]
        purse = min(funds, r["budget"]) if r["budget"] > 0 else funds
        most = affordable(purse if t["fee_in_received"] else before_fee(purse, ppm), price, t)
        quantity = min(r["left"], most) if r["left"] > 0 else most
    else:
        quantity = min(r["left"], world.subs[lane]["position"])
    if r["left"] == 0 or quantity < r["left"]:
        quantity = quantise(quantity, t["lot"], DOWN)
    ended = quantity <= 0 or (r["kind"] == POST_ONLY and maker == 0)
    final = ended or quantity <= t["room"]
    if final:
        remove(venue, lane, slot)
    if ended:
        report_order(world, r, lane, slot, EXPIRED, time_ns)
        return
    quantity = min(quantity, t["room"])
    e = world.event[0]
    e["kind"] = FILL_EVENT
    e["lane"] = lane
    e["slot"] = slot
    e["order_id"] = r["id"]
    e["side"] = r["side"]
    e["price"] = price
    e["quantity"] = quantity
    e["maker"] = maker
    e["final"] = int(final)
    e["time_ns"] = time_ns
    e["code"] = 0
    if t["fee_in_received"] and r["side"] == BUY:
        e["fee_asset"] = t["base"]
        e["fee"] = quantise(fee_on(quantity * t["unit"], ppm), t["unit"], UP)
    else:
        e["fee_asset"] = t["cash_asset"]
        e["fee"] = fee_on(money(price, quantity, t, UP if r["side"] == BUY else DOWN), ppm)
    if t["metered"] != 0:
        fee = e["fee"] if e["fee_asset"] == t["cash_asset"] else 0
        take_part(t, r, quantity, money(price, quantity, t, UP) + fee)


@compiled(inline=True)
def fill_at(world: World, venue: Venue, lane: int, slot: int, price: int) -> None:
    """Report that an order is filled now, whole and at this price, whatever the bars say."""
    venue.terms[venue.gate[lane]["instrument"]]["room"] = FAR
    _execute(world, venue, world.desk[0]["time_ns"], lane, slot, price, 0)


@compiled(inline=True)
def next_match(world: World, venue: Venue, market: Market, i: int, cursor: int, within: Reach) -> int:
    """Find the next order that slice i fills or ends, from a cursor on; its report stands in the register.

    Returns the cursor to go on from, or -1 when slice i has no more to say.
    """
    lanes = venue.gate.size
    slot = 0
    lane = 0
    phase = 0
    if cursor != 0:  # a division takes as long as the rest of a look
        slot = cursor % SLOTS
        lane = cursor // SLOTS % lanes
        phase = cursor // (SLOTS * lanes)
    if lane < within.first:
        slot = 0
        lane = within.first
    while phase < PHASES:
        while lane < within.stop and within.kinds & (1 << phase // 2) != 0:
            g = venue.gate[lane]
            if g["kinds"] & (1 << phase // 2) != 0:
                while slot < g["used"]:
                    slot += 1
                    if match_slot(world, venue, market, i, lane, slot - 1, phase):
                        return int((phase * lanes + lane) * SLOTS + slot)
            slot = 0
            lane += 1
        slot = 0
        lane = within.first
        phase += 1
    return -1
