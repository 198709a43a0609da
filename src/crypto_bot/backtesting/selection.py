"""What is left of a Sharpe ratio when it is the best of many: the price of having looked often.

All ratios are per period. Numbers of trials are those that were independent: see `effective_trials`.
"""

import math

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.moments import (
    CONFIDENCE,
    FLAT,
    NORMAL,
    Shape,
    normal_probability,
    normal_quantile,
    null_error,
    skill_probability,
)

FloatArray = npt.NDArray[np.float64]

EULER = 0.5772156649015329
"""The Euler-Mascheroni constant."""

_REACH, _POINTS = 12.0, 24_001
"""A grid on which the normal density is integrated: far and fine enough for ten digits."""


def expected_best(trials: float) -> float:
    """Return how many standard deviations the best of so many worthless trials is expected to reach.

    The approximation of Bailey and Lopez de Prado (2014): 1.57 for ten trials, 2.53 for a hundred. 0 for one.
    """
    if trials <= 1:
        return 0.0
    return (1 - EULER) * normal_quantile(1 - 1 / trials) + EULER * normal_quantile(1 - 1 / (trials * math.e))


def best_of(trials: int) -> tuple[float, float]:
    """Return mean and variance of the best of so many standard normal draws, integrated numerically."""
    x = np.linspace(-_REACH, _REACH, _POINTS)
    density = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    below = np.cumsum((density[1:] + density[:-1]) / 2) * (x[1] - x[0])
    below = np.concatenate(([0.0], below))
    weights = trials * density * below ** (trials - 1)
    weights /= float(np.sum(weights))
    mean = float(np.dot(weights, x))
    return mean, float(np.dot(weights, (x - mean) ** 2))


def deflated_skill(ratio: float, count: int, form: Shape = NORMAL, *, spread: float, trials: float) -> float | None:
    """Return the deflated Sharpe ratio (2014): how sure it is that the best of `trials` is above what luck gives.

    `spread` is the standard deviation of the trials' ratios per period, `count` the number of returns.
    """
    return skill_probability(ratio, count, form, benchmark=spread * expected_best(trials))


def deflated_skill_2025(
    ratio: float, count: int, form: Shape = NORMAL, *, spread: float, trials: int, widened: bool = True
) -> float | None:
    """Return the deflated Sharpe ratio (2025): the variance at the benchmark, and that of the best, not of one.

    With `widened=False` the variance is that of a single trial.
    """
    benchmark = spread * expected_best(trials)
    error = null_error(benchmark, count, form)
    if error is None:
        return None
    width = math.sqrt(best_of(trials)[1]) if widened else 1.0
    return normal_probability((ratio - benchmark) / (error * width))


def effective_trials(correlations: FloatArray) -> float:
    """Return how many independent trials so many correlated ones are worth: r + (1 - r) M, r the mean correlation."""
    count = int(correlations.shape[0])
    if count < 2:
        return float(count)
    mean = (float(np.sum(correlations)) - count) / (count * (count - 1))
    return mean + (1 - mean) * count


def effective_rank(correlations: FloatArray) -> float:
    """Return the same by another count: the exponential of the entropy of the eigenvalues."""
    values = np.clip(np.linalg.eigvalsh(correlations), 0.0, None)
    shares = values[values > FLAT] / float(np.sum(values))
    return float(np.exp(-np.dot(shares, np.log(shares))))


def least_backtest_years(trials: float, ratio: float = 1.0) -> float:
    """Return the years below which the best of so many worthless trials is expected to show this yearly ratio."""
    years: float = (expected_best(trials) / ratio) ** 2
    return years


def missed_skill(
    true_ratio: float, count: int, form: Shape = NORMAL, *, benchmark: float = 0.0, confidence: float = CONFIDENCE
) -> float | None:
    """Return how likely a true ratio of this size goes unnoticed: the error of the second kind (2025)."""
    null, other = null_error(benchmark, count, form), null_error(true_ratio, count, form)
    if null is None or other is None:
        return None
    return normal_probability((benchmark + null * normal_quantile(confidence) - true_ratio) / other)


def false_discovery(
    ratio: float, count: int, form: Shape = NORMAL, *, true_ratio: float, prior: float, benchmark: float = 0.0
) -> float | None:
    """Return how likely an observed ratio is luck, when a share `prior` of all strategies has `true_ratio` (2025)."""
    null, other = null_error(benchmark, count, form), null_error(true_ratio, count, form)
    if null is None or other is None:
        return None
    by_luck = (1 - prior) * normal_probability((benchmark - ratio) / null)
    by_skill = prior * normal_probability((true_ratio - ratio) / other)
    return by_luck / (by_luck + by_skill) if by_luck + by_skill > 0 else None
