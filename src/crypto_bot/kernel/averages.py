"""Moving averages, and the plain value, kept up to date at every bar.

All indicators have one form: `n` is the length, `x` the newest value of what is averaged, `v` are the values of all
symbols, `b` those of the bar before, j the place of symbol k in them, `a` where its state begins in the memory; the
first word of the state counts the values seen. What does not exist yet is not a number. Sums that slide are summed
afresh whenever the ring of values is full: O(1) a bar, and an error of rounding lives for n bars at most.
"""

import math

from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import Context, Values

NOTHING = math.nan


@word(inline=True)
def ema(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Exponential mean: v += (x - v) 2 / (n + 1). The first value, at bar n, is the mean of the first n.

    Source: TA-Lib's EMA, which begins in the same way. An error of the start fades as exp(-2 t / n).
    """
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    if w[a] <= n:
        r[a + 1] += x
        v[j] = r[a + 1] / n if w[a] == n else NOTHING
    else:
        v[j] = v[j] + (x - v[j]) * (2.0 / (n + 1))


@word()
def sma_of(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Plain mean of the last n values, from bar n on; the mean of closes is the word `sma` and needs no state."""
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    place = w[a + 2]
    old = r[a + 3 + place]
    r[a + 3 + place] = x
    if place == n - 1:
        total = 0.0
        for y in range(n):
            total += r[a + 3 + y]
        r[a + 1] = total
        w[a + 2] = 0
    else:
        r[a + 1] += x - old
        w[a + 2] = place + 1
    v[j] = r[a + 1] / n if w[a] >= n else NOTHING


@word()
def wma(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Linearly weighted mean of the last n values, from bar n on: weights 1 for the oldest to n for the newest.

    Source: TA-Lib's WMA. When the window slides, the weighted sum loses the plain sum and gains n x.
    """
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    place = w[a + 3]
    old = r[a + 4 + place]
    r[a + 4 + place] = x
    if place == n - 1:
        total = 0.0
        weighted = 0.0
        for y in range(n):
            total += r[a + 4 + y]
            weighted += (y + 1) * r[a + 4 + y]
        w[a + 3] = 0
    else:
        w[a + 3] = place + 1
        weighted = r[a + 2] + (n * x - r[a + 1])
        total = r[a + 1] + (x - old)
    r[a + 1] = total
    r[a + 2] = weighted
    v[j] = weighted / (0.5 * n * (n + 1)) if w[a] >= n else NOTHING


@word(inline=True)
def exists(s: Context, a: int) -> bool:
    """Tell whether what an indicator is made of has a value yet; its count begins below zero by as many bars as not."""
    if s.whole[a] < 0:
        s.whole[a] += 1
        return False
    return True


@word(inline=True)
def latest(s: Context, k: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Keep the value itself: what an indicator is whose definition is an expression of others."""
    b[j] = v[j]
    v[j] = x
