"""Indicators with a state: O(1) a bar, updated at every bar for every symbol, read or not.

`v` are the values, `b` those of the bar before, j the place of symbol k in them, `a` where its state
begins in the memory. A value that does not exist yet is not a number.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import PER_YEAR, Context
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, SUMS

_SQRT = math.sqrt
NOTHING = math.nan


@word(inline=True)
def _price(s: Context, plane: int, k: int, ago: int) -> float:
    return float(s.bars[plane, s.i - ago, k] / s.book[k]["price_scale"])


@word(inline=True)
def ema(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Exponential mean as TA-Lib has it: the first value is the mean of the first n closes."""
    w, r = s.whole, s.real
    b[j] = v[j]
    x = _price(s, CLOSES, k, 0)
    w[a] += 1
    if w[a] <= n:
        r[a + 1] += x
        v[j] = r[a + 1] / n if w[a] == n else NOTHING
    else:
        v[j] = v[j] + (x - v[j]) * (2.0 / (n + 1))


@word(inline=True)
def rsi(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Wilder's RSI: the first averages are plain means of the first n changes; a flat market is 50."""
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    if seen == 1:
        v[j] = NOTHING
        return
    d = _price(s, CLOSES, k, 0) - _price(s, CLOSES, k, 1)
    up = d if d > 0.0 else 0.0
    down = -d if d < 0.0 else 0.0
    if seen <= n + 1:
        r[a + 1] += up
        r[a + 2] += down
        if seen <= n:
            v[j] = NOTHING
            return
        r[a + 1] /= n
        r[a + 2] /= n
    else:
        r[a + 1] = (r[a + 1] * (n - 1) + up) / n
        r[a + 2] = (r[a + 2] * (n - 1) + down) / n
    total = r[a + 1] + r[a + 2]
    v[j] = 100.0 * (r[a + 1] / total) if total > 0.0 else 50.0


@word(inline=True)
def atr(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Wilder's average true range, as TA-Lib: true ranges begin with the second bar."""
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    if seen == 1:
        v[j] = NOTHING
        return
    last = _price(s, CLOSES, k, 1)
    true_range = max(_price(s, HIGHS, k, 0), last) - min(_price(s, LOWS, k, 0), last)
    if seen <= n + 1:
        r[a + 1] += true_range
        v[j] = r[a + 1] / n if seen == n + 1 else NOTHING
    else:
        v[j] = (v[j] * (n - 1) + true_range) / n


@word(inner=True)
def _extreme(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int, plane: int, sign: int) -> None:
    """Largest (sign 1) or smallest (-1) of the last n: a monotone queue of (bar, price) in a ring."""
    w = s.whole
    b[j] = v[j]
    w[a] += 1
    now = w[a]
    head = w[a + 1]
    tail = w[a + 2]
    q = a + 3
    x = s.bars[plane, s.i, k]
    if tail > head and w[q + 2 * (head % n)] <= now - n:
        head += 1
    while tail > head and (x - w[q + 2 * ((tail - 1) % n) + 1]) * sign >= 0:
        tail -= 1
    w[q + 2 * (tail % n)] = now
    w[q + 2 * (tail % n) + 1] = x
    tail += 1
    w[a + 1] = head
    w[a + 2] = tail
    v[j] = float(w[q + 2 * (head % n) + 1] / s.book[k]["price_scale"]) if now >= n else NOTHING


@word(inline=True)
def highest(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Highest close of the last n bars."""
    _extreme(s, k, n, v, b, j, a, CLOSES, 1)


@word(inline=True)
def lowest(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Lowest close of the last n bars."""
    _extreme(s, k, n, v, b, j, a, CLOSES, -1)


@word(inline=True)
def highest_high(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Highest high of the last n bars."""
    _extreme(s, k, n, v, b, j, a, HIGHS, 1)


@word(inline=True)
def lowest_low(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Lowest low of the last n bars."""
    _extreme(s, k, n, v, b, j, a, LOWS, -1)


@word(inline=True)
def _return(s: Context, k: int, ago: int) -> float:
    return float(s.bars[CLOSES, s.i - ago, k] / s.bars[CLOSES, s.i - ago - 1, k]) - 1.0


@word(inner=True)
def volatility(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Deviation (ddof 1) of the last n returns, a year's worth; summed afresh every n bars: no drift."""
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    if seen <= n:
        v[j] = NOTHING
        return
    if seen % n == 1 or n == 1:
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
    v[j] = _SQRT(max(q, 0.0) / (n - 1) * r[PER_YEAR])


@word(inner=True)
def ewma_volatility(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Deviation around the weighted mean, centre of mass n, seeded on the first n returns; a year's worth."""
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
    v[j] = _SQRT(q * r[PER_YEAR])


@word(inner=True)
def zscore(s: Context, k: int, n: int, v: Any, b: Any, j: int, a: int) -> None:
    """Distance of the close from its mean in deviations (ddof 0); 0 in a flat window."""
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    i = s.i
    if seen < n:
        v[j] = NOTHING
        return
    m = float((s.bars[SUMS, i, k] + s.bars[CLOSES, i, k] - s.bars[SUMS, i - n + 1, k]) / n)
    if seen % n == 0:
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
    v[j] = (s.bars[CLOSES, i, k] - m) / _SQRT(q / n) if q > 1e-6 * n else 0.0


class Needs(NamedTuple):
    """What an indicator of a length needs: words of state, and bars until its first value."""

    words: Callable[[int], int]
    bars: Callable[[int], int]


NEEDS = {
    "ema": Needs(lambda n: 2, lambda n: n),
    "rsi": Needs(lambda n: 3, lambda n: n + 1),
    "atr": Needs(lambda n: 2, lambda n: n + 1),
    "highest": Needs(lambda n: 3 + 2 * n, lambda n: n),
    "lowest": Needs(lambda n: 3 + 2 * n, lambda n: n),
    "highest_high": Needs(lambda n: 3 + 2 * n, lambda n: n),
    "lowest_low": Needs(lambda n: 3 + 2 * n, lambda n: n),
    "volatility": Needs(lambda n: 3, lambda n: n + 1),
    "ewma_volatility": Needs(lambda n: 3, lambda n: n + 1),
    "zscore": Needs(lambda n: 3, lambda n: n),
}
"""By the name of the word."""
