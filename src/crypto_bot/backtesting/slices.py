"""One slice at a time: the steps of a slice as separate calls, for drives that wait between them.

The functions are those that `replay` is made of; here each stands alone, so that a drive can write
its journal between an event and its effects, or let several strategies decide on the same slice.
"""

from crypto_bot.backtesting.settle import settle_slice, settle_wish, wished
from crypto_bot.kernel.advance import advance, advance_slice, advance_wish
from crypto_bot.kernel.compiled import compiled
from crypto_bot.kernel.layout import Market, World
from crypto_bot.kernel.ledger import equity_at, strategy_equity
from crypto_bot.kernel.orders import carry_out
from crypto_bot.venue.book import Venue, receive, reset_gates
from crypto_bot.venue.matching import closing, next_match, reach
from crypto_bot.venue.scene import Scene, lend


@compiled()
def find_match(world: World, venue: Venue, market: Market, i: int, cursor: int) -> int:
    """Find the next order that slice i fills or ends; -1 when there is none. See `matching.next_match`."""
    cursor = next_match(world, venue, market, i, cursor, reach(venue, market, i))
    if cursor < 0:
        reset_gates(venue)
    return cursor


@compiled()
def happen(world: World, equity: int) -> None:
    """Let the event in the register happen."""
    advance(world, equity)


@compiled()
def mark(world: World, market: Market, i: int, last_equity: int) -> int:
    """Mark the ledger at the closes of slice i and watch the limits; return the equity."""
    return advance_slice(world, market, i, last_equity)


@compiled()
def decide(world: World, market: Market, i: int, equity: int) -> None:
    """Answer what the strategies want at the close of slice i."""
    advance_wish(world, market, i, equity)


@compiled()
def send(world: World, venue: Venue, market: Market, i: int) -> bool:
    """Carry the next effect to the venue; True when its answer stands in the event register."""
    desk = world.desk[0]
    if desk["effects_done"] >= desk["effects_made"]:
        desk["effects_done"] = 0
        desk["effects_made"] = 0
        reset_gates(venue)
        return False
    index = desk["effects_done"]
    desk["effects_done"] += 1
    carry_out(world, index)
    receive(world, venue, index, market, i)
    return True


@compiled()
def find_close_match(world: World, venue: Venue, market: Market, i: int) -> bool:
    """Fill the next market order at the close it was decided on; True when a report stands in the register."""
    if next_match(world, venue, market, i, 0, closing(venue)) >= 0:
        return True
    reset_gates(venue)
    return False


@compiled()
def is_wished(world: World) -> bool:
    """Tell whether any strategy's wish has changed."""
    return wished(world)


@compiled()
def account_equity(world: World, market: Market, i: int) -> int:
    """Return what the account is worth at the closes of slice i."""
    return equity_at(world, market, i)


@compiled()
def part_equity(world: World, market: Market, i: int, strategy: int) -> int:
    """Return what one strategy's part of the account is worth at the closes of slice i."""
    return strategy_equity(world, market, i, strategy)


@compiled()
def open_slice(world: World, venue: Venue, market: Market, i: int, last_equity: int) -> int:
    """Do everything that slice i brings before the strategies decide; return the equity."""
    here = Scene(world, venue, market)
    return settle_slice(here, lend(here), i, last_equity)


@compiled()
def close_slice(world: World, venue: Venue, market: Market, i: int, equity: int, at_close: int) -> int:
    """Answer all wishes at the close of slice i; return the equity after it."""
    here = Scene(world, venue, market)
    return settle_wish(here, lend(here), i, equity, at_close)
