"""The same run under every way of filling orders inside a bar: between which results the truth lies.

Bars do not tell in which order their prices came, nor whether a resting order at a price that was only touched was
filled. Each way of filling answers that differently, so what they differ by is not knowledge about the strategy.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from crypto_bot.backtesting.drawdown import falls
from crypto_bot.backtesting.intrabar import FILL_MODELS, WAYS
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.request import Finished, carry_out


class Way(NamedTuple):
    """What the run comes to under one way of filling: money in atoms, `deepest` <= 0."""

    fills: str
    final_equity: int
    total_return: float
    deepest: float
    executions: int


class Bracket(NamedTuple):
    """All ways of one run, the run's own first."""

    ways: tuple[Way, ...]

    @property
    def own(self) -> Way:
        """The way the run was asked for."""
        return self.ways[0]

    @property
    def low(self) -> Way:
        """The way that ends with the least."""
        return min(self.ways, key=lambda way: way.final_equity)

    @property
    def high(self) -> Way:
        """The way that ends with the most."""
        return max(self.ways, key=lambda way: way.final_equity)


def bracket_of(finished: Finished) -> Bracket:
    """Repeat a finished backtest under every other way of filling; nothing else is changed.

    With a detail timeframe the ways that guess a path inside the bar are left out: the finer candles know it.
    Raises DataError or RunFailed as the run itself would.
    """
    request, own = finished.request, finished.request.simulation.fills
    ways = [_way(own, finished.outcome)]
    for fills in FILL_MODELS:
        if fills == own or (request.asked.detail_timeframe is not None and WAYS[fills].path):
            continue
        again = carry_out(replace(request, simulation=replace(request.simulation, fills=fills)))
        ways.append(_way(fills, again.outcome))
    return Bracket(tuple(ways))


def _way(fills: str, outcome: Outcome) -> Way:
    """Return what one run came to."""
    final, initial = int(outcome.equity[-1]), outcome.initial_equity
    deepest = float(np.min(falls(np.concatenate(([initial], outcome.equity)).astype(np.float64))))
    return Way(fills, final, final / initial - 1, deepest, int(outcome.fills.size))
