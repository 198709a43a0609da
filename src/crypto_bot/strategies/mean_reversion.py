"""Buy when the close falls through so many deviations below its mean; out at the mean, on time, or at the stop.

z = (close - SMA(length)) / deviation(length), Bollinger's with ddof 0. Entry when z was above -k_in and is not any
more; exit when z >= -k_out, after `max_bars`, or at the stop of `stop_dev` deviations below the entry. After a stop
z has to come within k_reset of nought first. Falls only: spot holds nothing short.
Regime `either`: only while close > (1 - slack) SMA(trend), or ADX(14) < calm. Gates look at the last `window` closes:
    phi = 1 + b, b the slope of close - close[1] on close[1]; half-life h = -ln 2 / ln phi
`half_life`: only if 2 <= h <= window / 2, and out after 3 h, told without logarithms by powers of phi; `adf`: also only
if the Dickey-Fuller t-value of b (with a constant, no lags) is below the 5 % value of MacKinnon 2010.
Source: Bollinger 2001, Bollinger on Bollinger Bands; Chan 2013, Algorithmic Trading, for the half-life.
"""

from crypto_bot.strategy import (
    Literal,
    Memory,
    NamedTuple,
    adx,
    close,
    count,
    deviation,
    position,
    sma,
    sqrt,
    stop,
    symbols,
    target,
    wanted,
    zscore,
)

LEAST_HALF_LIFE = 2


class Params(NamedTuple):
    """Bars to decide on; lengths in such bars; deviations; shares."""

    timeframe: Literal["1m", "5m", "15m", "1h", "4h", "1d"] = "1h"
    length: int = 20
    k_in: float = 2.0
    k_out: float = 0.0
    k_reset: float = 0.5
    stop_dev: float = 2.0
    max_bars: int = 30
    regime: Literal["either", "trend", "calm", "off"] = "either"
    trend: int = 200
    slack: float = 0.05
    calm: float = 25.0
    gate: Literal["off", "half_life", "adf"] = "off"
    window: int = 100
    fraction: float = 1.0


def check(p: Params) -> None:
    """Refuse deviations that are never reached, and what cannot be held."""
    assert p.length >= 3, "length must be 3 or more"
    assert 0 <= p.k_out < p.k_in, "k_out must lie between 0 and k_in"
    assert p.k_in * p.k_in <= p.length - 1, "k_in is never reached: one of n closes lies sqrt(n - 1) off at most"
    assert p.k_reset > 0 and p.stop_dev > 0, "k_reset and stop_dev must be above 0"
    assert p.max_bars >= 1 and p.trend >= 1, "max_bars and trend must be 1 or more"
    assert 0 <= p.slack < 1, "slack must lie between 0 and 1"
    assert p.window >= 2 * LEAST_HALF_LIFE + 1, "window must be 5 or more"
    assert 0 < p.fraction <= 1, "fraction must lie between 0 and 1"


def memory(p: Params) -> Memory:
    """Start without a position; `fading` is phi to the power of the bars held."""
    return {"held": 0, "inside": False, "ready": True, "phi": 0.0, "fading": 1.0, "asked": 0, "gated": 0}


def power(base: float, exponent: int) -> float:
    """Return a power by its whole exponent."""
    result = 1.0
    for _ in range(exponent):
        result *= base
    return result


def slope(p: Params, k: int) -> tuple[float, float]:
    """Return b of the regression of the last changes on the closes before them, and its t-value.

    The covariance comes from variances: close = close[1] + change, so Var(close) = Var(close[1]) + Var(change) + 2 Cov.
    """
    now, before = deviation(k, p.window), deviation(k, p.window, ago=1)
    moved = deviation(k, p.window, source=close(k) - close(k, 1))
    if before == 0:
        return 0.0, 0.0
    b = (now * now - before * before - moved * moved) / (2 * before * before)
    left = moved * moved - b * b * before * before
    return b, b * before * sqrt((p.window - 2) / max(left, 1e-18))


def reverts(p: Params, m: Memory, k: int) -> bool:
    """Tell whether the gate is open, and keep phi."""
    m.phi[k] = 0.0
    if p.gate == "off":
        return True
    b, t = slope(p, k)
    n = float(p.window)
    if p.gate == "adf" and t >= -2.86154 - 2.8903 / n - 4.234 / (n * n) - 40.04 / (n * n * n):
        return False
    m.phi[k] = 1 + b
    # phi to the power of a time lies above one half while the time is shorter than the half-life.
    return m.phi[k] > 0 and power(1 + b, LEAST_HALF_LIFE) >= 0.5 >= power(1 + b, p.window // 2)


def allowed(p: Params, k: int) -> bool:
    """Tell whether the regime is one to buy falls in."""
    rising = close(k) > (1 - p.slack) * sma(k, p.trend)
    calm = adx(k, 14) < p.calm
    if p.regime == "either":
        return rising or calm
    return p.regime == "off" or (rising if p.regime == "trend" else calm)


def ends(p: Params, m: Memory, k: int) -> bool:
    """Count a bar that is held; tell whether it is the last one."""
    m.held[k] += 1
    m.fading[k] *= m.phi[k]
    over = m.fading[k] <= 0.125 if m.phi[k] > 0 else m.held[k] >= p.max_bars
    return over or zscore(k, p.length) >= -p.k_out


def step(p: Params, m: Memory) -> None:
    """Leave what is held when it is time, else look for an entry; one that was refused is forgotten."""
    for k in symbols():
        z = zscore(k, p.length)
        if position(k) > 0:
            if ends(p, m, k):
                target(k, 0)
                m.inside[k] = False
            continue
        if m.inside[k] and wanted(k) == 0:
            m.ready[k] = False  # the wish ended, and not here: it was the stop
        m.inside[k] = False
        if abs(z) < p.k_reset:
            m.ready[k] = True
        crossed = m.ready[k] and z <= -p.k_in < zscore(k, p.length, ago=1) and allowed(p, k)
        if crossed:
            m.asked[k] += 1
        if crossed and reverts(p, m, k):
            m.inside[k], m.held[k], m.fading[k] = True, 0, 1.0
            target(k, p.fraction / count())
            stop(k, max(0.0, close(k) - p.stop_dev * deviation(k, p.length)))
        else:
            m.gated[k] += crossed
            target(k, 0)
