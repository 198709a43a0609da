"""The gates before the matcher: a bar that they call quiet touches no order, and they are as narrow as can be."""

import random
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.kernel.layout import BUY, FAR, LIMIT, MARKET, POST_ONLY, SELL, STOP, STOP_LIMIT
from tests.small_worlds import COIN, Row, SmallWorld, Terms, flat
from tests.uncompiled import uncompiled

matching = uncompiled("venue.matching")
book = uncompiled("venue.book")
ONE = COIN.quantity_scale


def made_up_bars(dice: random.Random, count: int) -> list[Row]:
    rows: list[Row] = []
    for _ in range(count):
        points = [dice.randint(9_990, 10_010) for _ in range(4)]
        rows.append((points[0], max(points), min(points), points[1]))
    return rows


def place_some(dice: random.Random, small: SmallWorld) -> None:
    for slot in range(6):
        if any(o["id"] == small.world.orders[0, 3 + slot]["id"] for o in small.live()) or dice.random() < 0.5:
            continue
        side = dice.choice([BUY, SELL])
        kind = dice.choice([MARKET, LIMIT, POST_ONLY, STOP, STOP_LIMIT])
        price = 0 if kind in (MARKET, STOP) else dice.randint(9_988, 10_012)
        trigger = dice.randint(9_988, 10_012) if kind in (STOP, STOP_LIMIT) else 0
        small.order(side, dice.randint(1, 3) * ONE, price, kind=kind, trigger=trigger, slot=slot)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_a_quiet_bar_touches_no_order(seed: int) -> None:
    dice = random.Random(seed)
    small = SmallWorld(
        [made_up_bars(dice, 25)], terms=Terms(through=dice.random() < 0.5, slippage_ppm=dice.choice([0, 200]))
    ).go()
    small.wish(hold=20 * ONE)
    small.go()
    for _ in range(22):
        place_some(dice, small)
        if dice.random() < 0.3 and small.live():
            slot = small.world.orders[0]["id"].tolist().index(int(dice.choice(small.live())["id"]))
            if slot >= 3:
                small.cancel(slot - 3)
        assert_gates_are_exact(small)
        if not matching.touched(small.venue, small.market, small.i + 1):
            small.venue.gate["kinds"] = 7  # every step is tried, whatever the gates say
            everything = matching.Reach(0, small.venue.gate.size, 7)
            assert matching.next_match(small.world, small.venue, small.market, small.i + 1, 0, everything) < 0
            book.reset_gate(small.venue, 0)
        small.go()


def test_a_slice_reaches_the_lanes_from_the_first_to_the_last_that_it_touches() -> None:
    quiet, loud = [flat(10_000)] * 2, [flat(10_000), (10_000, 10_000, 9_000, 10_000)]
    coins = [replace(COIN, symbol=f"C{k}/USDT") for k in range(4)]
    small = SmallWorld([quiet, loud, quiet, loud], instruments=coins).go()
    for lane in range(4):
        small.order(BUY, ONE, 9_500, lane=lane)
    assert matching.reach(small.venue, small.market, 1) == matching.Reach(1, 4, 4)
    assert matching.reach(small.venue, small.market, 0) == matching.Reach(0, 0, 0)


def assert_gates_are_exact(small: SmallWorld) -> None:
    """Recompute the gates of every lane from its orders."""
    for lane in range(small.venue.gate.size):
        gate = small.venue.gate[lane].copy()
        book.reset_gate(small.venue, lane)
        fresh = small.venue.gate[lane]
        assert gate["stale"] == 0 and gate["live"] == sum(small.venue.resting[lane]["live"])
        assert (gate["low"], gate["high"]) == (fresh["low"], fresh["high"])
        assert gate["kinds"] & fresh["kinds"] == fresh["kinds"] and gate["used"] >= fresh["used"]


def test_without_orders_every_bar_is_quiet() -> None:
    small = SmallWorld([[flat(10_000), (1, FAR // 8, 1, 1)]]).go()
    assert not matching.touched(small.venue, small.market, 1)


def test_only_the_lane_that_is_touched_matters() -> None:
    small = SmallWorld(
        [[flat(10_000)] * 3, [flat(10_000), (10_000, 10_000, 9_899, 9_950), flat(10_000)]],
        instruments=(COIN, type(COIN)("B/USDT")),
    ).go()
    small.order(BUY, ONE, 9_900)
    assert not matching.touched(small.venue, small.market, 1), "the other coin fell, this one did not"
    small.order(BUY, ONE, 9_900, lane=1)
    assert matching.touched(small.venue, small.market, 1)


def test_fills_come_one_after_the_other_and_share_the_money() -> None:
    """Two buys that were both affordable when placed; the second gets what the slippage of the first left."""
    small = SmallWorld([[flat(10_000), flat(11_000)]], cash=200 * ONE * 100).go()
    small.order(BUY, ONE)
    small.order(BUY, ONE, slot=1)
    small.go()
    first, second = small.fills
    assert first.quantity == ONE and second.quantity == (20_000 - 11_000) * ONE // 11_000
    assert small.purse < 11_000 and small.desk["laws"] == 0


def test_every_lane_and_slot_is_reached() -> None:
    rows = [[flat(10_000), flat(10_000), (10_000, 10_000, 9_000, 9_500)]] * 2
    small = SmallWorld(rows, instruments=(COIN, type(COIN)("B/USDT")), strategies=2).go(2)
    for lane in range(4):
        for slot in (0, 7, 60):
            small.order(BUY, ONE, 9_900 - slot, lane=lane, slot=slot)
    small.go()
    assert sorted((f.lane, f.price) for f in small.fills) == [
        (lane, 9_900 - slot) for lane in range(4) for slot in (60, 7, 0)
    ]
    assert not np.any(small.venue.resting["live"])
