"""Stops and targets inside one bar: the vectors, and an oracle that was written by others."""

import ast
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.backtesting.intrabar import FILL_MODELS, WAYS
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, PLANES, SELL, VOLUMES
from tests.small_worlds import COIN, MINUTE, UNLIMITED, Row, SmallWorld, assert_lawful, flat
from tests.uncompiled import uncompiled

tape = uncompiled("backtesting.tape")
ONE = COIN.quantity_scale
WIDE: Row = (10_000, 11_000, 9_000, 10_500)
Oracle = Callable[..., tuple[str, int] | None]


def legs_of(bar: Row, path: str) -> list[Row]:
    """Return the bars that orders meet: the bar itself, or its legs."""
    if not path:
        return [bar]
    bars = np.zeros((PLANES, 1, 1), np.int64)
    bars[[OPENS, HIGHS, LOWS, CLOSES], 0, 0] = bar
    _, legs = tape.split_bars(np.zeros(1, np.int64), bars, 3 * MINUTE, path)
    return [(int(o), int(h), int(low), int(c)) for o, h, low, c in legs[[OPENS, HIGHS, LOWS, CLOSES], :, 0].T]


def sold_at(bar: Row, stop: int, take: int, fills: str, *, through: bool) -> int | None:
    """Hold one coin with a stop and a target when the bar comes; return the price it was sold at."""
    legs = legs_of(bar, WAYS[fills].path)
    small = SmallWorld([[flat(10_000)] * 3 + legs], terms=UNLIMITED._replace(through=through)).go()
    small.wish(hold=ONE)
    small.go()
    small.wish(stop=stop, take=take)
    small.go(1 + len(legs))
    sold = [fill.price for fill in small.fills if fill.side == SELL]
    assert_lawful(small)
    assert len(sold) <= 1
    return sold[0] if sold else None


@pytest.mark.parametrize(("fills", "price"), [("pessimistic", 9_500), ("ohlc", 10_800), ("olhc", 9_500)])
def test_a_bar_that_reaches_both(fills: str, price: int) -> None:
    """Open 100, high 110, low 90, close 105; stop 95, target 108."""
    assert sold_at(WIDE, 9_500, 10_800, fills, through=WAYS[fills].through) == price


@pytest.mark.parametrize("fills", FILL_MODELS)
def test_gaps(fills: str) -> None:
    through = WAYS[fills].through
    assert sold_at((9_200, 9_300, 9_100, 9_200), 9_500, 10_800, fills, through=through) == 9_200
    assert sold_at((11_200, 11_500, 11_100, 11_300), 9_500, 10_800, fills, through=through) == 10_800


@pytest.mark.parametrize(
    ("bar", "first"), [((100, 104, 95, 99), 104), ((100, 106, 95, 99), 95), ((100, 105, 95, 99), 95)]
)
def test_adaptive_goes_to_the_nearer_extreme_and_in_doubt_to_the_low(bar: Row, first: int) -> None:
    assert legs_of(bar, "adaptive")[0][3] == first
    assert [leg[3] for leg in legs_of(bar, "ohlc")] == [bar[1], bar[2], bar[3]]
    assert [leg[3] for leg in legs_of(bar, "olhc")] == [bar[2], bar[1], bar[3]]


def test_the_legs_share_the_volume() -> None:
    bars = np.full((PLANES, 1, 1), 50, np.int64)
    bars[VOLUMES] = 101
    _, legs = tape.split_bars(np.zeros(1, np.int64), bars, 3, "ohlc")
    assert legs[VOLUMES, :, 0].tolist() == [33, 33, 35]


@pytest.fixture(scope="module")
def oracle(reference: Path) -> Oracle:
    """Return the reference's `bracket_long`, without what else its file does."""
    tree = ast.parse((reference / "specs" / "acceptance.py").read_text(encoding="utf-8"))
    wanted = ("path", "bracket_long")
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    room: dict[str, Any] = {}
    exec(compile(tree, "acceptance", "exec"), room)
    found: Oracle = room["bracket_long"]
    return found


@pytest.mark.parametrize("fills", ["pessimistic", "ohlc", "olhc", "adaptive"])
def test_as_the_oracle_says(fills: str, oracle: Oracle) -> None:
    """The oracle's targets fill on touch."""
    dice = random.Random(fills)
    mode = fills.upper() if fills in ("ohlc", "olhc") else fills
    for _ in range(150):
        points = [dice.randint(9_400, 10_600) for _ in range(4)]
        bar = (points[0], max(points), min(points), points[1])
        stop, take = dice.randint(9_400, 9_990), dice.randint(10_010, 10_600)
        expected = oracle(*bar, stop, take, mode)
        assert sold_at(bar, stop, take, fills, through=False) == (expected[1] if expected else None), (bar, stop, take)
