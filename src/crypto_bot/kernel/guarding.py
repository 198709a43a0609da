"""The words that guard a position: fixed stops and targets here, what moves or ends them in `guards`, once a bar."""

from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import (
    FAULT_LENGTH,
    FAULT_NAN,
    FAULT_NEGATIVE,
    FAULT_PART,
    OWN_NS,
    Context,
    fail,
)
from crypto_bot.kernel.layout import GUARDED, KEEP_EVEN, KEEP_TIME, KEEP_TRAIL
from crypto_bot.kernel.steps import changed, check_quantity, ticks


@word(inline=True)
def bracket(s: Context, k: int, stop: float, take: float) -> None:
    """Sell the whole position at a stop below or a limit above, whichever comes first; 0 is none."""
    if not stop >= 0.0:
        fail(s, FAULT_NAN if stop != stop else FAULT_NEGATIVE, k, float(stop))
    if not take >= 0.0:
        fail(s, FAULT_NAN if take != take else FAULT_NEGATIVE, k, float(take))
    w = s.wish[k]
    low_side = max(ticks(s, k, stop, False), w["trailed"])
    high_side = ticks(s, k, take, True) if take > 0.0 else 0
    if w["stop"] != low_side or w["take"] != high_side:
        w["stop"] = low_side
        w["take"] = high_side
        changed(s, k, GUARDED)


@word(inline=True)
def stop(s: Context, k: int, price: float) -> None:
    """Sell the position when the price falls to this; a take-profit stays as it is."""
    bracket(s, k, price, float(s.wish[k]["take"] / s.book[k]["price_scale"]))


@word(inline=True)
def take_profit(s: Context, k: int, price: float) -> None:
    """Sell the position when the price rises to this; a stop stays as it is."""
    bracket(s, k, float(s.wish[k]["stop"] / s.book[k]["price_scale"]), price)


@word(inline=True)
def _keep(s: Context, k: int, bit: int, on: bool) -> None:
    """Begin or end to look at a position at every close."""
    w = s.wish[k]
    if w["keeps"] == 0:
        w["peak"] = 0
    w["keeps"] = w["keeps"] | bit if on else w["keeps"] & ~bit
    if w["keeps"] == 0:
        w["trailed"] = 0
    s.wish[0]["kept"] |= bit
    changed(s, k, GUARDED)


@word(inline=True)
def _part(s: Context, k: int, share: float) -> int:
    """Return a share of a price in millionths."""
    if not (share >= 0.0 and share < 1.0):
        fail(s, FAULT_NAN if share != share else FAULT_PART, k, float(share))
    return int(share * 1e6 + 0.5)


@word(inline=True)
def trail(s: Context, k: int, share: float = 0.0, by: float = 0.0, after: float = 0.0) -> None:
    """Keep the stop a share of the highest price, or a distance, below it; from a rise over the entry on."""
    check_quantity(s, k, by)
    w = s.wish[k]
    part = _part(s, k, share)
    distance = ticks(s, k, by, True)
    rise = _part(s, k, after)
    if w["keeps"] & KEEP_TRAIL == 0:
        if part == 0 and distance == 0:
            return
    elif part == w["trail_ppm"] and distance == w["trail_by"] and rise == w["trail_after"]:
        return
    w["trail_ppm"] = part
    w["trail_by"] = distance
    w["trail_after"] = rise
    _keep(s, k, KEEP_TRAIL, part != 0 or distance != 0)


@word(inline=True)
def break_even(s: Context, k: int, rise: float) -> None:
    """Move the stop up to the entry once the position has risen by a share; 0 ends it."""
    w = s.wish[k]
    part = _part(s, k, rise)
    before = w["even_ppm"] if w["keeps"] & KEEP_EVEN else 0
    if part != before:
        w["even_ppm"] = part
        _keep(s, k, KEEP_EVEN, part != 0)


@word(inline=True)
def time_stop(s: Context, k: int, bars: int) -> None:
    """Sell the position when it is so many bars old; 0 ends it."""
    if bars < 0:
        fail(s, FAULT_LENGTH, k, float(bars))
    w = s.wish[k]
    life = bars * s.whole[OWN_NS]
    before = w["life_ns"] if w["keeps"] & KEEP_TIME else 0
    if life != before:
        w["life_ns"] = life
        _keep(s, k, KEEP_TIME, life != 0)
