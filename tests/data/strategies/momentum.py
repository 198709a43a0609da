"""Time-series momentum: long after a rise, sized to a volatility target, in tranches that take turns."""

from crypto_bot.strategy import Memory, NamedTuple, change, day, ewma_volatility, symbols, target

timeframe = "1d"


class Params(NamedTuple):
    lookback: int = 28
    hold_days: int = 5
    vol_target: float = 0.25
    vol_com: int = 60
    max_weight: float = 1.0


def memory(p: Params) -> Memory:
    return {"tranche": [0.0] * p.hold_days}


def step(p: Params, m: Memory) -> None:
    for k in symbols():
        rise = change(k, p.lookback)
        if rise != 0:  # no change keeps the state
            size = min(p.vol_target / max(ewma_volatility(k, p.vol_com), 0.01), p.max_weight)
            m.tranche[k, day() % p.hold_days] = size if rise > 0 else 0.0
        total = 0.0
        for j in range(p.hold_days):
            total += m.tranche[k, j] / p.hold_days
        target(k, total)
