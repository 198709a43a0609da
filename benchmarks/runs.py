"""What is run: strategies with their parameters, their money and their costs, each under the name of its workload.

The limits are set too wide to trip, so that they are watched at every bar and change no fill.
"""

from dataclasses import dataclass
from pathlib import Path

from benchmarks import workloads as work
from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.units import ATOMS, PPM
from crypto_bot.kernel.genesis import Costs, Limits

WIDE = Limits(drawdown_ppm=PPM, daily_loss_ppm=PPM, symbol_exposure_ppm=2 * PPM, exposure_ppm=2 * PPM, risk_ppm=PPM)
_STRATEGIES = Path(__file__).resolve().parent / "strategies"
_FLIP_EVERY = 8
_NEVER = 1 << 40


@dataclass(frozen=True)
class Run:
    """One backtest as it is measured."""

    strategy: str
    given: dict[str, Given]
    cash: int = work.CASH
    fee_ppm: int = work.FEE_PPM
    fills: str = "pessimistic"
    symbols: int = 1
    skip: bool = True
    seldom: int = 1
    """A slow one is repeated so many times less often."""

    def simulation(self) -> Simulation:
        """Return its money, limits and costs."""
        costs = Costs(maker_ppm=self.fee_ppm, taker_ppm=self.fee_ppm, slippage_ppm=0)
        return Simulation(cash=self.cash * ATOMS, limits=WIDE, costs=costs, fills=self.fills)


CROSS = Run("simple_ma", {"fast": work.FAST, "slow": work.SLOW})
_GRID: dict[str, Given] = {
    "lower_price": work.GRID_LOWER,
    "upper_price": work.GRID_UPPER,
    "num_grids": work.GRID_CELLS,
    "quantity": work.GRID_QUANTITY,
}
RUNS = {
    "W1": CROSS,
    "W1 every bar": Run("simple_ma", CROSS.given, skip=False),
    "W3": Run("grid", _GRID, cash=work.GRID_CASH, fills="touch"),
    "W4": Run("simple_ma", CROSS.given, symbols=work.SYMBOLS),
    "idle": Run(str(_STRATEGIES / "idle.py"), {}),
    "idle every bar": Run(str(_STRATEGIES / "idle.py"), {}, skip=False),
    "class": Run(str(_STRATEGIES / "averages.py"), {"fast": work.FAST, "slow": work.SLOW}, seldom=4),
    "flips": Run(str(_STRATEGIES / "flips.py"), {"every": _FLIP_EVERY}, cash=work.GRID_CASH, fee_ppm=1),
    "no flips": Run(str(_STRATEGIES / "flips.py"), {"every": _NEVER}, cash=work.GRID_CASH, fee_ppm=1),
}
"""What `simulate` is measured on, by name."""

SHIPPED = {
    "momentum": Run("momentum", {"timeframe": "1h"}),
    "simple_ma": Run("simple_ma", {"fast": 50, "slow": 200}),
    "grid": RUNS["W3"],
    "rsi_reversion": Run("rsi_reversion", {"timeframe": "5m", "low": 40.0}),
    "mean_reversion": Run("mean_reversion", {"timeframe": "15m", "gate": "half_life"}),
    "donchian_trend": Run("donchian_trend", {"timeframe": "1h", "vol_window": 20, "band": 0.1}),
    "cross_section_momentum": Run(
        "cross_section_momentum",
        {"lookback": 1, "hold_days": 1, "min_days": 2, "volume_days": 2, "universe": 10, "max_weight": 0.5},
        symbols=work.SYMBOLS,
    ),
    "dca": Run("dca", {"amount": 500_000.0, "every_hours": 8}),
    "rebalance": Run("rebalance", {"band": 0.0025, "every_hours": 1}),
}
"""The strategies that ship, by name, so busy that a year makes a thousand fills; buying and holding makes one."""

COINS = Run("cross_section_momentum", {}, cash=work.GRID_CASH)
"""The cross-section as it ships, over a hundred coins by the day."""

MANY = Run("simple_ma", {"fast": 20, "slow": 100}, cash=work.GRID_CASH)
"""Crossing averages over five hundred coins by the hour, as many of which list late as do not."""
