"""Geometric lines, cells sized by money, and grids without an uppermost line, against their closed forms."""

import itertools
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, SELL
from tests.grids import GRID, P0, TEN_BPS, gain, lines, run, walk
from tests.plays import FREE, Played, Terms
from tests.small_worlds import candles_of, path

FINE = Instrument("BTC/USDT", price_scale=10**6, quantity_scale=ATOMS)
GEOMETRIC: dict[str, Any] = {"spacing_type": "geometric"}
QUOTE: dict[str, Any] = {"spacing_type": "geometric", "sizing": "quote"}
INFINITY: dict[str, Any] = {**QUOTE, "top": "infinity"}
RATIO = (110_000 / 90_000) ** (1 / 20)


def fine_walk(*prices: float) -> Candles:
    """Return bars as `walk` does, with prices of six digits after the point."""
    return candles_of(path(*(round(FINE.price_scale * price) for price in (prices[0],) * 3 + prices)), FINE)


def held(played: Played) -> Fraction:
    """Return the position."""
    return Fraction(int(played.world_of.book[0]["position"]), ATOMS)


def sides(played: Played) -> dict[float, int]:
    """Return the live orders: price -> quantity, in 1e-8 of a coin."""
    live = [o for o in played.world_of.orders[0] if o["state"] != 0]
    return {float(o["price"]) / played.stage.instruments[0].price_scale: int(o["left"]) for o in live}


# ---- geometric lines


def test_levels_are_powers_of_two() -> None:
    played = run(walk(4), **GEOMETRIC, lower_price=1.0, upper_price=16.0, num_grids=4)
    assert lines(played) == ([1.0, 2.0], [8.0, 16.0])


def test_levels_grow_by_the_same_ratio() -> None:
    buys, sells = lines(run(walk(P0), **GEOMETRIC))
    exact = [90_000 * RATIO**line for line in range(21)]
    empty = min(range(21), key=lambda line: abs(exact[line] - P0))
    assert buys == pytest.approx(exact[:empty], abs=0.01) and all(b <= e for b, e in zip(buys, exact, strict=False))
    assert sells == pytest.approx(exact[empty + 1 :], abs=0.01)
    assert all(s >= e - 1e-9 for s, e in zip(sells, exact[empty + 1 :], strict=True)), "sells are rounded up"


@pytest.mark.parametrize("sizing", ["base", "quote"])
@pytest.mark.parametrize("cell", [0, 7, 19])
def test_every_geometric_cell_earns_the_same_share(sizing: str, cell: int) -> None:
    """(1 - c) r - 1 - c = 0.8074 % of the money in it, at ten basis points a side."""
    low, high = (90_000 * RATIO ** (cell + n) for n in range(2))
    there = (high, high, low - 5)
    shape = {**GRID, **GEOMETRIC, "sizing": sizing}
    before, after = (run(fine_walk(*prices), TEN_BPS, **shape) for prices in (there, (*there, high + 5)))
    bought, sold = before.fills()[-1], after.fills()[len(before.fills())]
    assert (int(bought["side"]), int(sold["side"])) == (BUY, SELL)
    assert int(bought["quantity"]) == int(sold["quantity"])
    paid, brought = (int(f["price"]) * int(f["quantity"]) / FINE.price_scale for f in (bought, sold))
    earned = brought - paid - int(bought["fee"]) - int(sold["fee"])
    assert earned / paid == pytest.approx(0.008073955415840994, abs=2e-8)


# ---- cells of the same money


def test_cells_of_the_same_money() -> None:
    """Every buy costs the same, every sell sells what its cell's buy buys, and all together cost the investment."""
    played = run(fine_walk(P0), FREE, **QUOTE)
    live = sides(played)
    exact = [90_000 * RATIO**line for line in range(21)]
    empty = min(range(21), key=lambda line: abs(exact[line] - P0))
    unit = 10_000 / (empty + sum(P0 / exact[cell] for cell in range(empty, 20)))
    assert float(played.cell("unit")[0, 0]) == pytest.approx(unit, rel=1e-12)
    for price, quantity in live.items():
        line = min(range(21), key=lambda n: abs(exact[n] - price))
        cell = line if line < empty else line - 1
        assert quantity == pytest.approx(unit / exact[cell] * ATOMS, abs=1)
    assert held(played) == Fraction(sum(q for price, q in live.items() if price > P0), ATOMS), "nothing is left over"


def test_arithmetic_lines_can_carry_the_same_money_too() -> None:
    live = sides(run(walk(P0), FREE, sizing="quote"))
    unit = 10_000 / (10 + sum(100 / (100 + cell) for cell in range(10)))
    assert [price * q / ATOMS for price, q in live.items() if price < P0] == pytest.approx([unit] * 10, abs=0.01)
    assert len(live) == 20


