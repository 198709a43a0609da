"""What the typed classes of this room call: the kernel's own functions as entry points, compiled at first use."""

from typing import NamedTuple

from crypto_bot.kernel.advance import advance, advance_slice
from crypto_bot.kernel.arithmetic import DOWN, affordable, quantise
from crypto_bot.kernel.compiled import compiled
from crypto_bot.kernel.context import Context
from crypto_bot.kernel.guarding import bracket, break_even, time_stop, trail
from crypto_bot.kernel.guards import end_wish
from crypto_bot.kernel.layout import (
    BUY,
    CLOSES,
    EMPTY,
    FIRST_QUOTE,
    HIGHEST_WORTH,
    LIMIT,
    MARKET,
    SELL,
    STOP,
    STOP_SLOT,
    TAKE_SLOT,
    TARGET_SLOT,
    Draft,
    Market,
    Memory,
    World,
)
from crypto_bot.kernel.limits import new_day, watch
from crypto_bot.kernel.measures import measure
from crypto_bot.kernel.risk import approve
from crypto_bot.venue.book import Venue
from crypto_bot.venue.matching import AT_LIMIT, AT_OPEN, AT_STOP, match_slot


class Guards(NamedTuple):
    """What guards a position, in plain decimals as the strategy language has it; 0 is none."""

    stop: float
    take: float
    trail: float
    trail_by: float
    trail_after: float
    break_even: float
    bars: int


@compiled()
def judge(world: World, market: Market, i: int, lane: int, draft: Draft) -> None:
    """Let the gate see an order after the close of slice i; what it says stands in the order's record."""
    if world.desk[0]["gated"] != 0:
        measure(world, market, i)
    slot = TARGET_SLOT if draft.kind == MARKET else FIRST_QUOTE
    approve(world, lane, slot, draft, market.bars[CLOSES, i, world.subs[lane]["instrument"]])


@compiled()
def size(world: World, lane: int, price: int, stop: int) -> int:
    """Return the quantity that the gate leaves of a buy without end, at a price with a stop; 0 when it refuses."""
    b = world.book[world.subs[lane]["instrument"]]
    world.wish[lane]["stop"] = stop
    most = min(b["most"] - abs(b["position"]), affordable(HIGHEST_WORTH, price, b))
    approve(world, lane, FIRST_QUOTE, Draft(BUY, LIMIT, price, 0, quantise(most, b["lot"], DOWN), 0), price)
    order = world.orders[lane, FIRST_QUOTE]
    return int(order["quantity"] if order["state"] != EMPTY else 0)


@compiled()
def happen(world: World, equity: int) -> None:
    """Let the event in the register happen; what the venue would have to do is done by whoever asks."""
    advance(world, equity)
    world.desk[0]["effects_made"] = 0


@compiled()
def mark(world: World, market: Market, i: int, last_equity: int) -> None:
    """Mark the account at the close of slice i, watch the limits, move what guards positions."""
    advance_slice(world, market, i, last_equity)
    world.desk[0]["effects_made"] = 0


@compiled()
def tell(world: World, time_ns: int, equity: int) -> None:
    """Watch the limits at an equity that is known from elsewhere."""
    desk = world.desk[0]
    if time_ns >= desk["day_end"]:
        new_day(world, time_ns, desk["equity"])
    desk["time_ns"] = max(desk["time_ns"], time_ns)
    desk["equity"] = equity
    watch(world, equity)
    desk["effects_made"] = 0


@compiled()
def guard(world: World, market: Market, memory: Memory, k: int, guards: Guards) -> None:
    """Wish for what guards a position, with the words of a strategy."""
    # The words write into the wish and read the instrument; of market and memory they read the length of a bar.
    s = Context(
        market.bars,
        market.times,
        0,
        0,
        market.times,
        world.book,
        world.subs,
        world.wish,
        memory.whole,
        memory.real,
        world.book.size,
        memory.whole,
        1.0,
    )
    bracket(s, k, guards.stop, guards.take)
    trail(s, k, guards.trail, guards.trail_by, guards.trail_after)
    break_even(s, k, guards.break_even)
    time_stop(s, k, guards.bars)


@compiled()
def unguard(world: World, lane: int) -> None:
    """End what guards a position."""
    end_wish(world.wish[lane])


@compiled()
def find_hit(world: World, venue: Venue, market: Market, i: int, lane: int) -> int:
    """Return the slot of the guard that slice i reaches first, -1 for none; its fill stands in the event register.

    Guards rest at the venue as they would after the last close: a position whose time is over is sold at the open.
    """
    w = world.wish[lane]
    b = world.book[world.subs[lane]["instrument"]]
    held = quantise(world.subs[lane]["position"], b["lot"], DOWN)
    for slot in range(FIRST_QUOTE):
        r = venue.resting[lane, slot]
        level = w["ending"] if slot == TARGET_SLOT else w["stop"] if slot == STOP_SLOT else w["take"]
        price = level if slot == TAKE_SLOT else 0
        trigger = level if slot == STOP_SLOT else 0
        wanted = held if level > 0 else 0
        if r["left"] != wanted or r["price"] != price or r["trigger"] != trigger:
            r["since"] = world.desk[0]["time_ns"]
        r["kind"] = MARKET if slot == TARGET_SLOT else STOP if slot == STOP_SLOT else LIMIT
        r["side"] = SELL
        r["price"] = price
        r["trigger"] = trigger
        r["left"] = wanted
        r["live"] = int(wanted > 0)
    for phase in (AT_OPEN, AT_STOP, AT_LIMIT):
        for slot in range(FIRST_QUOTE):
            if match_slot(world, venue, market, i, lane, slot, phase):
                return slot
    return -1
