"""The order table: every legal move, no other, and the reservation until the last word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.domain.order import LEGAL_MOVES, OrderState
from crypto_bot.kernel.layout import (
    ABSENT,
    BUY,
    CANCELED,
    EMPTY,
    EXPIRED,
    FILLED,
    FIRST_QUOTE,
    LEGAL,
    OPEN,
    PENDING,
    REJECTED,
    SENT,
    UNKNOWN,
)
from tests.event_worlds import EventWorld
from tests.small_worlds import COIN, assert_lawful, flat
from tests.uncompiled import uncompiled

ONE = COIN.quantity_scale
orders = uncompiled("kernel.orders")


def resting() -> EventWorld:
    """Return a world with one buy at 99 on its way."""
    world = EventWorld([[flat(10_000)] * 10])
    world.go()
    world.quote(0, BUY, 9_900, ONE)
    assert world.orders_in()[FIRST_QUOTE]["state"] == SENT
    return world


@pytest.mark.parametrize("before", list(OrderState))
@pytest.mark.parametrize("after", list(OrderState))
def test_only_legal_moves_are_made(before: OrderState, after: OrderState) -> None:
    world = resting()
    order = world.orders_in()[FIRST_QUOTE]
    order["state"] = before
    moved = orders.transition(world.desk, order, after)
    legal = after in LEGAL_MOVES[before]
    assert bool(moved) == legal and order["state"] == (after if legal else before)
    assert world.desk["laws"] == (not legal) and LEGAL[before, after] == legal


def test_what_venues_say_and_what_it_does() -> None:
    """EMPTY is never reached but through a last word, and every last word frees the slot."""
    for state, ends in ((OPEN, False), (UNKNOWN, False), (CANCELED, True), (REJECTED, True), (EXPIRED, True)):
        world = resting()
        world.says(1, state)
        order = world.world.orders[0, FIRST_QUOTE]
        assert order["state"] == (EMPTY if ends else state)
        assert (world.desk["reserved"] == 0) == ends
        assert world.desk["laws"] == 0


def test_an_unknown_order_keeps_its_reservation_until_its_fate_is_known() -> None:
    world = resting()
    for state in (UNKNOWN, ABSENT, OPEN, UNKNOWN):
        world.says(1, state)
        assert world.desk["reserved"] == 9_900 * ONE and world.desk["laws"] == 0
    world.filled(1, ONE, 9_900)
    assert world.position() == ONE and world.desk["reserved"] == 0 and world.desk["laws"] == 0


@pytest.mark.parametrize("state", [EMPTY, PENDING, SENT, FILLED])
def test_states_that_are_not_the_venues_to_give_are_refused(state: int) -> None:
    world = resting()
    world.opened(1)
    before = world.world.orders.tobytes()
    world.says(1, state)
    assert world.desk["laws"] == 1 and world.world.orders.tobytes() == before
    assert world.desk["reserved"] == 9_900 * ONE


def test_words_about_orders_that_are_done_or_never_were_change_nothing() -> None:
    world = resting()
    world.canceled(1)
    held = [part.tobytes() for part in (world.world.orders, world.world.purse, world.world.book, world.world.subs)]
    for laws, state in enumerate((OPEN, CANCELED, REJECTED, EXPIRED, UNKNOWN), 1):
        world.says(1, state)
        assert world.desk["laws"] == laws
    world.filled(1, ONE, 9_900)
    assert world.desk["laws"] == 6
    world.world.event[0]["order_id"] = 77
    assert held == [
        part.tobytes() for part in (world.world.orders, world.world.purse, world.world.book, world.world.subs)
    ]


@given(st.lists(st.sampled_from([OPEN, CANCELED, REJECTED, EXPIRED, UNKNOWN, ABSENT, FILLED, SENT]), max_size=8))
def test_any_sequence_of_words_keeps_to_the_table(states: list[int]) -> None:
    """A model in three lines: a word is followed if the table has it, and counted if not."""
    world = resting()
    expected, laws = OrderState.SENT, 0
    for state in states:
        known = state in (OPEN, CANCELED, REJECTED, EXPIRED, UNKNOWN, ABSENT)
        if known and OrderState(state) in LEGAL_MOVES[expected]:
            expected = OrderState(state) if state in (OPEN, UNKNOWN, ABSENT) else OrderState.EMPTY
        else:
            laws += 1
        world.says(1, state)
        order = world.world.orders[0, FIRST_QUOTE]
        assert (order["state"], world.desk["laws"]) == (expected, laws)
        assert world.desk["reserved"] == (0 if expected == OrderState.EMPTY else 9_900 * ONE)


def test_a_slot_serves_one_order_after_the_other() -> None:
    world = resting()
    for n in range(1, 4):
        world.opened(n)
        world.quote(0, BUY, 9_900 - 10 * n, ONE)
        world.canceled(n)
        world.answer()
        assert world.orders_in()[FIRST_QUOTE]["id"] == n + 1
    assert world.desk["reserved"] == 9_870 * ONE
    world.desk["laws"] += 0
    assert world.desk["laws"] == 0


def test_reservations_of_a_small_world_are_lawful() -> None:
    from tests.small_worlds import SmallWorld

    small = SmallWorld([[flat(10_000)] * 4]).go()
    for slot in range(5):
        small.order(BUY, ONE, 9_000 + slot, slot=slot)
        assert_lawful(small)
    for slot in range(5):
        small.cancel(slot)
        assert_lawful(small)
    assert small.desk["reserved"] == 0
