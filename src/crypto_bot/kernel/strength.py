"""Wilder's indicators: strength, range and direction of the market. See `averages` for the form of an indicator.

Source: J. Welles Wilder, New Concepts in Technical Trading Systems, 1978, begun as TA-Lib begins them. Wilder's mean
is v = (v (n - 1) + x) / n.
"""

from crypto_bot.kernel.averages import NOTHING
from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import Context, Values
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS

_FADED = 1e-200
"""What is left of a movement after so many flat bars that the machine's numbers run out: as good as nothing."""


@word(inline=True)
def rsi(s: Context, k: int, n: int, x: float, v: Values, b: Values, j: int, a: int) -> None:
    """Relative strength: 100 up / (up + down), of Wilder's means of rises and falls, from bar n + 1 on.

    The first means are plain ones of the first n changes. A market that never moved is 50 (TA-Lib says 0).
    """
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    d = x - r[a + 3]
    r[a + 3] = x
    if seen == 1:
        v[j] = NOTHING
        return
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
    v[j] = 100.0 * (r[a + 1] / total) if total > _FADED else 50.0


@word(inline=True)
def _true_range(s: Context, k: int) -> int:
    """Return max(high, close before) - min(low, close before), at the price's scale."""
    last = s.bars[CLOSES, s.i - 1, k]
    return int(max(s.bars[HIGHS, s.i, k], last) - min(s.bars[LOWS, s.i, k], last))


@word(inline=True)
def atr(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Wilder's mean of the true range, from bar n + 1 on: true ranges begin with the second bar, as in TA-Lib."""
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    if seen == 1:
        v[j] = NOTHING
        return
    true_range = float(_true_range(s, k) / s.book[k]["price_scale"])
    if seen <= n + 1:
        r[a + 1] += true_range
        v[j] = r[a + 1] / n if seen == n + 1 else NOTHING
    else:
        v[j] = (v[j] * (n - 1) + true_range) / n


@word()
def _directed(s: Context, k: int, n: int, a: int) -> int:
    """Follow +DM, -DM and the true range (words 1, 2, 3 of the state); return how many bars were seen.

    The sums of the first n - 1 changes, then v = v - v / n + x, as TA-Lib has it; at the price's scale, as only
    ratios of them are read.
    """
    w, r = s.whole, s.real
    w[a] += 1
    seen = int(w[a])
    if seen == 1:
        return seen
    up = s.bars[HIGHS, s.i, k] - s.bars[HIGHS, s.i - 1, k]
    down = s.bars[LOWS, s.i - 1, k] - s.bars[LOWS, s.i, k]
    kept = 1.0 if seen <= n else (n - 1.0) / n
    r[a + 1] = r[a + 1] * kept + (up if up > 0 and up > down else 0)
    r[a + 2] = r[a + 2] * kept + (down if down > 0 and down > up else 0)
    r[a + 3] = r[a + 3] * kept + _true_range(s, k)
    return seen


@word(inline=True)
def plus_di(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """+DI: 100 +DM / true range, from bar n + 1 on; 0 in a market that never moved."""
    b[j] = v[j]
    seen = _directed(s, k, n, a)
    whole_range = s.real[a + 3]
    v[j] = NOTHING if seen <= n else 100.0 * (s.real[a + 1] / whole_range) if whole_range > _FADED else 0.0


@word(inline=True)
def minus_di(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """-DI: 100 -DM / true range, from bar n + 1 on; 0 in a market that never moved."""
    b[j] = v[j]
    seen = _directed(s, k, n, a)
    whole_range = s.real[a + 3]
    v[j] = NOTHING if seen <= n else 100.0 * (s.real[a + 2] / whole_range) if whole_range > _FADED else 0.0


@word()
def adx(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Average direction: Wilder's mean of DX = 100 |+DM - -DM| / (+DM + -DM), from bar 2 n on.

    The first value is the plain mean of the first n DX; where nothing moves, DX counts 0 before it and not at all
    after it, as in TA-Lib.
    """
    r = s.real
    b[j] = v[j]
    seen = _directed(s, k, n, a)
    if seen <= n:
        v[j] = NOTHING
        return
    moved = r[a + 1] + r[a + 2]
    dx = 100.0 * (abs(r[a + 1] - r[a + 2]) / moved) if moved > _FADED else 0.0
    if seen <= 2 * n:
        r[a + 4] += dx
        v[j] = r[a + 4] / n if seen == 2 * n else NOTHING
    elif moved > _FADED:
        v[j] = (v[j] * (n - 1) + dx) / n
