"""The grid on markets whose outcome is known on paper: closed forms, published examples, and any restart in between."""

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, SELL
from tests.grids import BTC, GRID, P0, TEN_BPS, fees, gain, lines, quantity, run, triangle, walk
from tests.plays import SHIPPED, Rooms, Terms
from tests.small_worlds import candles_of, path

# ---- levels and sizing


def test_levels_of_the_published_example() -> None:
    """8,000 to 12,000 with four cells has five lines, 8,000 and 12,000 among them."""
    played = run(walk(10_000), lower_price=8_000, upper_price=12_000, num_grids=4)
    assert lines(played) == ([8_000, 9_000], [11_000, 12_000])


def test_the_example_sizes_its_lines() -> None:
    """10,000 over ten buys of 945,000 in all and ten coins' worth at 100,000: 0.00514138 a line."""
    played = run(walk(P0))
    assert quantity(played) == Fraction(514_138, ATOMS) == Fraction(10_000 * ATOMS // 1_945_000, ATOMS)
    assert lines(played) == ([90_000.0 + 1_000 * n for n in range(10)], [101_000.0 + 1_000 * n for n in range(10)])
    assert played.world_of.book[0]["position"] == 10 * 514_138


@pytest.mark.parametrize(
    ("price", "empty"),
    [
        (100_000, 10),
        (100_499, 10),
        (100_500, 10),
        (100_501, 11),
        (110_000, 20),
        (130_000, 20),
        (90_000, 0),
        (80_000, 0),
    ],
)
def test_the_line_nearest_to_the_price_is_empty(price: int, empty: int) -> None:
    """On a tie it is the lower one; outside of the range the outermost, with all money or all coins."""
    played = run(walk(price))
    assert played.cell("empty")[0, 0] == empty
    buys, sells = lines(played)
    assert (len(buys), len(sells)) == (empty, 20 - empty)
    assert played.world_of.book[0]["position"] == round(quantity(played) * ATOMS) * (20 - empty)


def test_a_quantity_per_line_wins_over_the_money() -> None:
    assert quantity(run(walk(P0), quantity=0.005)) == Fraction(5, 1_000)


# ---- closed forms


@pytest.mark.parametrize("fills", ["pessimistic", "touch", "path"])
def test_ten_cycles_of_a_triangle(fills: str) -> None:
    """Five cells up, ten down, five up, ten times: 100,000 q gross; fees of f q (b - a)(La + Lb) an excursion."""
    gross = run(triangle(5_500, 10), Terms(costs=(0, 0, 0), fills=fills))
    q = quantity(gross)
    assert gain(gross) == 100_000 * q
    assert float(gain(gross)) == pytest.approx(514.138817, rel=2e-6)
    net = run(triangle(5_500, 10), Terms(cash=10_100 * ATOMS, costs=(1_000, 1_000, 0), fills=fills), quantity=float(q))
    first = net.fills()[0]
    exact = Fraction(1, 1_000) * q * (5 * (100_000 + 105_000) + 5 * (95_000 + 100_000)) * 10
    traded = fees(net) - Fraction(int(first["fee"]), ATOMS)
    assert 0 <= traded - exact < Fraction(len(net.fills()), ATOMS), "each fee is rounded up to an atom"
    assert float(traded) == pytest.approx(102.827763, rel=2e-6)
    earned = Fraction(int(net.curve[-1]) - 10_100 * ATOMS + int(first["fee"]), ATOMS)
    assert earned == 100_000 * q - traded and float(earned) == pytest.approx(411.311054, rel=2e-6)


@pytest.mark.parametrize(("fills", "cells", "told"), [("touch", 10, 51.413882), ("pessimistic", 8, 41.131105)])
def test_touching_a_line_or_trading_through_it(fills: str, cells: int, told: float) -> None:
    """A swing that ends on a line earns a fifth less when the price has to trade through it."""
    played = run(triangle(5_000, 1), Terms(costs=(0, 0, 0), fills=fills))
    assert gain(played) == cells * 1_000 * quantity(played)
    assert float(gain(played)) == pytest.approx(told, rel=2e-6)


@pytest.mark.parametrize(("low", "high"), [(9, 10), (10, 13), (3, 12), (0, 20)])
def test_one_excursion_earns_q_times_its_lines(low: int, high: int) -> None:
    """Up from line a to line b and down again nets q (Lb - La), whatever lies between."""
    a, b = 90_000 + 1_000 * low, 90_000 + 1_000 * high
    start = walk(P0, *range(P0, a - 1, -250), a - 10)
    there = [*range(a, b + 1, 250), b + 10]
    back = [*there[::-1][1:], a - 10]
    before = run(start)
    after = run(candles_of(path(*(int(c) for c in start.close), *(100 * price for price in (*there, *back))), BTC))
    q = quantity(before)
    assert after.curve[-1] - before.curve[-1] == (b - a) * q * ATOMS


def test_a_crash_below_the_range() -> None:
    """q [sum of (P - Lj) over the buys + (N - e0)(P - P0)] at 80,000."""
    played = run(walk(P0, 95_000, 89_000, 80_000))
    q = quantity(played)
    assert gain(played) == q * (sum(80_000 - (90_000 + 1_000 * j) for j in range(10)) + 10 * (80_000 - P0))
    assert float(gain(played)) == pytest.approx(-1773.778920, rel=2e-6)
    assert lines(played)[0] == [] and played.cell("empty")[0, 0] == 0


def test_a_rally_above_the_range() -> None:
    """The profit is capped: q times the sum of (Lj - P0) over the sells."""
    played = run(walk(P0, 104_000, 111_000, 150_000))
    assert gain(played) == quantity(played) * sum(1_000 * n for n in range(1, 11))
    assert float(gain(played)) == pytest.approx(282.776350, rel=2e-6)
    assert lines(played)[1] == [] and played.world_of.book[0]["position"] == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [(0, 0.00910000), (19, 0.00716514)],
)
def test_what_one_cell_earns_after_fees(line: int, told: float) -> None:
    """(1 - c) d / L - 2 c at the bottom, U (1 - c) / (U - d) - 1 - c at the top."""
    low, high = 90_000 + 1_000 * line, 91_000 + 1_000 * line
    start = walk(high, low - 10)
    cycle = candles_of(path(*(int(c) for c in start.close), 100 * (high + 10)), BTC)
    before, after = run(start, TEN_BPS, quantity=0.004), run(cycle, TEN_BPS, quantity=0.004)
    bought = before.fills()[-1]
    pair = after.fills()[len(before.fills()) :]
    assert (int(bought["price"]), [int(f["price"]) for f in pair]) == (100 * low, [100 * high])
    q = Fraction(4, 1_000)
    earned = (high - low) * q - Fraction(int(bought["fee"]) + int(pair[0]["fee"]), ATOMS)
    assert float(earned / (low * q)) == pytest.approx(told, abs=5e-9)


