"""Every worked value of the figures, from the file to the function that has to give it; none may be left over."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot.backtesting import moments, selection
from crypto_bot.backtesting.drawdown import falls, measure_drawdown, runs_under_water
from crypto_bot.backtesting.metrics import annual_growth, simple_returns
from crypto_bot.backtesting.scores import score

FloatArray = npt.NDArray[np.float64]

FOLDER = Path(__file__).parents[1] / "data" / "metrics"
FILE: dict[str, Any] = json.loads((FOLDER / "vectors.json").read_text())
EMPYRICAL: dict[str, Any] = json.loads((FOLDER / "empyrical.json").read_text())

MIXED = np.array([1, 10, -4, 2, 3, 2, 1, -10]) / 100
FALLING = np.array([0, -6, -7, -1, -9, -2, -6, -8, -5]) / 100
ONE = np.array([-0.00171614, 0.01322056, 0.03063862, -0.01422057, -0.00489779, 0.01268925, -0.03357711, 0.01797036])
TWO = np.array([0.01846232, 0.00793951, -0.01448395, 0.00422537, -0.00339611, 0.03756813, 0.0151531, 0.03549769])
NETS = np.array([100, -50, 200, -100, -50, 150, -25, 75, -100, 50])
EQUITY = np.array([100, 110, 105, 99, 104, 110, 112, 100.8, 101, 113, 113])
CROOKED, TILTED, BENT = moments.Shape(-2.448, 10.164), moments.Shape(-0.2250, 2.9570), moments.Shape(-1.4455, 7.0497)
LONG_TAILED = moments.Shape(-3.0, 10.0)
DAY = 1 / math.sqrt(365)
FUND = 0.036 / 0.079

Value = float | None | Sequence[float | None]


def curve(returns: FloatArray) -> FloatArray:
    return np.cumprod(np.concatenate((np.ones(1), 1 + returns))).astype(np.float64)


def deepest(returns: FloatArray) -> float:
    equity = curve(returns)
    return measure_drawdown(equity, np.arange(equity.size)).deepest


def over(value: Value, divisor: float) -> float:
    assert isinstance(value, float)
    return value / divisor


def trades() -> Value:
    found = score(NETS)
    ratios = (found.profit_factor, found.expectancy, found.expectancy_ratio, found.sqn, found.kelly)
    return [float(ratio) for ratio in ratios if ratio is not None]


def under_water() -> Value:
    first, last = runs_under_water(falls(EQUITY))
    return [float(length) for length in last - first]


def deflated(trials: int, form: moments.Shape) -> float | None:
    return selection.deflated_skill(2.5 / math.sqrt(250), 1250, form, spread=math.sqrt(0.5 / 250), trials=trials)


def grown(rate: float) -> list[float]:
    """Return mean and median of a year of geometric Brownian motion, and how often it loses, by our own figures.

    Growth of 50 % a year at 80 % volatility, `rate` being how many paths there are; their logs are drawn as exact
    quantiles, so that nothing is left to chance.
    """
    ranks = (np.arange(rate) + 0.5) / rate
    logs = 0.5 - 0.32 + 0.8 * np.array([moments.normal_quantile(rank) for rank in ranks])
    ends = np.array([simple_returns(np.array([1.0, worth]))[0] + 1 for worth in np.exp(logs)])
    return [float(np.mean(ends)), float(np.median(ends)), float(np.mean(ends < 1))]


VECTORS: dict[str, tuple[Callable[[], Value], float]] = {
    "M1.sharpe252_empyrical": (lambda: moments.sharpe(MIXED, 252), 1e-9),
    "M1.sharpe365_ddof1": (lambda: moments.sharpe(MIXED, 365), 1e-9),
    # The population's deviation is not ours; it differs by this factor.
    "M1.sharpe365_ddof0": (lambda: over(moments.sharpe(MIXED, 365), math.sqrt(7 / 8)), 1e-9),
    "M2.sortino252_empyrical": (lambda: moments.sortino(MIXED, 252), 1e-9),
    "M2.sortino365": (lambda: moments.sortino(MIXED, 365), 1e-9),
    # Over the two losing periods alone, as some write it: not ours, and by this factor smaller.
    "M2.sortino365_Nneg": (lambda: over(moments.sortino(MIXED, 365), 2.0), 1e-9),
    "M2.sortino365_stdneg": (lambda: over(moments.sortino(MIXED, 365), _spread_of_losses()), 1e-9),
    "M3.mdd_mixed": (lambda: deepest(MIXED), 1e-9),
    "M3.mdd_neg": (lambda: deepest(FALLING), 1e-9),
    "M3.mdd_10_-10_10": (lambda: deepest(np.array([0.1, -0.1, 0.1])), 1e-9),
    "M3.mdd_first_loss": (lambda: deepest(np.array([-0.2, 0.1])), 1e-9),
    "M4.cum_mixed": (lambda: float(curve(MIXED)[-1] - 1), 1e-9),
    "M4.cagr365": (lambda: _yearly_of_mixed(), 1e-9),
    "M4.calmar365": (lambda: _yearly_of_mixed() / -deepest(MIXED), 1e-9),
    "M5.log_sharpe365": (lambda: moments.sharpe(np.log1p(MIXED), 365), 1e-9),
    "M6.trades": (trades, 1e-9),
    "M7.ulcer": (lambda: measure_drawdown(EQUITY, np.arange(EQUITY.size)).ulcer, 1e-9),
    "M7.dd_runs_bars": (under_water, 1e-9),
    "M8.psr2012": (lambda: [moments.skill_probability(0.458, 24, form) for form in (moments.NORMAL, CROOKED)], 1e-9),
    "M8.psr2025": (
        lambda: [moments.skill_probability_2025(FUND, 24, CROOKED, benchmark=each) for each in (0.0, 0.1)],
        1e-9,
    ),
    "M9.srstd": (lambda: [moments.sharpe_error(0.7079, 134, TILTED), moments.sharpe_error(0.8183, 134, BENT)], 1e-9),
    "M9.mintrl_years": (
        lambda: [
            over(moments.least_track_record(ratio, form), 12) for ratio, form in ((0.7079, TILTED), (0.8183, BENT))
        ],
        1e-9,
    ),
    "M10.emax": (lambda: [selection.expected_best(count) for count in (2, 10, 45, 100, 1000)], 1e-9),
    "M10.dsr2014": (
        lambda: [deflated(100, LONG_TAILED), deflated(46, LONG_TAILED), deflated(88, moments.NORMAL)],
        1e-9,
    ),
    "M11.mintrl_SR1_daily365": (lambda: moments.least_track_record(DAY), 1e-9),
    "M11.psr_SR1_5y": (lambda: moments.skill_probability(DAY, 5 * 365), 1e-9),
    "M12.minbtl45": (lambda: selection.least_backtest_years(45), 1e-9),
    "M13.lo_annualise": (lambda: [moments.annualising(365, echo) for echo in (0.0, 0.2, -0.2)], 1e-9),
    "M14.gbm": (lambda: [float(each) for each in grown(20_001)], 5e-4),
    "M15.emdd_bm": (lambda: mean_fall_of_walks(), 0.025),
}
"""By name: what has to give the value, and how near; exact but for the two that are limits."""


def _spread_of_losses() -> float:
    losses = MIXED[MIXED < 0]
    return float(np.std(losses, ddof=1)) / (moments.downside(MIXED) or math.nan)


def _yearly_of_mixed() -> float:
    # Eight days are no basis for a year, so the program gives none; the formula is that of 46 such stretches.
    assert annual_growth(float(curve(MIXED)[-1] - 1), 8, 365) is None
    whole = annual_growth(float(np.prod(np.tile(1 + MIXED, 46)) - 1), 8 * 46, 365)
    assert whole is not None
    return whole


def mean_fall_of_walks() -> float:
    """Return the mean deepest fall of driftless walks over their deviation: steps fall short of the limit a little."""
    chance, steps, spread = np.random.default_rng(4), 8_760, 1e-4
    found = []
    for _ in range(600):
        logs = np.cumsum(chance.standard_normal(steps)) * (spread / math.sqrt(steps))
        found.append(-float(np.min(falls(np.exp(np.concatenate(([0.0], logs)))))) / spread)
    # A walk of n steps misses its continuous maximum and minimum by 0.5826 / sqrt(n) each.
    return float(np.mean(found)) + 2 * 0.5826 / math.sqrt(steps)


@pytest.mark.parametrize("name", VECTORS)
def test_a_worked_value_comes_out(name: str) -> None:
    give, tolerance = VECTORS[name]
    assert give() == pytest.approx(FILE["vectors"][name]["value"], rel=tolerance, abs=tolerance)


def test_no_worked_value_is_left_over() -> None:
    assert list(VECTORS) == list(FILE["vectors"])


def test_the_copied_values_are_those_of_the_specification(reference: Path) -> None:
    whole = json.loads((reference / "specs" / "vectors.json").read_text())
    assert {name: value for name, value in whole.items() if name.startswith("M")} == FILE["vectors"]


def test_what_the_specification_quotes_beside_the_vectors() -> None:
    more = FILE["more"]
    weekly = np.concatenate(([0.0], MIXED))  # their first observation is a missing one, counted as nought
    fund = {"true_ratio": 0.5, "prior": 0.05}
    spread = math.sqrt(0.1)
    single = moments.sharpe(MIXED, 1.0)
    assert single is not None
    found: dict[str, tuple[Value, float]] = {
        "sortino252_falling": (moments.sortino(FALLING, 252), 1e-12),
        "sharpe252_falling": (moments.sharpe(FALLING, 252), 1e-12),
        "downside252_one": (moments.downside(ONE, 252), 1e-9),
        "sortino252_one": (moments.sortino(ONE, 252), 1e-12),
        "downside252_two": (moments.downside(TWO, 252), 1e-8),
        "sortino252_two": (moments.sortino(TWO, 252), 1e-12),
        "sortino_weekly": (moments.sortino(weekly, 52), 1e-7),
        "sortino_monthly": (moments.sortino(weekly, 12), 1e-7),
        "volatility_weekly": (moments.volatility(weekly, 52), 1e-6),
        "volatility_monthly": (moments.volatility(weekly, 12), 1e-6),
        "psr_biased_moments": (moments.skill_probability(single, 8, moments.shape(MIXED)), 1e-4),
        "min_trl_2025": (moments.least_track_record_2025(FUND, CROOKED), 1e-4),
        "power_2025": (selection.missed_skill(0.5, 24, CROOKED), 1e-3),
        "false_discovery_2025": (selection.false_discovery(FUND, 24, CROOKED, **fund), 1e-3),
        "best_of_ten": (spread * selection.expected_best(10), 1e-3),
        "deflated_2025": (selection.deflated_skill_2025(FUND, 24, CROOKED, spread=spread, trials=10), 1e-3),
        "deflated_2025_single": (
            selection.deflated_skill_2025(FUND, 24, CROOKED, spread=spread, trials=10, widened=False),
            1e-3,
        ),
        "best_exact": ([selection.best_of(count)[0] for count in (10, 45, 100)], 1e-6),
    }
    assert {name: found[name][0] for name in found} == {
        name: pytest.approx(more[name], rel=found[name][1]) for name in found
    }
    # quantstats corrects the moments for bias; we do not, and the difference is in the fourth digit.
    assert set(more) - set(found) == {"psr_unbiased_moments"}
    assert abs(more["psr_unbiased_moments"] - more["psr_biased_moments"]) < 1e-3


PERIODS = {"daily": 252, "weekly": 52, "monthly": 12}


def series(name: str) -> FloatArray:
    """Return a series of empyrical; its missing first return is dropped, as its own functions do."""
    return np.array([value for value in EMPYRICAL["series"][name] if value is not None], dtype=np.float64)


def test_empyricals_total_returns_and_drawdowns() -> None:
    for name, start, expected in EMPYRICAL["cases"]["test_cum_returns_final"]:
        if expected != "nan":
            total = float(curve(series(name))[-1])
            assert (total * start if start else total - 1) == pytest.approx(expected, abs=1e-4), name
    for name, expected in EMPYRICAL["cases"]["test_max_drawdown"]:
        if expected != "nan":
            assert deepest(series(name)) == pytest.approx(expected, abs=1e-7), name


def test_empyricals_sharpe_ratios() -> None:
    for name, free, expected in EMPYRICAL["cases"]["test_sharpe_ratio"]:
        returns = series(name)
        if free not in ("0.0", name):
            returns = returns - series(free)[-returns.size :]
        elif free == name:
            returns = returns - returns
        found = moments.sharpe(returns, 252)
        if expected in ("nan", "inf"):  # ours is neither: a ratio over nothing has no meaning
            assert found is None, name
        else:
            assert found == pytest.approx(expected, rel=1e-9), name


def test_empyricals_volatility_and_growth_count_a_missing_return_as_none() -> None:
    for name, period, expected in EMPYRICAL["cases"]["test_annual_volatility"]:
        assert moments.volatility(series(name), PERIODS[period]) == pytest.approx(expected, abs=1e-9), name
    for name, period, expected in EMPYRICAL["cases"]["test_annual_ret"]:
        returns, per_year = series(name), PERIODS[period]
        total, rows = float(curve(returns)[-1] - 1), len(EMPYRICAL["series"][name])
        if returns.size == rows:
            assert annual_growth(total, rows, per_year) == pytest.approx(expected, rel=1e-9), name
        else:  # theirs counts the row without a return as a day, ours counts returns
            assert (1 + total) ** (per_year / rows) - 1 == pytest.approx(expected, rel=1e-9), name
