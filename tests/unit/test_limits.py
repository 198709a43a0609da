"""Drawdown, daily loss, exposure and the operator: to the atom, to the second, and only as far as they reach."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, DAY_NS, PPM
from crypto_bot.kernel.layout import (
    BUY,
    BY_EXPOSURE,
    BY_HALT,
    COMMAND_HALT,
    COMMAND_REBASE,
    COMMAND_RESUME,
    HALT_DAILY_LOSS,
    HALT_DRAWDOWN,
    HALT_OPERATOR,
    HALTED,
    RESUMED,
    SELL,
)
from tests.small_worlds import COIN, MINUTE, T0, Row, SmallWorld, Terms, assert_lawful, flat

ONE = COIN.quantity_scale
CASH = 10_000 * ATOMS
NO_LIMIT = 0
DRAWDOWN = Terms(limits=(150_000, NO_LIMIT, NO_LIMIT, NO_LIMIT))
DAILY = Terms(limits=(NO_LIMIT, 50_000, NO_LIMIT, NO_LIMIT))


def invested(closes: list[int], terms: Terms, *, times: "np.typing.NDArray[np.int64] | None" = None) -> SmallWorld:
    """Return a world that bought coins for all its money at 100, at the open of the second bar; stands at that bar."""
    rows: list[Row] = [flat(10_000), flat(10_000), *(flat(close) for close in closes)]
    small = SmallWorld([rows], cash=CASH, terms=terms, times=times).go()
    small.wish(hold=100 * ONE)
    small.go()
    assert small.position() == 100 * ONE and small.purse == 0
    return small


@pytest.mark.parametrize(
    ("terms", "worst", "reason"),
    [(DRAWDOWN, 8_500, HALT_DRAWDOWN), (DAILY, 9_500, HALT_DAILY_LOSS)],
)
def test_trading_stops_exactly_at_the_limit(terms: Terms, worst: int, reason: int) -> None:
    small = invested([worst + 1, worst], terms).go()
    assert small.desk["halt"] == 0, "one cent above"
    small.go()
    assert small.desk["halt"] == reason
    assert [int(code) for code in small.notes(HALTED)["code"]] == [reason]


@pytest.mark.parametrize("peak", [CASH + 1, CASH + 333_333, 12_345_678_901])
def test_the_limit_is_exact_whatever_the_peak(peak: int) -> None:
    """The halt comes at the first atom at which the loss is a fifteenth hundredth or more, never before."""
    small = SmallWorld([[flat(10_000)] * 3], cash=peak, terms=DRAWDOWN).go()
    allowed = max(e for e in range(peak * 85 // 100 - 3, peak * 85 // 100 + 4) if e * 100 <= peak * 85)
    for equity, halted in ((allowed + 1, 0), (allowed, HALT_DRAWDOWN)):
        small.world.purse[0]["balance"] = equity
        small.go()
        assert small.desk["halt"] == halted, equity - allowed


def test_the_larger_limit_is_named_when_both_are_reached() -> None:
    small = invested([8_000], Terms(limits=(150_000, 50_000, 0, 0))).go()
    assert small.desk["halt"] == HALT_DRAWDOWN


@pytest.mark.parametrize("limits", [(0, 0, 0, 0), (150_000, 0, 0, 0), (0, 50_000, 0, 0)])
def test_each_limit_can_be_left_out_alone(limits: tuple[int, int, int, int]) -> None:
    small = invested([9_000, 5_000], Terms(limits=limits)).go()
    assert small.desk["halt"] == (HALT_DAILY_LOSS if limits[1] else 0)
    small.go()
    expected = HALT_DAILY_LOSS if limits[1] else HALT_DRAWDOWN if limits[0] else 0
    assert small.desk["halt"] == expected


def test_a_drawdown_counts_on_while_a_days_loss_has_halted_trading() -> None:
    """The day ends its own halt and not the other: a fall to the limit within the day is one, even if made good."""
    both = Terms(limits=(150_000, 50_000, NO_LIMIT, NO_LIMIT))
    times = days(*((0, n) for n in range(6)), (1, 0), (1, 1))
    small = invested([9_400, 8_501, 8_500, 9_900, 9_900, 9_900], both, times=times).go(2)
    assert small.desk["halt"] == HALT_DAILY_LOSS, "one cent above the second limit"
    small.go(2)
    assert small.desk["halt"] == HALT_DAILY_LOSS | HALT_DRAWDOWN
    assert [int(code) for code in small.notes(HALTED)["code"]] == [HALT_DAILY_LOSS, HALT_DRAWDOWN]
    small.go()
    assert small.desk["halt"] == HALT_DRAWDOWN, "a new day does not end it"
    small.command(COMMAND_REBASE)
    small.go()
    assert small.desk["halt"] == 0


def test_a_day_that_was_reset_by_hand_counts_from_there() -> None:
    small = invested([9_400, 9_400, 8_931, 8_930], DAILY).go()
    assert small.desk["halt"] == HALT_DAILY_LOSS
    small.command(COMMAND_RESUME)
    small.go(2)
    assert small.desk["halt"] == 0, "one cent above five per cent of what there was when it was reset"
    small.go()
    assert small.desk["halt"] == HALT_DAILY_LOSS


def test_a_halt_takes_away_what_opens_and_leaves_what_reduces() -> None:
    small = SmallWorld([[flat(10_000)] * 3 + [flat(8_000)] * 3], cash=CASH, terms=DRAWDOWN).go()
    small.wish(hold=80 * ONE)
    small.go()
    small.wish(stop=5_000, take=15_000)
    small.order(BUY, ONE, 7_000)
    small.order(SELL, ONE, 12_000, slot=1)
    assert len(small.live()) == 4
    small.go(2)
    assert small.desk["halt"] == HALT_DRAWDOWN
    assert sorted(int(o["side"]) for o in small.live()) == [SELL, SELL, SELL]
    small.order(BUY, ONE, 7_000, slot=2)
    small.order(SELL, ONE, 12_500, slot=3)
    assert small.refusals == [BY_HALT] and len(small.live()) == 4
    assert small.desk["reserved"] == 0
    assert_lawful(small)


def test_a_halt_is_noted_once() -> None:
    small = invested([8_000, 7_000, 6_000, 8_400], DRAWDOWN).go(4)
    assert len(small.notes(HALTED)) == 1


# ---- the day


def days(*minutes_of_day: tuple[int, int]) -> "np.typing.NDArray[np.int64]":
    """Return open times from (day, minute of the day)."""
    return np.array([T0 + day * DAY_NS + minute * MINUTE for day, minute in minutes_of_day], np.int64)


LAST_MINUTES = [(0, 1435), (0, 1436), (0, 1437), (0, 1438), (0, 1439)]


@pytest.mark.parametrize(
    "after",
    [
        [(1, 0), (1, 1)],
        [(1, 30), (1, 31)],  # the first bars of the day are missing
        [(4, 700), (4, 701)],  # so are whole days
    ],
)
def test_a_daily_loss_reopens_with_the_first_bar_of_the_next_day(after: list[tuple[int, int]]) -> None:
    small = invested([9_400, 9_400, 9_400, 9_400, 9_400], DAILY, times=days(*LAST_MINUTES, *after))
    small.world.wish[0]["hold"] = -1
    small.go(3)
    assert small.desk["halt"] == HALT_DAILY_LOSS
    small.wish(hold=100 * ONE, stop=9_000)
    small.go()
    assert small.desk["halt"] == 0
    resumed = small.notes(RESUMED)
    assert [int(time) for time in resumed["time_ns"]] == [T0 + after[0][0] * DAY_NS], "at 00:00:00 UTC of that day"
    assert small.desk["day_open"] == small.equity[-2], "the new day opens with the last equity known"
    assert small.desk["day_end"] == T0 + (after[0][0] + 1) * DAY_NS


def test_a_bar_before_midnight_still_belongs_to_the_old_day() -> None:
    small = invested([9_400, 9_400, 9_400], DAILY, times=days(*LAST_MINUTES)).go(3)
    assert small.desk["halt"] == HALT_DAILY_LOSS and not len(small.notes(RESUMED))


def test_what_was_refused_in_a_halt_is_asked_for_again_after_it() -> None:
    small = invested([9_400, 9_400, 9_400, 9_400, 9_400], DAILY, times=days(*LAST_MINUTES, (1, 0), (1, 1))).go(2)
    small.wish(hold=0)
    small.go()
    assert small.position() == 0
    small.wish(hold=10 * ONE)
    assert small.refusals == [BY_HALT]
    small.go(2)
    assert small.position() == 10 * ONE
    assert small.fills[-1].time_ns == T0 + DAY_NS + MINUTE, "asked at the close of the first bar of the day"
    assert_lawful(small)


def test_each_day_counts_from_its_own_opening() -> None:
    """Four per cent every day is never five in one."""
    closes, price = [], 10_000.0
    for _ in range(4):
        price *= 0.96
        closes.append(round(price))
    times = days((0, 0), (0, 1), *((day, 5) for day in range(1, 5)))
    small = invested(closes, DAILY, times=times).go(4)
    assert small.desk["halt"] == 0 and not len(small.notes(HALTED))


def halts_by_hand(worths: list[int], drawdown_ppm: int, daily_ppm: int, bars_a_day: int) -> list[int]:
    """Return what has halted after each bar; every loss is worked out anew from the peak and the day's opening."""
    peak = opening = last = worths[0]
    halted, after = 0, []
    for bar, worth in enumerate(worths):
        if bar % bars_a_day == 0:
            opening, halted = last, halted & ~HALT_DAILY_LOSS
        peak = max(peak, worth)
        if not halted & HALT_DRAWDOWN:
            if drawdown_ppm and (peak - worth) * PPM >= peak * drawdown_ppm:
                halted |= HALT_DRAWDOWN
            elif daily_ppm and (opening - worth) * PPM >= opening * daily_ppm:
                halted |= HALT_DAILY_LOSS
        last = worth
        after.append(halted)
    return after


