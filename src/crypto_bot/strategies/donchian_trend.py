"""Donchian ensemble: several channels of closes, each with a stop that only rises, sized to a volatility target.

A channel of n closes, today's included, is entered when the close is its top, and left when the close has
fallen to its stop: the highest middle of the channel since the entry. The stop is tested first, and a channel
that was left today is not entered today. The share of the equity held is
    min(vol_target / volatility(vol_window), max_weight) * channels that are long / channels,
divided by the number of symbols. A breakout or a stop is traded at once; what volatility and price have done
to the share only when held and wanted lie more than `band` of the wanted apart.
Source: Zarattini, Pagani and Barbon 2025, Catching Crypto Trends. Spot, so max_weight is 1 at most, theirs 2.
"""

from crypto_bot.strategy import (
    Literal,
    Memory,
    NamedTuple,
    close,
    count,
    equity,
    highest,
    hold,
    lowest,
    position,
    symbols,
    target,
    volatility,
)

LEAST_DRIFT = 0.01  # what is smaller, at the cap, costs more than it corrects
warmup = 2  # so short for partial=true only; the channels and the volatility ask for what they need


class Params(NamedTuple):
    """Lengths in bars; a year's volatility; shares; partial: a channel longer than the data uses what there is."""

    lookbacks: tuple[int, ...] = (5, 10, 20, 30, 60, 90, 150, 250, 360)
    vol_target: float = 0.25
    vol_window: int = 90
    max_weight: float = 1.0
    band: float = 0.2
    partial: bool = False
    timeframe: Literal["1h", "4h", "1d"] = "1d"


def check(p: Params) -> None:
    """Refuse what is no channel, and more than there is."""
    assert len(p.lookbacks) > 0 and min(p.lookbacks) >= 2, "lookbacks must be whole numbers from 2 on"
    assert p.vol_target > 0, "vol_target must be above 0"
    assert p.vol_window >= 2, "vol_window must be 2 or more"
    assert 0 < p.max_weight <= 1, "max_weight must lie between 0 and 1"
    assert 0 <= p.band < 1, "band must lie between 0 and 1"


def memory(p: Params) -> Memory:
    """Start flat in every channel; the volatility has seen so many bars before the first step."""
    channels = {"long": [False] * len(p.lookbacks), "stop": [0.0] * len(p.lookbacks)}
    return {**channels, "asked": 0.0, "seen": p.vol_window + 1}


def extremes(p: Params, m: Memory, k: int, n: int) -> tuple[float, float]:
    """Return the highest and the lowest of the last n closes, of fewer while there are fewer."""
    top, bottom = close(k), close(k)
    for i in range(min(n, m.seen[k])):
        top, bottom = max(top, close(k, i)), min(bottom, close(k, i))
    return top, bottom


def step(p: Params, m: Memory) -> None:
    """Decide on the close of a bar."""
    for k in symbols():
        m.seen[k] += 1
        price, votes, changed = close(k), 0, False
        for j, n in enumerate(p.lookbacks):
            # With partial=true these two have the length 1, so that the first step does not wait for them.
            top, bottom = highest(k, max(1, n - n * int(p.partial))), lowest(k, max(1, n - n * int(p.partial)))
            if p.partial:
                top, bottom = extremes(p, m, k, n)
            middle = (top + bottom) / 2
            if m.long[k, j]:
                if price <= m.stop[k, j]:
                    m.long[k, j] = False
                    changed = True
                else:
                    m.stop[k, j] = max(m.stop[k, j], middle)
            elif price == top and top > bottom:
                m.long[k, j] = True
                m.stop[k, j] = middle
                changed = True
            votes += m.long[k, j]
        size = min(p.vol_target / max(volatility(k, p.vol_window), 0.01), p.max_weight) / count()
        weight = size * votes / len(p.lookbacks)
        held = position(k) * price / equity()
        if abs(weight - m.asked[k]) > 1e-6:
            if changed or abs(held - weight) > p.band * weight:
                m.asked[k] = weight
                target(k, weight)
        elif abs(held - weight) > max(p.band, LEAST_DRIFT) * weight:
            hold(k, weight * equity() / price)  # at the cap the share stays the same, and target() takes it for done
