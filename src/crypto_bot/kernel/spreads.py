"""How far values spread: deviations, and the volatility of returns. See `averages` for the form of an indicator.

Squares that slide are summed afresh every n bars, around a mean that is exact (integers) or near (shifted values).
"""

import math

from crypto_bot.kernel.averages import NOTHING
from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import Context, Values
from crypto_bot.kernel.layout import CLOSES, SUMS

_SQRT = math.sqrt


@word()
def _spread(s: Context, k: int, n: int, a: int) -> int:
    """Follow mean and squares of the last n closes, at the price's scale (words 1, 2); return the bars seen."""
    w, r = s.whole, s.real
    w[a] += 1
    seen = int(w[a])
    i = s.i
    if seen < n:
        return seen
    turn = w[a + 3]
    w[a + 3] = turn + 1 if turn + 1 < n else 0
    m = float((s.bars[SUMS, i, k] + s.bars[CLOSES, i, k] - s.bars[SUMS, i - n + 1, k]) / n)
    if turn == 0:
        q = 0.0
        for x in range(n):
            d = s.bars[CLOSES, i - x, k] - m
            q += d * d
    else:
        new = s.bars[CLOSES, i, k]
        old = s.bars[CLOSES, i - n, k]
        q = r[a + 2] + (new - old) * (new - m + old - r[a + 1])
    r[a + 1] = m
    r[a + 2] = q
    return seen


@word()
def zscore(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """(close - mean) / deviation (ddof 0) of the last n closes, from bar n on; 0 in a flat window."""
    r = s.real
    b[j] = v[j]
    if _spread(s, k, n, a) < n:
        v[j] = NOTHING
        return
    q = r[a + 2]
    v[j] = (s.bars[CLOSES, s.i, k] - r[a + 1]) / _SQRT(q / n) if q > 1e-6 * n else 0.0


@word()
def deviation(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Deviation (ddof 0, as Bollinger's) of the last n closes, from bar n on."""
    b[j] = v[j]
    if _spread(s, k, n, a) < n:
        v[j] = NOTHING
        return
    q = s.real[a + 2]
    v[j] = _SQRT(q / n) / s.book[k]["price_scale"] if q > 1e-6 * n else 0.0


@word()
def _spread_of(s: Context, n: int, x: float, a: int) -> int:
    """Follow mean and squares of the last n values, both of their distance from word 3; return how many were seen."""
    w, r = s.whole, s.real
    w[a] += 1
    seen = int(w[a])
    place = w[a + 4]
    old = r[a + 5 + place] - r[a + 3]
    r[a + 5 + place] = x
    w[a + 4] = place + 1 if place + 1 < n else 0
    if place == n - 1:
        r[a + 3] = x
        m = 0.0
        q = 0.0
        for y in range(n):
            m += r[a + 5 + y] - x
        m /= n
        for y in range(n):
            d = r[a + 5 + y] - x - m
            q += d * d
    else:
        new = x - r[a + 3]
        m = r[a + 1] + (new - old) / n
        q = r[a + 2] + (new - old) * (new - m + old - r[a + 1])
    r[a + 1] = m
    r[a + 2] = q
    return seen


@word()
def zscore_of(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """(x - mean) / deviation (ddof 0) of the last n values, from bar n on; 0 in a flat window."""
    r = s.real
    b[j] = v[j]
    if _spread_of(s, n, x, a) < n:
        v[j] = NOTHING
        return
    q = r[a + 2]
    v[j] = (x - r[a + 3] - r[a + 1]) / _SQRT(q / n) if q > 1e-24 * n * x * x else 0.0


@word()
def deviation_of(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Deviation (ddof 0) of the last n values, from bar n on."""
    b[j] = v[j]
    v[j] = NOTHING if _spread_of(s, n, x, a) < n else _SQRT(max(s.real[a + 2], 0.0) / n)


@word(inline=True)
def _return(s: Context, k: int, ago: int) -> float:
    return float(s.bars[CLOSES, s.i - ago, k] / s.bars[CLOSES, s.i - ago - 1, k]) - 1.0


@word()
def volatility(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Realised volatility: deviation (ddof 1) of the last n simple returns, times the root of the bars of a year.

    From bar n + 1 on.
    """
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    if seen <= n:
        v[j] = NOTHING
        return
    turn = w[a + 3]
    w[a + 3] = turn + 1 if turn + 1 < n else 0
    if turn == 0:
        m = 0.0
        q = 0.0
        for x in range(n):
            m += _return(s, k, x)
        m /= n
        for x in range(n):
            d = _return(s, k, x) - m
            q += d * d
    else:
        m = r[a + 1]
        q = r[a + 2]
        new = _return(s, k, 0)
        old = _return(s, k, n)
        before = m
        m += (new - old) / n
        q += (new - old) * (new - m + old - before)
    r[a + 1] = m
    r[a + 2] = q
    v[j] = _SQRT(max(q, 0.0) / (n - 1) * s.per_year)


@word()
def ewma_volatility(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Deviation around the weighted mean, centre of mass n, times the root of the bars of a year, from bar n + 1 on.

    Seeded by mean and deviation (ddof 0) of the first n returns; then d = n / (n + 1), y = x - m,
    m += (1 - d) y and q = d (q + (1 - d) y y). Source: Moskowitz, Ooi, Pedersen, Time Series Momentum, 2012.
    """
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    if seen <= n:
        v[j] = NOTHING
        return
    decay = n / (n + 1.0)
    if seen == n + 1:
        m = 0.0
        q = 0.0
        for x in range(n):
            m += _return(s, k, x)
        m /= n
        for x in range(n):
            y = _return(s, k, x) - m
            q += y * y
        q /= n
    else:
        y = _return(s, k, 0) - r[a + 1]
        m = r[a + 1] + (1.0 - decay) * y
        q = decay * (r[a + 2] + (1.0 - decay) * y * y)
    r[a + 1] = m
    r[a + 2] = q
    v[j] = _SQRT(q * s.per_year)
