"""Instruments that list late, miss bars or are delisted: what orders see, what strategies see, what it is worth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.backtesting import tape
from crypto_bot.backtesting.gaps import absent, shown
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import CLOSES, FAR, HIGHS, LOWS, OPENS, PRESENT, VOLUMES
from tests.plays import FREE, Rooms, Terms, author, play

MINUTE = timeframe_ns("1m")
A, B = Instrument("A/USDT", price_scale=100), Instrument("B/USDT", price_scale=100)


def coin(instrument: Instrument, rows: dict[int, int], *, wide: int = 0) -> Candles:
    """Return bars at these minutes that open, trade and close at these prices, give or take so much."""
    times = np.array(list(rows), np.int64) * MINUTE
    price = np.array(list(rows.values()), np.int64)
    return Candles(instrument, "1m", times, price, price + wide, price - wide, price, np.full(times.size, 5, np.int64))


def steady(price: int, *minutes: int) -> dict[int, int]:
    return dict.fromkeys(minutes, price)


def run(folder: Path, text: str, candles: list[Candles], terms: Terms = FREE, **more: Any) -> Any:
    """Play a strategy of this text, interpreted."""
    rooms = Rooms.plain()
    return play(rooms, [(rooms.binding.Strategy(author(folder, text)), {})], candles, terms, **more)


SEEN = """
def memory(p):
    return {"steps": 0, "here": 0, "ago": 0.0, "mean": 0.0}

def step(p, m):
    for k in range(count()):
        m.steps[k] += 1
    for k in symbols():
        m.here[k] += 1
        m.ago[k] = close(k, 1)
        m.mean[k] = sma(k, 2)
"""


def test_orders_see_a_bar_that_touches_nothing() -> None:
    _, bars = tape.planes([coin(A, steady(100, 0, 1, 2, 3)), coin(B, {1: 50, 3: 60})])
    assert bars[OPENS, :, 1].tolist() == [0, 50, 0, 60]
    assert bars[HIGHS, :, 1].tolist() == [0, 50, 0, 60] and bars[LOWS, :, 1].tolist() == [FAR, 50, FAR, 60]
    assert bars[CLOSES, :, 1].tolist() == [0, 50, 50, 60] and bars[VOLUMES, :, 1].tolist() == [0, 5, 0, 5]
    assert absent(bars)[:, 1].tolist() == [True, False, True, False]


def test_strategies_see_it_flat_and_know() -> None:
    _, bars = tape.planes([coin(A, steady(100, 0, 1, 2, 3)), coin(B, {1: 50, 3: 60}, wide=2)])
    seen = shown(bars)
    assert seen[:, 2, 1].tolist() == [50, 50, 50, 50, 0, 0, 0]
    assert seen[PRESENT].tolist() == [[1, 0], [1, 1], [1, 0], [1, 1]]


def test_every_bar_of_every_instrument_is_kept() -> None:
    made = tape.make_tape([coin(A, steady(100, 0, 2)), coin(B, steady(50, 1, 2, 4))])
    assert (made.times // MINUTE).tolist() == [0, 1, 2, 4] and made.has_gaps
    assert not tape.make_tape([coin(A, steady(100, 0, 2)), coin(B, steady(50, 0, 2))]).has_gaps


def test_a_symbol_is_in_the_slice_when_it_has_a_bar_and_is_warm(tmp_path: Path) -> None:
    """Two bars of its own are needed: B lists at minute 2 and lacks minute 4."""
    candles = [coin(A, steady(100, *range(8))), coin(B, {2: 10, 3: 20, 5: 30, 6: 40, 7: 50})]
    played = run(tmp_path, SEEN, candles)
    assert played.cell("steps")[:, 0].tolist() == [7, 7]
    assert played.cell("here")[:, 0].tolist() == [7, 4]
    assert played.cell("ago")[1, 0] == 0.40 and played.cell("mean")[1, 0] == 0.45


def test_indicators_begin_with_the_listing(tmp_path: Path) -> None:
    """An average over everything would be dragged by zeros; over its own bars it is the plain one, gaps shown flat."""
    text = """
    def memory(p):
        return {"v": 0.0}

    def step(p, m):
        for k in symbols():
            m.v[k] = ema(k, 3)
    """
    late = {5: 10, 6: 20, 8: 40, 9: 40}
    alone = run(tmp_path, text, [coin(B, {5: 10, 6: 20, 7: 20, 8: 40, 9: 40})])
    beside = run(tmp_path, text, [coin(A, steady(100, *range(10))), coin(B, late)])
    assert beside.cell("v")[1, 0] == alone.cell("v")[0, 0] > 0


def test_the_rank_is_among_those_in_the_slice(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return {"score": 0.0, "place": -1}

    def step(p, m):
        for k in symbols():
            m.score[k] = close(k)
        for k in symbols():
            m.place[k] = rank(m.score, k)
    """
    played = run(tmp_path, text, [coin(A, steady(100, 0, 1, 2)), coin(B, steady(900, 0, 1))])
    assert played.cell("place")[:, 0].tolist() == [0, 0], "B was first in its last slice; A is alone in the one after"


