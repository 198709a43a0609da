"""A backtest in which plain classes take part: every slice is shown to Python, between two calls of the kernel."""

from crypto_bot.backtesting.replay import AT_CLOSE, SKIP
from crypto_bot.backtesting.several import step_all
from crypto_bot.backtesting.slices import close_slice, open_slice
from crypto_bot.backtesting.stage import Stage
from crypto_bot.kernel.layout import SLOTS
from crypto_bot.plain.meeting import tell_notes


def replay_classes(stage: Stage, first: int, stop: int, ways: int) -> int:
    """Run slices first .. stop-1 as `replay_several` does, and tell classes of their fills.

    Returns where it stopped: earlier when the log is full.
    """
    if ways & SKIP and len(stage.bounds) == 1:
        # Imported where it is needed: its import compiles.
        from crypto_bot.backtesting import bridge

        drive = bridge.replay_ahead if bridge.runs_ahead(stage) else bridge.replay_spans
        return drive(stage, first, stop, ways)
    return _replay_slices(stage, first, stop, ways)


def _replay_slices(stage: Stage, first: int, stop: int, ways: int) -> int:
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
    tell_notes(stage.bounds, stage.world.log[heard:count])
    return count
