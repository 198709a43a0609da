"""The backtest's loop: kernel and simulated venue together, compiled, over an array of bars.

`settle_slice` and `settle_wish` are what every drive does with one slice; `replay` runs them over
many, and skips ahead through bars in which nothing but the mark can happen. The skipping is proved
equal to the plain loop by hash.
"""

from collections.abc import Callable

from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.advance import advance_order, advance_report, advance_slice, advance_wish
from crypto_bot.kernel.arithmetic import PPM, proportion, share
from crypto_bot.kernel.compiled import COMPILE, Record, RecordArray, compiled
from crypto_bot.kernel.layout import (
    CLOSES,
    FAR,
    HALT_DAILY_LOSS,
    HALT_DRAWDOWN,
    HIGHS,
    LOWS,
    SLOTS,
    Account,
    Market,
    Memory,
    World,
)
from crypto_bot.kernel.ledger import equity_at
from crypto_bot.kernel.limits import raise_peak
from crypto_bot.kernel.orders import carry_out
from crypto_bot.venue.book import Venue, receive, reset_gate
from crypto_bot.venue.matching import PHASES, match_at_close, match_slot, touched

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, INTEGERS, MARKET_VIEW, MEMORY, WALK, WORLD
    from crypto_bot.venue.book import VENUE

    REPLAY_SIGNATURE = INTEGER(WALK, MARKET_VIEW, WORLD, VENUE, INTEGERS, MEMORY, INTEGER, INTEGER, INTEGER)
else:
    REPLAY_SIGNATURE = None


@compiled(inline=True)
def _drain(world: World, venue: Venue, market: Market, i: int) -> None:
    """Carry out every effect, and let every answer of the venue happen, until none is left."""
    desk = world.desk[0]
    while desk["effects_done"] < desk["effects_made"]:
        index = desk["effects_done"]
        desk["effects_done"] += 1
        carry_out(world, index)
        receive(world, venue, index, market, i)
        advance_order(world)
    desk["effects_done"] = 0
    desk["effects_made"] = 0


drain = compiled(inner=True)(getattr(_drain, "py_func", _drain))
"""The same as a call, for the places that seldom need it: inlined everywhere it would double the code."""


