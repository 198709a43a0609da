"""What a bar's volume allows: orders filled in parts, and what an order does to its own price."""

import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, CLOSES, DAY, EMPTY, LIMIT, MARKET, SELL, SLOTS, STOP, STOP_LIMIT, VOLUMES
from tests.small_worlds import COIN, MINUTE, Row, SmallWorld, Terms, assert_lawful, flat
from tests.uncompiled import uncompiled

volume = uncompiled("venue.volume")
book = uncompiled("venue.book")
arithmetic = uncompiled("kernel.arithmetic")
ONE = COIN.quantity_scale


def metered(
    rows: Sequence[Row], *, part: int = 0, model: int = 0, traded: int = 1_000 * ONE, bar_ns: int = MINUTE
) -> SmallWorld:
    """Return a world whose bars trade so much, of which orders may take a part (in millionths)."""
    small = SmallWorld([rows], cash=10**8 * ATOMS, bar_ns=bar_ns)
    small.market.bars[VOLUMES] = traded
    terms = small.venue.terms
    terms["volume_ppm"], terms["model"], terms["impact_ppm"], terms["metered"] = part, model, 1_000_000, 1
    return small


def quantities(small: SmallWorld) -> list[int]:
    return [fill.quantity // ONE for fill in small.fills]


# ---- participation


@pytest.mark.parametrize("kind", [MARKET, LIMIT, STOP])
def test_sixty_units_at_a_fortieth_of_a_thousand(kind: int) -> None:
    """60 units, 1000 a bar, 2.5 %: 25, 25 and 10."""
    rows = [flat(10_000), (10_000, 10_200, 9_800, 10_000), *[(10_000, 10_100, 9_800, 10_000)] * 4]
    small = metered(rows, part=25_000).go()
    prices = {MARKET: {}, LIMIT: {"price": 9_900}, STOP: {"trigger": 10_100}}[kind]
    order = small.order(BUY, 60 * ONE, kind=kind, **prices)
    for left in (35, 10, 0):
        small.go()
        assert order["left"] == left * ONE and (order["state"] == EMPTY) == (left == 0)
        assert_lawful(small)
    small.go()
    assert quantities(small) == [25, 25, 10]
    assert small.fills[1].price == (9_900 if kind == LIMIT else 10_000), "a stop that was reached goes on at market"


def test_money_to_spend_is_spent_in_parts() -> None:
    small = metered([flat(10_000)] * 5, part=25_000).go()
    small.wish(weight=60)  # 0.006 % of a hundred million are 60 coins at 100
    small.go(4)
    assert quantities(small) == [25, 25, 10] and small.world.subs[0]["position"] == 60 * ONE
    assert_lawful(small)


def test_orders_share_a_bar() -> None:
    small = metered([flat(10_000)] * 3, part=10_000).go()
    small.order(BUY, 6 * ONE)
    small.order(BUY, 7 * ONE, slot=1)
    small.go()
    assert quantities(small) == [6, 4]
    small.go()
    assert quantities(small) == [6, 4, 3]


def test_a_bar_without_volume_fills_nothing() -> None:
    small = metered([flat(10_000)] * 4, part=25_000).go()
    small.market.bars[VOLUMES, 1] = 0
    order = small.order(BUY, ONE)
    small.go()
    assert not small.fills and order["state"] != EMPTY
    small.go()
    assert quantities(small) == [1]


def guarded(rows: Sequence[Row]) -> SmallWorld:
    """Return a world that holds 60 coins with a stop at 95 and a target at 108."""
    small = metered([flat(10_000)] * 3 + [*rows], part=0).go()
    small.wish(hold=60 * ONE)
    small.go()
    small.wish(stop=9_500, take=10_800)
    small.go()
    small.venue.terms["volume_ppm"] = 25_000
    return small


def test_a_stop_goes_on_until_all_is_sold_and_its_target_is_gone() -> None:
    small = guarded([(10_000, 10_000, 9_400, 9_600), flat(11_000), flat(11_000), flat(11_000)])
    for held in (35, 10, 0):
        small.go()
        assert small.position() == held * ONE
        assert [o["kind"] for o in small.live()] == ([STOP] if held else [])
        assert_lawful(small)
    assert [fill.price for fill in small.fills[1:]] == [9_500, 11_000, 11_000]


def test_a_target_in_parts_leaves_the_rest_guarded() -> None:
    small = guarded([(10_000, 10_900, 10_000, 10_700), (10_700, 10_700, 9_400, 9_450), flat(9_450), flat(9_450)])
    small.go()
    assert small.position() == 35 * ONE
    assert sorted((o["kind"], o["left"] // ONE) for o in small.live()) == [(LIMIT, 35), (STOP, 35)]
    small.go()
    assert small.position() == 10 * ONE and [o["kind"] for o in small.live()] == [STOP]
    small.go()
    assert small.position() == 0 and not small.live()
    assert_lawful(small)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_no_bar_fills_more_than_its_part(seed: int) -> None:
    dice = random.Random(seed)
    rows = []
    for _ in range(30):
        points = [dice.randint(9_900, 10_100) for _ in range(4)]
        rows.append((points[0], max(points), min(points), points[1]))
    part = dice.choice([10_000, 25_000, 500_000])
    small = metered(rows, part=part, model=dice.choice([0, book.BY_SHARE, book.BY_ROOT]))
    small.market.bars[VOLUMES] = np.array([dice.choice([0, 7, 1_000]) for _ in rows]).reshape(-1, 1) * ONE
    small.go()
    for _ in range(28):
        for slot in range(4):
            if dice.random() < 0.5 and small.world.orders[0, 3 + slot]["state"] == EMPTY:
                kind = dice.choice([MARKET, LIMIT, STOP, STOP_LIMIT])
                price = 0 if kind in (MARKET, STOP) else dice.randint(9_900, 10_100)
                trigger = dice.randint(9_900, 10_100) if kind in (STOP, STOP_LIMIT) else 0
                side, quantity = dice.choice([BUY, SELL]), dice.randint(1, 40) * ONE
                small.order(side, quantity, price, kind=kind, trigger=trigger, slot=slot)
        small.go()
        assert_lawful(small)
    filled: dict[int, int] = defaultdict(int)
    for fill in small.fills:
        filled[(fill.time_ns - int(small.market.times[0])) // MINUTE] += fill.quantity
    for i, quantity in filled.items():
        assert 0 < quantity <= small.market.bars[VOLUMES, i, 0] * part // 1_000_000
    assert small.venue.resting.shape[1] == SLOTS


# ---- impact


@pytest.mark.parametrize(("part", "bps"), [(25, 0.625), (10, 0.1)])
def test_impact_of_a_share_of_the_volume(part: int, bps: float) -> None:
    """The price is 10 million hundredths, so that a tenth of a basis point can be read."""
    small = metered([flat(10_000_000)] * 2, model=book.BY_SHARE).go()
    small.order(BUY, part * ONE)
    assert small.go().fills[0].price == pytest.approx(10_000_000 * (1 + bps / 10_000), abs=1.01)


@pytest.mark.parametrize(("part", "bps"), [(1, 4.0), (10, 12.649110640673518), (100, 40.0)])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_impact_of_the_root(part: int, bps: float, side: int) -> None:
    """Closes that go up and down by 4 % a day; a day trades 10,000 coins."""
    closes = [10_000_000 if n % 2 else 10_400_000 for n in range(40)]
    small = metered([flat(c) for c in closes], model=book.BY_ROOT, traded=10_000 * ONE, bar_ns=DAY).go(38)
    found = volume._root_impact(small.market, 38, 0, part * ONE, 1, DAY)
    steps = [abs(b / a - 1) for a, b in pairwise(closes)]
    daily = sqrt(sum(step * step for step in steps) / 39)
    assert found / 1e5 == pytest.approx(daily / 0.04 * bps, rel=1e-3)
    if side == SELL:
        small.wish(hold=part * ONE)
        small.go()
    small.order(side, part * ONE)
    fill = small.go().fills[-1]
    opened = int(small.market.bars[CLOSES, small.i, 0])
    found = volume._root_impact(small.market, small.i, 0, part * ONE, 1, DAY)
    assert fill.price == pytest.approx(opened * (1 + side * found / 1e9), abs=1.01)


def test_exactly_four_basis_points() -> None:
    closes = [10_000_000]
    for n in range(39):
        closes.append(round(closes[-1] * (1.04 if n % 2 else 0.96)))
    small = metered([flat(c) for c in closes], model=book.BY_ROOT, traded=10_000 * ONE, bar_ns=DAY).go(38)
    bps = [volume._root_impact(small.market, 38, 0, part * ONE, 1, DAY) / 1e5 for part in (1, 10, 100)]
    assert bps == pytest.approx([4.0, 12.649110640673518, 40.0], rel=1e-4)


def test_minutes_are_measured_over_a_day_and_legs_once() -> None:
    dice = random.Random(5)
    closes = [10_000_000]
    for _ in range(1_500):
        closes.append(closes[-1] + dice.randint(-9_000, 9_000))
    small = metered([flat(c) for c in closes], model=book.BY_ROOT)
    steps = np.diff(np.array(closes[59:1_500], np.float64)) / closes[59:1_499]
    expected = sqrt(float(np.dot(steps, steps)) * 5 / (1_000 * 1_440)) * 1e9
    assert volume._root_impact(small.market, 1_500, 0, 5 * ONE, 1, MINUTE) == pytest.approx(expected, rel=1e-3)
    thirds = metered([flat(c) for c in np.repeat(closes, 3).tolist()], model=book.BY_ROOT, traded=1_000 * ONE // 3)
    assert volume._root_impact(thirds.market, 4_500, 0, 5 * ONE, 3, MINUTE // 3) == pytest.approx(expected, rel=1e-3)


def test_without_a_past_there_is_no_impact() -> None:
    small = metered([flat(10_000)] * 3, model=book.BY_ROOT).go()
    small.order(BUY, ONE)
    assert small.go().fills[0].price == 10_000


def test_impact_never_passes_a_limit() -> None:
    small = metered([flat(10_000_000), flat(9_900_000)], model=book.BY_SHARE).go()
    small.order(BUY, 1_000 * ONE, 9_905_000)
    assert small.go().fills[0].price == 9_905_000


@given(st.integers(0, 2**62))
def test_the_root_is_whole(value: int) -> None:
    found = arithmetic.root(value)
    assert found * found <= value < (found + 1) * (found + 1)


def test_resting_orders_and_default_terms_move_nothing() -> None:
    small = metered([flat(10_000), flat(10_000), (10_000, 10_000, 9_800, 9_900)], model=book.BY_SHARE).go()
    small.order(BUY, ONE, 9_900)
    assert small.go(2).fills[0].price == 9_900
    plain = SmallWorld([[flat(10_000)] * 2], terms=Terms()).go()
    assert plain.venue.terms[0]["metered"] == 0
