"""A grid that cannot earn its fees is refused, exactly when a cell traded by hand loses."""

import itertools
from contextlib import nullcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.choosing import by_strategy, choose, name_of, texts_by_strategy
from crypto_bot.backtesting.grid_plan import gain_of_cell, most_cells
from crypto_bot.backtesting.grid_shape import GridShape
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import PPM
from crypto_bot.kernel.genesis import Costs

UPPER = 30_000.0


def gains(lower: float, upper: float, cells: int, maker_ppm: int) -> list[Fraction]:
    """Return what each cell brings: a unit of money put in at its lower line, taken out at its upper one."""
    fee, low, high = Fraction(maker_ppm, PPM), Fraction(lower), Fraction(upper)
    lines = [low + (high - low) * line / cells for line in range(cells + 1)]
    return [top * (1 - fee) / bottom - (1 + fee) for bottom, top in itertools.pairwise(lines)]


@given(
    lower=st.floats(1, 50_000), width=st.floats(0.001, 3), cells=st.integers(1, 60), maker_ppm=st.integers(0, 10_000)
)
def test_the_worst_cell_is_the_uppermost(lower: float, width: float, cells: int, maker_ppm: int) -> None:
    upper = lower * (1 + width)
    shape = GridShape(lower, upper, cells, 1_000.0)
    found = gain_of_cell(shape.least_ratio, Costs(maker_ppm=maker_ppm))
    assert found == pytest.approx(float(min(gains(lower, upper, cells, maker_ppm))), abs=1e-12)


def test_the_published_example() -> None:
    """90000 to 110000 in 20 cells at ten basis points: 0.7165 % at the worst."""
    found = gain_of_cell(GridShape(90_000, 110_000, 20, 1_000.0).least_ratio, Costs())
    assert found == pytest.approx(0.007165137614678963, abs=1e-15)


def grid(cells: int, maker_ppm: int, *, lower: float = 29_000.0, upper: float = UPPER) -> None:
    given = {"grid": {"lower_price": lower, "upper_price": upper, "num_grids": cells}}
    choose(["grid"], given, Costs(maker_ppm=maker_ppm))


@pytest.mark.parametrize("maker_ppm", [0, 100, 500, 1_000, 2_000])
@pytest.mark.parametrize("cells", [1, 2, 8, 16, 17, 33, 60])
def test_a_grid_is_refused_exactly_when_a_cell_loses(cells: int, maker_ppm: int) -> None:
    if min(gains(29_000.0, UPPER, cells, maker_ppm)) > 0:
        grid(cells, maker_ppm)
    else:
        with pytest.raises(UsageError, match="cannot earn"):
            grid(cells, maker_ppm)


@pytest.mark.parametrize("maker_ppm", [500, 1_000, 2_000, 7_000])
def test_the_advice_holds(maker_ppm: int) -> None:
    with pytest.raises(UsageError) as refused:
        grid(60, maker_ppm)
    most = int(str(refused.value).partition("num_grids=")[2].split()[0])
    grid(most, maker_ppm)
    with pytest.raises(UsageError):
        grid(most + 1, maker_ppm)


def test_a_cell_that_earns_nothing_is_refused_too() -> None:
    """With lines 60 apart below 30030, ten basis points a side are exactly what a cell of ten brings."""
    with pytest.raises(UsageError, match="take num_grids=9 or less"):
        grid(10, 1_000, lower=29_430.0, upper=30_030.0)
    grid(9, 1_000, lower=29_430.0, upper=30_030.0)


def test_where_no_number_of_cells_helps_nothing_else_is_said() -> None:
    with pytest.raises(UsageError, match=": take a wider range$"):
        grid(4, 1_000, lower=29_990.0)


@given(lower=st.floats(100, 50_000), width=st.floats(0.001, 3), maker_ppm=st.integers(1, 10_000))
def test_a_geometric_grid_is_refused_exactly_when_its_cells_lose(lower: float, width: float, maker_ppm: int) -> None:
    """All cells of it bring the same, and the limit is exact: as many cells as have r > (1 + fee) / (1 - fee)."""
    upper, fee = lower * (1 + width), Fraction(maker_ppm, PPM)
    most = most_cells(GridShape(lower, upper, 60, 1_000.0, geometric=True), Costs(maker_ppm=maker_ppm))
    for cells in {max(1, most), min(60, most + 1)}:
        earns = Fraction(upper) / Fraction(lower) > ((1 + fee) / (1 - fee)) ** cells
        assert earns == (cells <= most)
        given: dict[str, Given] = {
            "lower_price": lower,
            "upper_price": upper,
            "num_grids": cells,
            "spacing_type": "geometric",
        }
        with nullcontext() if earns else pytest.raises(UsageError, match="cannot earn"):
            choose(["grid"], {"grid": given}, Costs(maker_ppm=maker_ppm))


# ---- parameters by strategy


def test_a_name_is_that_of_the_catalogue_or_of_the_file() -> None:
    assert [name_of(asked) for asked in ("grid", "mine.py", "sub/folder/mine.py")] == ["grid", "mine", "mine"]


def test_parameters_go_to_whom_they_are_for() -> None:
    assert by_strategy([("fast", 3), ("simple_ma.slow", 9)], ["simple_ma"]) == {"simple_ma": {"fast": 3, "slow": 9}}
    assert texts_by_strategy(["a.k=1", " b.k = x=y "], ["a", "lib/b.py"]) == {"a": {"k": "1"}, "b": {"k": "x=y"}}
    assert texts_by_strategy(["k=1", "k=2"], ["a"]) == {"a": {"k": "2"}}


@pytest.mark.parametrize("text", ["k", "k=", "=3", "", "a.k"])
def test_a_parameter_without_a_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        texts_by_strategy([text], ["a"])


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two strategies are called simple_ma"):
        choose(["simple_ma", "simple_ma"], {}, Costs())
