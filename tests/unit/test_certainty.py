"""What is known of a Sharpe ratio, and whether it holds when many series are drawn."""

import math

import numpy as np
import pytest

from crypto_bot.backtesting import moments, selection
from crypto_bot.backtesting.certainty import measure_certainty


def drawn(count: int, *, mean: float, echo: float, seed: int) -> np.ndarray:
    """Return normal returns of deviation 0.01, each taking over a part of the one before."""
    chance = np.random.default_rng(seed)
    steps = chance.normal(0, math.sqrt(1 - echo * echo) * 0.01, count)
    returns, last = np.empty(count), float(chance.normal(0, 0.01))
    for row, step in enumerate(steps.tolist()):
        last = echo * last + step
        returns[row] = last + mean
    return returns


@pytest.mark.parametrize("echo", [0.0, 0.3])
def test_the_error_is_what_many_series_scatter_by(echo: float) -> None:
    found = [measure_certainty(drawn(400, mean=0.001, echo=echo, seed=seed), 365) for seed in range(400)]
    ratios = [moments.sharpe(drawn(400, mean=0.001, echo=echo, seed=seed), 365) or 0.0 for seed in range(400)]
    scatter = float(np.std(ratios, ddof=1))
    plain = float(np.mean([each.error or 0.0 for each in found]))
    told = float(np.mean([each.echo_error or 0.0 for each in found]))
    assert told == pytest.approx(scatter, rel=0.12)
    assert (plain == pytest.approx(scatter, rel=0.12)) == (echo == 0.0), "independent returns are an assumption"


def test_certainty_is_kept_as_often_as_it_is_promised() -> None:
    sure = [measure_certainty(drawn(300, mean=0.0, echo=0.0, seed=seed), 365).skill or 0.0 for seed in range(600)]
    assert np.mean(np.array(sure) > 0.95) == pytest.approx(0.05, abs=0.03)
    assert np.mean(np.array(sure) > 0.5) == pytest.approx(0.5, abs=0.06)


def test_an_echo_is_called_one_only_when_chance_would_not_show_it() -> None:
    assert measure_certainty(drawn(400, mean=0.0, echo=0.3, seed=1), 365).echoes
    calm = [measure_certainty(drawn(400, mean=0.0, echo=0.0, seed=seed), 365).echoes for seed in range(200)]
    assert np.mean(calm) < 0.1


def test_autocorrelation_is_that_of_a_plain_sum() -> None:
    returns = drawn(90, mean=0.002, echo=0.2, seed=3)
    centred = returns - returns.mean()
    for lag in (1, 5):
        expected = sum(centred[n] * centred[n + lag] for n in range(90 - lag)) / sum(centred**2)
        assert moments.autocorrelation(returns, lag) == pytest.approx(expected)
    assert moments.autocorrelation(np.full(30, 0.01)) is None
    assert moments.autocorrelation(returns[:2]) is None


def test_a_ratio_without_variation_has_no_certainty() -> None:
    found = measure_certainty(np.full(40, 0.01), 365)
    assert {found.error, found.skill, found.skill_2025, found.needed, found.echo, found.echo_sharpe} == {None}
    assert not found.echoes


def test_the_two_conventions_agree_at_the_benchmark_and_differ_in_the_tail() -> None:
    calm = measure_certainty(drawn(400, mean=0.0, echo=0.0, seed=2), 365)
    assert calm.skill == pytest.approx(calm.skill_2025, abs=0.05)
    strong = measure_certainty(np.array([0.01, 0.012, -0.03, 0.011] * 5 + [0.012] * 9), 365)
    assert strong.skill is not None and strong.skill_2025 is not None
    assert abs(strong.skill - strong.skill_2025) > 0.01


def test_an_impossible_echo_gives_no_error() -> None:
    assert moments.sharpe_error(0.1, 100, echo=1.0) is None
    assert moments.null_error(0.0, 0) is None


def test_independent_trials_count_whole_and_copies_once() -> None:
    assert selection.effective_trials(np.eye(12)) == pytest.approx(12)
    assert selection.effective_trials(np.ones((12, 12))) == pytest.approx(1)
    assert selection.effective_rank(np.eye(12)) == pytest.approx(12)
    assert selection.effective_rank(np.ones((12, 12))) == pytest.approx(1)
    assert (selection.effective_trials(np.eye(1)), selection.expected_best(1)) == (1.0, 0.0)


def test_the_best_of_many_is_as_good_as_drawing_says() -> None:
    best = np.random.default_rng(8).standard_normal((4_000, 50)).max(axis=1)
    mean, variance = selection.best_of(50)
    assert mean == pytest.approx(float(best.mean()), abs=0.03)
    assert variance == pytest.approx(float(best.var()), abs=0.02)


@pytest.mark.parametrize("echo", [-0.4, 0.1, 0.6])
def test_an_echo_adds_up_over_all_lags(echo: float) -> None:
    lags = np.abs(np.arange(-200, 201))
    level, width = float(np.sum(echo**lags)), float(np.sum(echo ** (2 * lags)))
    form, ratio = moments.Shape(-0.8, 6.0), 0.12
    variance = level - (level + width) / 2 * form.skew * ratio + width * (form.kurtosis - 1) / 4 * ratio**2
    assert moments.sharpe_error(ratio, 101, form, echo=echo) == pytest.approx(math.sqrt(variance / 100))
    assert moments.null_error(ratio, 100, form, echo=echo) == pytest.approx(math.sqrt(variance / 100))
