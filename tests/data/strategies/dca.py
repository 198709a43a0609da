"""Buy for a fixed amount every so many days, never sell."""

from crypto_bot.strategy import Memory, NamedTuple, close, day, hold, symbols

timeframe = "1d"


class Params(NamedTuple):
    amount: float = 100.0
    every_days: int = 7


def memory(p: Params) -> Memory:
    return {"quantity": 0.0}


def step(p: Params, m: Memory) -> None:
    if day() % p.every_days == 0:
        for k in symbols():
            m.quantity[k] += p.amount / close(k)
            hold(k, m.quantity[k])
