"""Effects: what the strategies want becomes orders, the venue takes them, and its word on them happens at once."""

from crypto_bot.kernel.advance import advance_order, advance_wish
from crypto_bot.kernel.compiled import COMPILE, compiled, types
from crypto_bot.kernel.orders import carry_out
from crypto_bot.venue.book import receive, reset_gates
from crypto_bot.venue.scene import Reference, borrow

if COMPILE:
    from crypto_bot.kernel.layout import INTEGER

    CARRY_SIGNATURE = types.void(INTEGER, INTEGER, INTEGER, INTEGER)
else:
    CARRY_SIGNATURE = None


@compiled(CARRY_SIGNATURE)
def carry(scene: Reference, i: int, equity: int, wishes: int) -> None:
    """Carry out every effect, of what the strategies want at the close of slice i too if `wishes` is set.

    The venue's answers happen until none is left.
    """
    world, venue, market = borrow(scene)
    if wishes:
        advance_wish(world, market, i, equity)
    desk = world.desk[0]
    while desk["effects_done"] < desk["effects_made"]:
        index = desk["effects_done"]
        desk["effects_done"] += 1
        carry_out(world, index)
        receive(world, venue, index, market, i)
        advance_order(world)
    desk["effects_done"] = 0
    desk["effects_made"] = 0
    reset_gates(venue)
