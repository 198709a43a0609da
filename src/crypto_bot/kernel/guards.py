"""Stops that move and positions that end by time: looked at once a bar, after the bar has tested what was there.

A stop is moved at a close, by prices up to that close, and lives from the next bar on. It never moves down. The bar
in which a position was opened counts with its close, for nobody knows whether its high came before the entry.
"""

from crypto_bot.kernel.arithmetic import DOWN, PPM, UP, fee_on, proportion, quantise, share
from crypto_bot.kernel.compiled import COMPILE, Record, compiled, types
from crypto_bot.kernel.gates import ring
from crypto_bot.kernel.layout import (
    CLOSES,
    GUARDED,
    HIGHS,
    KEEP_ALARM,
    KEEP_EVEN,
    KEEP_TIME,
    KEEP_TRAIL,
    TARGETED,
    Market,
    World,
)

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, MARKET_VIEW, WORLD

    KEEP_SIGNATURE = types.void(WORLD, MARKET_VIEW, INTEGER)
else:
    KEEP_SIGNATURE = None


@compiled(inner=True)
def _keep(world: World, market: Market, i: int, lane: int) -> None:
    """Follow the highest price since the entry; move the stop, or end the position."""
    w = world.wish[lane]
    s = world.subs[lane]
    k = s["instrument"]
    b = world.book[k]
    if s["position"] < b["lot"]:
        w["peak"] = 0
        if w["ending"] != 0:
            end_wish(w)
        return
    if w["peak"] == 0:
        w["peak"] = max(market.bars[CLOSES, i, k], paid_price(s, b))
        w["since_ns"] = market.times[i]
    else:
        w["peak"] = max(w["peak"], market.bars[HIGHS, i, k])
    level = _level(w, s, b)
    if level > w["trailed"]:
        w["trailed"] = level
        if level > w["stop"]:
            w["stop"] = level
            w["dirty"] |= GUARDED
    is_over = w["keeps"] & KEEP_TIME != 0 and market.times[i] + world.desk[0]["bar_ns"] - w["since_ns"] >= w["life_ns"]
    if is_over and w["ending"] == 0:
        w["ending"] = 1
        w["dirty"] |= TARGETED


@compiled(inline=True)
def _level(w: Record, s: Record, b: Record) -> int:
    """Return where the stop belongs by what the position has reached; 0 is nowhere yet."""
    entry = paid_price(s, b)
    level = 0
    if w["keeps"] & KEEP_TRAIL and w["peak"] >= entry + fee_on(entry, w["trail_after"]):
        level = quantise(share(w["peak"], PPM - w["trail_ppm"]) - w["trail_by"], b["tick"], DOWN)
    if w["keeps"] & KEEP_EVEN and w["peak"] >= entry + fee_on(entry, w["even_ppm"]):
        level = max(level, quantise(entry, b["tick"], UP))
    return int(level)


@compiled(inline=True)
def paid_price(s: Record, b: Record) -> int:
    """Return the average price paid for what a record holds, rounded up; it must hold something."""
    if b["div"] == 1:
        return int(-(-s["cost"] // (s["position"] * b["mult"])))
    return int(proportion(s["cost"], b["div"], s["position"]) + 1)


@compiled(inline=True)
def end_wish(w: Record) -> None:
    """End a wish and all that guards its position."""
    w["weight"] = 0
    w["hold"] = -1
    w["stop"] = 0
    w["take"] = 0
    w["keeps"] = 0
    w["trailed"] = 0
    w["peak"] = 0
    w["ending"] = 0


@compiled(KEEP_SIGNATURE, cold=True)
def keep_guards(world: World, market: Market, i: int) -> None:
    """Look at every lane whose position is to be trailed or timed, and at pauses that end, at the close of slice i.

    An entry point, so that what few runs need is not copied into the loop of all.
    """
    instruments = world.book.size
    if world.desk[0]["alarm_ns"] != 0:
        ring(world)
    for s in range(world.funds.size):
        head = world.wish[s * instruments]
        if head["kept"] == 0:
            continue
        head["kept"] = 0
        for k in range(instruments):
            w = world.wish[s * instruments + k]
            if w["keeps"] != 0:
                _keep(world, market, i, s * instruments + k)
                head["kept"] |= w["keeps"]
                if w["dirty"] != 0:
                    head["any"] = 1
    if world.desk[0]["alarm_ns"] != 0:
        world.wish[0]["kept"] |= KEEP_ALARM
