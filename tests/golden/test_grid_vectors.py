"""Every worked value of grids, costs and limits that the engine itself can be asked for; none may be left over."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.backtesting.grid_plan import even_ratio, gain_of_cell, plan_grid
from crypto_bot.backtesting.grid_shape import GridShape
from crypto_bot.backtesting.metrics import simple_returns
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.genesis import Costs
from crypto_bot.kernel.layout import HALT_DAILY_LOSS, HALT_DRAWDOWN
from tests.grids import P0, fees, gain, quantity, run, triangle, walk
from tests.plays import SHIPPED, Played, Rooms, Terms, author, play
from tests.small_worlds import candles_of, path

FILE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "grid" / "vectors.json").read_text())
FREE, TEN = Costs(maker_ppm=0, taker_ppm=0), Costs()
EXAMPLE = GridShape(90_000, 110_000, 20, 10_000)
EXACT = 10_000 / 1_945_000
FINE = Instrument("BTC/USDT", price_scale=ATOMS, quantity_scale=ATOMS)
Value = float | list[float]


def per_unit(amount: Fraction, played: Played) -> float:
    """Return an amount for a quantity a line that is not cut to whole lots."""
    return float(amount / quantity(played)) * EXACT


def of_example(candles: Candles, fills: str = "pessimistic") -> float:
    """Return what the example made without fees."""
    played = run(candles, Terms(costs=(0, 0, 0), fills=fills))
    return per_unit(gain(played), played)


def with_fees(*, told: str) -> float:
    """Return the fees of ten cycles after the first purchase, or what is left of the profit then."""
    played = run(triangle(5_500, 10), Terms(cash=10_100 * ATOMS, costs=(1_000, 1_000, 0)), quantity=0.00514138)
    later = fees(played) - Fraction(int(played.fills()[0]["fee"]), ATOMS)
    earned = gain(played) - 100 + Fraction(int(played.fills()[0]["fee"]), ATOMS)
    return per_unit(later if told == "fees" else earned, played)


def unit_less_reserve() -> float:
    """Return the quantity of a line if the money kept for the fees of the resting buys were used too."""
    unit = plan_grid(EXAMPLE, P0, TEN).cells[0].quantity
    return 10_000 / (10_000 / unit - 945_000 * 0.001)


def infinity(told: str) -> float:
    """Return what ten steps of one per cent make of 1,000 that are kept worth 1,000."""
    shape = {"lower_price": 100.0, "upper_price": 100 * 1.01**20, "num_grids": 20, "total_investment": 1_000.0}
    ways = {"spacing_type": "geometric", "sizing": "quote", "top": "infinity"}
    prices = [100.0] * 3 + [100 * 1.01**step + 1e-5 for step in range(11)]
    candles = candles_of(path(*(round(price * ATOMS) for price in prices)), FINE)
    played = run(candles, Terms(costs=(0, 0, 0)), **shape, **ways)
    first = int(played.fills()[0]["quantity"])
    if told == "coins left":
        return int(played.world_of.book[0]["position"]) / first
    return float(1_000 + gain(played)) if told == "total" else first / ATOMS * 100 * 1.01**10


def balance() -> list[float]:
    """Return what rests in the published example: money in buys, coins for sells."""
    shape = GridShape(0.7484, 0.7484 + 31 * 0.0053, 31, 0, quantity=14)
    plan = plan_grid(shape, 0.7760, FREE, Instrument("XRP/USDT", price_scale=10_000, quantity_scale=1))
    return [plan.resting_cost, plan.first_quantity]


def published_cell() -> float:
    """Return the profit of the published cell whose buy pays its fee in coins."""
    shape = GridShape(53_000, 57_000, 1, 0, quantity=0.08795882)
    coin = Instrument("BTC/USDT", price_scale=100, quantity_scale=ATOMS)
    return plan_grid(shape, 57_000, Costs(fee_in="received"), coin).cells[0].profit


VECTORS: dict[str, tuple[Callable[[], Value], float]] = {
    "S1.arith": (lambda: [GridShape(8_000, 12_000, 4, 1).line(n) for n in range(5)], 1e-9),
    "S1.geo": (lambda: [GridShape(1, 16, 4, 1, geometric=True).line(n) for n in range(5)], 1e-9),
    "S3.q": (lambda: plan_grid(EXAMPLE, P0, FREE).cells[0].quantity, 1e-9),
    "S3.q_with_init_taker_fee_0.1pct": (unit_less_reserve, 1e-9),
    "S4.gross10": (lambda: of_example(triangle(5_500, 10)), 1e-9),
    "S4.gross10.num": (lambda: of_example(triangle(5_500, 10), "path"), 1e-9),
    "S4.net10": (lambda: with_fees(told="net"), 1e-7),  # every fee is rounded up to an atom
    "S4.fees10": (lambda: with_fees(told="fees"), 1e-7),
    "S5.touch": (lambda: of_example(triangle(5_000, 1), "touch"), 1e-9),
    "S5.through": (lambda: of_example(triangle(5_000, 1)), 1e-9),
    "S6.crash80k": (lambda: of_example(walk(P0, 95_000, 89_000, 80_000)), 1e-9),
    "S7.rally150k": (lambda: of_example(walk(P0, 104_000, 111_000, 150_000)), 1e-9),
    "S8.geo_profit_per_grid": (lambda: gain_of_cell((110 / 90) ** (1 / 20), TEN), 1e-9),
    "S8.arith_max": (lambda: plan_grid(EXAMPLE, P0, TEN).most_gain, 1e-9),
    "S8.arith_min": (lambda: plan_grid(EXAMPLE, P0, TEN).least_gain, 1e-9),
    "S8.breakeven_r": (lambda: float(even_ratio(TEN)), 1e-9),
    "S9.infinity_total": (lambda: infinity("total"), 1e-7),  # its last price lies 1e-5 above the line
    "S9.coins_left": (lambda: infinity("coins left"), 1e-8),
    "S9.bh": (lambda: infinity("held"), 1e-8),
    "S9.binance_balance_example": (balance, 1e-9),
    "S9.gate_grid_profit": (published_cell, 1e-9),
}


def close_to(found: Value, told: Value, tolerance: float) -> bool:
    """Compare as the values were made: relative above 1, absolute below."""
    one, other = np.atleast_1d(found), np.atleast_1d(told)
    return bool(one.shape == other.shape and (abs(one - other) <= tolerance * np.maximum(1, abs(other))).all())


@pytest.mark.parametrize("key", list(VECTORS))
def test_the_grid_gives_the_worked_value(key: str) -> None:
    compute, tolerance = VECTORS[key]
    assert close_to(compute(), FILE[key], tolerance), (compute(), FILE[key])


# ---- costs and limits


def flat(bars: int, timeframe: str = "1d") -> Candles:
    """Return bars that stay at 100."""
    return candles_of(
        [(10_000,) * 4] * bars, Instrument("COIN/USDT", price_scale=100, quantity_scale=ATOMS), timeframe=timeframe
    )


@pytest.mark.parametrize(("times", "fee_ppm", "place"), [(365, 1_000, 0), (52, 2_000, 1)])
def test_what_fees_take_in_a_year(times: int, fee_ppm: int, place: int, tmp_path: Path) -> None:
    """All in or all out at every bar of a flat price, the fee taken from what is received: (1 - f)^n is left."""
    file = author(tmp_path, "def step(p):\n    target(0, 1.0 if position(0) == 0 else 0.0)\n")
    rooms = Rooms.plain()
    terms = Terms(cash=10**6 * ATOMS, costs=(fee_ppm, fee_ppm, 0), fee_in="received")
    played = play(rooms, [(rooms.binding.Strategy(file), {})], [flat(times + 1)], terms)
    assert played.fills().size == times
    assert 1 - int(played.curve[-1]) / 10**6 / ATOMS == pytest.approx(FILE["E7.fee_drag"][place], abs=1e-7)


def test_a_symbols_share_caps_a_buy() -> None:
    """A fifth of 10,000 at 50,000: 0.04, whatever the risk would allow."""
    rooms = Rooms.plain()
    candles = candles_of([(5_000_000,) * 4] * 4, Instrument("BTC/USDT", price_scale=100, quantity_scale=ATOMS))
    terms = Terms(limits=(0, 0, 200_000, 0), costs=(0, 0, 0))
    played = play(rooms, [(rooms.binding.Strategy(SHIPPED / "buy_and_hold.py"), {})], [candles], terms)
    assert int(played.world_of.book[0]["position"]) / ATOMS == FILE["R2.cap_notional_20pct"]


@pytest.mark.parametrize(
    ("limits", "halt", "place"), [((150_000, 0), HALT_DRAWDOWN, 0), ((0, 50_000), HALT_DAILY_LOSS, 1)]
)
def test_losses_of_two_per_cent_trip_the_limits(limits: tuple[int, int], halt: int, place: int) -> None:
    """The ninth makes a drawdown of 15 %, the third a day's loss of 5 %."""
    trips = int(FILE["R3.trip_at"][place])
    for losses in (trips - 1, trips):
        prices = [10**8] * 3 + [round(10**8 * 0.98**n) for n in range(1, losses + 1)]
        candles = candles_of(path(*prices), Instrument("COIN/USDT", price_scale=10**6, quantity_scale=ATOMS))
        terms = Terms(limits=(*limits, 0, 0), costs=(0, 0, 0))
        rooms = Rooms.plain()
        played = play(rooms, [(rooms.binding.Strategy(SHIPPED / "buy_and_hold.py"), {})], [candles], terms)
        assert bool(played.world_of.desk[0]["halt"] & halt) == (losses == trips)
        if place == 0:
            left = FILE["R3.consec"][losses - 8]
            assert int(played.curve[-1]) / int(played.curve[0]) == pytest.approx(left, abs=1e-6)


def test_what_brings_a_fall_back() -> None:
    for fall, needed in zip((0.1, 0.15, 0.2, 0.5), FILE["R4.recover"], strict=True):
        assert simple_returns(np.array([1.0, 1 - fall, 1.0]))[1] == pytest.approx(needed, abs=1e-9)
