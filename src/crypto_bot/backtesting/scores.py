"""What closed round trips say about a strategy: from their net profits alone, in the order in which they closed."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

SQN_CAP = 100
"""More trades than these do not raise the system quality number (Tharp's rule)."""


class Scores(NamedTuple):
    """Figures of closed trades; money in the unit of their profits, None where a figure has no meaning.

    A trade that ended at exactly 0 is neither a win nor a loss. `profit_factor` is None without a loss. `payoff` is
    the mean win over the mean loss, `expectancy_ratio` the mean profit over the mean loss, `kelly` the share of
    capital that these trades' own odds would justify (negative: none). `sqn` is the root of the number of trades,
    at most SQN_CAP, times mean profit over its standard deviation (n - 1).
    """

    wins: int
    losses: int
    profit_factor: float | None
    expectancy: int | None
    expectancy_ratio: float | None
    win_rate: float | None
    payoff: float | None
    kelly: float | None
    sqn: float | None
    losses_in_a_row: int


def score(net: IntArray) -> Scores:
    """Return the figures of trades with these net profits."""
    count = int(net.size)
    won, lost = net[net > 0], net[net < 0]
    total, gains, pains = int(net.sum()), int(won.sum()), -int(lost.sum())
    rate = won.size / count if count else None
    payoff = (gains / won.size) / (pains / lost.size) if won.size and lost.size else None
    return Scores(
        wins=int(won.size),
        losses=int(lost.size),
        profit_factor=gains / pains if pains else None,
        expectancy=total // count if count else None,
        expectancy_ratio=(total / count) / (pains / lost.size) if pains else None,
        win_rate=rate,
        payoff=payoff,
        kelly=None if rate is None or payoff is None else rate - (1 - rate) / payoff,
        sqn=_quality(net, total),
        losses_in_a_row=longest_run(net < 0),
    )


def _quality(net: IntArray, total: int) -> float | None:
    """Return the system quality number; None for fewer than two trades, or when all are the same."""
    if net.size < 2 or int(net.min()) == int(net.max()):
        return None
    spread = float(np.std(net.astype(np.float64), ddof=1))
    return math.sqrt(min(net.size, SQN_CAP)) * (total / net.size) / spread


def longest_run(flags: npt.NDArray[np.bool_]) -> int:
    """Return the length of the longest unbroken run of true flags."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return int(np.max(edges[1::2] - edges[0::2])) if edges.size else 0
