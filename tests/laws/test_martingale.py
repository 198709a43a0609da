"""On a price without direction every strategy that ships loses its costs and nothing else.

The walks consist of single ticks, each bar opening at the close before it, so that no price is jumped over: market
orders fill where they were decided and, with `touch`, resting orders at their own price. Then profit plus fees is a
sum of bets that are fair, and its mean over many walks is nought. With `pessimistic` a limit fills only when the
price has gone through it, so it can only be worse.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.strategies.catalogue import NAMES, find
from tests.shipped import BUSY, busy, single_ticks

FloatArray = npt.NDArray[np.float64]

WALKS, BARS = 200, 1_000
ERRORS = 4.0
FEES = Costs(maker_ppm=1_000, taker_ppm=1_000, slippage_ppm=0)
RESTING = ("grid",)
"""Those that trade by limit orders, for which it matters how these fill."""


@cache
def strategy_of(name: str) -> Chosen:
    strategy, how = Strategy(find(name)), busy(name)
    return Chosen(strategy, strategy.module.parameters.read({**how.given, **how.quiet}))


@cache
def walks_of(symbols: int, timeframe: str, bars: int) -> list[tuple[Candles, ...]]:
    return [tuple(single_ticks(bars, 1_000 * seed + k, timeframe) for k in range(symbols)) for seed in range(WALKS)]


def played(name: str, walks: Sequence[tuple[Candles, ...]], fills: str) -> tuple[FloatArray, int]:
    """Return profit plus fees of every walk, in quote money, and how many fills there were."""
    chosen = strategy_of(name)
    simulation = Simulation(fills=fills, costs=FEES, limits=Limits.off())
    gains, count = [], 0
    for walk in walks:
        outcome = simulate([chosen], walk, simulation)
        gains.append(int(outcome.equity[-1]) - outcome.initial_equity + int(outcome.fills["fee"].sum()))
        count += outcome.fills.size
    return np.array(gains) / ATOMS, count


@cache
def usual(name: str, fills: str) -> tuple[FloatArray, int]:
    """Play the walks of single ticks that a strategy is tried on."""
    how = busy(name)
    return played(name, walks_of(how.symbols, how.timeframe, BARS if name in BUSY else 2 * BARS), fills)


def error_of(gains: FloatArray) -> float:
    """Return the standard error of the mean."""
    return float(np.std(gains, ddof=1) / np.sqrt(len(gains)))


@pytest.mark.parametrize("name", NAMES)
def test_a_strategy_loses_its_costs_and_nothing_else(name: str) -> None:
    gains, fills = usual(name, "touch")
    assert fills >= WALKS, f"{name} does not trade here: give it parameters in tests/shipped.py"
    assert error_of(gains) > 0
    assert abs(gains.mean()) <= ERRORS * error_of(gains)


@pytest.mark.parametrize("name", NAMES)
def test_asking_the_price_to_go_through_a_limit_earns_nothing(name: str) -> None:
    touched, _ = usual(name, "touch")
    gains, _ = usual(name, "pessimistic")
    if name in RESTING:
        assert gains.mean() < 0
        missed = gains - touched
        assert missed.mean() < -ERRORS * error_of(missed), "each fill loses what the price had to go through"
    else:
        assert gains.tolist() == touched.tolist(), "market orders and stops fill as they did"


@pytest.mark.parametrize("name", RESTING)
@pytest.mark.parametrize("fills", ["path", "ohlc", "olhc", "adaptive"])
def test_no_guess_of_the_path_earns_anything(name: str, fills: str) -> None:
    """Orders that are made inside a bar and fill later in it win nothing either, whichever way the bar is walked."""
    gains, count = usual(name, fills)
    assert count >= usual(name, "pessimistic")[1], "orders made inside a bar fill as well"
    if fills == "path":
        assert abs(gains.mean()) <= ERRORS * error_of(gains), "on touch, a fair bet"
    else:
        assert gains.mean() < 0, "as the price has to go through the limit"


@pytest.mark.parametrize(("name", "up"), [("simple_ma", 0.53), ("buy_and_hold", 0.53), ("buy_and_hold", 0.47)])
def test_a_price_with_a_direction_is_seen(name: str, up: float) -> None:
    """Three steps in a hundred more one way than the other are far outside of four errors."""
    walks = [(single_ticks(BARS, 1_000 * seed, up=up),) for seed in range(WALKS)]
    gains, _ = played(name, walks, "touch")
    assert abs(gains.mean()) > 2 * ERRORS * error_of(gains)
