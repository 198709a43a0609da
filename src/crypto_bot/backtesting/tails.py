"""How bad the bad days are: historical value at risk and what lies beyond it."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Tail(NamedTuple):
    """The losing end of a series of returns, as returns: -0.03 is a loss of 3 percent in one period.

    `at_risk` is the return that only `1 - level` of all periods fall below; `beyond` the mean of those at or below it.
    """

    level: float
    at_risk: float
    beyond: float


def tail(returns: FloatArray, level: float) -> Tail | None:
    """Return the tail at a level (0.95, 0.99); None when there are too few returns to have one beyond it.

    The smallest `ceil((1 - level) n)` returns are the tail and its mildest one the value at risk: an observed
    return, not one in between.
    """
    count = math.ceil(round((1 - level) * returns.size, 9))
    if count < 1 or returns.size * (1 - level) < 1 - 1e-9:
        return None
    worst = np.partition(returns, count - 1)[:count]
    return Tail(level, float(np.max(worst)), float(np.mean(worst)))