@pytest.mark.parametrize(("step", "earns"), [(100.0, True), (99.8, False)])
def test_cells_below_the_break_even_lose(step: float, earns: bool) -> None:
    """At ten basis points a side, lines have to lie more than 0.2002 % apart."""
    params = {"lower_price": 50_000.0 - step, "upper_price": 50_000.0 + step, "num_grids": 2, "quantity": 0.01}
    there = walk(50_000, 50_000 - step - 5)
    back = candles_of(path(*(int(c) for c in there.close), 5_001_000, 5_000_000), BTC)
    before, after = run(there, TEN_BPS, **params), run(back, TEN_BPS, **params)
    pair = [before.fills()[-1], after.fills()[len(before.fills())]]
    assert [int(f["side"]) for f in pair] == [BUY, SELL]
    profit = sum(-int(f["side"]) * int(f["price"]) * int(f["quantity"]) // 100 - int(f["fee"]) for f in pair)
    assert (profit > 0) == earns


# ---- any path


def any_path(seed: int, bars: int = 250, width: int = 1_200) -> Candles:
    """Return a random walk on whole dollars, now and then through many lines or out of the range."""
    dice = random.Random(seed)
    price = P0
    prices = []
    for _ in range(bars):
        price += dice.choice([-1, 1]) * dice.randint(0, dice.choice([width // 4, width, 3 * width]))
        prices.append(max(50_000, price))
    return walk(P0, *prices)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["pessimistic", "touch", "path"]))
@settings(max_examples=25)
def test_one_line_is_empty_and_the_coins_follow_from_it(seed: int, fills: str) -> None:
    played = run(any_path(seed), Terms(costs=(0, 0, 0), fills=fills))
    empty = int(played.cell("empty")[0, 0])
    buys, sells = lines(played)
    assert buys == [90_000.0 + 1_000 * n for n in range(empty)]
    assert sells == [90_000.0 + 1_000 * n for n in range(empty + 1, 21)]
    assert played.world_of.book[0]["position"] == 514_138 * (20 - empty)
    moves = played.fills()[1:]
    assert empty == 10 + int(np.count_nonzero(moves["side"] == SELL)) - int(np.count_nonzero(moves["side"] == BUY))
    assert played.world_of.desk[0]["refused"] == 0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_grid_profit_is_what_its_pairs_earn(seed: int) -> None:
    """Cash recounted from the fills, pair by pair: every buy below is one cell's profit when its sell has come."""
    played = run(any_path(seed), TEN_BPS)
    fills = played.fills()
    cash = 10_000 * ATOMS - sum(
        int(f["side"]) * int(f["price"]) * int(f["quantity"]) // 100 + int(f["fee"]) for f in fills
    )
    assert cash == played.world_of.purse[0]["balance"]
    position = sum(int(f["side"]) * int(f["quantity"]) for f in fills)
    assert int(played.curve[-1]) == cash + position * int(played.stage.tape.bars[3, -1, 0]) // 100


def test_a_driftless_price_pays_its_fees_and_nothing_else() -> None:
    """A martingale: the mean of profit plus fees lies within four standard errors of nothing."""
    results = []
    for seed in range(80):
        dice = random.Random(seed)
        prices = [P0]
        for _ in range(60):
            prices.append(prices[-1] + dice.choice([-700, 700]))
        played = run(walk(P0, *prices), TEN_BPS, quantity=0.005)
        results.append(float(gain(played) + fees(played)))
    mean, error = np.mean(results), np.std(results, ddof=1) / len(results) ** 0.5
    assert abs(mean) < 4 * error and error > 0


# ---- kill and restart


def test_a_restart_at_any_fill_changes_nothing() -> None:
    """World, venue and memory are bytes: put back at any bar, the rest of the run is the same, bit for bit."""
    rooms = Rooms.plain()
    candles = any_path(5, bars=120)
    whole = run(candles, TEN_BPS)
    fill_bars = sorted({int(np.searchsorted(candles.times, f["time_ns"])) for f in whole.fills()})
    assert len(fill_bars) > 20
    for cut in fill_bars:
        first = staged(rooms, candles)
        replay(rooms, first, 0, cut + 1)
        snapshot = [part.tobytes() for part in (*first.world, *first.venue, first.bounds[0].memory.whole, first.equity)]
        second = staged(rooms, candles)
        for part, content in zip(
            (*second.world, *second.venue, second.bounds[0].memory.whole, second.equity), snapshot, strict=True
        ):
            part[...] = np.frombuffer(content, part.dtype).reshape(part.shape)
        replay(rooms, second, cut + 1, len(candles))
        assert rooms.stage.decisions_hash(second.world) == whole.decisions
        assert second.equity.tobytes() == whole.equity
        assert rooms.stage.ledger_hash(second.world) == rooms.stage.ledger_hash(whole.world_of)


def staged(rooms: Rooms, candles: Candles) -> Any:
    """Return the grid's run laid out, at its beginning."""
    strategy = rooms.binding.Strategy(SHIPPED / "grid.py")
    chosen = rooms.setup.Chosen(strategy, strategy.module.parameters.read(GRID))
    simulation = rooms.setup.Simulation(limits=rooms.genesis.Limits.off(), costs=rooms.genesis.Costs(*TEN_BPS.costs))
    with rooms.loading():
        return rooms.stage.prepare([chosen], [candles.instrument], rooms.tape.make_tape([candles]), simulation)


def replay(rooms: Rooms, stage: Any, first: int, stop: int) -> None:
    """Run some bars of a stage, skipping the quiet ones."""
    bound = stage.bounds[0]
    arguments = (stage.markets[0], stage.world, stage.venue, stage.equity, bound.memory, first, stop, rooms.replay.SKIP)
    assert stage.guarded(lambda: rooms.replay.replay(bound.loop, *arguments)) == stop
