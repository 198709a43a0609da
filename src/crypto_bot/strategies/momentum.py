"""Time-series momentum: long after a rise, sized to a volatility target, in tranches that take turns.

With r = close / close[lookback] - 1, the tranche whose turn it is, bar number modulo `hold`, takes the share
    min(vol_target / volatility, max_weight) if r > 0, nothing if r < 0, and stays as it is if r = 0;
the share held is the mean of all tranches, divided by the number of symbols. Volatility is exponentially weighted
with a centre of mass of `vol_com` bars, a year's worth. A share within `band` of the one asked for last is let be:
a tranche that turns exceeds it, the daily drift of the volatility does not. Falls are sat out in cash, not sold short.
Source: Moskowitz, Ooi and Pedersen 2012, Time Series Momentum (there 12 months, 261 days, 40 %); 28 and 5 days
after Han, Kang and Ryu 2024, who warn that they picked them with hindsight.
"""

from crypto_bot.strategy import (
    Literal,
    Memory,
    NamedTuple,
    change,
    count,
    ewma_volatility,
    seconds,
    symbols,
    target,
)

warmup = 280  # bars after which the first volatility weighs less than 1 % in one with a centre of mass of 60


class Params(NamedTuple):
    """Bars to decide on; lengths in such bars; a year's volatility; shares."""

    timeframe: Literal["1h", "4h", "1d"] = "1d"
    lookback: int = 28
    hold: int = 5
    vol_target: float = 0.25
    vol_com: int = 60
    max_weight: float = 1.0
    band: float = 0.1


def check(p: Params) -> None:
    """Refuse lengths that are none, and more than there is."""
    assert p.lookback >= 1 and p.hold >= 1, "lookback and hold must be 1 or more"
    assert p.vol_com >= 2, "vol_com must be 2 or more"
    assert p.vol_target > 0, "vol_target must be above 0"
    assert 0 < p.max_weight <= 1, "max_weight must lie between 0 and 1"
    assert 0 <= p.band < 1, "band must lie between 0 and 1"


def memory(p: Params) -> Memory:
    """Start with empty tranches."""
    return {"tranche": [0.0] * p.hold}


def bar(p: Params) -> int:
    """Return the number of the bar since 1970."""
    hours = 24 if p.timeframe == "1d" else 4 if p.timeframe == "4h" else 1
    return seconds() // (3_600 * hours)


def step(p: Params, m: Memory) -> None:
    """Let one tranche decide, and hold the mean of all."""
    for k in symbols():
        rise, total = change(k, p.lookback), 0.0
        if rise > 0:
            m.tranche[k, bar(p) % p.hold] = min(p.vol_target / max(ewma_volatility(k, p.vol_com), 1e-9), p.max_weight)
        elif rise < 0:
            m.tranche[k, bar(p) % p.hold] = 0.0
        for j in range(p.hold):
            total += m.tranche[k, j]
        target(k, total / (p.hold * count()), p.band)
