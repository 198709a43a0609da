"""The difference between what a strategy wants to be true and what is true, as orders.

First everything that must go is withdrawn; only when the venue has confirmed does a lane place what
is missing, sells before buys. So a wish is never two orders, and asking twice does nothing.
"""

from crypto_bot.kernel.arithmetic import DOWN, UP, affordable, before_fee, fee_on, money, quantise, share
from crypto_bot.kernel.compiled import Record, compiled
from crypto_bot.kernel.layout import (
    BUY,
    CLOSES,
    EMPTY,
    FIRST_QUOTE,
    GUARDED,
    LIMIT,
    MARKET,
    POST_ONLY,
    QUOTED,
    SELL,
    STOP,
    STOP_SLOT,
    TARGET_SLOT,
    TARGETED,
    Draft,
    Market,
    World,
)
from crypto_bot.kernel.ledger import strategy_equity
from crypto_bot.kernel.measures import measure
from crypto_bot.kernel.orders import withdraw
from crypto_bot.kernel.risk import approve
from crypto_bot.kernel.trace import note_wish


@compiled(inline=True)
def answer(world: World, market: Market, i: int) -> None:
    """Turn the changed wishes of all strategies into effects, at the closes of slice i."""
    lanes = world.wish.size
    instruments = world.book.size
    for s in range(world.funds.size):
        world.wish[s * instruments]["any"] = 0
    first = lanes
    stop = 0
    for lane in range(lanes):
        w = world.wish[lane]
        if w["dirty"] == 0:
            continue
        first = min(first, lane)
        stop = lane + 1
        if w["waiting"] == 0:
            world.desk[0]["signals"] += 1
            note_wish(world, lane)
        w["waiting"] = _clear_the_way(world, lane)
        if w["waiting"] == 0 and w["dirty"] & TARGETED:
            w["owed"] = 0
    if world.desk[0]["gated"] != 0:
        measure(world, market, i)
    for phase in range(2):
        side = SELL if phase == 0 else BUY
        for lane in range(first, stop):
            w = world.wish[lane]
            if w["dirty"] != 0 and w["waiting"] == 0:
                _place_missing(world, market, i, lane, side)
                if side == BUY:
                    w["dirty"] = 0


@compiled(inline=True)
def _clear_the_way(world: World, lane: int) -> int:
    """Withdraw every order of a lane that its wish does not want; return how many are still to go."""
    w = world.wish[lane]
    b = world.book[world.subs[lane]["instrument"]]
    held = world.subs[lane]["position"]
    waiting = 0
    for slot in range(FIRST_QUOTE + w["quotes"]):
        o = world.orders[lane, slot]
        if o["state"] == EMPTY:
            continue
        if o["leaving"] == 0 and not _is_wanted(b, w, o, slot, held):
            withdraw(world, lane, slot)
        waiting += o["leaving"]
    return int(waiting)


@compiled(inline=True)
def _is_wanted(b: Record, w: Record, o: Record, slot: int, held: int) -> bool:
    """Tell whether a live order is what the wish asks for."""
    if slot == TARGET_SLOT:
        return bool(w["dirty"] & TARGETED == 0)
    if slot < FIRST_QUOTE:
        if w["dirty"] & GUARDED == 0:
            return True
        level = w["stop"] if slot == STOP_SLOT else w["take"]
        return bool(level > 0 and o["price"] + o["trigger"] == level and o["left"] == quantise(held, b["lot"], DOWN))
    if w["dirty"] & QUOTED == 0:
        return True
    q = w["quote"][slot - FIRST_QUOTE]
    return bool(q["quantity"] == o["asked"] and q["price"] == o["price"] and q["side"] == o["side"])


@compiled(inline=True)
def _place_missing(world: World, market: Market, i: int, lane: int, side: int) -> None:
    """Draft and submit every order of one side that the wish of a lane wants and that is not there."""
    w = world.wish[lane]
    ref = market.bars[CLOSES, i, world.subs[lane]["instrument"]]
    for slot in range(FIRST_QUOTE + w["quotes"]):
        if world.orders[lane, slot]["state"] != EMPTY:
            continue
        if slot == TARGET_SLOT:
            draft = _draft_target(world, market, i, lane)
        elif slot < FIRST_QUOTE:
            draft = _draft_guard(world, lane, slot)
        else:
            draft = _draft_quote(w, slot)
        if draft.side == side and (draft.quantity > 0 or draft.budget > 0):
            approve(world, lane, slot, draft, ref)


@compiled(inline=True)
def _draft_quote(w: Record, slot: int) -> Draft:
    q = w["quote"][slot - FIRST_QUOTE]
    wanted = q["quantity"] if w["dirty"] & QUOTED else 0
    return Draft(q["side"], POST_ONLY if q["post_only"] else LIMIT, q["price"], 0, wanted, 0)


@compiled(inline=True)
def _draft_guard(world: World, lane: int, slot: int) -> Draft:
    """Draft the order that sells the whole position at a stop below or a limit above."""
    w = world.wish[lane]
    held = world.subs[lane]["position"] if w["dirty"] & GUARDED else 0
    if slot == STOP_SLOT:
        return Draft(SELL, STOP, 0, w["stop"], held if w["stop"] > 0 else 0, 0)
    return Draft(SELL, LIMIT, w["take"], 0, held if w["take"] > 0 else 0, 0)


@compiled(inline=True)
def _draft_target(world: World, market: Market, i: int, lane: int) -> Draft:
    """Draft the market order that brings a position to its target: buys spend money, sells give quantity.

    A target is a share of the strategy's equity, so a buy is told as the money to spend, fee included;
    exchanges take market buys that way, and the quantity follows from the price it is filled at.
    """
    w = world.wish[lane]
    b = world.book[world.subs[lane]["instrument"]]
    held = world.subs[lane]["position"]
    ref = market.bars[CLOSES, i, world.subs[lane]["instrument"]]
    side = SELL
    quantity = 0
    budget = 0
    if w["dirty"] & TARGETED == 0:
        pass
    elif w["ending"] != 0:
        quantity = held
    elif w["hold"] >= 0:
        side = BUY if w["hold"] > held else SELL
        quantity = abs(w["hold"] - held)
    elif w["weight"] == 0:
        quantity = held
    else:
        desk = world.desk[0]
        equity = (
            desk["equity"] if world.funds.size == 1 else strategy_equity(world, market, i, world.subs[lane]["strategy"])
        )
        value = share(equity, w["weight"])
        wanted = 0
        if ref > 0:
            wanted = quantise(affordable(before_fee(value, b["taker_ppm"]), ref, b), b["lot"], DOWN)
        if wanted > held or ref == 0:
            worth = money(ref, held, b, UP)
            side = BUY
            budget = max(0, value - worth - fee_on(worth, b["taker_ppm"]))
        else:
            quantity = held - wanted
    return Draft(side, MARKET, 0, 0, quantity, budget)
