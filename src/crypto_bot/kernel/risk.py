"""The one gate: no order exists that has not passed here.

The quantity of an order is the least of what the wish asks and what every limit allows, floored to
the lot. Orders that reduce pass the limits; nothing passes the exchange's filters or an overflow.
"""

from crypto_bot.kernel.arithmetic import DOWN, UP, affordable, before_fee, fee_on, money, quantise, share
from crypto_bot.kernel.compiled import Record, compiled
from crypto_bot.kernel.gates import gate_room
from crypto_bot.kernel.layout import (
    APPROVED,
    BUY,
    BY_CASH,
    BY_COOLDOWN,
    BY_DELISTED,
    BY_EXPOSURE,
    BY_FILTER,
    BY_HALT,
    BY_NO_PRICE,
    BY_OVERFLOW,
    BY_PLACES,
    BY_POSITION,
    BY_RISK,
    EMPTY,
    FAR,
    FIRST_QUOTE,
    HIGHEST_WORTH,
    MARKET,
    NO_REASON,
    REFUSED,
    SELL,
    TARGET_SLOT,
    TARGETED,
    Draft,
    World,
)
from crypto_bot.kernel.limits import headroom
from crypto_bot.kernel.orders import place
from crypto_bot.kernel.trace import note_order


@compiled(inline=True)
def approve(world: World, lane: int, slot: int, draft: Draft, ref: int) -> None:
    """Check and size a drafted order; send it on its way, or note why it is refused."""
    desk = world.desk[0]
    b = world.book[world.subs[lane]["instrument"]]
    o = world.orders[lane, slot]
    desk["next_order_id"] += 1
    o["id"] = desk["next_order_id"]
    o["side"] = draft.side
    o["kind"] = draft.kind
    o["price"] = draft.price
    o["trigger"] = draft.trigger
    o["asked"] = draft.quantity
    o["quantity"] = draft.quantity
    o["budget"] = draft.budget
    o["reserved"] = 0
    o["leaving"] = 0
    o["cut"] = NO_REASON
    price = ref
    if draft.price > 0:
        price = draft.price
    elif draft.trigger > 0:
        price = draft.trigger
    if ref == 0 or _is_too_large(b, draft, price):
        o["cut"] = BY_NO_PRICE if ref == 0 else BY_DELISTED if b["most"] == 0 else BY_OVERFLOW
        o["quantity"] = 0
        o["budget"] = 0
    elif draft.side == BUY:
        _size_opening(world, lane, o, price, ref)
    elif b["contract"] == 0:
        _size_reducing(world, lane, slot, o)
    asked = o["quantity"]
    o["quantity"] = quantise(asked, b["lot"], DOWN)
    o["left"] = o["quantity"]
    worth = o["budget"] if o["budget"] > 0 else money(price, o["quantity"], b, DOWN)
    refused = worth <= 0 or worth < b["min_notional"]
    if o["cut"] == NO_REASON and (refused or o["quantity"] < asked):
        o["cut"] = BY_FILTER
    if refused:
        _refuse(world, lane, slot)
        return
    desk["approved"] += 1
    if draft.side == SELL and draft.kind == MARKET:
        o["reserved"] = worth - fee_on(worth, b["taker_ppm"] + b["slippage_ppm"])
    note_order(world, APPROVED, lane, slot, o["cut"])
    place(world, lane, slot)


@compiled(inline=True)
def _refuse(world: World, lane: int, slot: int) -> None:
    """Note why there will be no order, wake the strategy for it, and remember a target that is only put off."""
    desk = world.desk[0]
    o = world.orders[lane, slot]
    w = world.wish[lane]
    o["reserved"] = 0
    desk["refused"] += 1
    note_order(world, REFUSED, lane, slot, o["cut"])
    w["news"] = 1
    world.wish[lane - world.subs[lane]["instrument"]]["news"] = 1
    waits = o["cut"] == BY_HALT or o["cut"] == BY_COOLDOWN or o["cut"] == BY_PLACES
    if slot == TARGET_SLOT and waits:
        w["owed"] |= TARGETED


