"""What the open times alone tell: gaps, repetitions, disorder, and whether they lie on the grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import phase_ns


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that are absent: the open times of the first and the last of them, and how many."""

    first_ns: int
    last_ns: int
    bars: int


def find_gaps(times: IntArray, bar_ns: int) -> tuple[Gap, ...]:
    """Return the stretches without bars between the first and the last of sorted open times."""
    steps = np.diff(times)
    before = np.flatnonzero(steps > bar_ns)
    return tuple(
        Gap(int(times[i]) + bar_ns, int(times[i + 1]) - bar_ns, int(steps[i]) // bar_ns - 1) for i in before.tolist()
    )


def count_out_of_order(times: IntArray) -> int:
    """Count the rows that come after a row with a later time."""
    if times.size == 0:
        return 0
    return int(np.count_nonzero(times < np.maximum.accumulate(times)))


def count_repeated(times: IntArray) -> int:
    """Count the rows whose time another row had before them, in any order."""
    return int(np.count_nonzero(np.diff(np.sort(times)) == 0))


def off_grid(times: IntArray, bar_ns: int) -> npt.NDArray[np.bool_]:
    """Tell for each open time whether no bar of this length can begin there."""
    return np.not_equal((times - phase_ns(bar_ns)) % bar_ns, 0)


def distances(times: IntArray) -> IntArray:
    """Return the distances between neighbours among the different open times, whatever their order."""
    steps: IntArray = np.diff(np.sort(times)).astype(np.int64)
    return steps[steps > 0]
