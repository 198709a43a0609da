"""Fills whose price, fee and time are known on paper: gaps, stops, targets, takers and makers, bar by bar."""

from collections.abc import Sequence
from typing import Any

import pytest

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, EMPTY, LIMIT, OPEN, POST_ONLY, SELL, STOP, STOP_LIMIT, TURNED_DOWN
from tests.small_worlds import COIN, MINUTE, T0, UNLIMITED, Row, SmallWorld, Terms, assert_lawful, flat, path, tape

ONE = COIN.quantity_scale
FINE = Instrument("BTC/USDT", price_scale=100, quantity_scale=ATOMS)
WIDE: Row = (10_000, 11_000, 9_000, 10_500)
"""The bar of the vectors: open 100, high 110, low 90, close 105."""


def bought_before(bars: Sequence[Row], *, stop: int = 9_500, take: int = 10_800, **terms: Any) -> SmallWorld:
    """Return a world that holds one coin, with a stop and a target that rest when the first of these bars comes."""
    small = SmallWorld([[flat(10_000)] * 3 + [*bars]], terms=UNLIMITED._replace(**terms)).go()
    small.wish(hold=ONE)
    small.go()
    small.wish(stop=stop, take=take)
    return small.go()


def prices(small: SmallWorld) -> list[tuple[int, int]]:
    """Return side and price of every fill."""
    return [(fill.side, fill.price) for fill in small.fills]


# ---- stops and targets


def test_a_stop_comes_before_a_target_in_the_same_bar() -> None:
    small = bought_before([WIDE]).go()
    assert prices(small) == [(BUY, 10_000), (SELL, 9_500)]
    assert not small.live() and small.position() == 0, "the target goes with its stop"
    assert_lawful(small)


@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((9_200, 9_300, 9_100, 9_250), 9_200),  # opens below the stop: filled at the open
        ((11_200, 11_300, 11_100, 11_250), 10_800),  # opens above the target: a resting limit gets its own price
        ((10_000, 10_800, 9_990, 10_100), None),  # reaches the target and does not trade through it
        ((10_000, 10_801, 9_990, 10_100), 10_800),
        ((10_000, 10_100, 9_500, 9_600), 9_500),  # a stop is triggered on touch
        ((10_000, 10_100, 9_501, 9_600), None),
    ],
)
def test_gaps_and_edges(bar: Row, price: int | None) -> None:
    small = bought_before([bar]).go()
    assert prices(small)[1:] == ([(SELL, price)] if price else [])


def test_a_target_on_touch_fills_when_only_reached() -> None:
    small = bought_before([(10_000, 10_800, 9_990, 10_100)], through=False).go()
    assert prices(small)[1:] == [(SELL, 10_800)]


