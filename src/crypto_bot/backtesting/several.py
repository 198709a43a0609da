"""Several strategies on one account: every slice for all of them, in the order they were named.

Each strategy sees its own part of the account only, so that adding one changes no other's decisions
as long as no limit of the whole account is touched. One that cannot go on is switched off, and the
others go on; a run ends with the last of them.
"""

from functools import partial

from crypto_bot.backtesting import interventions
from crypto_bot.backtesting.replay import AT_CLOSE
from crypto_bot.backtesting.slices import close_slice, happen, open_slice, part_equity, send
from crypto_bot.backtesting.stage import Stage
from crypto_bot.kernel.layout import SLOTS
from crypto_bot.plain.meeting import players


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
    """Let every strategy decide on slice i; raises what ended the last that could."""
    for s in range(len(stage.bounds)):
        why = step(stage, i, s)
        if why:
            switch_off(stage, s, why)
            while stage.world.desk[0]["effects_made"] != 0 and send(stage.world, stage.venue, stage.markets[0], i):
                happen(stage.world, int(stage.world.desk[0]["equity"]))


def step(stage: Stage, i: int, s: int) -> str:
    """Let one strategy decide on slice i; return why it cannot, and nothing when it could."""
    if s in stage.failed:
        interventions.hush(stage.world, s)
        return ""
    if s in stage.ailing:
        return stage.ailing.pop(s)
    account, bound = stage.accounts[s], stage.bounds[s]
    if len(stage.bounds) > 1:
        account.equity[i] = part_equity(stage.world, stage.markets[0], i, s)
    return stage.attempt(s, partial(bound.walk, stage.markets[s], i, i + 1, account, bound.memory))


def switch_off(stage: Stage, s: int, why: str) -> None:
    """Let a strategy want nothing new from now on: its orders are to go, its stops and take-profits stay."""
    stage.failed[s] = why
    stage.ailing.pop(s, None)
    player = players(stage.bounds).get(s)
    if player is not None:
        player.end()
    interventions.hush(stage.world, s)
    interventions.take_back(stage.world, s, interventions.ANY, interventions.ANY, False)


def stop_all(stage: Stage) -> None:
    """Tell plain classes that there are no more slices; one that fails at that ends no other."""
    for s, player in players(stage.bounds).items():
        stage.call(s, player.stop)


def state_of(stage: Stage, s: int) -> str | None:
    """Return what a plain class keeps, as JSON text; None when it keeps nothing, or could not say."""
    kept: list[str | None] = []
    player = players(stage.bounds)[s]
    stage.call(s, lambda: kept.append(player.state()))
    return kept[0] if kept else None


def faults(stage: Stage) -> tuple[str, ...]:
    """Say of every strategy that was switched off, or failed at the end, why."""
    names = [bound.module.name for bound in stage.bounds]
    ended = [told(names[s], why) for s, why in sorted(stage.failed.items())]
    return (*ended, *(f"{names[s]} failed when the run was over: {why}" for s, why in sorted(stage.ailing.items())))


def told(name: str, why: str) -> str:
    """Say that a strategy was switched off."""
    return f"{name} is switched off: {why}; its orders are taken back, and what it holds keeps its stops"
