"""What every drive does with one slice: everything that it brings, and everything that a wish does.

Both are light; the work is done by entry points that all drives share.
"""

from crypto_bot.backtesting.carrying import carry
from crypto_bot.backtesting.filling import fill
from crypto_bot.kernel.advance import advance_slice
from crypto_bot.kernel.compiled import compiled
from crypto_bot.kernel.layout import World
from crypto_bot.kernel.ledger import equity_at
from crypto_bot.venue.matching import touched
from crypto_bot.venue.scene import Reference, Scene


@compiled(inline=True)
def _fill_all(scene: Reference, i: int, known: int, at_close: int) -> None:
    """Fill what slice i, or its close alone, fills; effects are carried out at the last close that is `known`."""
    cursor = fill(scene, i, 0, at_close)
    while cursor >= 0:
        carry(scene, known, 0, 0)
        cursor = fill(scene, i, cursor, at_close)


@compiled(inline=True)
def settle_slice(here: Scene, scene: Reference, i: int, last_equity: int) -> int:
    """Do everything that slice i brings before the strategies decide: fills, mark, limits; return the equity.

    `scene` refers to what is `here`, for the calls that this function makes.
    """
    world, venue, market = here
    if touched(venue, market, i):
        _fill_all(scene, i, max(i - 1, 0), 0)
    equity = advance_slice(world, market, i, last_equity)
    if world.desk[0]["effects_made"] != 0:
        carry(scene, i, equity, 0)
    return equity


@compiled(inline=True)
def settle_wish(here: Scene, scene: Reference, i: int, equity: int, at_close: int) -> int:
    """Answer what the strategies want at the close of slice i; return the equity after it."""
    world, _, market = here
    while wished(world):
        carry(scene, i, equity, 1)
        if at_close:
            _fill_all(scene, i, i, 1)
            equity = equity_at(world, market, i)
    return equity


@compiled(inline=True)
def wished(world: World) -> bool:
    """Tell whether any strategy's wish has changed, or waits for the venue no longer."""
    instruments = world.book.size
    for s in range(world.funds.size):
        if world.wish[s * instruments]["any"] != 0:
            return True
    return False
