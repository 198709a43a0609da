"""The gates that a run may ask for: groups, volatility, Kelly, expectancy, places, pauses. What sells passes them all.

Each says how much money may still be spent on a lane, and the least of them counts. They are entry points: most runs
ask for none of them, and pay one comparison an order.
"""

from crypto_bot.kernel.arithmetic import DOWN, PPM, UP, fee_on, money, proportion, share
from crypto_bot.kernel.compiled import COMPILE, Record, compiled, types
from crypto_bot.kernel.evidence import ENOUGH, best_share, expected_gain, mean_gain, mean_loss, shrunk_part
from crypto_bot.kernel.layout import (
    BUY,
    BY_COOLDOWN,
    BY_EXPECTANCY,
    BY_GROUP,
    BY_KELLY,
    BY_LOSSES,
    BY_PLACES,
    BY_VOLATILITY,
    FAR,
    GATE_BLOCK,
    HALT_LOSSES,
    KEEP_ALARM,
    NO_REASON,
    QUOTED,
    STOP_SLOT,
    World,
)
from crypto_bot.kernel.limits import halt, resume

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, WORLD

    GATE_SIGNATURE = INTEGER(WORLD, INTEGER, INTEGER, INTEGER)
    WEIGH_SIGNATURE = RING_SIGNATURE = types.void(WORLD)
else:
    GATE_SIGNATURE = WEIGH_SIGNATURE = RING_SIGNATURE = None


@compiled(inner=True)
def _narrow(desk: Record, room: int, other: int, reason: int) -> int:
    """Return the lesser room, and note why."""
    if other >= room:
        return room
    desk["ruled_by"] = reason
    return max(0, other)


@compiled(inner=True)
def _taken(world: World, k: int) -> int:
    """Return what an instrument's position is worth at the last close, and what rests to be bought."""
    b = world.book[k]
    return int(money(b["mark"], b["position"], b, DOWN) + b["reserved"])


@compiled(inner=True)
def _group_room(world: World, k: int) -> int:
    """Return what the group of an instrument has room for."""
    desk = world.desk[0]
    group = world.book[k]["group"]
    if group == 0 or desk["group_ppm"] == 0:
        return FAR
    room = share(desk["equity"], desk["group_ppm"])
    for other in range(world.book.size):
        if world.book[other]["group"] == group:
            room -= _taken(world, other)
    return room


@compiled(inner=True)
def _kelly_room(world: World, lane: int) -> int:
    """Return what a fraction of Kelly's share allows, by the trips of the lane's strategy; all while there are few."""
    desk = world.desk[0]
    known = world.wish[lane - world.subs[lane]["instrument"]]
    if desk["kelly_ppm"] == 0 or known["trips"] < ENOUGH or known["trips"] == known["wins"]:
        return FAR
    won = mean_gain(known)
    lost = mean_loss(known)
    best = best_share(shrunk_part(known["wins"], known["trips"], won, lost), won, lost)
    return int(
        share(desk["equity"], min(PPM, share(best, desk["kelly_ppm"]))) - _taken(world, world.subs[lane]["instrument"])
    )


