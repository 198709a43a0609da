"""The gate that every order passes: the least of what is asked and allowed, floored to the lot, or a reason."""

from typing import Any

import pytest

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import (
    APPROVED,
    BUY,
    BY_CASH,
    BY_FILTER,
    BY_OVERFLOW,
    BY_POSITION,
    BY_RISK,
    FIRST_QUOTE,
    LIMIT,
    NO_REASON,
    SELL,
    STOP,
)
from tests.small_worlds import COIN, UNLIMITED, SmallWorld, Terms, assert_lawful, flat, genesis

ONE = COIN.quantity_scale
LOTS = Instrument("COIN/USDT", price_scale=100, quantity_scale=1_000_000, lot=1_000, min_notional=5 * ATOMS)
CASH = 10_000 * ATOMS


def standing(
    instrument: Instrument = COIN, *, held: int = 0, cash: int = CASH, bars: int = 12, **terms: Any
) -> SmallWorld:
    """Return a world at a price of 100 that holds a quantity."""
    small = SmallWorld(
        [[flat(10_000)] * bars], cash=cash, instruments=(instrument,), terms=UNLIMITED._replace(**terms)
    ).go()
    if held:
        small.wish(hold=held)
        small.go()
        small.world.wish[0]["hold"] = -1
        assert small.position() == held
    return small


def test_a_quantity_is_floored_to_the_lot_and_says_so() -> None:
    small = standing(LOTS)
    order = small.order(BUY, 1_234_567, 9_000)
    assert (order["quantity"], order["left"], order["asked"], order["cut"]) == (
        1_234_000,
        1_234_000,
        1_234_567,
        BY_FILTER,
    )
    assert small.notes(APPROVED)["code"][0] == BY_FILTER


@pytest.mark.parametrize(("quantity", "refused"), [(55_000, True), (56_000, False), (999, True)])
def test_the_smallest_order(quantity: int, refused: bool) -> None:
    """5 USDT at 90 are 0.0555...: 0.055 is too little, 0.056 is enough."""
    small = standing(LOTS)
    small.order(BUY, quantity, 9_000)
    assert small.refusals == ([BY_FILTER] if refused else [])
    assert small.desk["refused"] == refused and small.desk["approved"] == (not refused)


def test_buys_share_the_cash_fees_included() -> None:
    small = standing(maker_ppm=1_000, taker_ppm=2_000)
    for slot in range(4):
        small.order(BUY, 30 * ONE, 10_000, slot=slot)
    spent = [int(o["reserved"]) for o in small.live()]
    assert spent[:3] == [3_006 * ATOMS] * 3, "the dearer of both fees is kept aside"
    last = small.live()[3]
    assert last["cut"] == BY_CASH and last["asked"] == 30 * ONE
    room = CASH - 3 * 3_006 * ATOMS
    best = max(q for q in range(int(last["left"]) - 3, int(last["left"]) + 4) if q * 10_000 * 1_002 <= room * 1_000)
    assert last["left"] == best and room - int(last["reserved"]) < 10_000 * 1.01
    small.order(BUY, ONE, 10_000, slot=4)
    assert small.refusals == [BY_CASH]
    assert_lawful(small)


def test_sells_share_the_position() -> None:
    small = standing(held=10 * ONE)
    small.order(SELL, 6 * ONE, 11_000)
    second = small.order(SELL, 6 * ONE, 12_000, slot=1)
    assert (second["left"], second["asked"], second["cut"]) == (4 * ONE, 6 * ONE, BY_POSITION)
    small.order(SELL, ONE, 13_000, slot=2)
    assert small.refusals == [BY_POSITION]
    small.cancel(0)
    assert small.order(SELL, ONE, 13_000, slot=2)["cut"] == NO_REASON
    assert_lawful(small)


def test_nothing_can_be_sold_that_is_not_held() -> None:
    small = standing()
    small.order(SELL, ONE, 11_000)
    small.order(SELL, ONE, kind=STOP, trigger=9_000, slot=1)
    assert small.refusals == [BY_POSITION] * 2


