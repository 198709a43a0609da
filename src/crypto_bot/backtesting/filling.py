"""Fills: the venue matches a slice, the ledger books what it reports."""

from crypto_bot.kernel.advance import advance_report
from crypto_bot.kernel.compiled import COMPILE, compiled
from crypto_bot.venue.book import reset_gates
from crypto_bot.venue.matching import closing, next_match, reach
from crypto_bot.venue.scene import Reference, borrow

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER

    FILL_SIGNATURE = INTEGER(INTEGER, INTEGER, INTEGER, INTEGER)
else:
    FILL_SIGNATURE = None


@compiled(FILL_SIGNATURE)
def fill(scene: Reference, i: int, cursor: int, at_close: int) -> int:
    """Let the venue match slice i, or its close alone, and the ledger book every fill, one after the other.

    Returns -1 when all is done; a cursor to go on from when a fill has effects that have to be carried out first.
    """
    world, venue, market = borrow(scene)
    within = closing(venue) if at_close else reach(venue, market, i)
    while True:
        cursor = next_match(world, venue, market, i, cursor, within)
        if cursor < 0:
            reset_gates(venue)
            return -1
        advance_report(world)
        if world.desk[0]["effects_made"] != 0:
            return cursor
