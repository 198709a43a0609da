"""Each figure against numbers that were worked out elsewhere: published vectors, empyrical's test series, by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from crypto_bot.backtesting import moments
from crypto_bot.backtesting.drawdown import falls, measure_drawdown, runs_under_water
from crypto_bot.backtesting.holding import buy_and_hold_curve
from crypto_bot.backtesting.metrics import annual_growth, measure, periodic_returns
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, DAY_NS
from tests.outcomes import (
    FEE_PPM,
    START_NS,
    Ledger,
    average_run,
    free_of_costs,
    idle_run,
    outcome_of,
    random_candles,
)

MIXED = np.array([1, 10, -4, 2, 3, 2, 1, -10]) / 100
FALLING = np.array([0, -6, -7, -1, -9, -2, -6, -8, -5]) / 100
ONE = np.array([-0.00171614, 0.01322056, 0.03063862, -0.01422057, -0.00489779, 0.01268925, -0.03357711, 0.01797036])
TWO = np.array([0.01846232, 0.00793951, -0.01448395, 0.00422537, -0.00339611, 0.03756813, 0.0151531, 0.03549769])
EQUITY = [100, 110, 105, 99, 104, 110, 112, 100.8, 101, 113, 113]


def curve(returns: np.ndarray) -> np.ndarray:
    return np.cumprod(np.concatenate(([1.0], 1 + returns)))


def days(count: int) -> np.ndarray:
    return START_NS + np.arange(count) * DAY_NS


@pytest.mark.parametrize(
    ("returns", "per_year", "expected"),
    [
        (MIXED, 252, 1.7238613961706857),
        (MIXED, 365, 2.0746675114386077),
        (FALLING, 252, -24.406808633910085),
        (np.log1p(MIXED), 365, 1.5733214336503807),
    ],
)
def test_sharpe_is_that_of_the_published_series(returns: np.ndarray, per_year: float, expected: float) -> None:
    assert moments.sharpe(returns, per_year) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("returns", "per_year", "expected"),
    [
        (MIXED, 252, 2.6055312516736913),
        (MIXED, 365, 3.13575734678738),
        (MIXED, 52, 1.1158901),
        (MIXED, 12, 0.5360563),
        (FALLING, 252, -13.532743075043401),
        (ONE, 252, 3.0639640966566306),
        (TWO, 252, 38.090963117002495),
    ],
)
def test_sortino_divides_by_the_root_mean_square_over_all_returns(
    returns: np.ndarray, per_year: float, expected: float
) -> None:
    if per_year in (52, 12):
        returns = np.concatenate(([0.0], returns))  # their first observation is a missing one, counted as nought
    assert moments.sortino(returns, per_year) == pytest.approx(expected, rel=1e-7 if per_year in (52, 12) else 1e-12)


@pytest.mark.parametrize(("per_year", "expected"), [(52, 0.3885157), (12, 0.1866369)])
def test_volatility_is_that_of_the_published_series(per_year: float, expected: float) -> None:
    assert moments.volatility(np.concatenate(([0.0], MIXED)), per_year) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("returns", "expected"),
    [(MIXED, -0.1), (FALLING, -0.365907303498736), ([0.1, -0.1, 0.1], -0.1), ([-0.2, 0.1], -0.2)],
)
def test_the_deepest_drawdown_counts_the_initial_equity(returns: np.ndarray, expected: float) -> None:
    equity = curve(np.asarray(returns, dtype=float))
    assert measure_drawdown(equity, days(equity.size)).deepest == pytest.approx(expected, rel=1e-12)


def test_time_under_water_and_ulcer_are_those_of_the_worked_example() -> None:
    equity = np.array(EQUITY, dtype=float)
    first, last = runs_under_water(falls(equity))
    assert (last - first).tolist() == [3, 2]
    found = measure_drawdown(equity, days(equity.size))
    assert found.ulcer == pytest.approx(0.05615511652590441, rel=1e-12)
    assert found.longest_ns == 4 * DAY_NS  # from the peak of 110 to the bar that is 110 again
    assert not found.still_open
    assert found.under_water == pytest.approx(5 / 11)


def test_an_open_drawdown_counts_to_the_end() -> None:
    found = measure_drawdown(np.array([100.0, 120, 119, 118, 119]), days(5))
    assert (found.longest_ns, found.still_open) == (3 * DAY_NS, True)


def test_growth_per_year_and_calmar_are_those_of_the_worked_example() -> None:
    total = float(np.prod(1 + MIXED) - 1)
    assert total == pytest.approx(0.03893109170048037, rel=1e-12)
    assert (1 + total) ** (365 / 8) - 1 == pytest.approx(4.711762871576596)
    assert annual_growth(total, 8, 365) is None, "eight days are no basis for a year"
    assert annual_growth(0.1, 30, 365) == pytest.approx(1.1 ** (365 / 30) - 1)
    assert annual_growth(0.1, 29, 365) is None
    assert annual_growth(0.1, 5, 365 / 7) == pytest.approx(1.1 ** (365 / 35) - 1)
    assert annual_growth(-1.0, 400, 365) == -1.0


@pytest.mark.parametrize(
    ("ratio", "count", "form", "expected"),
    [(0.7079, 134, (-0.2250, 2.9570), 0.10276082308007262), (0.8183, 134, (-1.4455, 7.0497), 0.15500654727884933)],
)
def test_the_error_of_a_sharpe_ratio_is_that_of_the_paper(
    ratio: float, count: int, form: tuple[float, float], expected: float
) -> None:
    assert moments.sharpe_error(ratio, count, moments.Shape(*form)) == pytest.approx(expected, rel=1e-12)


def test_the_probability_of_skill_follows_both_published_conventions() -> None:
    crooked = moments.Shape(-2.448, 10.164)
    assert moments.skill_probability(0.458, 24) == pytest.approx(0.9816749190910771, rel=1e-9)
    assert moments.skill_probability(0.458, 24, crooked) == pytest.approx(0.913361083860933, rel=1e-9)
    newer = moments.skill_probability_2025
    assert newer(0.036 / 0.079, 24, crooked) == pytest.approx(0.9872072612614331, rel=1e-9)
    assert newer(0.036 / 0.079, 24, crooked, benchmark=0.1) == pytest.approx(0.9391476251031434, rel=1e-9)
    assert moments.skill_probability(1 / math.sqrt(365), 1825) == pytest.approx(0.9872560191998044, rel=1e-9)


def test_the_least_track_record_is_that_of_the_paper() -> None:
    for ratio, form, years in (
        (0.7079, (-0.2250, 2.9570), 0.7152156942951801),
        (0.8183, (-1.4455, 7.0497), 1.159302661381875),
    ):
        assert moments.least_track_record(ratio, moments.Shape(*form)) == pytest.approx(12 * years, rel=1e-9)
    assert moments.least_track_record(1 / math.sqrt(365)) == pytest.approx(989.8761324718733, rel=1e-9)
    assert moments.least_track_record(-0.1) is None


def test_moments_are_biased_and_kurtosis_is_raw() -> None:
    assert moments.shape(np.array([1.0, -1.0, 1.0, -1.0])) == moments.Shape(0.0, 1.0)
    assert moments.shape(np.full(9, 0.25)) == moments.NORMAL


@pytest.mark.parametrize("equity", [[100.0] * 60, [100.0]], ids=["flat", "one bar"])
def test_what_has_no_meaning_is_none_and_never_infinite(equity: list[float]) -> None:
    found = measure(idle_run(equity))
    assert (found.sharpe, found.sharpe_se, found.certainty.skill, found.sortino, found.calmar) == (None,) * 5
    assert (found.scores.profit_factor, found.scores.expectancy, found.scores.win_rate) == (None, None, None)
    assert (found.total_return, found.drawdown.deepest, found.exposure, found.turnover) == (0.0, 0.0, 0.0, 0.0)


def test_capital_lost_to_the_last_atom_still_has_figures() -> None:
    found = measure(idle_run([90.0] * 40 + [0.0] * 20))
    assert (found.total_return, found.cagr, found.drawdown.deepest) == (-1.0, -1.0, -1.0)
    assert found.log_growth is None


def test_returns_are_taken_at_the_utc_days_close() -> None:
    hour = DAY_NS // 24
    opens = START_NS + 20 * hour + np.arange(30) * hour  # from 20:00 over a whole day to 02:00
    equity = np.concatenate(([100.0], np.arange(101.0, 131.0)))
    found = periodic_returns(equity, np.concatenate((opens[:1], opens + hour)), hour)
    assert found == pytest.approx([104 / 100 - 1, 128 / 104 - 1, 130 / 128 - 1])


def test_a_day_without_bars_counts_with_nothing() -> None:
    opens = np.array([0, 1, 4]) * DAY_NS
    found = periodic_returns(np.array([100.0, 110, 99, 99]), np.concatenate((opens[:1], opens + DAY_NS)), DAY_NS)
    assert found == pytest.approx([0.1, -0.1, 0, 0, 0])


def test_bars_longer_than_a_day_have_their_own_year() -> None:
    found = measure(idle_run([100.0 + n % 3 for n in range(20)], timeframe="1w"))
    assert found.certainty.periods == 20
    assert found.periods_per_year == pytest.approx(365 / 7)


def test_the_same_run_at_another_scale_has_the_same_ratios() -> None:
    small, large = measure(idle_run(EQUITY)), measure(idle_run([1_000 * e for e in EQUITY], initial=100_000))
    assert small.sharpe == pytest.approx(large.sharpe)
    assert small.drawdown.deepest == pytest.approx(large.drawdown.deepest)


def test_holding_buys_at_the_second_bars_open_with_its_costs() -> None:
    outcome = average_run(1_000, symbols=("BTC/USDT", "ETH/USDT"))
    expected = []
    for candles in outcome.candles:
        price = int(candles.open[1]) * 1.0005 * (1 + FEE_PPM / 1e6)
        expected.append(int(candles.close[-1]) / price)
    found = measure(outcome)
    assert found.buy_and_hold_return == pytest.approx(sum(expected) / 2 - 1)
    hold = buy_and_hold_curve(outcome)
    assert hold is not None
    assert (hold[0], hold[-1] - 1) == (1.0, pytest.approx(found.buy_and_hold_return))
    free = measure(free_of_costs(outcome)).buy_and_hold_return
    assert free is not None and free > (found.buy_and_hold_return or 0)
    assert measure(idle_run([100.0])).buy_and_hold_return is None


def test_exposure_and_turnover_are_those_of_a_plain_count() -> None:
    outcome = average_run(2_000)
    held, inside, traded, row = 0, 0, 0, 0
    for time in outcome.times.tolist():
        while row < outcome.fills.size and outcome.fills["time_ns"][row] <= time:
            fill = outcome.fills[row]
            held += int(fill["side"]) * int(fill["quantity"])
            traded += int(fill["price"]) * int(fill["quantity"])
            row += 1
        inside += held != 0
    found = measure(outcome)
    assert found.exposure == pytest.approx(inside / 2_000)
    years = 2_000 / 24 / 365
    assert found.turnover == pytest.approx(traded / float(np.mean(outcome.equity)) / years)
    assert 0 < found.mean_invested <= found.exposure


def test_the_calmar_ratio_of_the_last_three_years_forgets_what_was_before() -> None:
    chance = np.random.default_rng(9)
    moves = chance.normal(0.001, 0.02, 1_500)
    moves[100] = -0.5  # before the last 36 months
    equity = (100.0 * np.cumprod(1 + moves)).astype(np.float64)
    found = measure(idle_run(equity.tolist()))
    part = equity[-1096:]
    yearly = (part[-1] / part[0]) ** (1 / 3) - 1
    assert found.recent_calmar == pytest.approx(yearly / -float(np.min(falls(part))), rel=1e-6)
    assert found.calmar is not None and found.drawdown.deepest < -0.5
    assert measure(idle_run(equity[:1_095].tolist())).recent_calmar is None


@pytest.mark.parametrize(("timeframe", "hours"), [("1d", 0), ("4h", 22), ("1h", 5)])
def test_who_only_holds_is_all_market(timeframe: str, hours: int) -> None:
    bars = 60 * DAY_NS // timeframe_ns(timeframe)
    walk = random_candles(Instrument("BTC/USDT"), bars, seed=4, timeframe=timeframe)
    later = replace(walk, times=walk.times + hours * DAY_NS // 24)
    outcome = outcome_of(Ledger((later,), 0), [1] * bars, initial=100 * ATOMS)
    hold = buy_and_hold_curve(outcome)
    assert hold is not None
    found = measure(replace(outcome, equity=np.rint(hold * 100 * ATOMS).astype(np.int64))).market
    assert found is not None
    assert [found.beta, found.explained] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert found.alpha == pytest.approx(0.0, abs=1e-6)


def test_a_run_without_bars_is_refused() -> None:
    with pytest.raises(ValueError, match="without bars"):
        measure(idle_run([]))


def test_a_gap_in_the_books_is_found() -> None:
    outcome = average_run(1_500)
    assert measure(outcome).books_gap == 0
    outcome.equity[-1] += 3
    assert measure(outcome).books_gap == 3
    assert outcome.initial_equity == 25_000 * ATOMS
