"""Ratios of a series of periodic returns, each with its error where it has one.

Every function takes simple returns per period as float64 and answers None where the figure has no meaning:
too few returns, or none that vary. Nothing here answers NaN or infinity.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

FLAT = 1e-12
"""Deviations below this are rounding noise: a ratio over them would be noise too."""


class Shape(NamedTuple):
    """The form of a distribution by its biased moments; `kurtosis` is raw, 3 for a normal one."""

    skew: float
    kurtosis: float


NORMAL = Shape(0.0, 3.0)


def deviation(returns: FloatArray) -> float | None:
    """Return the sample standard deviation (ddof 1), None for fewer than two returns."""
    return float(np.std(returns, ddof=1)) if returns.size > 1 else None


def volatility(returns: FloatArray, periods_per_year: float) -> float | None:
    """Return the annualised standard deviation."""
    spread = deviation(returns)
    return None if spread is None else spread * math.sqrt(periods_per_year)


def sharpe(returns: FloatArray, periods_per_year: float, *, risk_free: float = 0.0) -> float | None:
    """Return the annualised arithmetic Sharpe ratio; `risk_free` is a yearly rate."""
    spread = deviation(returns)
    if spread is None or spread < FLAT:
        return None
    return (float(np.mean(returns)) - risk_free / periods_per_year) / spread * math.sqrt(periods_per_year)


def sortino(returns: FloatArray, periods_per_year: float, *, least: float = 0.0) -> float | None:
    """Return the annualised Sortino ratio against `least` per period; the root mean square is over all returns."""
    if returns.size < 2:
        return None
    beyond = returns - least
    downside = math.sqrt(float(np.mean(np.minimum(beyond, 0.0) ** 2)))
    return None if downside < FLAT else float(np.mean(beyond)) / downside * math.sqrt(periods_per_year)


def shape(returns: FloatArray) -> Shape:
    """Return skewness and raw kurtosis; those of a normal distribution when the returns do not vary."""
    if returns.size == 0:
        return NORMAL
    centred = returns - np.mean(returns)
    second = float(np.mean(centred**2))
    if math.sqrt(second) < FLAT:
        return NORMAL
    return Shape(float(np.mean(centred**3)) / second**1.5, float(np.mean(centred**4)) / second**2)


def _spread_of_ratio(ratio: float, form: Shape) -> float:
    """Return the variance of an estimated per-period Sharpe ratio, times the number of returns."""
    return 1 - form.skew * ratio + (form.kurtosis - 1) / 4 * ratio**2


def sharpe_error(ratio: float, count: int, form: Shape = NORMAL) -> float | None:
    """Return the standard error of a per-period Sharpe ratio over `count` returns (Bailey and Lopez de Prado 2012)."""
    return math.sqrt(max(_spread_of_ratio(ratio, form), 0.0) / (count - 1)) if count > 1 else None


def normal_probability(value: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * math.erfc(-value / math.sqrt(2))


def skill_probability(ratio: float, count: int, form: Shape = NORMAL, *, benchmark: float = 0.0) -> float | None:
    """Return the probabilistic Sharpe ratio: how sure it is that the true ratio exceeds `benchmark`.

    Ratios are per period. The variance is taken at the observed ratio over count - 1, as published in 2012.
    """
    error = sharpe_error(ratio, count, form)
    return None if error is None or error < FLAT else normal_probability((ratio - benchmark) / error)


def skill_probability_2025(ratio: float, count: int, form: Shape = NORMAL, *, benchmark: float = 0.0) -> float | None:
    """Return the probabilistic Sharpe ratio with the variance at the benchmark over count, as published in 2025."""
    variance = _spread_of_ratio(benchmark, form)
    if count < 1 or variance < FLAT:
        return None
    return normal_probability((ratio - benchmark) / math.sqrt(variance / count))


def least_track_record(
    ratio: float, form: Shape = NORMAL, *, benchmark: float = 0.0, confidence: float = 0.95
) -> float | None:
    """Return how many returns it takes to tell a per-period ratio from `benchmark`; None when it lies below."""
    from statistics import NormalDist  # 6 ms to import, needed once per run at most

    if ratio - benchmark < FLAT:
        return None
    quantile = NormalDist().inv_cdf(confidence)
    return 1 + _spread_of_ratio(ratio, form) * (quantile / (ratio - benchmark)) ** 2


def growth(returns: FloatArray, periods_per_year: float) -> tuple[float, float | None] | None:
    """Return the mean log return per year and its t statistic; None when the capital was lost or nothing is known."""
    if returns.size == 0 or float(np.min(returns)) <= -1:
        return None
    logs = np.log1p(returns)
    spread, mean = deviation(logs), float(np.mean(logs))
    certainty = None if spread is None or spread < FLAT else mean / spread * math.sqrt(logs.size)
    return mean * periods_per_year, certainty
