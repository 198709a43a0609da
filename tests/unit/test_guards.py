"""Stops that follow, stops at the entry, and positions that end by time: tested by a bar before it moves them."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.kernel.layout import BUY, EMPTY, SELL, STOP
from tests.plays import FREE, Played, author, plain
from tests.small_worlds import COIN, MINUTE, T0, Row, SmallWorld, assert_lawful, candles_of, flat, path


def run(folder: Path, wishes: str, rows: Sequence[Row], **more: Any) -> Played:
    """Buy at the second bar with these wishes, said at the first step only."""
    text = f"""
    def memory(p):
        return dict(n=0)

    def step(p, m):
        m.n[0] += 1
        if m.n[0] == 1:
            target(0, 0.5)
            {wishes}
    """
    return plain(author(folder, text), [candles_of([flat(10_000), flat(10_000), *rows])], FREE, **more)


def sold(played: Played) -> list[tuple[int, int]]:
    """Return bar, counted from the third one, and price of every sale."""
    return [((int(f["time_ns"]) - T0) // MINUTE - 2, int(f["price"])) for f in played.fills() if int(f["side"]) == SELL]


CLOSES = (10_000, 10_500, 11_000, 12_000, 11_500, 10_900, 10_790, 10_000)


def test_a_trailing_stop_of_ten_per_cent(tmp_path: Path) -> None:
    """Closes 100 105 110 120 115 109 107.9: the stop stands at 108 and is reached by the seventh bar."""
    assert sold(run(tmp_path, "trail(0, 0.1)", path(*CLOSES))) == [(6, 10_800)]
    gapped = [flat(close) for close in CLOSES]
    assert sold(run(tmp_path, "trail(0, 0.1)", gapped)) == [(6, 10_790)], "opened below the stop"


def test_an_exact_touch_triggers(tmp_path: Path) -> None:
    assert sold(run(tmp_path, "trail(0, 0.1)", path(10_000, 12_000, 10_800, 20_000))) == [(2, 10_800)]


def test_a_bar_tests_the_stop_before_its_high_moves_it(tmp_path: Path) -> None:
    rows = [(10_000, 13_000, 9_500, 12_500), (12_500, 12_600, 11_600, 11_700)]
    assert sold(run(tmp_path, "trail(0, 0.1)", rows)) == [(1, 11_700)]


def test_a_distance_below_the_highest(tmp_path: Path) -> None:
    assert sold(run(tmp_path, "trail(0, by=7.5)", path(10_000, 11_000, 10_251, 10_250))) == [(3, 10_250)]


def test_a_tighter_trail_from_a_rise_on(tmp_path: Path) -> None:
    """Entry 100, stop 90; trailed by 2 % once risen by 3 %: 103.5 moves the stop to 101.43."""
    wishes = "stop(0, 90.0)\n            trail(0, 0.02, after=0.03)"
    played = run(tmp_path, wishes, path(10_000, 10_299, 10_100, 10_350))
    assert int(played.world_of.wish[0]["stop"]) == 10_143
    early = run(tmp_path, wishes, path(10_000, 10_299, 10_100))
    assert int(early.world_of.wish[0]["stop"]) == 9_000
    assert sold(run(tmp_path, wishes, path(10_000, 10_350, 10_000))) == [(2, 10_143)]


def test_a_stop_at_the_entry(tmp_path: Path) -> None:
    wishes = "stop(0, 95.0)\n            break_even(0, 0.02)"
    assert sold(run(tmp_path, wishes, path(10_000, 10_199, 9_900, 10_000))) == []
    assert sold(run(tmp_path, wishes, path(10_000, 10_200, 9_900, 10_000))) == [(2, 10_000)]


def test_a_stop_that_was_raised_is_not_lowered_by_the_strategy(tmp_path: Path) -> None:
    text = """
    def step(p):
        if wanted(0) == 0:
            target(0, 0.5)
        trail(0, 0.1)
        stop(0, 80.0)
    """
    rows = [flat(10_000), flat(10_000), *path(10_000, 12_000, 11_000)]
    wish = plain(author(tmp_path, text), [candles_of(rows)], FREE).world_of.wish[0]
    assert (int(wish["stop"]), int(wish["trailed"])) == (10_800, 10_800)


def test_a_position_ends_by_time_and_may_begin_again(tmp_path: Path) -> None:
    text = """
    def step(p):
        target(0, 0.5)
        time_stop(0, 3)
    """
    fills = plain(author(tmp_path, text), [candles_of([flat(10_000)] * 12)], FREE).fills()
    bars = [((int(f["time_ns"]) - T0) // MINUTE, int(f["side"])) for f in fills]
    assert bars == [(1, BUY), (4, SELL), (5, BUY), (8, SELL), (9, BUY)], "held for the bars 1, 2 and 3"


def test_time_is_counted_in_the_strategys_own_bars(tmp_path: Path) -> None:
    text = """
    timeframe = "5m"

    def step(p):
        target(0, 0.5)
        time_stop(0, 2)
    """
    fills = plain(author(tmp_path, text), [candles_of([flat(10_000)] * 40)], FREE).fills()
    bars = [(int(f["time_ns"]) - T0) // MINUTE for f in fills]
    assert bars[:2] == [5, 15]


def test_a_wish_that_is_taken_back_takes_its_guards(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return dict(n=0)

    def step(p, m):
        m.n[0] += 1
        if m.n[0] == 1:
            target(0, 0.5)
            trail(0, 0.1)
            time_stop(0, 5)
        if m.n[0] == 4:
            target(0, 0)
        if m.n[0] == 6:
            target(0, 0.5)
    """
    played = plain(author(tmp_path, text), [candles_of([flat(10_000)] * 3 + path(*CLOSES))], FREE)
    wish = played.world_of.wish[0]
    assert (wish["keeps"], wish["kept"], wish["trailed"], wish["stop"]) == (0, 0, 0, 0)
    assert not [o for o in played.world_of.orders[0] if o["state"] != EMPTY and o["kind"] == STOP]