@compiled(inline=True)
def next_match(world: World, venue: Venue, market: Market, i: int, cursor: int) -> int:
    """Find the next order that slice i fills or ends, from a cursor on; its report stands in the register.

    Returns the cursor to go on from, or -1 when slice i has no more to say.
    """
    lanes = venue.gate.size
    slot = cursor % SLOTS
    lane = cursor // SLOTS % lanes
    phase = cursor // (SLOTS * lanes)
    kinds = 0
    for other in range(lanes):
        kinds |= venue.gate[other]["kinds"]
    while phase < PHASES:
        while lane < lanes and kinds & (1 << phase // 2) != 0:
            g = venue.gate[lane]
            if g["kinds"] & (1 << phase // 2) != 0:
                while slot < g["used"]:
                    slot += 1
                    if match_slot(world, venue, market, i, lane, slot - 1, phase):
                        return int((phase * lanes + lane) * SLOTS + slot)
            slot = 0
            lane += 1
        slot = 0
        lane = 0
        phase += 1
    return -1


@compiled(inner=True)
def match_slice(world: World, venue: Venue, market: Market, i: int) -> None:
    """Let the venue match slice i and the ledger book every fill, one after the other."""
    cursor = next_match(world, venue, market, i, 0)
    while cursor >= 0:
        advance_report(world)
        if world.desk[0]["effects_made"] != 0:
            drain(world, venue, market, max(i - 1, 0))
        cursor = next_match(world, venue, market, i, cursor)
    reset_gates(venue)


@compiled(inline=True)
def reset_gates(venue: Venue) -> None:
    """Recompute the gates of the lanes whose orders have changed."""
    if venue.gate[0]["stale"] == 0:
        return
    for lane in range(venue.gate.size):
        if venue.gate[lane]["stale"] & 1:
            reset_gate(venue, lane)
    venue.gate[0]["stale"] = 0


@compiled(inline=True)
def settle_slice(world: World, venue: Venue, market: Market, i: int, last_equity: int) -> int:
    """Do everything that slice i brings before the strategies decide: fills, mark, limits."""
    if touched(venue, market, i):
        match_slice(world, venue, market, i)
    equity = advance_slice(world, market, i, last_equity)
    if world.desk[0]["effects_made"] != 0:
        drain(world, venue, market, i)
        reset_gates(venue)
    return equity


@compiled(inline=True)
def settle_wish(world: World, venue: Venue, market: Market, i: int, equity: int, at_close: int) -> int:
    """Answer what the strategies want at the close of slice i; return the equity after it."""
    while wished(world):
        advance_wish(world, market, i, equity)
        _drain(world, venue, market, i)
        if at_close:
            _fill_at_close(world, venue, market, i)
            equity = equity_at(world, market, i)
    reset_gates(venue)
    return equity


@compiled(inline=True)
def wished(world: World) -> bool:
    """Tell whether any strategy's wish has changed, or waits for the venue no longer."""
    instruments = world.book.size
    for s in range(world.funds.size):
        if world.wish[s * instruments]["any"] != 0:
            return True
    return False


@compiled(inner=True)
def _fill_at_close(world: World, venue: Venue, market: Market, i: int) -> None:
    for phase in range(2):
        for lane in range(venue.gate.size):
            for slot in range(venue.gate[lane]["used"]):
                if match_at_close(world, venue, market, i, lane, slot, phase):
                    advance_report(world)
                    if world.desk[0]["effects_made"] != 0:
                        drain(world, venue, market, i)


@compiled(inline=True)
def _quiet(world: World, venue: Venue, market: Market, first: int, stop: int, equity: IntArray) -> int:
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
    floor = _watched_floor(desk[0])
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
    floor = _watched_floor(desk[0])
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
def _watched_floor(desk: Record) -> int:
    """Return the equity at which something happens: nothing more once a loss has halted trading."""
    return int(desk["floor"]) if desk["halt"] & (HALT_DRAWDOWN | HALT_DAILY_LOSS) == 0 else -FAR


@compiled(inline=True)
def _commit_quiet(world: World, market: Market, first: int, stop: int, equity: IntArray, cut: bool) -> None:
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
def _end_of_day(world: World, market: Market, i: int) -> int:
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


SKIP, AT_CLOSE = 1, 2
"""Bits of `ways`: skip ahead through quiet bars; fill market orders at the close they are decided on."""
_FIRST_SPAN, _LONGEST_SPAN = 8, 1024


@compiled(REPLAY_SIGNATURE)
def replay(
    walk: Callable[..., int],
    market: Market,
    world: World,
    venue: Venue,
    equity: IntArray,
    memory: Memory,
    first: int,
    stop: int,
    ways: int,
) -> int:
    """Run slices first .. stop-1 for one strategy; return where it stopped: earlier when the log is full."""
    desk = world.desk[0]
    account = Account(equity, world.book, world.subs, world.wish)
    room = world.log.size - 8 * SLOTS * world.wish.size
    at_close = ways & AT_CLOSE
    i = first
    span = _FIRST_SPAN
    while i < stop:
        if desk["log_count"] > room and world.log.size > 0:
            return i
        quiet = i
        limit = i
        if ways & SKIP:
            limit = min(min(i + span, stop), desk["day_index"])
            quiet = _quiet(world, venue, market, i, limit, equity)
        if quiet > i:
            span = min(span * 2, _LONGEST_SPAN) if quiet == limit else _FIRST_SPAN
            done = walk(market, i, quiet, account, memory)
            if done < quiet:
                # Wishes change often here: a long look ahead would be thrown away.
                span = max(4, 2 * (done - i))
            _commit_quiet(world, market, i, done, equity, done < quiet)
            i = done
        else:
            last = equity[i - 1] if i > 0 else desk["equity"]
            new_day = market.times[i] >= desk["day_end"]
            equity[i] = settle_slice(world, venue, market, i, last)
            if new_day:
                desk["day_index"] = _end_of_day(world, market, i)
            walk(market, i, i + 1, account, memory)
            i += 1
        if wished(world):
            equity[i - 1] = settle_wish(world, venue, market, i - 1, equity[i - 1], at_close)
    return i
