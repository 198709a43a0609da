"""When a grid begins, moves, rests and ends: triggers, trailing, stops and what it does outside of its lines."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, SELL
from tests.grids import GRID, P0, fees, gain, lines, quantity, run, walk
from tests.plays import SHIPPED, Played, Rooms, Terms
from tests.small_worlds import T0

SLIPPING = Terms(cash=20_000 * ATOMS, costs=(0, 0, 500))
LINES = [90_000.0 + 1_000 * n for n in range(21)]
GEOMETRIC: dict[str, Any] = {"spacing_type": "geometric", "sizing": "quote"}
MINUTE = 60 * 10**9


def coins(played: Played) -> Fraction:
    """Return the position."""
    return Fraction(int(played.world_of.book[0]["position"]), ATOMS)


def times(played: Played) -> list[int]:
    """Return the bars of all fills, counted from 0."""
    return [(int(fill["time_ns"]) - T0) // MINUTE for fill in played.fills()]


# ---- when it wakes


@pytest.mark.parametrize(
    ("params", "when"),
    [
        ({}, "fills"),
        (GEOMETRIC | {"top": "infinity"}, "fills"),
        ({"top": "trailing"}, "bars"),
        ({"stop_lower": 80_000.0}, "bars"),
        ({"stop_upper": 120_000.0}, "bars"),
        ({"trigger_price": 95_000.0}, "bars"),
        ({"out_of_range": "pause"}, "bars"),
    ],
)
def test_it_looks_at_every_bar_only_when_it_has_to(params: dict[str, Any], when: str) -> None:
    module = Rooms.plain().binding.Strategy(SHIPPED / "grid.py").module
    assert module.wake_of(module.parameters.read({**GRID, **params})) == when


# ---- a start that waits


@pytest.mark.parametrize(("trigger", "begins"), [(97_000.0, 7), (100_000.0, 0), (103_000.0, 11)])
def test_a_trigger_is_waited_for_from_either_side(trigger: float, begins: int) -> None:
    """100,000 down to 96,500 in bars 3 to 7, up to 104,000 in bars 8 to 11: the purchase follows the touch."""
    way = walk(P0, 99_000, 98_000, 97_500, 96_500, 98_000, 100_000, 102_500, 104_000, 104_010)
    played = run(way, trigger_price=trigger)
    assert times(played)[0] == begins + 1
    start = int(way.close[begins]) / 100
    assert played.world_of.subs.size == 1 and len(lines(played)[0]) + len(lines(played)[1]) == 20
    empty = min(range(21), key=lambda line: abs(LINES[line] - start))
    assert int(played.fills()[0]["quantity"]) == pytest.approx(float(quantity(played)) * (20 - empty) * ATOMS, abs=1)


def test_a_trigger_that_is_not_touched_leaves_the_money_alone() -> None:
    played = run(walk(P0, 99_000, 101_000, 98_000), trigger_price=97_000.0)
    assert played.fills().size == 0 and played.world_of.desk[0]["signals"] == 0


def test_nothing_begins_beyond_a_stop() -> None:
    played = run(walk(85_000, 84_000, 85_500, 91_000, 92_000, 92_100), stop_lower=86_000.0)
    assert times(played)[0] == 8, "after the bar from 91,000 to 92,000, the first that does not reach the stop"


# ---- stops


def test_a_stop_below_takes_the_orders_away_and_sells_all() -> None:
    """The bar that reaches 85,000 ends it; the coins go at the next open, less slippage; nothing comes back."""
    played = run(walk(P0, 95_000, 89_000, 84_000, 83_000, 95_000, 104_000), SLIPPING, stop_lower=85_000.0)
    last = played.fills()[-1]
    assert (int(last["side"]), int(last["maker"]), int(last["price"])) == (SELL, 0, round(84_000 * 100 * 0.9995))
    assert coins(played) == 0 and lines(played) == ([], [])
    assert int(last["quantity"]) == 20 * round(quantity(played) * ATOMS)
    assert played.cell("over")[0, 0] == 1


def test_a_stop_below_that_keeps_the_coins() -> None:
    way = walk(P0, 95_000, 89_000, 84_000, 83_000, 95_000)
    played = run(way, SLIPPING, stop_lower=85_000.0, sell_all_on_stop=False)
    assert coins(played) == 20 * quantity(played) and lines(played) == ([], [])
    assert int(played.fills()[-1]["side"]) == BUY


def test_a_stop_is_reached_by_a_touch() -> None:
    touched = run(walk(P0, 95_000, 89_000, 85_000, 89_500), stop_lower=85_000.0)
    spared = run(walk(P0, 95_000, 89_000, 85_000.01, 89_500), stop_lower=85_000.0)
    assert (touched.cell("over")[0, 0], spared.cell("over")[0, 0]) == (1, 0)


def test_a_stop_above_ends_it_too() -> None:
    """All is sold on the way up; the buys go, and a fall finds nothing."""
    played = run(walk(P0, 111_000, 120_000, 95_000, 89_000), stop_upper=115_000.0)
    assert lines(played) == ([], []) and coins(played) == 0
    assert float(gain(played)) == pytest.approx(282.776350, rel=2e-6)


# ---- outside of the lines


@pytest.mark.parametrize(("price", "kept"), [(111_000, 20), (89_000, 20)])
def test_orders_rest_and_wait_outside_unless_told_otherwise(price: int, kept: int) -> None:
    for policy, resting in (("keep", kept), ("pause", 0)):
        played = run(walk(P0, price, price), out_of_range=policy)
        assert sum(map(len, lines(played))) == resting
        assert int(played.cell("empty")[0, 0]) == (20 if price > P0 else 0)


def test_a_pause_ends_when_the_price_is_back() -> None:
    """Its state is kept: back between the lines it goes on as if it had never paused."""
    way = (P0, 111_000, 112_000, 109_500, 104_500, 96_500, 89_000, 88_000, 90_500, 99_500)
    kept, paused = (run(walk(*way), out_of_range=policy) for policy in ("keep", "pause"))
    assert lines(kept) == lines(paused) and coins(kept) == coins(paused)
    assert int(paused.cell("rests")[0, 0]) == 1


def test_a_grid_that_pauses_does_not_begin_outside() -> None:
    assert run(walk(89_000, 88_000, 89_500), out_of_range="pause").fills().size == 0
    assert run(walk(89_000, 88_000, 91_000, 91_200), out_of_range="pause").fills().size == 1


# ---- trailing


def test_the_lines_move_up_when_the_price_stands_a_line_above_them() -> None:
    """At U + d the lowest buy goes and a buy on the old upper line comes; the rest stays as it was."""
    before = run(walk(P0, 110_500, 110_999), SLIPPING, top="trailing")
    after = run(walk(P0, 110_500, 111_000), SLIPPING, top="trailing")
    assert lines(before) == (LINES[:20], [])
    assert lines(after) == ([*LINES[1:20], 110_000.0], [])
    assert after.world_of.desk[0]["cancels"] - before.world_of.desk[0]["cancels"] == 1
    assert coins(after) == 0 and int(after.cell("lowest")[0, 0]) == 1


def test_a_trailed_grid_trades_its_new_lines() -> None:
    """Up by three lines and down by two: bought on what were lines above the top, sold a line higher."""
    there = walk(P0, 110_500, 113_200)
    played = run(walk(P0, 110_500, 113_200, 111_500, 110_900, 112_100), SLIPPING, top="trailing")
    moves = [(int(f["side"]), int(f["price"])) for f in played.fills()[len(run(there, SLIPPING).fills()) :]]
    assert moves == [(BUY, 11_200_000), (BUY, 11_100_000), (SELL, 11_200_000)]
    assert lines(played) == ([93_000.0 + 1_000 * n for n in range(19)], [113_000.0])
    assert coins(played) == quantity(played)


def test_trailing_ends_at_its_limit() -> None:
    played = run(walk(P0, 110_500, 119_000), SLIPPING, top="trailing", trail_limit=112_000.0)
    assert lines(played)[0][-1] == 111_000.0 and int(played.cell("lowest")[0, 0]) == 2


def test_trailing_ends_where_the_money_ends() -> None:
    """Lines of one quantity cost more the higher they lie: 10,000 is enough for so many and no more."""
    played = run(walk(P0, 110_500, 109_900, 119_000, 130_000), top="trailing")
    buys, _ = lines(played)
    cost = float(quantity(played)) * sum(buys)
    money = float(played.world_of.purse[0]["balance"]) / ATOMS
    assert cost <= money < cost + float(quantity(played)) * 20_000 and played.world_of.desk[0]["refused"] == 0


def test_cells_of_the_same_money_can_be_moved_for_ever() -> None:
    played = run(walk(P0, *range(101_000, 400_000, 1_000)), top="trailing", **GEOMETRIC)
    buys, sells = lines(played)
    assert len(buys) == 20 and not sells and played.world_of.desk[0]["refused"] == 0
    ratio = (110_000 / 90_000) ** (1 / 20)
    assert buys[-1] < 399_000 < buys[-1] * ratio * ratio
    assert [b / a for a, b in pairwise(buys)] == pytest.approx([ratio] * 19, rel=1e-6)


@pytest.mark.parametrize(("shape", "stop"), [({}, 88_000.0), (GEOMETRIC, 85_000 * (110 / 90) ** (3 / 20))])
def test_the_stop_below_moves_with_the_lines(shape: dict[str, Any], stop: float) -> None:
    """Three lines up, and the stop of 85,000 is as far below the lowest line as it was."""
    top = 90_000 * (110 / 90) ** (23 / 20) if shape else 113_000.0
    for price, ended in ((stop + 1, 0), (stop - 1, 1)):
        way = walk(P0, 110_500, top + 10, 100_000, price)
        played = run(way, SLIPPING, top="trailing", stop_lower=85_000.0, **shape)
        assert int(played.cell("lowest")[0, 0]) == 3 and int(played.cell("over")[0, 0]) == ended


def test_fees_come_out_of_what_the_lines_may_cost() -> None:
    played = run(walk(P0, 110_500, 130_000), Terms(costs=(1_000, 1_000, 0)), top="trailing", **GEOMETRIC)
    assert played.world_of.desk[0]["refused"] == played.world_of.desk[0]["laws"] == 0 and fees(played) > 0


# ---- what does not go together


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"trail_limit": 120_000.0}, "trail_limit needs top trailing"),
        ({"trail_limit": 105_000.0, "top": "trailing"}, "above upper_price"),
        ({"stop_lower": 95_000.0}, "below lower_price"),
        ({"stop_upper": 95_000.0}, "above upper_price"),
        ({"trigger_price": -1.0}, "trigger_price must not be negative"),
    ],
)
def test_what_cannot_be_meant_is_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(Exception, match=told):
        run(walk(P0), **params)
