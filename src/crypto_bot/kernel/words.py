"""The words of a strategy as they are compiled; `crypto_bot.strategy` says what each means.

`s` is the slice that the generator puts in. Prices, quantities and money leave here as plain decimals
and come back as integers, rounded in the direction that the word promises.
"""

import math
from typing import Any

from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import (
    BAR_NS,
    FAULT_FUTURE,
    FAULT_LENGTH,
    FAULT_NAN,
    FAULT_NEGATIVE,
    FAULT_PAST,
    FAULT_SHARE,
    FAULT_SIDE,
    FAULT_SLOT,
    FAULT_TURNS,
    LOOPED,
    MOST_TURNS,
    Context,
    fail,
)
from crypto_bot.kernel.guarding import bracket as bracket
from crypto_bot.kernel.guarding import break_even as break_even
from crypto_bot.kernel.guarding import stop as stop
from crypto_bot.kernel.guarding import take_profit as take_profit
from crypto_bot.kernel.guarding import time_stop as time_stop
from crypto_bot.kernel.guarding import trail as trail
from crypto_bot.kernel.layout import BUY as BUY
from crypto_bot.kernel.layout import (
    CLOSES,
    GUARDED,
    HIGHS,
    LOWS,
    OPENS,
    QUOTED,
    QUOTES,
    SUMS,
    TARGETED,
    VOLUMES,
)
from crypto_bot.kernel.layout import SELL as SELL
from crypto_bot.kernel.steps import changed, check_quantity, ticks, whole_lots

ATOMS = 100_000_000
PPM = 1_000_000
_SQRT = math.sqrt


@word(inline=True)
def _at(s: Context, plane: int, k: int, ago: int) -> float:
    if ago < 0:
        fail(s, FAULT_FUTURE, k, float(ago))
    if ago > s.i:
        fail(s, FAULT_PAST, k, float(ago))
    return float(s.bars[plane, s.i - ago, k] / s.book[k]["price_scale"])


@word(inline=True)
def counted(s: Context, over: Any) -> Any:
    """Return what a loop goes over, its turns counted before the first of them."""
    s.whole[LOOPED] += len(over)
    if s.whole[LOOPED] > MOST_TURNS:
        fail(s, FAULT_TURNS, 0, float(s.whole[LOOPED]))
    return over


@word(inline=True)
def count(s: Context) -> int:
    """Return how many symbols the run has, whether they are in the slice or not."""
    return s.count


@word(inline=True)
def open_(s: Context, k: int, ago: int = 0) -> float:
    """Return the open of a bar."""
    return _at(s, OPENS, k, ago)


@word(inline=True)
def high(s: Context, k: int, ago: int = 0) -> float:
    """Return the high of a bar."""
    return _at(s, HIGHS, k, ago)


@word(inline=True)
def low(s: Context, k: int, ago: int = 0) -> float:
    """Return the low of a bar."""
    return _at(s, LOWS, k, ago)


@word(inline=True)
def close(s: Context, k: int, ago: int = 0) -> float:
    """Return the close of a bar."""
    return _at(s, CLOSES, k, ago)


@word(inline=True)
def typical(s: Context, k: int, ago: int = 0) -> float:
    """Return (high + low + close) / 3 of a bar."""
    return (_at(s, HIGHS, k, ago) + _at(s, LOWS, k, ago) + _at(s, CLOSES, k, ago)) / 3.0


@word(inline=True)
def volume(s: Context, k: int, ago: int = 0) -> float:
    """Return the volume of a bar in the base asset."""
    if ago < 0:
        fail(s, FAULT_FUTURE, k, float(ago))
    if ago > s.i:
        fail(s, FAULT_PAST, k, float(ago))
    return float(s.bars[VOLUMES, s.i - ago, k] / s.book[k]["quantity_scale"])


@word(inline=True)
def change(s: Context, k: int, length: int, ago: int = 0) -> float:
    """Return close / close[length] - 1."""
    return _at(s, CLOSES, k, ago) / _at(s, CLOSES, k, ago + length) - 1.0


@word(inline=True)
def sma(s: Context, k: int, length: int, ago: int = 0) -> float:
    """Return the mean of the last closes: a difference of integer running sums, exact."""
    if ago < 0:
        fail(s, FAULT_FUTURE, k, float(ago))
    if length < 1:
        fail(s, FAULT_LENGTH, k, float(length))
    j = s.i - ago
    a = j - length + 1
    if a < 0:
        fail(s, FAULT_PAST, k, float(length))
    total = s.bars[SUMS, j, k] + s.bars[CLOSES, j, k] - s.bars[SUMS, a, k]
    return float(total / (length * s.book[k]["price_scale"]))


