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


CONFIDENCE = 0.95
"""How sure is sure enough: one-sided."""


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


def downside(returns: FloatArray, periods_per_year: float = 1.0, *, least: float = 0.0) -> float | None:
    """Return the annualised root mean square of what falls short of `least` per period, over all returns."""
    if returns.size < 2:
        return None
    return math.sqrt(float(np.mean(np.minimum(returns - least, 0.0) ** 2)) * periods_per_year)


def sortino(returns: FloatArray, periods_per_year: float, *, least: float = 0.0) -> float | None:
    """Return the annualised Sortino ratio against `least` per period; the root mean square is over all returns."""
    short = downside(returns, least=least)
    if short is None or short < FLAT:
        return None
    return float(np.mean(returns - least)) / short * math.sqrt(periods_per_year)


def shape(returns: FloatArray) -> Shape:
    """Return skewness and raw kurtosis; those of a normal distribution when the returns do not vary."""
    if returns.size == 0:
        return NORMAL
    centred = returns - np.mean(returns)
    second = float(np.mean(centred**2))
    if math.sqrt(second) < FLAT:
        return NORMAL
    return Shape(float(np.mean(centred**3)) / second**1.5, float(np.mean(centred**4)) / second**2)


def autocorrelation(returns: FloatArray, lag: int = 1) -> float | None:
    """Return how much a return resembles the one `lag` periods before; biased estimate, None when nothing varies."""
    if returns.size <= lag + 1:
        return None
    centred = returns - np.mean(returns)
    power = float(np.dot(centred, centred))
    if math.sqrt(power / returns.size) < FLAT:
        return None
    return float(np.dot(centred[lag:], centred[:-lag])) / power


def annualising(periods: int, echo: float) -> float:
    """Return by what a per-period Sharpe ratio is to be multiplied for a year, with AR(1) returns (Lo 2002).

    `echo` is the autocorrelation at lag 1; without any the factor is the root of `periods`.
    """
    lags = np.arange(1, periods)
    variance = periods + 2 * float(np.dot(periods - lags, np.power(echo, lags)))
    return periods / math.sqrt(variance) if variance > FLAT else math.sqrt(periods)


def _spread_of_ratio(ratio: float, form: Shape, echo: float = 0.0) -> float:
    """Return the variance of an estimated per-period Sharpe ratio, times the number of returns.

    `echo` is the autocorrelation of AR(1) returns (Lopez de Prado, Lipton and Zoonekynd 2025); 0 for independent ones.
    """
    square = echo * echo
    level = 1 + 2 * echo / (1 - echo)
    tilt = 1 + echo / (1 - echo) + square / (1 - square)
    width = 1 + 2 * square / (1 - square)
    return level - tilt * form.skew * ratio + width * (form.kurtosis - 1) / 4 * ratio**2


def sharpe_error(ratio: float, count: int, form: Shape = NORMAL, *, echo: float = 0.0) -> float | None:
    """Return the standard error of a per-period Sharpe ratio over `count` returns (Bailey and Lopez de Prado 2012).

    Skew and fat tails are taken into account. Returns are taken to be independent unless `echo` says otherwise.
    """
    if count <= 1 or abs(echo) >= 1:
        return None
    return math.sqrt(max(_spread_of_ratio(ratio, form, echo), 0.0) / (count - 1))


def normal_probability(value: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * math.erfc(-value / math.sqrt(2))


def normal_quantile(probability: float) -> float:
    """Return the inverse of the standard normal distribution function."""
    from statistics import NormalDist  # 6 ms to import, needed once per run at most

    return NormalDist().inv_cdf(probability)


def skill_probability(ratio: float, count: int, form: Shape = NORMAL, *, benchmark: float = 0.0) -> float | None:
    """Return the probabilistic Sharpe ratio: how sure it is that the true ratio exceeds `benchmark`.

    Ratios are per period. The variance is taken at the observed ratio over count - 1, as published in 2012.
    """
    error = sharpe_error(ratio, count, form)
    return None if error is None or error < FLAT else normal_probability((ratio - benchmark) / error)


def skill_probability_2025(
    ratio: float, count: int, form: Shape = NORMAL, *, benchmark: float = 0.0, echo: float = 0.0
) -> float | None:
    """Return the probabilistic Sharpe ratio with the variance at the benchmark over count, as published in 2025."""
    error = null_error(benchmark, count, form, echo=echo)
    return None if error is None else normal_probability((ratio - benchmark) / error)


def null_error(benchmark: float, count: int, form: Shape = NORMAL, *, echo: float = 0.0) -> float | None:
    """Return the standard error of a per-period ratio if `benchmark` were the true one (2025); None without any."""
    if count < 1 or abs(echo) >= 1:
        return None
    variance = _spread_of_ratio(benchmark, form, echo)
    return None if variance < FLAT else math.sqrt(variance / count)


def least_track_record(
    ratio: float, form: Shape = NORMAL, *, benchmark: float = 0.0, confidence: float = CONFIDENCE
) -> float | None:
    """Return how many returns it takes to tell a per-period ratio from `benchmark`; None when it lies below (2012)."""
    if ratio - benchmark < FLAT:
        return None
    return 1 + _spread_of_ratio(ratio, form) * (normal_quantile(confidence) / (ratio - benchmark)) ** 2


def least_track_record_2025(
    ratio: float, form: Shape = NORMAL, *, benchmark: float = 0.0, confidence: float = CONFIDENCE
) -> float | None:
    """Return the same with the variance at the benchmark, as published in 2025."""
    if ratio - benchmark < FLAT:
        return None
    return _spread_of_ratio(benchmark, form) * (normal_quantile(confidence) / (ratio - benchmark)) ** 2


def growth(returns: FloatArray, periods_per_year: float) -> tuple[float, float | None] | None:
    """Return the mean log return per year and its t statistic; None when the capital was lost or nothing is known."""
    if returns.size == 0 or float(np.min(returns)) <= -1:
        return None
    logs = np.log1p(returns)
    spread, mean = deviation(logs), float(np.mean(logs))
    certainty = None if spread is None or spread < FLAT else mean / spread * math.sqrt(logs.size)
    return mean * periods_per_year, certainty
