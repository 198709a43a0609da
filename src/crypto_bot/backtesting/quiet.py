"""Looking ahead: mark bars until something else than the mark can happen.

Whatever is skipped here is proved equal, by hash, to the plain loop at every bar.
"""

from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.arithmetic import PPM, proportion, share
from crypto_bot.kernel.compiled import RecordArray, compiled
from crypto_bot.kernel.layout import CLOSES, FAR, HIGHS, LOWS, Market, World
from crypto_bot.kernel.limits import raise_peak
from crypto_bot.venue.book import Venue


@compiled(inline=True)
def quiet_until(world: World, venue: Venue, market: Market, first: int, stop: int, equity: IntArray) -> int:
    """Mark bars until something else than the mark can happen; return where."""
    cash = world.purse[world.desk[0]["cash_asset"]]["balance"]
    b = world.book[0]
    if world.book.size > 1 or b["div"] != 1:
        return _quiet_many(world.desk, world.book, venue.gate, market.bars, equity, first, stop, cash)
    g = venue.gate[0]
    return _quiet_one(world.desk, market.bars, equity, first, stop, cash, b["worth_per_price"], g["low"], g["high"])


@compiled(inner=True)
def _quiet_one(
    desk: RecordArray,
    bars: IntArray,
    equity: IntArray,
    first: int,
    stop: int,
    cash: int,
    worth: int,
    low: int,
    high: int,
) -> int:
    """Mark the bars of one instrument; a function of its own, so that its few numbers stay in registers."""
    peak = desk[0]["peak"]
    floor = desk[0]["floor"]
    drawdown = desk[0]["drawdown_ppm"] if floor > -FAR else 0
    at = stop
    for t in range(first, stop):
        if bars[LOWS, t, 0] <= low or bars[HIGHS, t, 0] >= high:
            at = t
            break
        e = cash + worth * bars[CLOSES, t, 0]
        if e <= floor:
            at = t
            break
        if e > peak:
            peak = e
            if drawdown != 0:
                floor = max(floor, share(e, PPM - drawdown))
        equity[t] = e
    desk[0]["ahead_peak"] = peak
    return at


@compiled(inner=True)
def _rests(book: RecordArray, bars: IntArray, t: int) -> int:
    """Return what positions in instruments of fine scales are worth beyond whole units of worth: see `worth_at`."""
    rests = 0
    for k in range(book.size):
        if book[k]["div"] != 1:
            rests += proportion(book[k]["worth_rest"], bars[CLOSES, t, k], book[k]["div"])
    return int(rests)


@compiled(inner=True)
def _quiet_many(
    desk: RecordArray,
    book: RecordArray,
    gate: RecordArray,
    bars: IntArray,
    equity: IntArray,
    first: int,
    stop: int,
    cash: int,
) -> int:
    """Mark the bars of several instruments, or of one whose scales ask for a division."""
    peak = desk[0]["peak"]
    floor = desk[0]["floor"]
    drawdown = desk[0]["drawdown_ppm"] if floor > -FAR else 0
    at = stop
    fine = 0
    for k in range(book.size):
        fine += int(book[k]["div"] != 1)
    for t in range(first, stop):
        e = cash
        if fine != 0:
            e += _rests(book, bars, t)
        loud = 0
        for k in range(book.size):
            e += book[k]["worth_per_price"] * bars[CLOSES, t, k]
            if bars[LOWS, t, k] <= gate[k]["low"] or bars[HIGHS, t, k] >= gate[k]["high"]:
                loud = 1
        if loud != 0 or e <= floor:
            at = t
            break
        if e > peak:
            peak = e
            if drawdown != 0:
                floor = max(floor, share(e, PPM - drawdown))
        equity[t] = e
    desk[0]["ahead_peak"] = peak
    return at


@compiled(inline=True)
def commit_quiet(world: World, market: Market, first: int, stop: int, equity: IntArray, cut: bool) -> None:
    """Remember what the quiet bars first .. stop-1 did to the peak and to time; `cut` if more had been looked at."""
    desk = world.desk[0]
    peak = desk["ahead_peak"]
    if cut and peak > desk["peak"]:
        peak = desk["peak"]
        for t in range(first, stop):
            peak = max(peak, equity[t])
    raise_peak(desk, peak)
    desk["sequence"] += stop - first
    desk["time_ns"] = market.times[stop - 1] + desk["bar_ns"]
    desk["equity"] = equity[stop - 1]


@compiled(inline=True)
def end_of_day(world: World, market: Market, i: int) -> int:
    """Return the first slice at or after i that opens a new UTC day, by bisection within a day's bars."""
    desk = world.desk[0]
    last = market.times.size
    a = i
    z = min(last, i + 1441)
    if market.times[z - 1] < desk["day_end"]:
        z = last
    while a < z:
        m = (a + z) // 2
        if market.times[m] < desk["day_end"]:
            a = m + 1
        else:
            z = m
    return a
