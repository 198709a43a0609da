"""Every indicator with a state, and what each needs: O(1) a bar, updated at every bar for every symbol, read or not.

The functions stand in files by kind; `averages` says what they have in common. A file that no strategy of a run uses
is never loaded, and a function never compiled.
"""

from collections.abc import Callable
from typing import NamedTuple


class Needs(NamedTuple):
    """The file of an indicator; for a length, words of state and bars until the first value; whether it is told `x`."""

    file: str
    words: Callable[[int], int]
    bars: Callable[[int], int]
    takes_value: bool = False


NEEDS = {
    "ema": Needs("averages", lambda n: 2, lambda n: n, True),
    "sma_of": Needs("averages", lambda n: 3 + n, lambda n: n, True),
    "wma": Needs("averages", lambda n: 4 + n, lambda n: n, True),
    "rsi": Needs("strength", lambda n: 4, lambda n: n + 1, True),
    "atr": Needs("strength", lambda n: 2, lambda n: n + 1),
    "plus_di": Needs("strength", lambda n: 4, lambda n: n + 1),
    "minus_di": Needs("strength", lambda n: 4, lambda n: n + 1),
    "adx": Needs("strength", lambda n: 5, lambda n: 2 * n),
    "highest": Needs("extremes", lambda n: 3 + 2 * n, lambda n: n, True),
    "lowest": Needs("extremes", lambda n: 3 + 2 * n, lambda n: n, True),
    "highest_high": Needs("extremes", lambda n: 3 + 2 * n, lambda n: n),
    "lowest_low": Needs("extremes", lambda n: 3 + 2 * n, lambda n: n),
    "deviation": Needs("spreads", lambda n: 4, lambda n: n),
    "deviation_of": Needs("spreads", lambda n: 5 + n, lambda n: n, True),
    "zscore": Needs("spreads", lambda n: 4, lambda n: n),
    "zscore_of": Needs("spreads", lambda n: 5 + n, lambda n: n, True),
    "volatility": Needs("spreads", lambda n: 4, lambda n: n + 1),
    "ewma_volatility": Needs("spreads", lambda n: 3, lambda n: n + 1),
    "vwap": Needs("volumes", lambda n: 4, lambda n: n),
    "vwap_day": Needs("volumes", lambda n: 3, lambda n: 1),
    "latest": Needs("averages", lambda n: 1, lambda n: 1, True),
}
"""By the name of the function; the length of one that has none counts as 1."""