@compiled(inner=True)
def _least(b: Record, price: int, stop: int) -> int:
    """Return what the smallest order costs, fee included, that the exchange takes now and once more at the stop.

    A tenth is added, so that a price that moves until it is filled leaves no position that cannot be sold.
    """
    level = stop if 0 < stop < price else price
    wanted = b["min_notional"] + b["min_notional"] // 10
    lots = max(1, -(-wanted // max(1, money(level, b["lot"], b, DOWN))))
    if money(level, lots * b["lot"], b, DOWN) < wanted:
        lots += 1
    worth = money(price, lots * b["lot"], b, UP)
    return int(worth + fee_on(worth, max(b["taker_ppm"], b["maker_ppm"])))


@compiled(inner=True)
def _expectancy_room(world: World, lane: int, price: int) -> int:
    """Return what the evidence for a strategy allows: all, the smallest order while there are few trips, or nothing."""
    desk = world.desk[0]
    known = world.wish[lane - world.subs[lane]["instrument"]]
    if desk["expectancy"] == 0:
        return FAR
    if known["trips"] < ENOUGH:
        b = world.book[world.subs[lane]["instrument"]]
        return 0 if desk["expectancy"] == GATE_BLOCK else _least(b, price, world.wish[lane]["stop"])
    won = mean_gain(known)
    lost = mean_loss(known)
    return FAR if expected_gain(shrunk_part(known["wins"], known["trips"], won, lost), won, lost) > 0 else 0


@compiled(inner=True)
def _has_place(world: World, k: int) -> bool:
    """Tell whether one more instrument may be held, or this one is already, or is about to be."""
    most = world.desk[0]["places"]
    if most == 0:
        return True
    open_ones = 0
    for other in range(world.book.size):
        b = world.book[other]
        if b["position"] >= b["lot"] or b["reserved"] > 0:
            if other == k:
                return True
            open_ones += 1
    return bool(open_ones < most)


@compiled(GATE_SIGNATURE, cold=True)
def gate_room(world: World, lane: int, price: int, needed: int) -> int:
    """Return how much may be spent on a lane at this price by the gates of the run; `ruled_by` of the desk says why."""
    desk = world.desk[0]
    desk["ruled_by"] = NO_REASON
    k = world.subs[lane]["instrument"]
    room = FAR
    if world.wish[lane]["cool_ns"] >= desk["time_ns"]:
        room = _narrow(desk, room, 0, BY_COOLDOWN)
    if not _has_place(world, k):
        room = _narrow(desk, room, 0, BY_PLACES)
    if desk["probation"] != 0:
        room = _narrow(desk, room, needed // 4, BY_LOSSES)
    room = _narrow(desk, room, _group_room(world, k), BY_GROUP)
    if desk["volatility_ppm"] != 0:
        room = _narrow(desk, room, share(desk["equity"], world.book[k]["calm_ppm"]) - _taken(world, k), BY_VOLATILITY)
    room = _narrow(desk, room, _kelly_room(world, lane), BY_KELLY)
    return _narrow(desk, room, _expectancy_room(world, lane, price), BY_EXPECTANCY)


@compiled(inner=True)
def _set_alarm(world: World, at_ns: int) -> None:
    """Have the pauses looked at again when this time has passed."""
    desk = world.desk[0]
    if desk["alarm_ns"] == 0 or at_ns < desk["alarm_ns"]:
        desk["alarm_ns"] = at_ns
    world.wish[0]["kept"] |= KEEP_ALARM


@compiled(inner=True)
def _ask_again(world: World, lane: int) -> None:
    """Have what was refused on a lane asked for again."""
    w = world.wish[lane]
    w["dirty"] |= w["owed"]
    if w["quotes"] > 0:
        w["dirty"] |= QUOTED
    if w["dirty"] != 0:
        world.wish[lane - world.subs[lane]["instrument"]]["any"] = 1


@compiled(inner=True)
def count_trip(world: World, strategy: int, paid: int, gained: int) -> None:
    """Count a round trip: what it paid for what it bought, and what it gained after fees; nothing gained is no news.

    So many losses in a row halt what opens for a while; after that a quarter is bought until a trip wins.
    """
    desk = world.desk[0]
    known = world.wish[strategy * world.book.size]
    if gained == 0 or paid <= 0:
        return
    part = min(PPM * 1000, proportion(PPM, abs(gained), paid))
    known["trips"] += 1
    if gained > 0:
        known["wins"] += 1
        known["won_ppm"] += part
        desk["losses"] = 0
        desk["probation"] = 0
        return
    known["lost_ppm"] += part
    desk["losses"] += 1
    if desk["most_losses"] != 0 and (desk["losses"] >= desk["most_losses"] or desk["probation"] != 0):
        desk["losses"] = 0
        desk["probation"] = 1
        desk["pause_end_ns"] = desk["time_ns"] + desk["pause_ns"]
        _set_alarm(world, desk["pause_end_ns"])
        if desk["halt"] & HALT_LOSSES == 0:
            halt(world, HALT_LOSSES, desk["equity"])


@compiled(WEIGH_SIGNATURE, cold=True)
def weigh(world: World) -> None:
    """Draw the gates' conclusions from the fill that was just booked."""
    desk = world.desk[0]
    e = world.event[0]
    lane = e["lane"]
    s = world.subs[lane]
    w = world.wish[lane]
    b = world.book[s["instrument"]]
    if e["side"] == BUY:
        w["trip_paid"] += money(e["price"], e["quantity"], b, UP)
        return
    if e["slot"] == STOP_SLOT and desk["cooldown_ns"] != 0:
        w["cool_ns"] = e["time_ns"] + desk["cooldown_ns"]
        _set_alarm(world, w["cool_ns"])
    if s["position"] >= b["lot"]:
        return
    gained = s["realised"] - w["trip_realised"] - (s["fees"] - w["trip_fees"])
    count_trip(world, s["strategy"], w["trip_paid"], gained)
    w["trip_paid"] = 0
    w["trip_realised"] = s["realised"]
    w["trip_fees"] = s["fees"]
    if desk["places"] != 0:
        for other in range(world.wish.size):
            if world.wish[other]["owed"] != 0 and world.wish[other]["cool_ns"] < desk["time_ns"]:
                _ask_again(world, other)


@compiled(RING_SIGNATURE, cold=True)
def ring(world: World) -> None:
    """End the pauses that are over, and ask again for what they held back."""
    desk = world.desk[0]
    now = desk["time_ns"]
    if desk["alarm_ns"] == 0 or now <= desk["alarm_ns"]:
        return
    desk["alarm_ns"] = 0
    if desk["pause_end_ns"] != 0:
        if now > desk["pause_end_ns"]:
            desk["pause_end_ns"] = 0
            resume(world, HALT_LOSSES)
        else:
            _set_alarm(world, desk["pause_end_ns"])
    for lane in range(world.wish.size):
        w = world.wish[lane]
        if w["cool_ns"] != 0:
            if now > w["cool_ns"]:
                w["cool_ns"] = 0
                _ask_again(world, lane)
            else:
                _set_alarm(world, w["cool_ns"])
