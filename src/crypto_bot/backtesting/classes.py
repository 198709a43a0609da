"""A backtest in which plain classes take part: every slice is shown to Python, between two calls of the kernel."""

from crypto_bot.backtesting.replay import AT_CLOSE
from crypto_bot.backtesting.several import step_all
from crypto_bot.backtesting.slices import close_slice, open_slice
from crypto_bot.backtesting.stage import Stage
from crypto_bot.kernel.layout import BOOKED, SLOTS
from crypto_bot.plain.meeting import tell_fill


def replay_classes(stage: Stage, first: int, stop: int, ways: int) -> int:
    """Run slices first .. stop-1 as `replay_several` does, and tell classes of their fills.

    Returns where it stopped: earlier when the log is full.
    """
    world, venue, market, equity = stage.world, stage.venue, stage.markets[0], stage.equity
    desk = world.desk[0]
    room = world.log.size - 8 * SLOTS * world.wish.size
    heard = int(desk["log_count"])
    for i in range(first, stop):
        if desk["log_count"] > room:
            return i
        last = equity[i - 1] if i > 0 else desk["equity"]
        equity[i] = open_slice(world, venue, market, i, last)
        heard = _tell(stage, heard)
        step_all(stage, i)
        equity[i] = close_slice(world, venue, market, i, equity[i], ways & AT_CLOSE)
        heard = _tell(stage, heard)
    return stop


def _tell(stage: Stage, heard: int) -> int:
    """Tell of the fills that were noted since; return how many notes there are."""
    count = int(stage.world.desk[0]["log_count"])
    for n in range(heard, count):
        note = stage.world.log[n]
        if note["kind"] == BOOKED:
            tell_fill(stage.bounds, note, fee=int(note["money"]))
    return count
