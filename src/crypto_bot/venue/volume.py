"""What the volume of a bar allows: how much of it orders may take, and how far a large order moves its own price.

Everything is whole numbers: shares of volume and price in parts per billion, volatility in squared parts per million.
"""

from crypto_bot.kernel.arithmetic import DOWN, PPM, affordable, proportion, quantise, root, share
from crypto_bot.kernel.compiled import Record, compiled
from crypto_bot.kernel.layout import BUY, CLOSES, DAY, FAR, MARKET, STOP, VOLUMES, Market, World
from crypto_bot.venue.book import BY_ROOT, Venue

PPB = 1_000_000_000
_LEAST_BARS = 30
_HIGHEST_VARIANCE = 4 * PPM * PPM
"""A daily deviation of 200 %: what is above is cut, so that nothing runs over."""


@compiled(inner=True)
def find_room(venue: Venue, market: Market, i: int, lane: int, slot: int) -> None:
    """Note how much slice i may still fill of an instrument; a stop that was reached goes on as a market order."""
    t = venue.terms[venue.gate[lane]["instrument"]]
    r = venue.resting[lane, slot]
    if t["used_ns"] != market.times[i]:
        t["used_ns"] = market.times[i]
        t["used"] = 0
    t["room"] = FAR
    if t["volume_ppm"] == 0:
        return
    volume = market.bars[VOLUMES, i, venue.gate[lane]["instrument"]]
    t["room"] = max(0, quantise(share(volume, t["volume_ppm"]) - t["used"], t["lot"], DOWN))
    if r["kind"] == STOP:
        r["kind"] = MARKET
        r["trigger"] = 0
        venue.gate[lane]["stale"] |= 1
        venue.gate[0]["stale"] |= 2


@compiled(inner=True)
def moved(world: World, venue: Venue, market: Market, i: int, lane: int, slot: int, price: int) -> int:
    """Return what a taker's price becomes when his own order moves it; never worse than the limit he set."""
    k = venue.gate[lane]["instrument"]
    t = venue.terms[k]
    r = venue.resting[lane, slot]
    quantity = min(r["left"] if r["left"] > 0 else affordable(r["budget"], price, t), t["room"])
    if t["model"] == BY_ROOT:
        impact = _root_impact(market, i, k, quantity, t["legs"], world.desk[0]["bar_ns"])
    else:
        part = _part(t["used"] + quantity, market.bars[VOLUMES, i, k])
        impact = part * part // PPB // 10
    step = proportion(price, impact // PPM * t["impact_ppm"] + impact % PPM * t["impact_ppm"] // PPM, PPB)
    if impact > 0:
        step += 1
    if r["side"] == BUY:
        worse = price + step
        return int(min(worse, max(r["price"], price)) if r["price"] > 0 else worse)
    worse = max(1, price - step)
    return int(max(worse, min(r["price"], price)) if r["price"] > 0 else worse)


@compiled(inner=True)
def _part(quantity: int, volume: int) -> int:
    """Return quantity / volume in parts per billion, at most all of it."""
    return int(PPB if quantity >= volume else proportion(PPB, quantity, volume))


@compiled(inner=True)
def _root_impact(market: Market, i: int, k: int, quantity: int, legs: int, bar_ns: int) -> int:
    """Return daily volatility times the root of quantity / daily volume, in parts per billion.

    Both are measured on the bars before slice i, those of a day but at least thirty; 0 while there are not two.
    A walked bar counts once, by its last leg.
    """
    last = i // legs * legs - 1
    bars = max(DAY // (bar_ns * legs), _LEAST_BARS)
    variance = 0
    volume = 0
    seen = 0
    while seen < bars and last - legs >= 0:
        before = market.bars[CLOSES, last - legs, k]
        moved_ppm = (market.bars[CLOSES, last, k] - before) * PPM // before if before > 0 else 0
        moved_ppm = min(abs(moved_ppm), 2 * PPM)
        variance += moved_ppm * moved_ppm
        for leg in range(legs):
            volume += market.bars[VOLUMES, last - leg, k]
        seen += 1
        last -= legs
    if seen == 0 or volume == 0:
        return 0
    length = seen * bar_ns * legs
    variance = min(proportion(DAY, variance, length), _HIGHEST_VARIANCE)
    daily = proportion(DAY, volume, length)
    return root(proportion(variance * PPM, min(quantity, daily), max(daily, 1)))


@compiled(inner=True)
def take_part(t: Record, r: Record, quantity: int, paid: int) -> None:
    """Note a fill that used a bar's volume; what is left of the order stays on the book."""
    t["used"] += quantity
    if r["live"] != 0:
        if r["left"] > 0:
            r["left"] -= quantity
        if r["budget"] > 0:
            r["budget"] -= paid
