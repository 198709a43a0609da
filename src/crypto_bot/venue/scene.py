"""World, venue and market as one thing that compiled entry points hand on by reference.

Passed by value they are a hundred and thirty machine words on every call, which costs as much as a small order.
Interpreted, a reference is the thing itself.
"""

from typing import Any, NamedTuple

from crypto_bot.kernel.compiled import COMPILE, types
from crypto_bot.kernel.layout import Market, World
from crypto_bot.venue.book import Venue


class Scene(NamedTuple):
    """All that an entry point needs to let something happen in slice after slice."""

    world: World
    venue: Venue
    market: Market


Reference = Any
"""Where a scene lies: an address compiled, the scene itself interpreted."""

if COMPILE:
    from crypto_bot.kernel.layout import MARKET_VIEW, WORLD
    from crypto_bot.kernel.linking import references
    from crypto_bot.venue.book import VENUE

    lend, borrow = references(types.NamedTuple([WORLD, VENUE, MARKET_VIEW], Scene))
else:

    def lend(scene: Scene) -> Reference:
        """Return the scene."""
        return scene

    def borrow(scene: Reference) -> Scene:
        """Return the scene."""
        return scene  # type: ignore[no-any-return] # a reference is the scene itself