def test_trailing_can_be_taken_away(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return dict(n=0)

    def step(p, m):
        m.n[0] += 1
        if m.n[0] == 1:
            target(0, 0.5)
            trail(0, 0.1)
        if m.n[0] == 6:
            trail(0)
            stop(0, 50.0)
    """
    played = plain(author(tmp_path, text), [candles_of([flat(10_000)] * 2 + path(*CLOSES))], FREE)
    assert sold(played) == [] and int(played.world_of.wish[0]["stop"]) == 5_000


def test_a_trailing_stop_makes_no_edge(tmp_path: Path) -> None:
    """On steps of one tick, trailed by five: the mean exit is the entry, though the highest price lies five above."""
    text = """
    def step(p):
        if wanted(0) == 0:
            target(0, 0.01)
            trail(0, by=0.05)
    """
    dice = np.random.default_rng(3)
    steps = dice.choice([-1, 1], 8_000)
    closes = (100_000 + np.cumsum(steps)).tolist()
    fills = plain(author(tmp_path, text), [candles_of(path(100_000, *closes))], FREE).fills()
    prices, sides = fills["price"].astype(int), fills["side"]
    ends = np.flatnonzero(sides == SELL)
    gains = prices[ends] - prices[ends - 1]
    assert ends.size > 150 and np.all(gains >= -5)
    assert abs(gains.mean()) < 4 * np.sqrt(30 / ends.size)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_stops_only_rise_while_a_position_lasts(seed: int) -> None:
    """Orders are looked at from outside: each stop of one position stands above the one before."""
    dice = random.Random(seed)
    closes = [10_000]
    for _ in range(60):
        closes.append(closes[-1] + dice.randint(-150, 150))
    small = SmallWorld([path(*closes)]).go()
    w = small.world.wish[0]
    w["trail_ppm"], w["even_ppm"], w["trail_by"] = dice.randint(0, 50_000), dice.randint(1, 20_000), dice.randint(0, 99)
    w["keeps"] = w["kept"] = dice.randint(1, 3)
    small.wish(hold=COIN.quantity_scale)
    last = 0
    while small.i < 58:
        small.go()
        stops = [int(o["trigger"]) for o in small.live() if o["kind"] == STOP]
        assert len(stops) <= 1 and (not stops or stops[0] >= last)
        last = stops[0] if stops else last
        assert_lawful(small)