@compiled(inline=True)
def _is_too_large(b: Record, draft: Draft, price: int) -> bool:
    """Tell whether an order's worth, or that of the position it makes, might not fit into 64 bits."""
    most = b["most"]
    if draft.side == BUY or b["contract"] != 0:
        most -= abs(b["position"])
    if price <= b["highest"]:
        return bool(draft.budget > money(price, most, b, DOWN) or draft.quantity > most)
    if price > HIGHEST_WORTH // b["mult"]:
        return True
    quantity = affordable(draft.budget, price, b) if draft.budget > 0 else draft.quantity
    return bool(quantity > min(most, affordable(HIGHEST_WORTH, price, b)))


@compiled(inline=True)
def _size_opening(world: World, lane: int, o: Record, price: int, ref: int) -> None:
    """Cut a buy to the exposure that is left and to the money that is free."""
    k = world.subs[lane]["instrument"]
    b = world.book[k]
    fund = world.funds[world.subs[lane]["strategy"]]
    ppm = max(b["taker_ppm"], b["maker_ppm"])
    needed = o["budget"]
    if needed == 0:
        needed = money(price, o["quantity"], b, UP)
        needed += fee_on(needed, ppm)
    room = headroom(world, k, ref)
    at_risk = _risk_room(world, lane, price)
    free = fund["balance"] - fund["reserved"] + fund["expected"]
    if world.desk[0]["halt"] != 0:
        room = 0
        o["cut"] = BY_HALT
    allowed = max(0, min(min(room, free), at_risk))
    reason = BY_RISK if at_risk == allowed else BY_EXPOSURE if room < free else BY_CASH
    if world.desk[0]["gated"] != 0:
        gated = gate_room(world, lane, price, needed)
        if gated < allowed:
            allowed = gated
            reason = world.desk[0]["ruled_by"]
    if needed > allowed:
        if o["cut"] == NO_REASON:
            o["cut"] = reason
        if o["budget"] > 0:
            o["budget"] = allowed
            needed = allowed
        else:
            o["quantity"] = quantise(affordable(before_fee(allowed, ppm), price, b), b["lot"], DOWN)
            needed = money(price, o["quantity"], b, UP)
            needed += fee_on(needed, ppm)
    o["reserved"] = needed


@compiled(inline=True)
def _risk_room(world: World, lane: int, price: int) -> int:
    """Return what a buy may cost so that the whole position loses no more than its share when its stop is hit.

    A unit loses the way to the stop, the fees of both orders and the slippage at the stop; what is held and what
    rests to be bought counts. Without a stop below the price nothing is known of the risk, and nothing is cut.
    """
    desk = world.desk[0]
    stop = world.wish[lane]["stop"]
    if desk["risk_ppm"] == 0 or stop <= 0 or stop >= price:
        return FAR
    b = world.book[world.subs[lane]["instrument"]]
    loss = price - stop + fee_on(price + stop, b["taker_ppm"]) + fee_on(stop, b["slippage_ppm"])
    quantity = affordable(share(desk["equity"], desk["risk_ppm"]), loss, b) - world.subs[lane]["position"]
    for slot in range(FIRST_QUOTE, FIRST_QUOTE + world.wish[lane]["quotes"]):
        rival = world.orders[lane, slot]
        if rival["state"] != EMPTY and rival["side"] == BUY:
            quantity -= rival["left"]
    most = b["most"] if price <= b["highest"] else affordable(HIGHEST_WORTH, price, b)
    worth = money(price, quantise(min(max(0, quantity), most), b["lot"], DOWN), b, UP)
    return int(worth + fee_on(worth, max(b["taker_ppm"], b["maker_ppm"])))


@compiled(inline=True)
def _size_reducing(world: World, lane: int, slot: int, o: Record) -> None:
    """Cut a sell to what is held and not yet promised to other resting sells."""
    free = world.subs[lane]["position"]
    if slot >= FIRST_QUOTE:
        for other in range(FIRST_QUOTE, FIRST_QUOTE + world.wish[lane]["quotes"]):
            rival = world.orders[lane, other]
            if other != slot and rival["state"] != EMPTY and rival["side"] == SELL:
                free -= rival["left"]
    if o["quantity"] > free:
        o["cut"] = BY_POSITION
        o["quantity"] = max(0, free)