def test_stops_slip_and_pay_the_taker_targets_do_not() -> None:
    terms = {"slippage_ppm": 500, "taker_ppm": 1_000, "maker_ppm": 200}
    stopped = bought_before([(9_200, 9_300, 9_100, 9_250)], **terms).go().fills[1]
    assert (stopped.price, stopped.fee, stopped.maker) == (
        9_195,
        9_195 * ONE // 1_000,
        False,
    )  # 92 less 4.6 cents, down
    taken = bought_before([(11_200, 11_300, 11_100, 11_250)], **terms).go().fills[1]
    assert (taken.price, taken.fee, taken.maker) == (10_800, 10_800 * ONE * 2 // 10_000, True)


def test_the_entry_bar_is_not_guarded_the_next_one_is() -> None:
    """An order made inside a bar, and so a stop that follows a fill, is live from the next bar."""
    small = SmallWorld([[flat(10_000), (10_000, 10_100, 9_000, 9_900), (9_900, 9_950, 9_400, 9_450)]]).go()
    small.wish(hold=ONE, stop=9_500)
    small.go()
    assert prices(small) == [(BUY, 10_000)] and [o["kind"] for o in small.live()] == [STOP]
    small.go()
    assert prices(small)[1:] == [(SELL, 9_500)]
    assert small.fills[1].time_ns == T0 + 2 * MINUTE


def test_a_stop_ends_the_whole_wish_even_when_it_was_just_raised() -> None:
    """What was bought at the open of the very bar that stops the position is sold at the next chance."""
    small = bought_before([(10_000, 10_100, 9_400, 9_450), flat(9_450), flat(9_450)], take=0)
    small.wish(hold=2 * ONE)
    small.go(3)
    assert small.position() == 0 and not small.live()
    assert prices(small) == [(BUY, 10_000), (BUY, 10_000), (SELL, 9_500), (SELL, 9_450)]
    assert_lawful(small)


# ---- plain stops and stop-limits, by hand


@pytest.mark.parametrize(
    ("bar", "price"),
    [
        ((10_000, 10_200, 9_900, 10_150), 10_100),
        ((10_400, 10_500, 10_300, 10_450), 10_400),
        ((10_000, 10_099, 9_900, 9_950), None),
    ],
)
def test_a_stop_to_buy(bar: Row, price: int | None) -> None:
    small = SmallWorld([[flat(10_000), bar]]).go()
    order = small.order(BUY, ONE, kind=STOP, trigger=10_100)
    small.go()
    assert prices(small) == ([(BUY, price)] if price else [])
    assert order["state"] == (EMPTY if price else OPEN)
    assert_lawful(small)


STOP_LIMITS: list[tuple[list[Row], list[tuple[int, int, bool]]]] = [
    # reached inside the bar with the limit still good: a taker at the trigger
    ([(10_000, 10_300, 9_900, 10_250)], [(1, 10_100, False)]),
    # the open gaps between trigger and limit: a taker at the open
    ([(10_150, 10_300, 10_100, 10_250)], [(1, 10_150, False)]),
    # the open gaps over the limit: it rests, and never fills in the bar that triggered it
    ([(10_400, 10_500, 9_000, 10_450), (10_450, 10_500, 10_400, 10_450)], []),
    # ... and later fills at its own price, as a maker, however low the next open is
    ([(10_400, 10_500, 10_300, 10_450), (10_450, 10_500, 10_199, 10_200)], [(2, 10_200, True)]),
    ([(10_400, 10_500, 10_300, 10_450), (10_050, 10_100, 10_000, 10_050)], [(2, 10_200, True)]),
    # never reached
    ([(10_000, 10_099, 9_900, 9_950)], []),
]


@pytest.mark.parametrize(("bars", "expected"), STOP_LIMITS)
def test_a_stop_limit_to_buy(bars: list[Row], expected: list[tuple[int, int, bool]]) -> None:
    """Trigger 101, limit 102."""
    small = SmallWorld([[flat(10_000), *bars]], terms=Terms(maker_ppm=100, taker_ppm=1_000)).go()
    small.order(BUY, ONE, 10_200, kind=STOP_LIMIT, trigger=10_100)
    small.go(len(bars))
    found = [((fill.time_ns - T0) // MINUTE, fill.price, fill.maker) for fill in small.fills]
    assert found == expected
    for fill in small.fills:
        assert fill.fee == fill.price * ONE * (100 if fill.maker else 1_000) // 1_000_000
    assert_lawful(small)


def test_a_stop_limit_to_sell_rests_after_a_gap() -> None:
    bars = [
        flat(10_000),
        flat(10_000),
        (9_600, 9_700, 9_500, 9_650),
        (9_650, 9_750, 9_600, 9_700),
        (9_900, 9_950, 9_850, 9_900),
    ]
    small = SmallWorld([bars]).go()
    small.wish(hold=ONE)
    small.go()
    small.order(SELL, ONE, 9_800, kind=STOP_LIMIT, trigger=9_900)
    small.go(2)
    assert len(small.fills) == 1
    small.go()
    assert (small.fills[1].price, small.fills[1].maker) == (9_800, True)


def test_slippage_may_push_a_stop_limit_past_its_limit() -> None:
    small = SmallWorld([[flat(10_000), (10_195, 10_300, 10_190, 10_250)]], terms=Terms(slippage_ppm=1_000)).go()
    small.order(BUY, ONE, 10_200, kind=STOP_LIMIT, trigger=10_100)
    small.go()
    assert not small.fills, "101.95 and ten hundredths more is above 102: nothing is bought dearer than the limit"


# ---- limits: makers, takers, post-only


@pytest.mark.parametrize(("through", "filled"), [(True, 0), (False, 1)])
def test_a_limit_equal_to_the_low(through: bool, filled: int) -> None:
    small = SmallWorld([[flat(10_000), (10_000, 10_100, 9_900, 10_000)]], terms=Terms(through=through)).go()
    small.order(BUY, ONE, 9_900)
    small.go()
    assert len(small.fills) == filled


def test_a_limit_that_is_marketable_when_it_arrives_takes_the_open() -> None:
    terms = Terms(maker_ppm=100, taker_ppm=1_000, slippage_ppm=500)
    small = SmallWorld([[flat(10_000), (9_800, 9_900, 9_700, 9_850)]], terms=terms).go()
    small.order(BUY, ONE, 9_900)
    fill = small.go().fills[0]
    assert (fill.price, fill.maker, fill.fee) == (9_805, False, 9_805 * ONE // 1_000)  # 98 and 4.9 cents, rounded up


def test_a_taker_never_pays_more_than_its_limit() -> None:
    small = SmallWorld([[flat(10_000), (9_899, 9_950, 9_700, 9_850)]], terms=Terms(slippage_ppm=500)).go()
    small.order(BUY, ONE, 9_900)
    assert small.go().fills[0].price == 9_900


def test_a_limit_that_has_rested_gets_its_own_price_when_the_market_gaps() -> None:
    small = SmallWorld([[flat(10_000), flat(10_000), (9_500, 9_600, 9_400, 9_450)]]).go()
    small.order(BUY, ONE, 9_900)
    fill = small.go(2).fills[0]
    assert (fill.price, fill.maker) == (9_900, True)


def test_post_only_is_refused_by_the_venue_when_it_would_take() -> None:
    small = SmallWorld([[flat(10_000), flat(9_700), flat(9_700)]]).go()
    for side, price in ((BUY, 10_000), (BUY, 10_100)):
        order = small.order(side, ONE, price, kind=POST_ONLY)
        assert order["state"] == EMPTY
    assert len(small.notes(TURNED_DOWN)) == 2
    resting = small.order(BUY, ONE, 9_999, kind=POST_ONLY)
    assert resting["state"] == OPEN
    small.go()
    assert not small.fills and resting["state"] == EMPTY, "the next open lies below it: it would have taken"
    assert len(small.notes(TURNED_DOWN)) == 3
    assert_lawful(small)


def test_post_only_that_rests_is_a_maker() -> None:
    small = SmallWorld([[flat(10_000), flat(10_000), (9_800, 9_900, 9_700, 9_850)]], terms=Terms(taker_ppm=999)).go()
    small.order(BUY, ONE, 9_900, kind=POST_ONLY)
    fill = small.go(2).fills[0]
    assert (fill.price, fill.maker, fill.fee) == (9_900, True, 0)


# ---- many orders of one symbol


def test_several_orders_of_one_symbol_on_both_sides() -> None:
    small = SmallWorld([[flat(10_000), flat(10_000), (10_000, 10_301, 9_699, 10_000)]]).go()
    small.wish(hold=3 * ONE)
    small.go()
    for slot, (side, price) in enumerate(
        [(BUY, 9_900), (BUY, 9_800), (BUY, 9_700), (SELL, 10_100), (SELL, 10_200), (SELL, 10_300)]
    ):
        small.order(side, ONE, price, slot=slot, kind=LIMIT)
    assert len(small.live()) == 6
    small.go()
    assert sorted(prices(small)[1:]) == [
        (SELL, 10_100),
        (SELL, 10_200),
        (SELL, 10_300),
        (BUY, 9_700),
        (BUY, 9_800),
        (BUY, 9_900),
    ]
    assert [side for side, _ in prices(small)[1:]] == [SELL] * 3 + [BUY] * 3, "sells are booked before buys"
    assert small.position() == 3 * ONE and not small.live()
    assert_lawful(small)


def test_an_order_is_live_from_the_next_bar_and_not_before() -> None:
    small = SmallWorld(
        [[(10_000, 10_100, 9_000, 9_950), (9_950, 9_960, 9_940, 9_950), (9_950, 9_960, 9_700, 9_750)]]
    ).go()
    small.order(BUY, ONE, 9_800)
    assert not small.go().fills
    assert [fill.time_ns for fill in small.go().fills] == [T0 + 2 * MINUTE]


def test_sells_pay_for_buys_of_the_same_open() -> None:
    """Money that a sale at the next open will bring may be spent at that open: sells come first."""
    rows = [[flat(10_000)] * 4, [flat(5_000)] * 4]
    small = SmallWorld(rows, cash=100 * ATOMS, instruments=(COIN, Instrument("OTHER/USDT"))).go()
    small.wish(weight=1_000_000)
    small.go()
    assert small.purse == 0
    for lane, weight in ((1, 1_000_000), (0, 0)):
        w = small.world.wish[lane]
        w["weight"], w["dirty"] = weight, w["dirty"] | 1
    small.wish(weight=0)
    small.go()
    assert (small.position(0), small.position(1), small.purse) == (0, 2 * ONE, 0)
    assert_lawful(small)


# ---- money on paper


def test_a_round_trip_at_a_flat_price() -> None:
    """10,000 all in and out at 10 bps a side loses 19.98002."""
    small = SmallWorld([[flat(10_000)] * 4], instruments=(FINE,), terms=Terms(taker_ppm=1_000, maker_ppm=1_000)).go()
    small.wish(weight=1_000_000)
    small.go()
    small.wish(weight=0)
    small.go()
    lost = 10_000 * ATOMS - small.purse
    exact = 10_000 * ATOMS - 10_000 * ATOMS * 999 // 1_001
    assert small.position() == 0 and abs(lost - exact) <= 100, "what is less than a lot is not traded"
    assert round(lost / ATOMS, 5) == 19.98002


def test_the_fee_in_the_asset_that_was_bought() -> None:
    """A buy of 0.08795882 at 10 bps delivers 0.08787086."""
    terms = Terms(taker_ppm=1_000, fee_in="received")
    small = SmallWorld([[flat(5_700_000)] * 4], instruments=(FINE,), terms=terms).go()
    small.wish(hold=8_795_882)
    fill = small.go().fills[0]
    assert (small.position(), fill.fee, fill.fee_asset) == (8_787_086, 8_796, 1)
    assert small.purse == 10_000 * ATOMS - 5_700_000 * 8_795_882 // 100
    small.wish(hold=0)
    sold = small.go().fills[1]
    assert sold.fee_asset == 0 and small.position() == 0, "a sale pays in what it brings"
    assert_lawful(small)


@pytest.mark.parametrize(("side", "price"), [(BUY, 10_005), (SELL, 9_995)])
def test_slippage_is_a_fixed_share_of_the_open_and_against_us(side: int, price: int) -> None:
    small = SmallWorld([[flat(10_000), flat(10_000), flat(10_000)]], terms=Terms(slippage_ppm=500)).go()
    small.wish(hold=2 * ONE)
    small.go()
    small.wish(hold=(2 + side) * ONE)
    assert small.go().fills[1].price == price


@pytest.mark.parametrize("ppm", [1, 100, 333, 500, 9_999])
def test_slippage_rounds_against_us(ppm: int) -> None:
    small = SmallWorld([[flat(9_973)] * 3], terms=Terms(slippage_ppm=ppm)).go()
    small.wish(hold=ONE)
    small.go()
    small.wish(hold=0)
    small.go()
    exact = 9_973 * ppm
    up, down = prices(small)
    assert up == (BUY, 9_973 + -(-exact // 1_000_000)) and down == (SELL, 9_973 - -(-exact // 1_000_000))


def test_conservation_over_a_busy_day() -> None:
    """The sum of fills is the position, and cash is what it was less what they cost."""
    closes = [10_000 + 137 * ((7 * n) % 23) - 90 * (n % 11) for n in range(60)]
    small = SmallWorld([path(*closes)], terms=Terms(maker_ppm=777, taker_ppm=1_234, slippage_ppm=321)).go()
    for n in range(58):
        small.wish(weight=(n * 37_117) % 900_000)
        small.quote(n % 5, SELL if n % 2 else BUY, 10_000 + 61 * (n % 13) * (1 if n % 2 else -1), ONE // (1 + n % 3))
        small.go()
        assert_lawful(small)
    fills = small.fills
    assert len(fills) > 60
    assert small.position() == sum(f.side * f.quantity for f in fills)
    assert small.purse == small.cash - sum(f.side * f.price * f.quantity + f.fee for f in fills)
    assert small.equity[-1] == small.purse + small.position() * closes[58]


# ---- the path inside a bar


@pytest.mark.parametrize(
    ("bar", "points"),
    [
        ((100, 103, 90, 95), (100, 103, 90, 95)),
        ((100, 110, 97, 105), (100, 97, 110, 105)),
        ((100, 110, 90, 105), (100, 90, 110, 105)),  # a tie goes to the low
        ((100, 100, 100, 100), (100, 100, 100, 100)),
    ],
)
def test_a_bar_walks_to_the_nearer_extreme_first(bar: Row, points: tuple[int, ...]) -> None:
    import numpy as np

    columns = np.zeros((6, 1, 1), np.int64)
    columns[:4, 0, 0] = bar
    times, legs = tape.split_bars(np.array([T0]), columns, 3 * MINUTE)
    assert list(times) == [T0, T0 + MINUTE, T0 + 2 * MINUTE]
    walked = [int(legs[0, 0, 0]), *(int(price) for price in legs[3, :, 0])]
    assert walked == list(points)
    for leg in range(3):
        opened, high, low, close = (int(value) for value in legs[:4, leg, 0])
        assert (high, low) == (max(opened, close), min(opened, close)), "a leg moves one way"
