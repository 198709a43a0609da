"""What the gates have to know of the market before something is bought: last prices, and how much they move."""

from crypto_bot.kernel.arithmetic import PPM, proportion, root
from crypto_bot.kernel.compiled import COMPILE, compiled, types
from crypto_bot.kernel.layout import CLOSES, DAY, Market, World

LEAST_RETURNS = 20
"""Returns from which on a volatility is believed; before, nothing is cut by it."""
_LARGEST_MOVE = 10 * PPM
_YEAR = 365 * DAY

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, MARKET_VIEW, WORLD

    MEASURE_SIGNATURE = types.void(WORLD, MARKET_VIEW, INTEGER)
else:
    MEASURE_SIGNATURE = None


@compiled(inner=True)
def volatility_ppm(market: Market, i: int, k: int, days: int, bar_ns: int) -> int:
    """Return the deviation (ddof 1) of the returns before the close of slice i, a year's worth; 0 while unknown.

    Returns are those of whole days, or of bars where these are longer; while there are not so many days yet, they
    are taken closer together, so that there are as many of them.
    """
    step = max(1, min(DAY // bar_ns, i // days))
    count = min(days, i // step)
    total = 0
    squares = 0
    seen = 0
    for n in range(count):
        last = market.bars[CLOSES, i - n * step, k]
        before = market.bars[CLOSES, i - n * step - step, k]
        if before > 0:
            move = max(-PPM, min(_LARGEST_MOVE, (last - before) * PPM // before))
            total += move
            squares += move * move
            seen += 1
    if seen < LEAST_RETURNS:
        return 0
    variance = (squares - total * total // seen) // (seen - 1)
    span = max(1, (market.times[i] - market.times[i - count * step]) // count)
    return int(root(proportion(variance, _YEAR, span)))


@compiled(MEASURE_SIGNATURE, cold=True)
def measure(world: World, market: Market, i: int) -> None:
    """Note the close of slice i of every instrument, and the share of the equity that its volatility allows."""
    desk = world.desk[0]
    for k in range(world.book.size):
        b = world.book[k]
        b["mark"] = market.bars[CLOSES, i, k]
        b["calm_ppm"] = 0
        if desk["volatility_ppm"] != 0:
            found = volatility_ppm(market, i, k, desk["volatility_days"], desk["bar_ns"])
            b["calm_ppm"] = min(PPM, desk["volatility_ppm"] * PPM // found) if found > 0 else PPM