def test_an_order_waits_for_the_next_bar_of_its_instrument(tmp_path: Path) -> None:
    """The wish of minute 0 fills at the open of minute 3, as nothing was traded before."""
    text = """
    def step(p):
        for k in symbols():
            target(k, 0.5)
    """
    candles = [coin(A, steady(100, *range(6))), coin(B, {0: 50, 3: 60, 4: 60})]
    played = run(tmp_path, text, candles)
    fills = played.fills()
    assert [(int(f["instrument"]), int(f["time_ns"]) // MINUTE, int(f["price"])) for f in fills] == [
        (0, 1, 100),
        (1, 3, 60),
    ]


@pytest.mark.parametrize("fills", ["pessimistic", "touch", "path"])
def test_a_resting_order_is_not_filled_by_a_bar_that_is_not_there(tmp_path: Path, fills: str) -> None:
    """At the very price of the last close, with touch: the flat bar that strategies see would fill it."""
    text = """
    def step(p):
        for k in symbols():
            quote(k, 0, 1, close(k) * 0.9, 1.0)
            quote(k, 1, 1, close(k) * 1.0, 1.0)
    """
    candles = [coin(A, steady(100, *range(6))), coin(B, steady(50, 0, 5), wide=0)]
    played = run(tmp_path, text, candles, Terms(costs=(0, 0, 0), fills=fills))
    of_b = [int(f["time_ns"]) // MINUTE for f in played.fills() if f["instrument"] == 1]
    assert of_b == ([] if fills == "pessimistic" else [5])


def test_nothing_is_bought_before_there_is_a_price(tmp_path: Path) -> None:
    text = """
    def step(p):
        target(1, 0.5)
        quote(1, 0, 1, 0.40, 1.0)
    """
    played = run(tmp_path, text, [coin(A, steady(100, *range(6))), coin(B, steady(50, 3, 4, 5))])
    assert len(played.fills()) == 0 and int(played.world_of.desk[0]["refused"]) == 2
    assert played.world_of.desk[0]["laws"] == 0


def test_a_position_is_marked_at_the_last_close(tmp_path: Path) -> None:
    text = """
    def step(p):
        for k in symbols():
            target(k, 0.5)
    """
    candles = [coin(A, steady(100, *range(6))), coin(B, {0: 50, 1: 50, 2: 100})]
    played = run(tmp_path, text, candles)
    assert played.curve[-1] == 15_000 * ATOMS


def test_a_strategy_that_wakes_on_fills_is_woken_for_a_newcomer(tmp_path: Path) -> None:
    text = """
    wake = "fills"

    def step(p):
        for k in symbols():
            if position(k) == 0.0:
                target(k, 0.4)
    """
    candles = [coin(A, steady(100, *range(9))), coin(B, steady(50, 4, 5, 6, 7, 8))]
    played = run(tmp_path, text, candles)
    assert [(int(f["instrument"]), int(f["time_ns"]) // MINUTE) for f in played.fills()] == [(0, 1), (1, 5)]


@given(st.sets(st.integers(0, 59), min_size=1), st.sets(st.integers(0, 59), min_size=1), st.sampled_from([5, 15]))
def test_longer_bars_are_made_of_the_bars_that_are_there(first: set[int], second: set[int], length: int) -> None:
    """Each instrument's longer bars are those it has alone; where it has none, they are flat and told so."""
    made = [coin(A, {n: 100 + n for n in sorted(first)}, wide=3), coin(B, {n: 90 - n for n in sorted(second)}, wide=2)]
    both = tape.make_tape(made)
    seen = both.market(length * MINUTE).own
    labels = sorted({int(t) // MINUTE // length for t in both.times})[: seen.shape[1]]
    for k, each in enumerate(made):
        times, bars = tape.planes([each])
        for u, label in enumerate(labels):
            rows = np.flatnonzero(times // MINUTE // length == label)
            if rows.size == 0:
                if both.has_gaps:
                    assert seen[PRESENT, u, k] == 0 and seen[VOLUMES, u, k] == 0
                    assert seen[OPENS, u, k] == seen[HIGHS, u, k] == seen[LOWS, u, k] == seen[CLOSES, u, k]
                continue
            assert seen[OPENS, u, k] == bars[OPENS, rows[0], 0] and seen[CLOSES, u, k] == bars[CLOSES, rows[-1], 0]
            assert seen[HIGHS, u, k] == bars[HIGHS, rows, 0].max() and seen[LOWS, u, k] == bars[LOWS, rows, 0].min()
            assert seen[VOLUMES, u, k] == bars[VOLUMES, rows, 0].sum()
