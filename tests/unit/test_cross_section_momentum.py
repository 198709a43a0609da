"""Cross-sectional momentum against its closed form, its choice of coins, and its sleeves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import DAY_NS, parse_time_ns
from crypto_bot.strategies.catalogue import module_of
from tests.plays import SHIPPED, Played, Rooms, Terms, play

START_NS = parse_time_ns("2021-01-04")
"""A Monday."""

AT_CLOSE = Terms(costs=(0, 0, 0), fill_at="close")
SMALL: dict[str, Any] = {"lookback": 7, "universe": 10, "min_days": 10, "volume_days": 3, "max_weight": 1.0}

FloatArray = npt.NDArray[np.float64]


def coin(number: int, closes: FloatArray, volumes: FloatArray | None = None) -> Candles:
    """Return daily candles that never move within a day; a volume of 1 unless told."""
    instrument = Instrument(f"C{number}/USDT", price_scale=10**6, quantity_scale=10**6)
    column = np.rint(closes * instrument.price_scale).astype(np.int64)
    traded = np.ones(closes.size) if volumes is None else volumes
    times = START_NS + np.arange(closes.size) * DAY_NS
    quantity = np.rint(traded * instrument.quantity_scale).astype(np.int64)
    return Candles(instrument, "1d", times, column, column, column, column, quantity)


def growing(rates: Sequence[float], bars: int) -> list[Candles]:
    """Return coins that grow by a constant rate a week; each begins at 100."""
    return [coin(k, 100.0 * (1 + rate) ** (np.arange(bars) / 7)) for k, rate in enumerate(rates)]


def run(candles: list[Candles], terms: Terms = AT_CLOSE, **params: Any) -> Played:
    rooms = Rooms.plain()
    strategy = rooms.binding.Strategy(SHIPPED / "cross_section_momentum.py")
    return play(rooms, [(strategy, {**SMALL, **params})], candles, terms)


def asked(played: Played) -> list[float]:
    """Return the share of each coin that was asked for last."""
    return [round(float(share), 6) for share in played.cell("asked")[:, 0]]


def test_ten_constant_growths_earn_the_mean_of_the_best_two_less_that_of_the_worst_two() -> None:
    """1 to 10 % a week: 9.5 - 1.5 = 8.0 % a week, and nobody ever changes places."""
    candles = growing([k / 100 for k in range(1, 11)], 140)
    weekly = {}
    for leg, members in (("winners", {8, 9}), ("losers", {0, 1})):
        played = run(candles, staggered=False, rising=False, band=0.0, leg=leg)
        mondays = played.curve[13::7].astype(float)  # the close of a Sunday is the open of a Monday
        weekly[leg] = mondays[2:] / mondays[1:-1] - 1
        assert weekly[leg].size > 15
        assert set(played.fills()["instrument"].tolist()) == members
    assert weekly["winners"] == pytest.approx(0.095, abs=2e-7)
    assert weekly["losers"] == pytest.approx(0.015, abs=2e-7)
    assert weekly["winners"] - weekly["losers"] == pytest.approx(0.08, abs=4e-7)


def test_within_the_band_what_drifts_is_left_alone() -> None:
    candles = growing([k / 100 for k in range(1, 11)], 140)
    assert run(candles, staggered=False).fills().size == 2
    cut = run(candles, staggered=False, band=0.05).fills()
    assert cut.size > 2 and set(cut["side"].tolist()) == {1, -1}


def test_one_sleeve_a_day_is_filled() -> None:
    """A coin that jumps to the top gets another seventh every day."""
    bars = 28
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05], bars)
    jumped: FloatArray = np.repeat([50.0, 100.0], [20, bars - 20])
    for days in range(1, 8):
        played = run([each.between(None, START_NS + (19 + days) * DAY_NS) for each in (*candles, coin(5, jumped))])
        assert asked(played)[5] == round(days / 7, 6)
        assert sum(asked(played)) == pytest.approx(1.0, abs=1e-5)


def test_there_are_as_many_sleeves_as_days() -> None:
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05], 12)
    shown = [[each.between(None, START_NS + day * DAY_NS) for each in candles] for day in (9, 10, 11)]
    assert [asked(run(each, hold_days=3))[4] for each in shown] == [round(part / 3, 6) for part in (1, 2, 3)]


@pytest.mark.parametrize(
    ("coins", "parts", "best"), [(5, 5, 1), (9, 5, 1), (10, 5, 2), (11, 3, 3), (12, 3, 4), (12, 1, 12)]
)
def test_the_best_part_is_counted_down(coins: int, parts: int, best: int) -> None:
    played = run(growing([k / 100 for k in range(1, coins + 1)], 30), parts=parts, universe=12)
    assert asked(played) == [0] * (coins - best) + [round(1 / best, 6)] * best


def test_the_whole_is_formed_on_mondays_when_sleeves_do_not_take_turns() -> None:
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05], 40)
    rising = coin(5, 100 * 1.2 ** (np.maximum(np.arange(40.0) - 15, 0)))
    played = run([*candles, rising], staggered=False)
    opened = {int(fill["time_ns"] - START_NS) // DAY_NS for fill in played.fills()}
    assert opened and all(day % 7 == 0 for day in opened)


@pytest.mark.parametrize("days", [1, 2, 3, 4, 7, 30])
def test_the_median_is_that_of_the_last_days(days: int) -> None:
    chance = np.random.default_rng(days)
    coins = [coin(k, np.rint(chance.uniform(50, 55, 45)), np.rint(chance.lognormal(3, 1, 45))) for k in range(3)]
    for bars in (31, 32, 33, 40, 45):
        shown = [each.between(None, START_NS + (bars - 1) * DAY_NS) for each in coins]
        played = run(shown, universe=5, min_days=31, volume_days=days)
        traded = [each.close / 1e6 * each.volume / 1e6 for each in shown]
        assert played.cell("median")[:, 0] == pytest.approx([np.median(each[-days:]) for each in traded])


def test_one_day_of_large_volume_does_not_make_a_coin_liquid() -> None:
    """The best coin of all is left out while its median is the smallest, however large its mean."""
    bars = 30
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05], bars)
    thin = np.full(bars, 0.01)
    thin[bars - 2 :: 3] = 1e6
    best = coin(5, 100 * 1.5 ** (np.arange(bars) / 7), thin)
    assert asked(run([*candles, best], universe=5)) == [0, 0, 0, 0, 1, 0]
    assert asked(run([*candles, best], universe=6)) == [0, 0, 0, 0, 0, 1]
    assert asked(run([*candles, best], universe=6, min_volume=6.0)) == [0, 0, 0, 0, 1, 0]


def test_of_equals_the_first_of_the_run_is_taken() -> None:
    assert asked(run(growing([0.03] * 6, 25))) == [1, 0, 0, 0, 0, 0]


def test_few_coins_are_no_cross_section() -> None:
    assert run(growing([0.01, 0.02, 0.03, 0.04], 60)).fills().size == 0
    assert run(growing([0.01, 0.02, 0.03, 0.04, 0.05], 60)).fills().size > 0


def test_who_falls_is_not_held_unless_asked_to() -> None:
    falling = growing([-0.05, -0.04, -0.03, -0.02, -0.01], 40)
    assert run(falling).fills().size == 0
    assert asked(run(falling, rising=False)) == [0, 0, 0, 0, 1]


def test_no_coin_gets_more_than_its_cap() -> None:
    assert asked(run(growing([k / 100 for k in range(10)], 40), max_weight=0.2)) == [0] * 8 + [0.2, 0.2]


def test_a_coin_waits_until_it_is_old_enough() -> None:
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05], 60)
    first = run(candles, min_days=40).fills()[0]
    assert int(first["time_ns"] - START_NS) // DAY_NS == 40


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"hold_days": 0}, "lookback and hold_days must be 1 or more"),
        ({"universe": 4}, "universe must not be smaller than parts"),
        ({"volume_days": 400}, "volume_days must lie between 1 and min_days"),
        ({"max_weight": 0.0}, "max_weight must lie between 0 and 1"),
        ({"band": -0.1}, "band must lie between 0 and 1"),
        ({"leg": "both"}, "leg must be 'winners' or 'losers'"),
    ],
)
def test_what_cannot_work_is_refused(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Mistake, match=sentence):
        module_of("cross_section_momentum").parameters.read(params)


def listed(candles: Candles, first: int, last: int) -> Candles:
    """Return the candles from one day to another, as if the coin had been listed and delisted then."""
    return candles.between(START_NS + first * DAY_NS, START_NS + last * DAY_NS)


def test_a_coin_that_lists_late_is_as_old_as_its_own_candles() -> None:
    """The best of all is listed on day 20 and known for ten days at the close of day 29."""
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05, 0.09], 40)
    late = [*candles[:5], listed(candles[5], 20, 39)]
    fills = run(late).fills()
    opened = [int(fill["time_ns"] - START_NS) // DAY_NS for fill in fills if fill["instrument"] == 5]
    assert opened[0] == 30
    assert asked(run([listed(each, 0, 29) for each in late]))[5] == round(1 / 7, 6)
    assert asked(run([listed(each, 0, 36) for each in late])) == [0, 0, 0, 0, 0, 1]


def test_a_coin_that_is_gone_is_not_ranked() -> None:
    """When the best is gone, the next best takes its place, and four that are left are no cross-section."""
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05, 0.09], 40)
    ended = [*candles[:5], listed(candles[5], 0, 20)]
    played = run(ended)
    assert asked(played)[4] == 1
    assert played.cell("sleeve")[5].tolist() == [0.0] * 7
    two_gone = [*candles[:4], listed(candles[4], 0, 20), listed(candles[5], 0, 20)]
    assert asked(run(two_gone))[:4] == [0, 0, 0, 0]


def test_a_day_without_a_bar_is_a_day_without_a_choice() -> None:
    """The coin that lacks a day is not held in the sleeve of that day, and comes back in the next one."""
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05, 0.09], 40)
    lacking = candles[5]
    kept = lacking.times != START_NS + 30 * DAY_NS
    holed = [*candles[:5], Candles(lacking.instrument, "1d", *(column[kept] for column in lacking.columns()))]
    before, after, week_later = (asked(run([listed(each, 0, day) for each in holed])) for day in (29, 31, 37))
    assert before[5] == 1 and before[4] == 0
    assert (after[4], after[5]) == (round(1 / 7, 6), round(6 / 7, 6))
    assert week_later[5] == 1 and week_later[4] == 0


def without(candles: Candles, *days: int) -> Candles:
    """Return the candles without some days."""
    kept = ~np.isin((candles.times - START_NS) // DAY_NS, days)
    return Candles(candles.instrument, "1d", *(column[kept] for column in candles.columns()))


def test_a_day_without_a_bar_has_no_volume_whenever_the_run_began() -> None:
    """Of the last three days two are missing: the median is nought, seen from the start or begun after the hole."""
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05, 0.09], 33)
    holed = [without(candles[0], 30, 31), *candles[1:]]
    for first in (0, 23):
        medians = run([listed(each, first, 32) for each in holed]).cell("median")[:, 0]
        assert medians[0] == 0 and medians[1] > 0


def test_who_lacks_the_day_of_the_choice_is_sold_on_the_next() -> None:
    """All sleeves are formed on Mondays; the coin that has no bar then is not among the chosen any more."""
    candles = growing([0.01, 0.02, 0.03, 0.04, 0.05, 0.09], 40)
    formed = int(run(candles, staggered=False).fills()["time_ns"].min() - START_NS) // DAY_NS - 1
    monday = formed + 14
    holed = [*candles[:5], without(candles[5], monday)]
    shares = [asked(run([listed(each, 0, day) for each in holed], staggered=False))[5] for day in (monday, monday + 1)]
    assert shares == [1, 0]
    fills = run(holed, staggered=False).fills()
    sold = [int(fill["time_ns"] - START_NS) // DAY_NS for fill in fills if fill["instrument"] == 5 and fill["side"] < 0]
    assert sold[0] == monday + 2
