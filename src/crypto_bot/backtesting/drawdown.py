"""How far and for how long equity lay below its highest point so far; the initial equity is the first point."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Drawdown(NamedTuple):
    """The falls of one equity curve, its start counted as a point.

    `deepest` is <= 0 (-0.1 is ten percent below the peak). `longest_ns` runs from a peak to the first point that is
    as high again, or to the end when none is. `under_water` is the share of points below an earlier one, `ulcer` the
    root mean square of the falls.
    """

    deepest: float
    longest_ns: int
    under_water: float
    ulcer: float
    still_open: bool


def falls(equity: FloatArray) -> FloatArray:
    """Return equity / highest so far - 1 for each point; 0 at a peak, never above it."""
    peaks = np.maximum.accumulate(equity)
    depth = np.divide(equity, peaks, out=np.ones_like(equity), where=peaks > 0)
    depth -= 1
    return depth


def runs_under_water(depth: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the first and the past-the-last index of each unbroken stretch below a peak."""
    below = np.concatenate(([False], depth < 0, [False]))
    edges = np.flatnonzero(below[1:] != below[:-1])
    return edges[0::2], edges[1::2]


def measure_drawdown(equity: FloatArray, times: IntArray) -> Drawdown:
    """Measure the falls of equity at times (ns), both beginning with the start of the run."""
    depth = falls(equity)
    first, last = runs_under_water(depth)
    # The first point of all is never below itself, so each run has a peak before it.
    ends = times[np.minimum(last, times.size - 1)]
    longest = int(np.max(ends - times[first - 1])) if first.size else 0
    return Drawdown(
        deepest=float(np.min(depth)),
        longest_ns=longest,
        under_water=float(np.mean(depth < 0)),
        ulcer=float(np.sqrt(np.mean(depth**2))),
        still_open=bool(depth[-1] < 0),
    )
