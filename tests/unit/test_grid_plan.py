"""The plan of a grid: published examples, and the very orders that the strategy rests when it begins there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.backtesting.grid_plan import GridPlan, gain_of_cell, most_cells, plan_grid
from crypto_bot.backtesting.grid_shape import GridShape
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.genesis import Costs
from tests import commands
from tests.grids import BTC, GRID, lines, run, walk
from tests.plays import Terms

FREE = Costs(maker_ppm=0, taker_ppm=0)
EXAMPLE = GridShape(90_000, 110_000, 20, 10_000)
RECEIVED = Costs(fee_in="received")


def test_a_published_balance() -> None:
    """Five buys of 14 XRP from 0.7484 to 0.7696 and 26 sells, at 0.7760: 53.13 USDT and 364 XRP rest in orders."""
    shape = GridShape(0.7484, 0.7484 + 31 * 0.0053, 31, 0, quantity=14)
    plan = plan_grid(shape, 0.7760, FREE, Instrument("XRP/USDT", price_scale=10_000, quantity_scale=1))
    resting = [cell.rests for cell in plan.cells]
    assert (resting.count("buy"), resting.count("sell"), plan.empty) == (5, 26, 5)
    assert plan.resting_cost == pytest.approx(53.13, abs=1e-9) and plan.first_quantity == 364
    assert plan.lines[:5] == (0.7484, 0.7537, 0.7590, 0.7643, 0.7696)


def test_a_published_cell_with_its_fee_in_coins() -> None:
    """A buy of 0.08795882 at 53,000 brings 0.08787086, which sells at 57,000: 341.81292098 after both fees."""
    shape = GridShape(53_000, 57_000, 1, 0, quantity=0.08795882)
    (cell,) = plan_grid(shape, 57_000, RECEIVED, BTC).cells
    assert cell.profit == pytest.approx(341.81292098, abs=1e-8)


def test_that_cell_traded() -> None:
    """The kernel's own count of it, to the atom: fees are rounded against us."""
    terms = Terms(costs=(1_000, 1_000, 0), fee_in="received")
    shape = {"lower_price": 53_000.0, "upper_price": 57_000.0, "num_grids": 1, "quantity": 0.08795882}
    played = run(walk(57_000, 52_990, 57_010), terms, **shape)
    bought, sold = played.fills()
    assert (int(bought["quantity"]), int(sold["quantity"])) == (8_795_882, 8_787_086)
    earned = int(played.world_of.purse[0]["balance"]) / ATOMS - 10_000
    assert earned == pytest.approx(341.81292098, abs=2e-8)


@pytest.mark.parametrize(
    ("shape", "least", "most"),
    [
        (EXAMPLE, 0.007165137614678963, 0.0091),
        (replace(EXAMPLE, geometric=True), 0.008073955415840994, 0.008073955415840994),
    ],
)
def test_what_the_cells_of_the_example_earn(shape: GridShape, least: float, most: float) -> None:
    plan = plan_grid(shape, 100_000, Costs())
    assert [plan.least_gain, plan.most_gain] == pytest.approx([least, most], abs=1e-12)
    assert plan.break_even == pytest.approx(0.002002002002002, abs=1e-15)
    assert plan.invested == pytest.approx(10_000)


def test_fees_in_coins_ask_for_more_distance() -> None:
    """An even cell has U (1 - f)^2 = L, a little more than (1 + f) / (1 - f) between them."""
    even = 1 / 0.999**2
    assert gain_of_cell(even, RECEIVED) == pytest.approx(0, abs=1e-15) and gain_of_cell(even, Costs()) > 0
    narrow = GridShape(100.0, 100.0 * even**10 * 0.999999, 10, 1_000, geometric=True)
    assert (most_cells(narrow, RECEIVED), most_cells(narrow, Costs())) == (9, 10)


SHAPES: list[dict[str, Any]] = [
    {},
    {"sizing": "quote"},
    {"spacing_type": "geometric"},
    {"spacing_type": "geometric", "sizing": "quote"},
    {"spacing_type": "geometric", "sizing": "quote", "top": "infinity"},
    {"quantity": 0.004},
]


@given(st.sampled_from(SHAPES), st.integers(85_000, 118_000), st.integers(1, 25))
@settings(max_examples=40)
def test_the_plan_is_what_the_strategy_does(shape: dict[str, Any], price: int, cells: int) -> None:
    """The same first purchase, and the same orders at the same prices."""
    params = {**GRID, "num_grids": cells, **shape}
    played = run(walk(price), Terms(costs=(1_000, 1_000, 0)), **params)
    module = played.stage.bounds[0].module
    names = module.parameters.names
    known = dict(zip(names, module.parameters.read(params), strict=True))
    plan: GridPlan = plan_grid(GridShape.of(known), price, Costs(1_000, 1_000, 0), BTC)
    buys, sells = lines(played)
    assert buys == [cell.lower for cell in plan.cells if cell.rests == "buy"]
    assert sells == [cell.upper for cell in plan.cells if cell.rests == "sell"]
    first = sum(int(fill["quantity"]) for fill in played.fills())
    assert first == pytest.approx(plan.first_quantity * ATOMS, abs=1)
    assert int(played.cell("empty")[0, 0]) == plan.empty
    live = {float(o["price"]) / 100: int(o["left"]) for o in played.world_of.orders[0] if o["state"] != 0}
    told = {(c.lower if c.rests == "buy" else c.upper): round(c.quantity * ATOMS) for c in plan.cells}
    assert live == told


@pytest.mark.parametrize(
    ("shape", "price", "told"),
    [
        (EXAMPLE, 80_000, "begins with coins only"),
        (EXAMPLE, 120_000, "begins with money only"),
        (replace(EXAMPLE, investment=100.0), 100_000, "smallest order is worth 4.5"),
        (replace(EXAMPLE, investment=1e-4), 100_000, "less than a lot"),
    ],
)
def test_what_a_plan_warns_of(shape: GridShape, price: float, told: str) -> None:
    coin = replace(BTC, quantity_scale=10**6, min_notional=10 * ATOMS)
    assert any(told in remark for remark in plan_grid(shape, price, Costs(), coin).remarks)


# ---- the command


def test_the_command_tells_the_plan(tmp_path: Path) -> None:
    asked = ["strategies", "--plan", "grid", "--param", "lower_price=90000", "--param", "upper_price=110000"]
    asked += ["--param", "num_grids=20", "--param", "spacing_type=geometric", "--price", "100000"]
    told = json.loads(commands.run(*asked, "--json", cwd=tmp_path).out)
    assert told["least_gain"] == pytest.approx(0.00807395541584) and told["parameters"]["num_grids"] == 20
    assert len(told["cells"]) == 20 and len(told["lines"]) == 21 and told["empty_line"] == 10
    assert float(told["invested"]) == pytest.approx(10_000)
    shown = commands.run(*asked, cwd=tmp_path).out
    assert "0.807 to 0.807 %" in shown and "0.2002 % apart" in shown


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--plan", "simple_ma"], "there is a plan for grid"),
        (["--plan", "grid", "--param", "num_grids=60", "--fee-maker-bps", "40"], "cannot earn them"),
        (["--plan", "grid", "--price", "soon"], "is not a price"),
        (["--plan", "grid", "--symbol", "NO/COIN"], "has no candles of NO/COIN"),
    ],
)
def test_what_cannot_be_planned_is_told_in_one_sentence(tmp_path: Path, flags: list[str], told: str) -> None:
    end = commands.run("strategies", *flags, cwd=tmp_path)
    assert end.status == 2 and told in end.err and len(end.err.splitlines()) == 1
