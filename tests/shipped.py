"""The strategies that ship, each with parameters that let it trade often, and the walks that they are tried on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from crypto_bot.authoring.parameters import Given
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import parse_time_ns
from crypto_bot.strategies.catalogue import module_of
from tests.small_runs import walk

TICKS = 10_000
"""Where the walks of single ticks begin: at 100.00."""


@dataclass(frozen=True)
class Busy:
    """Parameters for bars that move by a per cent, those that are other for single ticks, and how many symbols."""

    given: Mapping[str, Given]
    quiet: Mapping[str, Given] = field(default_factory=dict)
    symbols: int = 1
    timeframe: str = "1h"

    def candles(self, bars: int, seed: int) -> tuple[Candles, ...]:
        """Return walks whose bars move by a per cent."""
        return tuple(
            walk(bars, symbol=f"C{k}/USDT", seed=1_000 * seed + k, timeframe=self.timeframe)
            for k in range(self.symbols)
        )

    def single_ticks(self, bars: int, seed: int) -> tuple[Candles, ...]:
        """Return walks of which every bar is one tick up or down, as likely as not: a martingale in price."""
        return tuple(single_ticks(bars, seed * 1_000 + k, self.timeframe) for k in range(self.symbols))


BUSY = {
    "grid": Busy(
        {"lower_price": 90, "upper_price": 110, "num_grids": 20, "total_investment": 5_000},
        {"lower_price": 99.8, "upper_price": 100.2},
    ),
    "simple_ma": Busy({"fast": 3, "slow": 8}),
    "momentum": Busy({"timeframe": "1h", "lookback": 6, "hold": 3, "vol_com": 10, "band": 0}, {"vol_target": 0.005}),
    "rsi_reversion": Busy({"timeframe": "1h", "length": 3, "low": 40, "leave": 60, "trend": 10, "max_bars": 6}),
    "mean_reversion": Busy(
        {"timeframe": "1h", "length": 10, "k_in": 1.5, "trend": 20, "gate": "half_life", "window": 20, "max_bars": 8}
    ),
    "donchian_trend": Busy({"lookbacks": (5, 10, 20), "vol_window": 20}, timeframe="1d"),
    "cross_section_momentum": Busy(
        {"lookback": 5, "min_days": 12, "volume_days": 8, "parts": 3, "hold_days": 4, "rising": False},
        symbols=6,
        timeframe="1d",
    ),
    "buy_and_hold": Busy({}),
    "dca": Busy({"amount": 90, "every_hours": 5}),
    "rebalance": Busy({"band": 0.003, "every_hours": 3}, {"band": 0.0001}, symbols=2),
}


def busy(name: str) -> Busy:
    """Return how to try a strategy: with its defaults on ten symbols, on bars of its own, unless told above."""
    return BUSY.get(name) or Busy({}, symbols=10, timeframe=module_of(name).timeframe or "1h")


def single_ticks(bars: int, seed: int, timeframe: str = "1h", up: float = 0.5) -> Candles:
    """Return a walk of single ticks; each bar opens at the close before it, so that no price is jumped over."""
    dice = np.random.default_rng(seed)
    path = TICKS + np.cumsum(np.where(dice.random(bars + 1) < up, 1, -1)).astype(np.int64)
    opened, close = path[:-1].copy(), path[1:].copy()
    times = parse_time_ns("2024-03-04") + np.arange(bars, dtype=np.int64) * timeframe_ns(timeframe)
    coin = Instrument(f"T{seed % 1_000}/USDT", price_scale=100, quantity_scale=1_000_000)
    volume = np.full(bars, 10**12, np.int64)
    return Candles(coin, timeframe, times, opened, np.maximum(opened, close), np.minimum(opened, close), close, volume)
