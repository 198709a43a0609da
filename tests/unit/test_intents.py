"""Wish against truth: asking twice does nothing, a change waits for the venue, and no lane is forgotten."""

import pytest

from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import (
    BUY,
    CANCEL,
    CANCELED,
    EXPIRED,
    FIRST_QUOTE,
    LIMIT,
    MARKET,
    QUOTED,
    REJECTED,
    SELL,
    STOP,
    STOP_SLOT,
    SUBMIT,
    TAKE_SLOT,
    TARGET_SLOT,
)
from tests.event_worlds import EventWorld
from tests.small_worlds import COIN, SmallWorld, Terms, assert_lawful, flat

ONE = COIN.quantity_scale


def events(bars: int = 10, price: int = 10_000) -> EventWorld:
    world = EventWorld([[flat(price)] * bars])
    world.go()
    return world


def holding(quantity: int = ONE) -> EventWorld:
    """Return a world that bought at market; nothing is open."""
    world = events()
    world.wish(hold=quantity)
    order = world.submitted()[0]
    world.opened(order["id"])
    world.filled(order["id"], quantity, 10_000)
    world.world.wish[0]["hold"] = -1
    world.sent.clear()
    return world


def test_asking_twice_sends_once() -> None:
    world = events()
    for _ in range(3):
        world.quote(0, BUY, 9_900, ONE)
    assert world.sent == [(SUBMIT, 0, FIRST_QUOTE)]
    world.opened(1)
    world.quote(0, BUY, 9_900, ONE)
    assert len(world.sent) == 1


def test_a_moved_quote_waits_for_the_cancel() -> None:
    world = events()
    world.quote(0, BUY, 9_900, ONE)
    world.opened(1)
    world.quote(0, BUY, 9_800, ONE)
    assert world.sent[1:] == [(CANCEL, 0, FIRST_QUOTE)], "one wish is never two orders"
    world.go()
    assert len(world.sent) == 2
    world.canceled(1)
    assert world.answer() and world.sent[2:] == [(SUBMIT, 0, FIRST_QUOTE)]
    assert world.orders_in()[FIRST_QUOTE]["price"] == 9_800
    assert not world.answer()


@pytest.mark.parametrize("state", [CANCELED, EXPIRED])
def test_whatever_ends_the_old_order_lets_the_new_one_follow(state: int) -> None:
    world = events()
    world.quote(0, BUY, 9_900, ONE)
    world.opened(1)
    world.quote(0, BUY, 9_800, ONE)
    world.says(1, state)
    assert world.answer()
    assert [o["price"] for o in world.submitted()] == [9_800] * 2


def test_a_rejection_while_waiting_lets_the_new_one_follow() -> None:
    world = events()
    world.quote(0, BUY, 9_900, ONE)
    world.quote(0, BUY, 9_800, ONE)
    world.says(1, REJECTED)
    assert world.answer() and world.orders_in()[FIRST_QUOTE]["price"] == 9_800


def test_a_fill_that_overtakes_the_cancel_does_not_leave_the_lane_waiting() -> None:
    """Another quote of the same lane must still be placed."""
    world = events()
    world.quote(0, BUY, 9_900, ONE)
    world.opened(1)
    world.quote(0, BUY, 9_800, ONE)
    world.quote(1, BUY, 9_700, ONE)
    assert world.sent[1:] == [(CANCEL, 0, FIRST_QUOTE)]
    world.filled(1, ONE, 9_900)
    assert world.answer(), "the lane is asked again although no cancel will be confirmed"
    assert [o["price"] for o in world.orders_in().values()] == [9_700]
    assert (world.world.wish[0]["bought"], world.position()) == (1, ONE)


def test_two_cancels_are_both_waited_for() -> None:
    world = events()
    for slot in range(2):
        world.quote(slot, BUY, 9_900 - slot, ONE)
        world.opened(slot + 1)
    w = world.world.wish[0]
    for slot in range(2):
        w["quote"][slot]["price"] -= 100
    w["dirty"] |= QUOTED
    world._answer(0)
    world.canceled(1)
    assert world.answer() and not [kind for kind, _, _ in world.sent[4:] if kind == SUBMIT]
    world.canceled(2)
    assert world.answer() and [kind for kind, _, _ in world.sent[4:]] == [SUBMIT, SUBMIT]


def test_a_target_replaces_the_one_on_its_way() -> None:
    world = events()
    world.wish(hold=ONE)
    world.wish(hold=2 * ONE)
    assert world.sent == [(SUBMIT, 0, TARGET_SLOT), (CANCEL, 0, TARGET_SLOT)]
    world.canceled(1)
    world.answer()
    assert [int(o["left"]) for o in world.orders_in().values()] == [2 * ONE]


def test_sells_are_sent_before_buys() -> None:
    small = EventWorld([[flat(10_000)] * 3] * 2, instruments=(COIN, type(COIN)("OTHER/USDT")))
    small.go()
    small.wish(lane=1, hold=ONE)
    small.filled(1, ONE, 10_000)
    small.sent.clear()
    small.world.wish[0]["hold"], small.world.wish[0]["dirty"] = ONE, 1
    small.wish(lane=1, hold=0)
    assert small.sent == [(SUBMIT, 1, TARGET_SLOT), (SUBMIT, 0, TARGET_SLOT)]


# ---- stops


