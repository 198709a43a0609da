"""Candles of which only the closes are told, for tests of strategies; every bar opens at the close before it."""

from typing import Any

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, parse_time_ns
from tests.plays import SHIPPED, Played, Terms, plain

CENTS = 100
RICH = Terms(cash=100_000 * ATOMS, costs=(0, 0, 0))
"""Enough money, and nothing charged."""


def bars_of(closes: npt.ArrayLike, timeframe: str = "1h", *, symbol: str = "COIN/USDT", scale: int = CENTS) -> Candles:
    """Return bars from Monday 2024-01-01 on; a price times a quantity is a whole number of atoms."""
    close = np.rint(np.asarray(closes, np.float64) * scale).astype(np.int64)
    opened = np.r_[close[0], close[:-1]]
    times = parse_time_ns("2024-01-01") + np.arange(close.size) * timeframe_ns(timeframe)
    coin = Instrument(symbol, price_scale=scale, quantity_scale=ATOMS // scale)
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return Candles(coin, timeframe, times, opened, high, low, close, np.full(close.size, 10**9))


def run(name: str, *candles: Candles, terms: Terms = RICH, **params: Any) -> Played:
    """Play a shipped strategy uncompiled."""
    return plain(SHIPPED / f"{name}.py", list(candles), terms, **params)


def decided(played: Played, candles: Candles) -> list[tuple[int, int]]:
    """Return every fill as (bar of the decision, side): market orders are decided a bar before they fill."""
    step = candles.bar_ns
    first = int(candles.times[0])
    return [((int(fill["time_ns"]) - first) // step - 1, int(fill["side"])) for fill in played.fills()]
