"""The limits: drawdown, daily loss and exposure, watched at every bar in every mode.

One number, the floor, stands for drawdown and daily loss: the equity at which the next of them is
reached. It changes only with a new peak, a new day or a halt, so a quiet bar costs one comparison.
"""

from crypto_bot.kernel.arithmetic import DOWN, PPM, money, share
from crypto_bot.kernel.compiled import Record, compiled
from crypto_bot.kernel.layout import (
    BUY,
    COMMAND_HALT,
    COMMAND_REBASE,
    COMMAND_RESUME,
    DAY,
    EMPTY,
    FAR,
    GUARDED,
    HALT_DAILY_LOSS,
    HALT_DRAWDOWN,
    HALT_LAW,
    HALT_LOSSES,
    HALT_OPERATOR,
    HALTED,
    QUOTED,
    RESUMED,
    TARGET_SLOT,
    TARGETED,
    World,
)
from crypto_bot.kernel.orders import withdraw
from crypto_bot.kernel.trace import note_mark


@compiled(inner=True)
def floor_of(desk: Record) -> int:
    """Return the equity at which a loss halts trading that has not yet, from the peak and the day's opening equity.

    A day's loss ends with the day, so a drawdown is watched on through it; a drawdown ends by hand alone.
    """
    floor = -FAR
    if desk["halt"] & HALT_DRAWDOWN != 0:
        return floor
    if desk["drawdown_ppm"] != 0:
        floor = share(desk["peak"], PPM - desk["drawdown_ppm"])
    if desk["daily_loss_ppm"] != 0 and desk["halt"] & HALT_DAILY_LOSS == 0:
        floor = max(floor, share(desk["day_open"], PPM - desk["daily_loss_ppm"]))
    return floor


@compiled(inline=True)
def raise_peak(desk: Record, equity: int) -> None:
    """Remember a new highest equity; the floor rises with it, unless a drawdown has halted and there is none."""
    if equity > desk["peak"]:
        desk["peak"] = equity
        if desk["drawdown_ppm"] != 0 and desk["floor"] > -FAR:
            desk["floor"] = max(desk["floor"], share(equity, PPM - desk["drawdown_ppm"]))


@compiled(inner=True)
def halt(world: World, reason: int, equity: int) -> None:
    """Stop opening: orders that open are withdrawn, orders that reduce stay."""
    desk = world.desk[0]
    desk["halt"] |= reason
    desk["floor"] = floor_of(desk)
    note_mark(world, HALTED, 0, equity, reason)
    for lane in range(world.orders.shape[0]):
        for slot in range(world.orders.shape[1]):
            o = world.orders[lane, slot]
            if o["state"] != EMPTY and o["side"] == BUY and o["leaving"] == 0:
                withdraw(world, lane, slot)
                if slot == TARGET_SLOT:
                    world.wish[lane]["owed"] |= TARGETED


@compiled(inner=True)
def resume(world: World, reason: int) -> None:
    """Lift one reason of a halt; when none is left, quotes, stops and what was put off are looked at again.

    A target that was reached is not: a strategy's own quotes may have moved the position since.
    """
    desk = world.desk[0]
    if desk["halt"] & reason == 0:
        return
    desk["halt"] &= ~reason
    desk["floor"] = floor_of(desk)
    note_mark(world, RESUMED, 0, desk["equity"], reason)
    if desk["halt"] == 0:
        for lane in range(world.wish.size):
            w = world.wish[lane]
            w["dirty"] |= QUOTED | GUARDED | w["owed"]
            world.wish[lane - world.subs[lane]["instrument"]]["any"] = 1


@compiled(inline=True)
def watch(world: World, equity: int) -> None:
    """Compare the equity with the peak and the floor; at the floor trading halts."""
    desk = world.desk[0]
    if desk["laws"] != 0 and desk["halt"] & HALT_LAW == 0:
        halt(world, HALT_LAW, equity)
    if equity > desk["peak"]:
        raise_peak(desk, equity)
    elif equity <= desk["floor"]:
        by_drawdown = desk["drawdown_ppm"] != 0 and equity <= share(desk["peak"], PPM - desk["drawdown_ppm"])
        halt(world, HALT_DRAWDOWN if by_drawdown else HALT_DAILY_LOSS, equity)


@compiled(inline=True)
def new_day(world: World, time_ns: int, equity: int) -> None:
    """Begin a UTC day: its opening equity is the last one known; a daily-loss halt ends at 00:00."""
    desk = world.desk[0]
    desk["time_ns"] = max(desk["time_ns"], time_ns // DAY * DAY)
    desk["day_open"] = equity
    desk["day_end"] = time_ns // DAY * DAY + DAY
    desk["floor"] = floor_of(desk)
    if desk["halt"] & HALT_DAILY_LOSS:
        resume(world, HALT_DAILY_LOSS)


@compiled(inline=True)
def headroom(world: World, k: int, ref: int) -> int:
    """Return how much may still be opened on an instrument, in atoms.

    Resting buys count as filled, and so do sales at market that are on their way.
    """
    desk = world.desk[0]
    b = world.book[k]
    room = FAR
    if b["exposure_ppm"] != 0:
        held = money(ref, b["position"], b, DOWN)
        room = share(desk["equity"], b["exposure_ppm"]) - held - b["reserved"]
    if desk["exposure_ppm"] != 0:
        invested = desk["equity"] - world.purse[desk["cash_asset"]]["balance"] + desk["reserved"]
        for s in range(world.funds.size):
            invested -= world.funds[s]["expected"]
        room = min(room, share(desk["equity"], desk["exposure_ppm"]) - invested)
    return int(max(0, room))


@compiled(inline=True)
def obey(world: World, command: int, equity: int) -> None:
    """Carry out an operator's command on the limits: halt, resume, or resume and count the drawdown from here.

    Without counting anew, a drawdown that is still there halts again at the next close. The day that has lost too much
    is counted from here either way.
    """
    desk = world.desk[0]
    if command == COMMAND_HALT:
        if desk["halt"] & HALT_OPERATOR == 0:
            halt(world, HALT_OPERATOR, equity)
    elif command == COMMAND_RESUME or command == COMMAND_REBASE:
        if command == COMMAND_REBASE:
            desk["peak"] = equity
        if command == COMMAND_REBASE or desk["halt"] & HALT_DAILY_LOSS != 0:
            desk["day_open"] = equity
        desk["floor"] = floor_of(desk)
        resume(world, HALT_OPERATOR)
        resume(world, HALT_DRAWDOWN)
        resume(world, HALT_DAILY_LOSS)
        desk["pause_end_ns"] = 0
        desk["probation"] = 0
        resume(world, HALT_LOSSES)
