"""Fills: the venue matches a slice, the ledger books what it reports."""

from crypto_bot.kernel.advance import advance_report
from crypto_bot.kernel.compiled import COMPILE, compiled
from crypto_bot.kernel.layout import Market, World
from crypto_bot.venue.book import Venue, reset_gates
from crypto_bot.venue.matching import Reach, next_at_close, next_match, reach
from crypto_bot.venue.scene import Reference, borrow

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER

    FILL_SIGNATURE = INTEGER(INTEGER, INTEGER, INTEGER, INTEGER)
else:
    FILL_SIGNATURE = None


@compiled(inline=True)
def _next(world: World, venue: Venue, market: Market, i: int, cursor: int, within: Reach) -> int:
    """Find the next report of slice i, or of its close alone when nothing is within reach."""
    if within.stop == 0:
        return next_at_close(world, venue, market, i, cursor)
    return next_match(world, venue, market, i, cursor, within)


@compiled(FILL_SIGNATURE)
def fill(scene: Reference, i: int, cursor: int, at_close: int) -> int:
    """Let the venue match slice i, or its close alone, and the ledger book every fill, one after the other.

    Returns -1 when all is done; a cursor to go on from when a fill has effects that have to be carried out first.
    """
    world, venue, market = borrow(scene)
    within = Reach(0, 0, 0) if at_close else reach(venue, market, i)
    cursor = _next(world, venue, market, i, cursor, within)
    while cursor >= 0:
        advance_report(world)
        if world.desk[0]["effects_made"] != 0:
            return cursor
        cursor = _next(world, venue, market, i, cursor, within)
    reset_gates(venue)
    return -1
