"""The ledger on paper: cost and profit, fees in every asset, dust, funding, and what breaks a law."""

import pytest

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, SELL
from tests.event_worlds import EventWorld
from tests.small_worlds import COIN, flat
from tests.uncompiled import uncompiled

ledger = uncompiled("kernel.ledger")


def test_a_fill_beyond_the_order_is_booked_and_breaks_a_law() -> None:
    """What a venue says it executed is true, and trading stops."""
    for parts in ((700_000, 400_000), (1_000_001,), (500_000, 500_000, 1)):
        world = EventWorld([[flat(10_000)] * 4])
        world.go()
        world.order(BUY, 1_000_000, 9_900)
        for part in parts:
            assert world.desk["laws"] == 0
            world.filled(1, part, 9_900, final=0)
        assert world.desk["laws"] == 1 and world.position() == sum(parts)
        world.go()
        assert world.desk["halt"] == 8


def test_more_sold_than_held_breaks_a_law() -> None:
    world = EventWorld([[flat(10_000)] * 4])
    world.go()
    world.order(BUY, 1_000_000, 9_900)
    world.filled(1, 1_000_000, 9_900)
    world.order(SELL, 1_000_000, 10_100, slot=1)
    world.filled(2, 1_500_000, 10_100, final=0)
    assert world.desk["laws"] > 0


def test_a_fee_in_a_third_asset_touches_neither_cash_nor_coin() -> None:
    pair = (COIN, Instrument("BNB/USDT"))
    world = EventWorld([[flat(10_000)] * 4] * 2, instruments=pair)
    world.go()
    world.order(BUY, 1_000_000, 10_000)
    world.filled(1, 1_000_000, 10_000, fee=12_345, fee_asset=2)
    assert world.purse == world.cash - 100 * ATOMS and world.position() == 1_000_000
    assert world.world.purse[2]["fees"] == 12_345 and world.world.purse[2]["balance"] == -12_345


def test_a_fee_smaller_than_a_unit_leaves_dust() -> None:
    """Quantities of three decimals, a fee of eight: the coin is ours, the thousandth cannot be traded."""
    coin = Instrument("AAA/USDT", price_scale=100, quantity_scale=1_000)
    world = EventWorld([[flat(10_000)] * 4], instruments=(coin,))
    world.go()
    world.order(BUY, 1_000, 10_000)
    world.filled(1, 1_000, 10_000, fee=12_345, fee_asset=1)
    b = world.world.book[0]
    assert (world.position(), b["dust"], b["base_fees"]) == (999, 100_000 - 12_345, 12_345)
    assert world.desk["laws"] == 0


def test_a_fee_that_takes_everything_takes_the_cost_too() -> None:
    world = EventWorld([[flat(10_000)] * 4])
    world.go()
    world.order(BUY, 1, 10_000)
    world.filled(1, 1, 10_000, fee=100, fee_asset=1)
    sub = world.world.subs[0]
    assert (sub["position"], sub["cost"], sub["realised"]) == (0, 0, -10_000)


def test_average_cost_and_realised_profit() -> None:
    """Buy 1 at 100 and 3 at 120: each costs 115; of two sold at 130, each earns 15."""
    world = EventWorld([[flat(10_000)] * 4])
    world.go()
    for number, (side, quantity, price) in enumerate([(BUY, 1, 100), (BUY, 3, 120), (SELL, 2, 130), (SELL, 2, 110)], 1):
        world.order(side, quantity * 1_000_000, price * 100)
        world.filled(number, quantity * 1_000_000, price * 100)
        sub = world.world.subs[0]
        expected = {1: (100, 0), 2: (460, 0), 3: (230, 30), 4: (0, 20)}[number]
        assert (sub["cost"] // ATOMS, sub["realised"] // ATOMS) == expected
    book = world.world.book[0]
    assert (book["position"], book["cost"], book["realised"]) == (0, 0, 20 * ATOMS)
    assert world.purse == world.cash + 20 * ATOMS


def test_funding_moves_cash_and_nothing_else() -> None:
    world = EventWorld([[flat(10_000)] * 4])
    world.go()
    world.order(BUY, 3_000_000, 10_000)
    world.filled(1, 3_000_000, 10_000)
    for rate, expected in ((100, -3_000_000), (-100, 3_000_000), (1, -30_000)):
        before = world.purse
        ledger.settle_funding(world.world, 0, 10_000, rate)
        assert world.purse - before == expected
    assert world.world.purse[0]["funding"] == -30_000 and world.desk["laws"] == 0


def test_the_parts_sum_to_the_account_after_every_fill() -> None:
    world = EventWorld([[flat(10_000)] * 4], strategies=3, cash=30_001)
    assert [int(f["initial"]) for f in world.world.funds] == [10_001, 10_000, 10_000]
    world.go()
    for lane in range(3):
        world.order(BUY, 1 + lane, 1_000, lane=lane)
        world.filled(lane + 1, 1 + lane, 1_000, fee=lane)
    assert [int(f["balance"]) for f in world.world.funds] == [9_001, 7_999, 6_998]
    assert world.purse == 9_001 + 7_999 + 6_998 and world.position() == 6 and world.desk["laws"] == 0


@pytest.mark.parametrize(
    ("part", "row", "field"),
    [
        ("purse", 0, "balance"),
        ("purse", 1, "balance"),
        ("purse", 0, "fees"),
        ("funds", 0, "balance"),
        ("subs", 0, "position"),
        ("book", 0, "position"),
        ("book", 0, "dust"),
    ],
)
def test_any_balance_that_was_tampered_with_breaks_a_law(part: str, row: int, field: str) -> None:
    world = EventWorld([[flat(10_000)] * 4])
    world.go()
    world.order(BUY, 1_000_000, 9_900)
    world.filled(1, 400_000, 9_900, final=0)
    assert world.desk["laws"] == 0
    getattr(world.world, part)[row][field] += 1
    world.filled(1, 600_000, 9_900)
    assert world.desk["laws"] > 0