@word(inline=True)
def seconds(s: Context) -> int:
    """Return the UTC time of the decision, the close of the bar, in seconds."""
    return int((s.times[s.t] + s.whole[BAR_NS]) // 1_000_000_000)


@word(inline=True)
def minute(s: Context) -> int:
    """Return the minutes since 1970."""
    return seconds(s) // 60


@word(inline=True)
def hour(s: Context) -> int:
    """Return the hour of the day."""
    return seconds(s) // 3_600 % 24


@word(inline=True)
def day(s: Context) -> int:
    """Return the days since 1970."""
    return seconds(s) // 86_400


@word(inline=True)
def weekday(s: Context) -> int:
    """Return the day of the week; 1970-01-01 was a Thursday, Monday is 0."""
    return (day(s) + 3) % 7


@word(inline=True)
def equity(s: Context) -> float:
    """Return what the strategy's part of the account is worth."""
    return float(s.equity[s.t] / ATOMS)


@word(inline=True)
def position(s: Context, k: int) -> float:
    """Return the quantity held; 0 for less than a lot, which a fee paid in coins leaves and nobody can sell."""
    held = s.subs[k]["position"]
    return float(held / s.book[k]["quantity_scale"]) if held >= s.book[k]["lot"] else 0.0


@word(inline=True)
def entry(s: Context, k: int) -> float:
    """Return the average price paid for what is held, 0 when nothing is."""
    held = s.subs[k]["position"]
    if held < s.book[k]["lot"]:
        return 0.0
    return float(s.subs[k]["cost"] / ATOMS / (held / s.book[k]["quantity_scale"]))


@word(inline=True)
def fee(s: Context, k: int) -> float:
    """Return the taker fee as a fraction."""
    return float(s.book[k]["taker_ppm"] / PPM)


@word(inline=True)
def wanted(s: Context, k: int) -> float:
    """Return the share that target() asked for last."""
    return float(s.wish[k]["weight"] / PPM)


@word(inline=True)
def bought(s: Context, k: int) -> int:
    """Return how many quotes to buy were filled since the last step."""
    return int(s.wish[k]["bought"])


@word(inline=True)
def sold(s: Context, k: int) -> int:
    """Return how many quotes to sell were filled since the last step."""
    return int(s.wish[k]["sold"])


@word(inline=True)
def resting(s: Context, k: int, slot: int) -> bool:
    """Tell whether a quote is wanted in the slot and not yet filled."""
    if slot < 0 or slot >= QUOTES:
        fail(s, FAULT_SLOT, k, float(slot))
    return bool(s.wish[k]["quote"][slot]["quantity"] > 0)


@word(inline=True)
def target(s: Context, k: int, fraction: float, band: float = 0.0) -> None:
    """Hold this share of the equity; with a band, small changes of a running position are left alone."""
    if not (fraction >= 0.0 and fraction <= 1.0):
        fail(s, FAULT_NAN if fraction != fraction else FAULT_SHARE, k, float(fraction))
    w = s.wish[k]
    new = int(fraction * 1e6 + 0.5)
    old = w["weight"]
    if new == old and w["hold"] < 0:
        return
    if new > 0 and old > 0 and w["hold"] < 0 and abs(new - old) <= band * old:
        return
    w["weight"] = new
    w["hold"] = -1
    if new == 0:
        w["stop"] = 0
        w["take"] = 0
        w["keeps"] = 0
        w["trailed"] = 0
        w["ending"] = 0
        changed(s, k, TARGETED | GUARDED)
    else:
        changed(s, k, TARGETED)


@word(inline=True)
def lots(s: Context, k: int, quantity: float) -> float:
    """Return the quantity rounded down to what can be traded."""
    check_quantity(s, k, quantity)
    return float(whole_lots(s, k, quantity) / s.book[k]["quantity_scale"])


@word(inline=True)
def hold(s: Context, k: int, quantity: float) -> None:
    """Hold this quantity, whatever it is worth."""
    check_quantity(s, k, quantity)
    w = s.wish[k]
    new = whole_lots(s, k, quantity)
    if new != w["hold"]:
        w["hold"] = new
        w["weight"] = 0
        changed(s, k, TARGETED)


@word(inline=True)
def quote(s: Context, k: int, slot: int, side: int, price: float, quantity: float) -> None:
    """Keep a limit order resting in a numbered slot; buys are rounded down to the tick, sells up."""
    if slot < 0 or slot >= QUOTES:
        fail(s, FAULT_SLOT, k, float(slot))
    if not price > 0.0:
        fail(s, FAULT_NAN if price != price else FAULT_NEGATIVE, k, float(price))
    check_quantity(s, k, quantity)
    if side != BUY and side != SELL:
        fail(s, FAULT_SIDE, k, float(side))
    w = s.wish[k]
    q = w["quote"][slot]
    at = ticks(s, k, price, side < 0)
    n = whole_lots(s, k, quantity)
    if slot >= w["quotes"]:
        w["quotes"] = slot + 1
    if q["quantity"] == n and (n == 0 or (q["price"] == at and q["side"] == side)):
        return
    q["side"] = side
    q["price"] = at
    q["quantity"] = n
    changed(s, k, QUOTED)


@word(inline=True)
def unquote(s: Context, k: int, slot: int) -> None:
    """Take the order of a slot away."""
    if slot < 0 or slot >= QUOTES:
        fail(s, FAULT_SLOT, k, float(slot))
    q = s.wish[k]["quote"][slot]
    if q["quantity"] != 0:
        q["quantity"] = 0
        changed(s, k, QUOTED)


@word(inline=True)
def clear_news(wish: Any) -> None:
    """Forget the fills that a step has now seen."""
    for k in range(wish.size):
        wish[k]["bought"] = 0
        wish[k]["sold"] = 0
        wish[k]["news"] = 0


@word(inline=True)
def sqrt(x: float) -> float:
    """Return the square root; of a negative number, not a number."""
    return _SQRT(x) if x >= 0.0 else math.nan


@word(inline=True)
def rank(s: Context, scores: Any, k: int) -> int:
    """Return the place of k in the slice: 0 is the highest, equal scores keep the order of symbols, nan comes last."""
    x = scores[k]
    if x != x:
        return int(scores.size)
    better = 0
    for j in s.here:
        if scores[j] > x or (scores[j] == x and j < k):
            better += 1
    return better
