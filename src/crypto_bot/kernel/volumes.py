"""Prices weighted by volume. See `averages` for the form of an indicator."""

from crypto_bot.kernel.averages import NOTHING
from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import BAR_NS, Context, Values
from crypto_bot.kernel.layout import CLOSES, DAY, HIGHS, LOWS, VOLUMES


@word(inline=True)
def _turnover(s: Context, k: int, ago: int) -> float:
    """Return volume times three typical prices, at the scales of the instrument."""
    i = s.i - ago
    prices = s.bars[HIGHS, i, k] + s.bars[LOWS, i, k] + s.bars[CLOSES, i, k]
    return float(float(s.bars[VOLUMES, i, k]) * prices)


@word(inline=True)
def _mean_price(s: Context, k: int, turnover: float, volume: int) -> float:
    if volume > 0:
        return float(turnover / volume / 3.0 / s.book[k]["price_scale"])
    return float(s.bars[CLOSES, s.i, k] / s.book[k]["price_scale"])


@word()
def vwap(s: Context, k: int, n: int, v: Values, b: Values, j: int, a: int) -> None:
    """Sum of typical price x volume over sum of volume, of the last n bars, from bar n on.

    The typical price is (high + low + close) / 3; bars without any volume have the close. The turnover is summed
    afresh every n bars, the volume is exact.
    """
    w, r = s.whole, s.real
    b[j] = v[j]
    w[a] += 1
    seen = w[a]
    turn = w[a + 3]
    w[a + 3] = turn + 1 if turn + 1 < n else 0
    if turn == n - 1:
        turnover = 0.0
        volume = 0
        for y in range(n):
            turnover += _turnover(s, k, y)
            volume += s.bars[VOLUMES, s.i - y, k]
    else:
        turnover = r[a + 1] + _turnover(s, k, 0)
        volume = w[a + 2] + s.bars[VOLUMES, s.i, k]
        if seen > n:
            turnover -= _turnover(s, k, n)
            volume -= s.bars[VOLUMES, s.i - n, k]
    r[a + 1] = turnover
    w[a + 2] = volume
    v[j] = _mean_price(s, k, turnover, volume) if seen >= n else NOTHING


@word()
def vwap_day(s: Context, k: int, v: Values, b: Values, j: int, a: int) -> None:
    """Sum of typical price x volume over sum of volume, of the bars of this UTC day so far, from bar 1 on."""
    w, r = s.whole, s.real
    b[j] = v[j]
    day = (s.times[s.t] + s.whole[BAR_NS] - 1) // DAY
    if day != w[a]:
        w[a] = day
        r[a + 1] = 0.0
        w[a + 2] = 0
    r[a + 1] += _turnover(s, k, 0)
    w[a + 2] += s.bars[VOLUMES, s.i, k]
    v[j] = _mean_price(s, k, r[a + 1], w[a + 2])
