"""Every indicator with a state: O(1) a bar, updated at every bar for every symbol, read or not; and what each needs.

The functions stand in files by kind; `averages` says what they have in common. One that no strategy uses is never
compiled.
"""

from collections.abc import Callable
from typing import NamedTuple

from crypto_bot.kernel.averages import ema as ema
from crypto_bot.kernel.averages import sma_of as sma_of
from crypto_bot.kernel.averages import wma as wma
from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import Context, Values
from crypto_bot.kernel.extremes import highest as highest
from crypto_bot.kernel.extremes import highest_high as highest_high
from crypto_bot.kernel.extremes import lowest as lowest
from crypto_bot.kernel.extremes import lowest_low as lowest_low
from crypto_bot.kernel.spreads import deviation as deviation
from crypto_bot.kernel.spreads import deviation_of as deviation_of
from crypto_bot.kernel.spreads import ewma_volatility as ewma_volatility
from crypto_bot.kernel.spreads import volatility as volatility
from crypto_bot.kernel.spreads import zscore as zscore
from crypto_bot.kernel.spreads import zscore_of as zscore_of
from crypto_bot.kernel.strength import adx as adx
from crypto_bot.kernel.strength import atr as atr
from crypto_bot.kernel.strength import minus_di as minus_di
from crypto_bot.kernel.strength import plus_di as plus_di
from crypto_bot.kernel.strength import rsi as rsi
from crypto_bot.kernel.volumes import vwap as vwap
from crypto_bot.kernel.volumes import vwap_day as vwap_day


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


class Needs(NamedTuple):
    """What an indicator of a length needs: words of state, bars until its first value, whether it is told `x`."""

    words: Callable[[int], int]
    bars: Callable[[int], int]
    takes_value: bool = False


NEEDS = {
    "ema": Needs(lambda n: 2, lambda n: n, True),
    "sma_of": Needs(lambda n: 2 + n, lambda n: n, True),
    "wma": Needs(lambda n: 3 + n, lambda n: n, True),
    "rsi": Needs(lambda n: 4, lambda n: n + 1, True),
    "atr": Needs(lambda n: 2, lambda n: n + 1),
    "plus_di": Needs(lambda n: 4, lambda n: n + 1),
    "minus_di": Needs(lambda n: 4, lambda n: n + 1),
    "adx": Needs(lambda n: 5, lambda n: 2 * n),
    "highest": Needs(lambda n: 3 + 2 * n, lambda n: n, True),
    "lowest": Needs(lambda n: 3 + 2 * n, lambda n: n, True),
    "highest_high": Needs(lambda n: 3 + 2 * n, lambda n: n),
    "lowest_low": Needs(lambda n: 3 + 2 * n, lambda n: n),
    "deviation": Needs(lambda n: 3, lambda n: n),
    "deviation_of": Needs(lambda n: 4 + n, lambda n: n, True),
    "zscore": Needs(lambda n: 3, lambda n: n),
    "zscore_of": Needs(lambda n: 4 + n, lambda n: n, True),
    "volatility": Needs(lambda n: 3, lambda n: n + 1),
    "ewma_volatility": Needs(lambda n: 3, lambda n: n + 1),
    "vwap": Needs(lambda n: 3, lambda n: n),
    "vwap_day": Needs(lambda n: 3, lambda n: 1),
    "latest": Needs(lambda n: 1, lambda n: 1, True),
}
"""By the name of the function; the length of one that has none counts as 1."""
