"""Highest and lowest values of the last bars: Donchian's channel. See `averages` for the form of an indicator."""

from crypto_bot.kernel.averages import NOTHING
from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import Context, Values
from crypto_bot.kernel.layout import HIGHS, LOWS


@word()
def _extreme(s: Context, n: int, x: float, v: Values, b: Values, j: int, a: int, sign: float) -> None:
    """Largest (sign 1) or smallest (-1) of the last n, from bar n on: a monotone queue of (bar, value) in a ring."""
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    now = w[a]
    head = w[a + 1]
    held = w[a + 2]
    q = a + 3
    if held > 0 and w[q + 2 * head] <= now - n:
        held -= 1
        head = head + 1 if head + 1 < n else 0
    # Wrapped by comparing: a division takes as long as all the rest.
    tail = head + held if head + held < n else head + held - n
    while held > 0:
        last = tail - 1 if tail > 0 else n - 1
        if (x - r[q + 2 * last + 1]) * sign < 0.0:
            break
        tail = last
        held -= 1
    w[q + 2 * tail] = now
    r[q + 2 * tail + 1] = x
    w[a + 1] = head
    w[a + 2] = held + 1
    v[j] = r[q + 2 * head + 1] if now >= n else NOTHING


@word(inline=True)
def highest(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Highest of the last n values, this one included, from bar n on."""
    _extreme(s, n, x, v, b, j, a, 1.0)


@word(inline=True)
def lowest(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Lowest of the last n values, this one included, from bar n on."""
    _extreme(s, n, x, v, b, j, a, -1.0)


@word(inline=True)
def highest_high(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Highest high of the last n bars, this one included, from bar n on."""
    _extreme(s, n, float(s.bars[HIGHS, s.i, k] / s.book[k]["price_scale"]), v, b, j, a, 1.0)


@word(inline=True)
def lowest_low(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Lowest low of the last n bars, this one included, from bar n on."""
    _extreme(s, n, float(s.bars[LOWS, s.i, k] / s.book[k]["price_scale"]), v, b, j, a, -1.0)
