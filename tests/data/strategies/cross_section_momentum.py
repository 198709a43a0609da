"""Hold the best few of all symbols by return, in equal parts, if they rose at all; decide once a week."""

from crypto_bot.strategy import Memory, NamedTuple, change, rank, symbols, target

timeframe = "1w"


class Params(NamedTuple):
    lookback: int = 4
    best: int = 3


def memory(p: Params) -> Memory:
    return {"score": 0.0}


def step(p: Params, m: Memory) -> None:
    for k in symbols():
        m.score[k] = change(k, p.lookback)
    for k in symbols():
        chosen = rank(m.score, k) < p.best and m.score[k] > 0
        target(k, 1 / p.best if chosen else 0)
