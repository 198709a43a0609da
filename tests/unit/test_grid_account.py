"""A grid's profit told apart: against sums on paper, and adding up to the equity on any path."""

import json
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.backtesting.grid_account import GridAccount, account_of_run, grid_account
from crypto_bot.backtesting.metrics import measure
from crypto_bot.backtesting.outcome import Outcome, RunLabel
from crypto_bot.backtesting.report.content import content_of
from crypto_bot.backtesting.summary import summarise
from crypto_bot.backtesting.terminal import told_of_grid
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from tests.grids import GRID, P0, triangle, walk
from tests.outcomes import average_run
from tests.plays import SHIPPED, Rooms
from tests.uncompiled import uncompiled

Q = Fraction(514_138, ATOMS)
CASH = 20_000 * ATOMS


def traded(
    candles: Candles, costs: tuple[int, int, int, str] = (0, 0, 0, "quote"), **params: Any
) -> tuple[Outcome, RunLabel]:
    """Run the shipped grid, uncompiled, and return what came of it."""
    rooms = Rooms.plain()
    strategy = rooms.binding.Strategy(SHIPPED / "grid.py")
    chosen = rooms.setup.Chosen(strategy, strategy.module.parameters.read({**GRID, **params}))
    terms = rooms.setup.Simulation(CASH, limits=rooms.genesis.Limits.off(), costs=rooms.genesis.Costs(*costs))
    with rooms.loading():
        outcome: Outcome = uncompiled("backtesting.engine").simulate([chosen], [candles], terms)
    return outcome, RunLabel("20260101-000000-0000", "1", chosen.values())


def account(candles: Candles, *costs: Any, **params: Any) -> GridAccount:
    """Return the account of a run."""
    found = account_of_run(*traded(candles, *costs, **params))
    assert found is not None
    return found


def units(atoms: int) -> Fraction:
    """Return what atoms are in money."""
    return Fraction(atoms, ATOMS)


def test_ten_cycles_of_a_triangle() -> None:
    """The first rise sells five first coins, 1 to 5 lines up; then 95 cells are closed, and five held cost 10 lines."""
    found = account(triangle(5_500, 10))
    assert units(found.initial_inventory_pnl) == 15_000 * Q
    assert (found.cells_closed, units(found.grid_profit)) == (95, 95_000 * Q)
    assert units(found.floating_pnl) == -10_000 * Q
    assert units(found.total_pnl) == 100_000 * Q and found.stop_pnl == 0
    assert found.hold_pnl == 0 and found.alpha == found.total_pnl and found.investment == 10_000 * ATOMS


def test_a_crash_shows_in_what_is_held_and_in_no_closed_cell() -> None:
    found = account(walk(P0, 95_000, 89_000, 80_000))
    assert (found.cells_closed, found.grid_profit, found.initial_inventory_pnl) == (0, 0, 0)
    assert float(units(found.floating_pnl)) == pytest.approx(-1773.778920, rel=2e-6)
    assert units(found.hold_pnl) == -2_000 and found.alpha > 0


def test_a_rally_sells_the_first_coins_and_falls_behind_holding() -> None:
    found = account(walk(P0, 104_000, 111_000, 150_000))
    assert float(units(found.initial_inventory_pnl)) == pytest.approx(282.776350, rel=2e-6)
    assert units(found.hold_pnl) == 5_000 and units(found.alpha) < -4_700


def test_what_a_stop_sold_is_told_by_itself() -> None:
    found = account(walk(P0, 95_000, 89_000, 84_000, 83_000, 95_000), stop_lower=85_000.0)
    bought = sum(90_000 + 1_000 * n for n in range(10)) + 10 * P0
    assert units(found.stop_pnl) == Q * (20 * 84_000 - bought) and found.floating_pnl == 0


def test_a_year_of_closed_cells_alone() -> None:
    """95 cells in the time from the first purchase to the last bar, as a share of what was invested."""
    candles = triangle(5_500, 10)
    found = account(candles)
    days = Fraction(int(candles.times[-1] - candles.times[1]), 86_400 * 10**9)
    assert found.realised_apr == pytest.approx(float(95_000 * Q / 10_000 * 365 / days))


SHAPES: list[dict[str, Any]] = [
    {},
    {"spacing_type": "geometric"},
    {"spacing_type": "geometric", "sizing": "quote"},
    {"spacing_type": "geometric", "sizing": "quote", "top": "infinity"},
    {"spacing_type": "geometric", "sizing": "quote", "top": "trailing", "stop_lower": 85_000.0},
    {"quantity": 0.004, "stop_upper": 111_000.0},
]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(SHAPES),
    st.sampled_from([(1_000, 1_000, 500, "quote"), (1_000, 2_000, 0, "received")]),
)
@settings(max_examples=40)
def test_the_buckets_add_up_to_the_equity(seed: int, shape: dict[str, Any], costs: tuple[int, int, int, str]) -> None:
    dice = random.Random(seed)
    prices = [P0]
    for _ in range(80):
        prices.append(max(70_000, prices[-1] + dice.choice([-1, 1]) * dice.randint(0, 2_500)))
    outcome, label = traded(walk(*prices), costs, **shape)
    found = account_of_run(outcome, label)
    assert found is not None and found.total_pnl == int(outcome.equity[-1]) - CASH


def test_a_run_without_a_grid_has_no_account() -> None:
    assert account_of_run(average_run(300), RunLabel("1", "1", {"fast": 3})) is None
    own = replace(average_run(300), strategies=("grid",))
    assert account_of_run(own, RunLabel("1", "1", {"fast": 3})) is None, "a file of the user's own"
    outcome, label = traded(walk(120_000, 120_000))
    assert grid_account(outcome, label.params) is None, "nothing was traded"


def test_among_several_strategies_it_is_found_by_its_name() -> None:
    outcome, label = traded(walk(P0, 102_500, 99_000))
    several = replace(label, params={f"grid.{name}": value for name, value in label.params.items()} | {"other.x": 1})
    fills = outcome.fills.copy()
    fills["strategy"] = 1
    both = replace(outcome, strategies=("other", "grid"), fills=fills)
    assert account_of_run(both, several) == account_of_run(outcome, label)


def test_it_is_told_everywhere() -> None:
    outcome, label = traded(walk(P0, 102_500, 99_000, 101_500), (1_000, 1_000, 0, "quote"))
    metrics, found = measure(outcome), account_of_run(outcome, label)
    assert found is not None
    told = json.loads(json.dumps(summarise(outcome, metrics, label)))["grid"]
    assert told["cells_closed"] == found.cells_closed and Fraction(told["total_pnl"]) == units(found.total_pnl)
    assert Fraction(told["alpha"]) == Fraction(told["total_pnl"]) - Fraction(told["hold_pnl"])
    shown = told_of_grid(found, "USDT")
    assert "realised only" in shown[0] and all(len(line) <= 100 for line in shown)
    group = content_of(outcome, metrics, label)["groups"][-1]
    assert group["title"] == "Grid, USDT" and group["rows"][-1]["name"] == "Grid beyond holding"