def test_a_strategy_cannot_spend_anothers_part() -> None:
    small = SmallWorld([[flat(10_000)] * 3], cash=CASH + 1, strategies=2).go()
    assert list(small.world.funds["balance"]) == [CASH // 2 + 1, CASH // 2]
    first = small.order(BUY, 100 * ONE, 10_000)
    assert first["left"] == 50 * ONE
    second = small.order(BUY, 100 * ONE, 10_000, lane=1)
    assert second["left"] == 50 * ONE
    assert_lawful(small)


def test_a_strategy_cannot_sell_what_another_holds() -> None:
    small = SmallWorld([[flat(10_000)] * 4], cash=CASH, strategies=2).go()
    small.wish(lane=1, hold=10 * ONE)
    small.go()
    small.order(SELL, ONE, 11_000)
    assert small.refusals == [BY_POSITION]


# ---- overflow: refused, never wrapped


@pytest.mark.parametrize(
    "ask",
    [
        {"quantity": 1 << 61, "price": 9_000},
        {"quantity": ONE, "price": 1 << 61},
        {"quantity": 1 << 40, "price": 1 << 40},
        {"quantity": 1 << 61},
        {"quantity": 1 << 61, "trigger": 11_000, "kind": STOP},
        {"quantity": ONE, "trigger": 1 << 61, "kind": STOP},
    ],
)
def test_an_order_too_large_to_be_counted_is_refused(ask: dict[str, int]) -> None:
    small = standing(maker_ppm=1_000, taker_ppm=1_000)
    small.order(BUY, **ask)
    assert small.refusals == [BY_OVERFLOW] and not small.live()
    assert_lawful(small)


@pytest.mark.parametrize("scales", [(100, 1_000_000), (100, 100_000_000), (100_000_000, 100_000_000), (1, 1)])
def test_sells_too_large_to_be_counted_are_refused(scales: tuple[int, int]) -> None:
    coin = Instrument("COIN/USDT", price_scale=scales[0], quantity_scale=scales[1])
    rows = [[flat(100 * scales[0])] * 4]
    small = SmallWorld(rows, cash=CASH, instruments=(coin,)).go()
    small.wish(hold=scales[1])
    small.go()
    small.order(SELL, scales[1], 1 << 61)
    small.order(SELL, 1 << 61, 101 * scales[0], slot=1)
    assert small.refusals == [BY_OVERFLOW] * 2
    small.order(SELL, scales[1], 101 * scales[0], slot=2)
    assert len(small.live()) == 1
    assert_lawful(small)


@pytest.mark.parametrize(("cash", "fits"), [(900, True), (930, False)])
def test_more_of_a_coin_than_its_atoms_can_tell_is_refused(cash: int, fits: bool) -> None:
    """At the smallest price there is, 46 thousand million coins cost 461; their atoms of 1e-8 fill 62 bits."""
    coin = Instrument("COIN/USDT", price_scale=ATOMS, quantity_scale=1_000_000)
    small = SmallWorld([[flat(1)] * 3], cash=cash * ATOMS, instruments=(coin,)).go()
    small.wish(weight=500_000)
    small.go()
    assert small.refusals == ([] if fits else [BY_OVERFLOW])
    assert small.position() == (cash * ATOMS // 2 * 1_000_000 if fits else 0)
    assert_lawful(small)


def test_a_budget_that_would_buy_too_much_is_refused() -> None:
    """All the cash there can be, into a coin whose price is known to reach five hundred times the present one."""
    cash = genesis.LARGEST_CASH
    small = SmallWorld([[flat(100)] * 3], cash=cash, highest=[50_000]).go()
    small.wish(weight=1_000_000)
    assert small.refusals == [BY_OVERFLOW] and not small.live()
    modest = SmallWorld([[flat(100)] * 3], cash=cash, highest=[700]).go()
    modest.wish(weight=1_000_000)
    modest.go()
    assert modest.position() * 100 == cash - modest.purse and modest.purse < 100
    assert_lawful(modest)


def test_a_position_of_any_size_can_be_sold() -> None:
    """The guard is for what a buy makes of the position; selling all of it makes nothing larger."""
    cash = genesis.LARGEST_CASH
    small = SmallWorld([[flat(100)] * 6], cash=cash, highest=[750]).go()
    small.wish(weight=1_000_000)
    small.go()
    assert small.position() > int(small.world.book[0]["most"]) // 2
    small.wish(stop=50, take=300)
    assert len(small.live()) == 2
    small.wish(weight=0)
    small.go()
    assert small.position() == 0 and not small.refusals


def test_a_cheap_coin_of_fine_scales_does_not_wrap() -> None:
    """A budget that could buy more units than 64 bits count, at a price of one unit."""
    coin = Instrument("DUST/USDT", price_scale=100_000_000, quantity_scale=100_000_000)
    small = SmallWorld([[flat(1)] * 3], cash=genesis.LARGEST_CASH, instruments=(coin,)).go()
    small.wish(weight=1_000_000)
    assert small.refusals == [BY_OVERFLOW]
    small = SmallWorld([[flat(1)] * 3], cash=10 * ATOMS, instruments=(coin,)).go()
    small.wish(weight=1_000_000)
    small.go()
    assert small.position() == 10**9 * 10**8 and small.purse == 0 and small.equity[-1] == small.cash
    assert_lawful(small)


@pytest.mark.parametrize("cash", [0, -1, genesis.LARGEST_CASH + 1])
def test_cash_that_cannot_be_counted_is_refused(cash: int) -> None:
    with pytest.raises(UsageError, match="cash"):
        SmallWorld([[flat(100)]], cash=cash)


def test_one_account_has_one_quote_asset_and_each_symbol_once() -> None:
    with pytest.raises(UsageError, match="EUR and USDT"):
        SmallWorld([[flat(1)]] * 2, instruments=(COIN, Instrument("COIN/EUR")))
    with pytest.raises(UsageError, match="twice"):
        SmallWorld([[flat(1)]] * 2, instruments=(COIN, COIN))


# ---- dust


def test_what_is_less_than_a_lot_stays_and_is_told() -> None:
    """A fee in the coin leaves a position that is no multiple of the lot: the rest stays, the order says so."""
    small = SmallWorld([[flat(10_000)] * 6], instruments=(LOTS,), terms=Terms(taker_ppm=1_000, fee_in="received")).go()
    small.wish(hold=1_234_000)
    small.go()
    held = 1_234_000 - 1_234
    assert small.position() == held
    small.wish(hold=0)
    assert small.notes(APPROVED)["code"][-1] == BY_FILTER
    small.go()
    assert small.position() == held % 1_000 == 766
    small.wish(weight=0)
    assert not small.live() and small.refusals == [BY_FILTER], "less than a lot cannot be sold"
    assert_lawful(small)


def test_a_guard_over_a_position_with_dust_is_not_replaced_for_ever() -> None:
    small = SmallWorld([[flat(10_000)] * 8], instruments=(LOTS,), terms=Terms(taker_ppm=1_000, fee_in="received")).go()
    small.wish(hold=1_234_000)
    small.go()
    small.wish(stop=9_000, take=12_000)
    ids = [int(o["id"]) for o in small.live()]
    assert len(ids) == 2
    for _ in range(3):
        small.world.wish[0]["dirty"] |= 4
        small._answer(0)
        small.go()
    assert [int(o["id"]) for o in small.live()] == ids


def test_a_cut_order_is_not_replaced_for_ever() -> None:
    """The wish is compared with what was asked, not with what was left of it."""
    small = standing(held=10 * ONE)
    for slot, price in enumerate((11_000, 12_000)):
        small.quote(slot, SELL, price, 6 * ONE)
    ids = [int(o["id"]) for o in small.live()]
    for n in range(3):
        small.quote(2, BUY, 5_000 + n, ONE)
        small.go()
    live = small.world.orders[0, FIRST_QUOTE : FIRST_QUOTE + 2]
    assert [int(o["id"]) for o in live] == ids and int(live[1]["left"]) == 4 * ONE
    assert small.desk["cancels"] == 2, "only the quote that was moved"


def test_a_refused_sell_of_nothing_reserves_nothing() -> None:
    small = standing()
    small.order(SELL, ONE)
    small.order(BUY, ONE, 1, kind=LIMIT)
    small.order(BUY, 0, budget=20_000 * ATOMS, slot=1)
    assert small.live()[-1]["budget"] == CASH - 1 * ONE
    assert_lawful(small)


# ---- what one position may lose

TWO_PERCENT = (0, 0, 0, 0, 20_000)


@pytest.mark.parametrize(
    ("taker_ppm", "slippage_ppm", "quantity"), [(0, 0, 200_000), (1_000, 0, 181_983), (1_000, 500, 178_014)]
)
def test_a_buy_is_cut_to_what_its_stop_may_lose(taker_ppm: int, slippage_ppm: int, quantity: int) -> None:
    """10,000 of equity, 2 %, from 50,000 to a stop at 49,000: 0.2; 0.181984 with fees, 0.178015 with slippage."""
    small = SmallWorld(
        [[flat(5_000_000)] * 3],
        cash=20_000 * ATOMS,
        terms=UNLIMITED._replace(limits=TWO_PERCENT, taker_ppm=taker_ppm, slippage_ppm=slippage_ppm),
    ).go()
    small.desk["equity"] = CASH
    small.world.wish[0]["stop"] = 4_900_000
    order = small.order(BUY, ONE, 5_000_000)
    assert order["cut"] == BY_RISK
    assert quantity <= order["quantity"] <= quantity + 1


def test_what_is_held_and_what_rests_counts_towards_the_risk() -> None:
    small = standing(limits=TWO_PERCENT, held=10 * ONE)
    small.world.wish[0]["stop"] = 9_000
    assert small.order(BUY, 4 * ONE, 9_900)["quantity"] == 4 * ONE
    # 200 may be lost, at 9 a piece from 99 to 90: 22.2; ten are held and four are asked for already.
    assert small.order(BUY, 20 * ONE, 9_900, slot=1)["quantity"] == 22_222_222 - 14 * ONE
    assert small.order(BUY, ONE, 9_900, slot=2)["quantity"] == 0
    assert small.refusals == [BY_RISK]


def test_without_a_stop_below_the_price_nothing_is_cut() -> None:
    small = standing(limits=TWO_PERCENT)
    assert small.order(BUY, 90 * ONE, 9_900)["cut"] == NO_REASON
    small.cancel()
    small.world.wish[0]["stop"] = 9_950
    assert small.order(BUY, 90 * ONE, 9_900, slot=1)["cut"] == NO_REASON


def test_a_market_buy_with_a_stop_spends_no_more_than_the_risk_allows() -> None:
    small = standing(limits=TWO_PERCENT, taker_ppm=1_000)
    small.wish(stop=9_000)
    small.wish(weight=1_000_000)
    small.go()
    lost = 10_000 - 9_000 + 10 + 9
    assert small.position() == pytest.approx(20_000 * ONE / lost, abs=2)
    assert_lawful(small)
