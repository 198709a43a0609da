"""Wishes without sense, drawn from a seed: all words in any order, so that two ways to run them can be compared."""

from crypto_bot.strategy import (
    BUY,
    SELL,
    Memory,
    NamedTuple,
    atr,
    bought,
    bracket,
    break_even,
    close,
    day,
    entry,
    equity,
    highest,
    hold,
    lots,
    minute,
    position,
    quote,
    rsi,
    sold,
    stop,
    symbols,
    take_profit,
    target,
    time_stop,
    trail,
    unquote,
)


class Params(NamedTuple):
    seed: int = 1
    often: int = 10


def memory(p: Params) -> Memory:
    return {"dice": 0, "seen": 0.0}


def throw(p: Params, m: Memory, k: int) -> int:
    """Return the next number between 0 and 2**31."""
    m.dice[k] = (m.dice[k] * 1_103_515_245 + 12_345 + p.seed + minute() * 7 + k) % 2_147_483_648
    return int(m.dice[k] // 8)


def step(p: Params, m: Memory) -> None:
    for k in symbols():
        if throw(p, m, k) % 100 < p.often:
            wish(p, m, k, throw(p, m, k) % 10)
        m.seen[k] = m.seen[k] * 0.5 + rsi(k, 5) + position(k) + entry(k) + bought(k) - sold(k)


def guard(p: Params, m: Memory, k: int, which: int, width: float) -> None:
    if which == 1:
        trail(k, throw(p, m, k) % 40 / 10_000)
    elif which == 2:
        trail(k, by=width * (1 + throw(p, m, k) % 3), after=0.0005)
    elif which == 3:
        break_even(k, throw(p, m, k) % 3 / 1_000)
    elif which == 4:
        time_stop(k, throw(p, m, k) % 9)
    elif which == 5:
        take_profit(k, close(k) + width)


def wish(p: Params, m: Memory, k: int, which: int) -> None:
    price = close(k)
    width = min(atr(k, 3), price / 8) + price * 0.0001
    if which < 2:
        target(k, throw(p, m, k) % 11 / 10, 0.1)
    elif which < 3:
        hold(k, lots(k, equity() / price * (throw(p, m, k) % 10) / 10))
    elif which < 4:
        stop(k, price - width * (throw(p, m, k) % 4))
    elif which < 5:
        bracket(k, price - width * 2, highest(k, 4) + width)
        guard(p, m, k, throw(p, m, k) % 6, width)
    elif which < 6:
        unquote(k, throw(p, m, k) % 6)
    elif day() % 7 != 3:
        slot = throw(p, m, k) % 6
        away = width * (throw(p, m, k) % 5 - 1)
        side = BUY if throw(p, m, k) % 2 == 0 else SELL
        quote(k, slot, side, price - side * away, equity() / price * (throw(p, m, k) % 5) / 12)
