"""How much of a bot's return is that of the market: ordinary least squares with errors that bear autocorrelation."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.moments import FLAT

FloatArray = npt.NDArray[np.float64]

FEWEST = 10
"""Fewer pairs of returns say nothing about a line through them."""


class Regression(NamedTuple):
    """return = alpha + beta x market return: `alpha` per year, `beta` plain, both with their t statistics.

    The errors behind the t statistics are those of Newey and West (1987) with `lag` = floor(4 (T / 100)^(2/9)).
    `explained` is the share of the variance that the market explains.
    """

    alpha: float
    alpha_t: float | None
    beta: float
    beta_t: float | None
    explained: float
    lag: int


def regress(returns: FloatArray, market: FloatArray, periods_per_year: float) -> Regression | None:
    """Explain returns by those of the market over the same periods; None when there are too few, or none that vary."""
    count = min(returns.size, market.size)
    if count < FEWEST:
        return None
    own, other = returns[:count], market[:count]
    centred = other - np.mean(other)
    power = float(np.dot(centred, centred))
    spread = own - np.mean(own)
    if math.sqrt(power / count) < FLAT:
        return None
    beta = float(np.dot(centred, own)) / power
    alpha = float(np.mean(own)) - beta * float(np.mean(other))
    rest = own - alpha - beta * other
    lag = math.floor(4 * (count / 100) ** (2 / 9))
    errors = _errors(other, rest, lag)
    total = float(np.dot(spread, spread))
    return Regression(
        alpha=alpha * periods_per_year,
        alpha_t=None if errors is None else alpha / errors[0],
        beta=beta,
        beta_t=None if errors is None else beta / errors[1],
        explained=0.0 if total < FLAT**2 else 1 - float(np.dot(rest, rest)) / total,
        lag=lag,
    )


def _errors(market: FloatArray, rest: FloatArray, lag: int) -> tuple[float, float] | None:
    """Return the standard errors of alpha and beta with Bartlett's weights; None where nothing is left to explain."""
    design = np.column_stack((np.ones(market.size), market))
    moved = design * rest[:, np.newaxis]
    middle = moved.T @ moved
    for step in range(1, lag + 1):
        crossed = moved[step:].T @ moved[:-step]
        middle += (1 - step / (lag + 1)) * (crossed + crossed.T)
    outer = np.linalg.inv(design.T @ design)
    variances = np.diag(outer @ middle @ outer)
    if float(np.min(variances)) <= FLAT**2:
        return None
    return math.sqrt(float(variances[0])), math.sqrt(float(variances[1]))