@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["pessimistic", "touch", "path"]), st.sampled_from([GEOMETRIC, QUOTE])
)
@settings(max_examples=20)
def test_the_coins_follow_from_the_empty_line(seed: int, fills: str, shape: dict[str, str]) -> None:
    """N orders, one empty line, and what is held is what the cells above it sell, after any path."""
    dice = random.Random(seed)
    prices = [P0 + sum(dice.choice([-1, 1]) * dice.randint(0, 1_500) for _ in range(n)) for n in range(60)]
    played = run(walk(P0, *prices), Terms(costs=(0, 0, 0), fills=fills), **shape)
    empty = int(played.cell("empty")[0, 0])
    buys, sells = lines(played)
    assert (len(buys), len(sells)) == (empty, 20 - empty)
    assert sorted([*buys, *sells]) == [*buys, *sells]
    live = sides(played)
    assert held(played) == Fraction(sum(live[price] for price in sells), ATOMS)
    assert played.world_of.desk[0]["refused"] == played.world_of.desk[0]["laws"] == 0


# ---- without an uppermost line


def infinity(steps: int, step: float = 1.01, cells: int = 20) -> dict[str, float | int | str]:
    """Return a grid that begins on its line number `steps`, at 100."""
    lowest = 100 / step**steps
    return {**INFINITY, "lower_price": lowest, "upper_price": lowest * step**cells, "num_grids": cells}


def test_ten_steps_up_of_one_per_cent() -> None:
    """What is held stays worth 1,000: ten sales of 10 make 1,100, where holding makes 1,104.62; 90.53 % is left."""
    climb = [100 * 1.01**step + 0.001 for step in range(11)]
    played = run(fine_walk(100, *climb), FREE, **infinity(0), total_investment=1_000.0)
    assert float(gain(played)) + 10_000 == pytest.approx(10_000 + 1_100 - 1_000, abs=0.02)
    first = Fraction(int(played.fills()[0]["quantity"]), ATOMS)
    assert float(held(played) / first) == pytest.approx(0.9052869546929833, abs=1e-6)
    assert float(first) * climb[-1] == pytest.approx(1_104.62, abs=0.02)
    sales = [int(f["price"]) * int(f["quantity"]) / FINE.price_scale / ATOMS for f in played.fills()[1:]]
    assert sales == pytest.approx([10.0] * 10, abs=1e-4)


def test_an_infinity_grid_goes_on_above_its_upper_price() -> None:
    """Line 70 of a grid of twenty cells: its orders rest around the price, and what is held is still worth 1,000."""
    climb = list(itertools.accumulate([1.0005] * 1_400, lambda price, factor: price * factor, initial=100.0))
    played = run(fine_walk(*climb), FREE, **infinity(0), total_investment=1_000.0)
    step = int(played.cell("empty")[0, 0])
    assert step == 70 and float(held(played)) * 100 * 1.01**step == pytest.approx(1_000, abs=0.01)
    buys, sells = lines(played)
    scale = 100 / FINE.price_scale
    assert [b * scale for b in buys] == pytest.approx([100 * 1.01**n for n in range(60, 70)], abs=1e-4)
    assert [s * scale for s in sells] == pytest.approx([100 * 1.01**n for n in range(71, 81)], abs=1e-4)


def test_an_infinity_grid_comes_back_with_its_cells() -> None:
    """Up and down over 30 cells: each earned its 1 % of 10 / 1.01, and all coins are there again."""
    up = [*(100 * 1.01 ** (n / 2) for n in range(61)), 134.8]
    prices = [*up, *up[::-1], 99.9]
    first, last = (run(fine_walk(*p), FREE, **infinity(5), total_investment=1_000.0) for p in ([100.0], prices))
    unit = float(first.cell("unit")[0, 0])
    assert held(last) - held(first) == Fraction(0)
    assert float(gain(last) - gain(first)) == pytest.approx(30 * unit * 0.01 - float(held(first)) * 0.1, abs=1e-3)
    assert int(last.cell("empty")[0, 0]) == 5


def test_an_infinity_grid_keeps_money_for_its_buys() -> None:
    """An investment is the value held and all buys down to the lowest line; below it nothing is bought."""
    played = run(
        fine_walk(100, *(100 - n / 2 for n in range(30)), 60.0), FREE, **infinity(10), total_investment=1_000.0
    )
    assert int(played.cell("empty")[0, 0]) == 0
    assert float(played.world_of.purse[0]["balance"]) / ATOMS == pytest.approx(9_000, abs=0.01)


def test_an_infinity_grid_that_begins_far_above() -> None:
    played = run(fine_walk(200.0), FREE, **infinity(0), total_investment=1_000.0)
    assert int(played.cell("empty")[0, 0]) == 70
    assert len(sides(played)) == 20


# ---- what does not go together


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"top": "infinity"}, "needs spacing_type geometric and sizing quote"),
        ({"sizing": "quote", "quantity": 0.1}, "leave it out"),
    ],
)
def test_what_does_not_go_together_is_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(Exception, match=told):
        run(walk(P0), **params)