def test_a_bracket_guards_what_is_held_and_follows_it() -> None:
    world = holding(3 * ONE)
    world.wish(stop=9_000, take=12_000)
    guards = world.orders_in()
    assert [(int(o["kind"]), int(o["left"])) for o in guards.values()] == [(STOP, 3 * ONE), (LIMIT, 3 * ONE)]
    for order in guards.values():
        world.opened(order["id"])
    world.wish(hold=5 * ONE)
    buy = world.orders_in()[TARGET_SLOT]
    world.filled(buy["id"], 2 * ONE, 10_000)
    world.go()
    for order in list(world.orders_in().values()):
        world.canceled(order["id"])
    world.answer()
    assert [int(o["left"]) for o in world.orders_in().values()] == [5 * ONE, 5 * ONE]


def test_a_filled_guard_takes_its_twin_and_the_wish_away() -> None:
    world = holding(2 * ONE)
    world.world.wish[0]["weight"] = 500_000
    world.wish(stop=9_000, take=12_000)
    stop, take = world.orders_in()[STOP_SLOT], world.orders_in()[TAKE_SLOT]
    world.filled(stop["id"], 2 * ONE, 9_000)
    assert world.sent[-1] == (CANCEL, 0, TAKE_SLOT) and take["leaving"] == 1
    world.canceled(take["id"])
    w = world.world.wish[0]
    assert (w["weight"], w["hold"], w["stop"], w["take"]) == (0, -1, 0, 0)
    world.go(2)
    assert not world.orders_in() and world.position() == 0


def test_what_a_stop_left_over_is_sold_at_market() -> None:
    world = holding(2 * ONE)
    world.wish(stop=9_000)
    stop = world.orders_in()[STOP_SLOT]
    world.wish(hold=5 * ONE)
    world.filled(world.orders_in()[TARGET_SLOT]["id"], 3 * ONE, 10_000)
    world.filled(stop["id"], 2 * ONE, 9_000)
    assert world.answer()
    assert [(int(o["kind"]), int(o["side"]), int(o["left"])) for o in world.orders_in().values()] == [
        (MARKET, SELL, 3 * ONE)
    ]


def test_a_stop_that_fills_in_parts_is_one_order_to_the_end() -> None:
    world = holding(2 * ONE)
    world.wish(stop=9_000)
    stop = world.orders_in()[STOP_SLOT]
    world.opened(stop["id"])
    world.filled(stop["id"], ONE, 9_000, final=0)
    world.go()
    assert list(world.orders_in()) == [STOP_SLOT], "nothing else sells what the stop is selling"
    world.filled(stop["id"], ONE, 8_990)
    assert not world.answer() and world.position() == 0


# ---- refusals


def test_a_refusal_wakes_a_strategy_that_wakes_for_fills() -> None:
    small = SmallWorld([[flat(10_000)] * 4], cash=ATOMS // 1_000).go()
    small.world.wish[0]["news"] = 0
    small.wish(weight=1)
    small.world.book[0]["min_notional"] = ATOMS
    small.wish(hold=ONE)
    assert small.refusals and small.world.wish[0]["news"] == 1


@pytest.mark.parametrize("state", [REJECTED, EXPIRED])
def test_so_does_the_venues_no(state: int) -> None:
    world = events()
    world.quote(0, BUY, 9_900, ONE)
    if state == EXPIRED:
        world.opened(1)
    world.says(1, state)
    assert world.world.wish[0]["news"] == 1 and not world.orders_in()


def test_a_halt_does_not_undo_what_a_grid_has_traded() -> None:
    """The first purchase is a target; the quotes move the position on, and resuming must not move it back."""
    small = SmallWorld([[flat(10_000)] * 2 + [(10_000, 10_101, 10_000, 10_000)] + [flat(10_000)] * 5]).go()
    small.wish(hold=5 * ONE)
    small.go()
    small.quote(0, SELL, 10_100, ONE)
    small.quote(1, BUY, 9_900, ONE)
    small.go()
    assert small.position() == 4 * ONE
    small.command(1)
    assert not small.live()
    small.command(2)
    small.go(2)
    assert small.position() == 4 * ONE and len(small.fills) == 2
    assert [(int(o["side"]), int(o["price"])) for o in small.live()] == [(BUY, 9_900)], "the quote is back"
    assert_lawful(small)


def test_a_target_that_a_halt_took_away_is_asked_for_again() -> None:
    small = SmallWorld([[flat(10_000)] * 5]).go()
    small.wish(hold=3 * ONE)
    small.command(1)
    assert not small.live()
    small.command(2)
    small.go(2)
    assert small.position() == 3 * ONE


def test_a_target_given_up_in_the_halt_is_not() -> None:
    small = SmallWorld([[flat(10_000)] * 6]).go()
    small.command(1)
    small.wish(hold=3 * ONE)
    small.wish(hold=0)
    small.command(2)
    small.go(3)
    assert small.position() == 0 and not small.fills


def test_a_weight_is_a_share_of_the_strategys_own_part() -> None:
    small = SmallWorld([[flat(10_000)] * 4], cash=20_000 * ATOMS, strategies=2, terms=Terms(taker_ppm=1_000)).go()
    small.wish(lane=1, weight=500_000)
    small.go()
    spent = small.fills[0].price * small.fills[0].quantity + small.fills[0].fee
    assert 5_000 * ATOMS - 10_010 < spent <= 5_000 * ATOMS
    assert_lawful(small)
