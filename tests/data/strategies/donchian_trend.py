"""Donchian ensemble of Zarattini, Pagani and Barbon (2025): nine channels, ratcheting stops, a volatility target."""

from crypto_bot.strategy import Memory, NamedTuple, close, highest, lowest, symbols, target, volatility

timeframe = "1d"


class Params(NamedTuple):
    lookbacks: tuple[int, ...] = (5, 10, 20, 30, 60, 90, 150, 250, 360)
    vol_target: float = 0.25
    vol_window: int = 90
    max_weight: float = 1.0
    band: float = 0.2


def memory(p: Params) -> Memory:
    return {"long": [False] * len(p.lookbacks), "stop": [0.0] * len(p.lookbacks)}


def step(p: Params, m: Memory) -> None:
    for k in symbols():
        votes = 0
        for j, n in enumerate(p.lookbacks):
            top, bottom = highest(k, n), lowest(k, n)
            middle = (top + bottom) / 2
            if m.long[k, j]:
                if close(k) <= m.stop[k, j]:
                    m.long[k, j] = False
                else:
                    m.stop[k, j] = max(m.stop[k, j], middle)
            elif close(k) == top and top > bottom:
                m.long[k, j] = True
                m.stop[k, j] = middle
            votes += m.long[k, j]
        weight = min(p.vol_target / max(volatility(k, p.vol_window), 0.01), p.max_weight)
        target(k, weight * votes / len(p.lookbacks), p.band)
