"""Several strategies on one account: every slice for all of them, in the order they were named.

Each strategy sees its own part of the account only, so that adding one changes no other's decisions
as long as no limit of the whole account is touched.
"""

from crypto_bot.authoring.sentences import runtime_mistake
from crypto_bot.backtesting.replay import AT_CLOSE
from crypto_bot.backtesting.slices import close_slice, open_slice, part_equity
from crypto_bot.backtesting.stage import Stage
from crypto_bot.kernel.layout import SLOTS


def replay_several(stage: Stage, first: int, stop: int, ways: int) -> int:
    """Run slices first .. stop-1; return where it stopped: earlier when the log is full."""
    world, venue, market, equity = stage.world, stage.venue, stage.markets[0], stage.equity
    room = world.log.size - 8 * SLOTS * world.wish.size
    for i in range(first, stop):
        if world.desk[0]["log_count"] > room:
            return i
        last = equity[i - 1] if i > 0 else world.desk[0]["equity"]
        equity[i] = open_slice(world, venue, market, i, last)
        step_all(stage, i)
        equity[i] = close_slice(world, venue, market, i, equity[i], ways & AT_CLOSE)
    return stop


def step_all(stage: Stage, i: int) -> None:
    """Let every strategy decide on slice i; Mistake names the one that cannot."""
    alone = len(stage.bounds) == 1
    for s, bound in enumerate(stage.bounds):
        account = stage.accounts[s]
        if not alone:
            account.equity[i] = part_equity(stage.world, stage.markets[0], i, s)
        try:
            bound.walk(stage.markets[s], i, i + 1, account, bound.memory)
        except (ArithmeticError, IndexError) as fault:
            symbols = tuple(instrument.symbol for instrument in stage.instruments)
            raise runtime_mistake(bound.module, bound.memory, stage.markets[s].times, symbols, fault) from None
