"""The backtest's loop: kernel and simulated venue together, compiled, over an array of bars.

Bars in which nothing but the mark can happen are skipped ahead of; the skipping is proved equal to
the plain loop by hash.
"""

from collections.abc import Callable

from crypto_bot.backtesting.quiet import commit_quiet, end_of_day, quiet_until
from crypto_bot.backtesting.settle import settle_slice, settle_wish, wished
from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.compiled import COMPILE, compiled
from crypto_bot.kernel.layout import SLOTS, Account, Market, Memory, World
from crypto_bot.kernel.sight import LOOP, Sight
from crypto_bot.kernel.sight import lend as lend_sight
from crypto_bot.venue.book import Venue
from crypto_bot.venue.scene import Scene, lend

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER, INTEGERS, MARKET_VIEW, MEMORY, WORLD
    from crypto_bot.venue.book import VENUE

    REPLAY_SIGNATURE = INTEGER(LOOP, MARKET_VIEW, WORLD, VENUE, INTEGERS, MEMORY, INTEGER, INTEGER, INTEGER)
else:
    REPLAY_SIGNATURE = None

SKIP, AT_CLOSE = 1, 2
"""Bits of `ways`: skip ahead through quiet bars; fill market orders at the close they are decided on."""
_FIRST_SPAN, _LONGEST_SPAN = 8, 256


@compiled(REPLAY_SIGNATURE)
def replay(
    loop: Callable[..., int],
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
    sight = lend_sight(Sight(market, Account(equity, world.book, world.subs, world.wish), memory))
    room = world.log.size - 8 * SLOTS * world.wish.size
    at_close = ways & AT_CLOSE
    here = Scene(world, venue, market)
    scene = lend(here)
    i = first
    span = _FIRST_SPAN
    ordered = False
    while i < stop:
        if desk["log_count"] > room and world.log.size > 0:
            return i
        quiet = i
        limit = i
        # What was ordered is most often filled by the next bar, and what guards a position looks at every one.
        if ways & SKIP and not ordered and world.wish[0]["kept"] == 0:
            limit = min(min(i + span, stop), desk["day_index"])
            quiet = quiet_until(world, venue, market, i, limit, equity)
        if quiet > i:
            span = min(span * 2, _LONGEST_SPAN) if quiet == limit else _FIRST_SPAN
            done = loop(sight, i, quiet)
            if done < quiet:
                # Wishes change often here: a long look ahead would be thrown away.
                span = max(4, done - i)
            commit_quiet(world, market, i, done, equity, done < quiet)
            i = done
        else:
            last = equity[i - 1] if i > 0 else desk["equity"]
            new_day = market.times[i] >= desk["day_end"]
            equity[i] = settle_slice(here, scene, i, last)
            if new_day:
                desk["day_index"] = end_of_day(world, market, i)
            loop(sight, i, i + 1)
            i += 1
        ordered = wished(world)
        if ordered:
            equity[i - 1] = settle_wish(here, scene, i - 1, equity[i - 1], at_close)
    return i
