"""How far the figures of a run might have come out elsewhere: the stationary bootstrap of its returns.

Blocks of consecutive returns are drawn with replacement, of geometric length around a mean (Politis and Romano 1994),
so that what echoes from day to day stays together. The seed is fixed: the same run always shows the same ranges.
They tell the luck of the path, given these returns; not what other markets would do, nor the luck of the choice.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.moments import FLAT

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DRAWS, SEED = 2_000, 1
LEVEL = 0.90
FEWEST = 30
_AT_ONCE = 1 << 20
"""So many returns are drawn at a time: a few megabytes."""


class Range(NamedTuple):
    """The middle LEVEL of what the draws came to."""

    low: float
    high: float


class Ranges(NamedTuple):
    """Ranges of the yearly Sharpe ratio, the compound growth a year and the deepest fall (<= 0) of returns."""

    sharpe: Range
    cagr: Range
    deepest: Range
    block: float


def resample(returns: FloatArray, periods_per_year: float, *, draws: int = DRAWS, seed: int = SEED) -> Ranges | None:
    """Return the ranges of a run's figures; None for fewer returns than FEWEST, or when they do not vary."""
    count = int(returns.size)
    if count < FEWEST or float(np.std(returns)) < FLAT or float(np.min(returns)) <= -1:
        return None
    chance = np.random.default_rng(seed)
    block = max(5.0, 1.5 * count ** (1 / 3))
    found: list[FloatArray] = []
    each = max(1, _AT_ONCE // count)
    for first in range(0, draws, each):
        rows = block_rows(chance, (min(each, draws - first), count), block)
        found.append(figures_of(returns[rows], periods_per_year))
    edges = np.quantile(np.concatenate(found, axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    sharpe, cagr, deepest = (Range(float(edges[0, n]), float(edges[1, n])) for n in range(3))
    return Ranges(sharpe, cagr, deepest, block)


def block_rows(chance: np.random.Generator, shape: tuple[int, int], block: float) -> IntArray:
    """Return rows to draw: runs of consecutive ones, each ending with probability 1 / block, round the end."""
    count = shape[1]
    begins = chance.random(shape) < 1 / block
    begins[:, 0] = True
    starts = chance.integers(0, count, shape)
    steps = np.arange(count)
    since = np.maximum.accumulate(np.where(begins, steps, 0), axis=1)
    drawn = np.take_along_axis(starts, since, axis=1) + steps - since
    return drawn % count


def figures_of(returns: FloatArray, periods_per_year: float) -> FloatArray:
    """Return Sharpe ratio, growth a year and deepest fall of each row of returns."""
    spread = np.std(returns, axis=1, ddof=1)
    ratio = np.divide(np.mean(returns, axis=1), spread, out=np.zeros_like(spread), where=spread > FLAT)
    logs = np.cumsum(np.log1p(returns), axis=1)
    yearly = np.expm1(logs[:, -1] * (periods_per_year / returns.shape[1]))
    peaks = np.maximum(np.maximum.accumulate(logs, axis=1), 0.0)
    deepest = np.expm1(np.min(logs - peaks, axis=1))
    return np.stack((ratio * math.sqrt(periods_per_year), yearly, deepest))