@settings(max_examples=300, deadline=None)
@example([1_000, 2_000, 1_700, 1_700], 150_000, 0)  # the peak is not the beginning
@example([1_000, 850, 2_000, 1_000, 900], 150_000, 0)  # a new peak and another fall, both within the halt
@example([1_000, 1_000, 1_040, 950, 950], 150_000, 50_000)  # the day's limit lies above that of the new peak
@given(
    st.lists(st.integers(500, 2_000), min_size=1, max_size=14),
    st.sampled_from([0, 50_000, 150_000, 300_000]),
    st.sampled_from([0, 30_000, 50_000]),
)
def test_losses_halt_as_when_worked_out_anew_at_every_bar(worths: list[int], drawdown_ppm: int, daily_ppm: int) -> None:
    times = days(*((bar // 4, bar % 4) for bar in range(len(worths))))
    terms = Terms(limits=(drawdown_ppm, daily_ppm, NO_LIMIT, NO_LIMIT))
    small = SmallWorld([[flat(10_000)] * len(worths)], cash=worths[0] * ATOMS, terms=terms, times=times)
    after = []
    for worth in worths:
        small.world.purse[0]["balance"] = worth * ATOMS
        small.go()
        after.append(int(small.desk["halt"]))
    assert after == halts_by_hand(worths, drawdown_ppm, daily_ppm, 4)
    assert (
        len(small.notes(HALTED)) == len(small.notes(RESUMED)) + int(small.desk["halt"]).bit_count()
    ), "each is noted once"


def test_daily_bars_each_are_a_day() -> None:
    times = T0 + np.arange(5, dtype=np.int64) * DAY_NS
    small = SmallWorld(
        [[flat(10_000), flat(10_000), flat(9_400), flat(9_400), flat(9_400)]], terms=DAILY, times=times, bar_ns=DAY_NS
    )
    small.go()
    small.wish(hold=100 * ONE)
    small.go(2)
    assert small.desk["halt"] == HALT_DAILY_LOSS
    small.go()
    assert small.desk["halt"] == 0
    halted, resumed = int(small.notes(HALTED)["time_ns"][0]), int(small.notes(RESUMED)["time_ns"][0])
    assert halted == resumed == T0 + 3 * DAY_NS, "the bar that lost ends when the next day begins"


# ---- the operator


def test_a_drawdown_is_lifted_by_hand_alone() -> None:
    times = days((0, 0), (0, 1), *((day, 0) for day in range(1, 9)))
    small = invested([8_400, 8_400, 9_900, 10_000, 12_000, 8_000, 8_000, 8_000], DRAWDOWN, times=times).go(5)
    assert small.desk["halt"] == HALT_DRAWDOWN, "neither a new day nor a new peak ends it"
    small.command(COMMAND_RESUME)
    assert small.desk["halt"] == 0
    small.go()
    assert small.desk["halt"] == HALT_DRAWDOWN, "the peak counts on: a third of it is lost again"
    small.command(COMMAND_RESUME)
    small.go()
    assert small.desk["halt"] == HALT_DRAWDOWN
    small.command(COMMAND_REBASE)
    assert (small.desk["peak"], small.desk["day_open"]) == (small.desk["equity"], small.desk["equity"])
    small.go()
    assert small.desk["halt"] == 0, "counted from here"


def test_an_operator_halts_and_resumes() -> None:
    small = SmallWorld([[flat(10_000)] * 4], cash=CASH).go()
    small.order(BUY, ONE, 9_000)
    small.command(COMMAND_HALT)
    small.command(COMMAND_HALT)
    assert small.desk["halt"] == HALT_OPERATOR and len(small.notes(HALTED)) == 1 and not small.live()
    small.wish(weight=500_000)
    assert small.refusals == [BY_HALT]
    small.go()
    assert not small.fills
    small.command(COMMAND_RESUME)
    assert small.desk["halt"] == 0 and len(small.notes(RESUMED)) == 1
    small.go(2)
    assert small.position() == 50 * ONE
    small.command(COMMAND_RESUME)
    assert len(small.notes(RESUMED)) == 1, "there is nothing to resume"


def test_a_new_day_does_not_lift_the_operators_halt() -> None:
    small = invested([9_400, 9_400, 9_400], DAILY, times=days((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))).go()
    small.command(COMMAND_HALT)
    assert small.desk["halt"] == HALT_OPERATOR | HALT_DAILY_LOSS
    small.go()
    assert small.desk["halt"] == HALT_OPERATOR


def test_a_position_at_its_share_is_left_alone_when_trading_resumes() -> None:
    small = SmallWorld([[flat(10_000)] * 5], cash=CASH, terms=Terms(taker_ppm=1_000)).go()
    small.wish(weight=PPM)
    small.go()
    small.command(COMMAND_HALT)
    small.command(COMMAND_RESUME)
    small.go(2)
    assert len(small.fills) == 1, "all in is all in: nothing is sold for the sake of a fee already paid"


# ---- exposure

PAIR = (COIN, Instrument("OTHER/USDT"))


def test_one_symbol_is_capped() -> None:
    small = SmallWorld([[flat(10_000)] * 3], cash=CASH, terms=Terms(limits=(0, 0, 300_000, 0))).go()
    small.wish(weight=500_000)
    assert small.go().position() == 30 * ONE
    assert small.notes(2)["code"][0] == BY_EXPOSURE


def test_all_symbols_together_are_capped() -> None:
    small = SmallWorld(
        [[flat(10_000)] * 4] * 2, cash=CASH, instruments=PAIR, terms=Terms(limits=(0, 0, 0, 700_000))
    ).go()
    small.wish(weight=500_000)
    small.wish(lane=1, weight=500_000)
    small.go()
    assert (small.position(0), small.position(1)) == (50 * ONE, 20 * ONE)


def test_resting_buys_count_as_filled() -> None:
    terms = Terms(limits=(0, 0, 300_000, 800_000), maker_ppm=1_000, taker_ppm=1_000)
    small = SmallWorld([[flat(10_000)] * 3], cash=CASH, terms=terms).go()
    for slot in range(5):
        small.order(BUY, 8 * ONE, 9_900 - 100 * slot, slot=slot)
    worth = sum(int(o["price"] * o["left"]) for o in small.live())
    assert worth <= CASH * 3 // 10 < worth + 8 * 9_600 * ONE
    assert small.world.book[0]["reserved"] == sum(
        -(-int(o["price"] * o["left"]) * 1_001 // 1_000) for o in small.live()
    )
    assert_lawful(small)


def test_what_is_sold_at_the_same_open_makes_room() -> None:
    """A rotation from one symbol into another under a limit for all of them: the sale counts as done."""
    small = SmallWorld(
        [[flat(10_000)] * 4] * 2, cash=CASH, instruments=PAIR, terms=Terms(limits=(0, 0, 0, 800_000))
    ).go()
    small.wish(weight=800_000)
    small.go()
    w = small.world.wish[1]
    w["weight"], w["dirty"] = 800_000, 1
    small.wish(weight=0)
    small.go()
    assert (small.position(0), small.position(1)) == (0, 80 * ONE)


def test_room_that_a_waiting_lane_needs_is_still_there_when_it_may_trade() -> None:
    """One lane sells at once; the other first has to take a stop away, and still buys at the same open."""
    small = SmallWorld(
        [[flat(10_000)] * 6] * 2, cash=CASH, instruments=PAIR, terms=Terms(limits=(0, 0, 0, 800_000))
    ).go()
    small.wish(weight=700_000)
    small.wish(lane=1, weight=100_000)
    small.go()
    small.wish(lane=1, stop=5_000)
    for lane, weight in ((0, 0), (1, 800_000)):
        w = small.world.wish[lane]
        w["weight"], w["dirty"] = weight, 1 | 4 * lane
    small.world.wish[1]["stop"] = 6_000
    small.wish(weight=0)
    small.go()
    assert (small.position(0), small.position(1)) == (0, 80 * ONE)
    assert_lawful(small)
