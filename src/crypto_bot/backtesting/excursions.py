"""How far the price went against and for each position before a round trip closed it, or a part of it.

Measured against the average cost of what was held at the time, on the highs and lows of the run's own bars: from the
bar of each fill to the one before the next, and at the prices of the fills themselves. What the exit's bar did after
the exit is not counted. What the entry's bar did before a resting order filled inside it cannot be told from what it
did afterwards, so all of it counts. Costs are left out.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.trips import Books, lot_atoms
from crypto_bot.data.decoded import release
from crypto_bot.domain.market import IntArray

FloatArray = npt.NDArray[np.float64]


class Excursions(NamedTuple):
    """One value per round trip, as shares of the average cost: `adverse` <= 0 (MAE), `favourable` >= 0 (MFE)."""

    adverse: FloatArray
    favourable: FloatArray


def excursions(outcome: Outcome, books: Books) -> Excursions:
    """Return the greatest move against and for the position of every round trip, in their order."""
    fills = outcome.fills
    worst, best = np.zeros(fills.size), np.zeros(fills.size)
    for k, candles in enumerate(outcome.candles):
        for strategy in range(len(outcome.strategies)):
            rows = np.flatnonzero((fills["instrument"] == k) & (fills["strategy"] == strategy))
            if rows.size > 1:
                prices, held = fills["price"][rows].astype(np.float64), np.cumsum(books.changes[rows])
                held[np.abs(held) < lot_atoms(candles.instrument)] = 0
                bars = np.searchsorted(candles.times, fills["time_ns"][rows], "left")
                average = average_costs(prices, books.changes[rows])
                low = np.minimum(_extremes(np.minimum, candles.low, bars, np.inf), prices[1:])
                high = np.maximum(_extremes(np.maximum, candles.high, bars, -np.inf), prices[1:])
                below, above = _moves(low / average[:-1] - 1, high / average[:-1] - 1, held[:-1])
                worst[rows], best[rows] = _since_opened(below, above, np.sign(held))
    return Excursions(worst[books.trips.fill], best[books.trips.fill])


def average_costs(prices: FloatArray, changes: IntArray) -> FloatArray:
    """Return the average price of what is held after each fill of a position; the fill's own where nothing is."""
    held, average, found = 0, 0.0, []
    for price, change in zip(prices.tolist(), changes.tolist(), strict=True):
        after = held + change
        if held * after <= 0:
            average = price  # opened, closed or turned round
        elif abs(after) > abs(held):
            average += (price - average) * (change / after)
        held = after
        found.append(average)
    return np.array(found)


def _moves(fall: FloatArray, rise: FloatArray, held: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the move against and for what was held, from the moves down and up; none where nothing was."""
    against = np.where(held > 0, fall, np.where(held < 0, -rise, 0.0))
    favour = np.where(held > 0, rise, np.where(held < 0, -fall, 0.0))
    return np.minimum(against, 0.0), np.maximum(favour, 0.0)


def _extremes(pick: np.ufunc, column: IntArray, bars: IntArray, nothing: float) -> FloatArray:
    """Return the extreme of the column from each bar to before the next; `nothing` where both are the same.

    A fill after the last bar, of an instrument that was given up, comes after all of them.
    """
    if bars[-1] == column.size:
        column = np.append(column, column[-1])
    found = pick.reduceat(column, bars)[:-1].astype(np.float64)  # what follows the last fill belongs to no trip
    release(column)
    found[bars[1:] == bars[:-1]] = nothing
    return found


def _since_opened(below: FloatArray, above: FloatArray, side: IntArray) -> tuple[list[float], list[float]]:
    """Return, at each fill, the extremes since its position was opened; `side` is the position's after the fill."""
    worst, best, low, high = [0.0], [0.0], 0.0, 0.0
    sides = side.tolist()
    for n, (fall, rise) in enumerate(zip(below.tolist(), above.tolist(), strict=True)):
        if n == 0 or sides[n] != sides[n - 1]:
            low, high = 0.0, 0.0
        low, high = min(low, fall), max(high, rise)
        worst.append(low)
        best.append(high)
    return worst, best
