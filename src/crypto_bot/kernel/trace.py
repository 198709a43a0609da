"""Every signal, risk decision, order and fill leaves a note: folded into one hash, kept in the log.

Equal event streams give equal hashes in every mode; wall times and run ids never enter.
"""

from crypto_bot.kernel.compiled import Record, compiled, mix
from crypto_bot.kernel.layout import BOOKED, SIGNALED, World


@compiled(inline=True)
def _fold(desk: Record, label: int, price: int, quantity: int, amount: int) -> None:
    digest = mix(desk["decisions"], desk["time_ns"])
    digest = mix(digest, label)
    digest = mix(digest, price)
    digest = mix(digest, quantity)
    desk["decisions"] = mix(digest, amount)


@compiled(inline=True)
def _room(world: World) -> bool:
    desk = world.desk[0]
    if desk["log_count"] < world.log.size:
        return True
    desk["log_lost"] += 1
    return False


@compiled(inline=True)
def note_order(world: World, kind: int, lane: int, slot: int, code: int) -> None:
    """Note what was decided about the order in a slot."""
    desk = world.desk[0]
    o = world.orders[lane, slot]
    label = kind + 16 * (o["side"] + 1) + 64 * o["kind"] + 1024 * code + 65536 * (lane * 64 + slot)
    price = o["price"] + o["trigger"]
    _fold(desk, label, price, o["left"], o["budget"])
    if _room(world):
        n = world.log[desk["log_count"]]
        desk["log_count"] += 1
        n["time_ns"] = desk["time_ns"]
        n["kind"] = kind
        n["lane"] = lane
        n["order_id"] = o["id"]
        n["side"] = o["side"]
        n["type"] = o["kind"]
        n["price"] = price
        n["quantity"] = o["left"]
        n["money"] = o["budget"]
        n["fee_asset"] = 0
        n["code"] = code


@compiled(inline=True)
def note_fill(world: World) -> None:
    """Note the fill that stands in the event register."""
    desk = world.desk[0]
    e = world.event[0]
    lane = e["lane"]
    label = BOOKED + 16 * (e["side"] + 1) + 64 * e["maker"] + 1024 * e["fee_asset"] + 65536 * (lane * 64 + e["slot"])
    _fold(desk, label, e["price"], e["quantity"], e["fee"])
    if _room(world):
        n = world.log[desk["log_count"]]
        desk["log_count"] += 1
        n["time_ns"] = e["time_ns"]
        n["kind"] = BOOKED
        n["lane"] = lane
        n["order_id"] = e["order_id"]
        n["side"] = e["side"]
        n["type"] = e["maker"]
        n["price"] = e["price"]
        n["quantity"] = e["quantity"]
        n["money"] = e["fee"]
        n["fee_asset"] = e["fee_asset"]
        n["code"] = e["final"]


@compiled(inner=True)
def note_mark(world: World, kind: int, lane: int, amount: int, code: int) -> None:
    """Note a halt or a resumption."""
    desk = world.desk[0]
    _fold(desk, kind + 1024 * code + 65536 * (lane * 64), amount, 0, 0)
    if _room(world):
        n = world.log[desk["log_count"]]
        desk["log_count"] += 1
        n["time_ns"] = desk["time_ns"]
        n["kind"] = kind
        n["lane"] = lane
        n["order_id"] = 0
        n["side"] = 0
        n["type"] = 0
        n["price"] = 0
        n["quantity"] = 0
        n["money"] = amount
        n["fee_asset"] = 0
        n["code"] = code


@compiled(inline=True)
def note_wish(world: World, lane: int) -> None:
    """Note what a strategy wants on a lane, whenever that has changed."""
    desk = world.desk[0]
    w = world.wish[lane]
    _fold(
        desk, SIGNALED + 1024 * w["dirty"] + 65536 * (lane * 64), w["weight"] + (w["hold"] << 20), w["stop"], w["take"]
    )
    if _room(world):
        n = world.log[desk["log_count"]]
        desk["log_count"] += 1
        n["time_ns"] = desk["time_ns"]
        n["kind"] = SIGNALED
        n["lane"] = lane
        n["order_id"] = 0
        n["side"] = 0
        n["type"] = w["dirty"]
        n["price"] = w["stop"]
        n["quantity"] = w["hold"]
        n["money"] = w["weight"]
        n["fee_asset"] = 0
        n["code"] = w["take"]
