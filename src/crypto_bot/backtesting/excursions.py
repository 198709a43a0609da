"""How far the price went against and for each round trip while it was open.

Measured on the highs and lows of the run's own bars, from the entry bar to the one before the exit, and on the exit
price itself: what the exit bar did after the exit is not counted. What the entry bar did before a resting order
filled inside it cannot be told from what it did afterwards, so all of it counts. Costs are left out.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.trips import Trips
from crypto_bot.data.decoded import release
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.units import ATOMS

FloatArray = npt.NDArray[np.float64]


class Excursions(NamedTuple):
    """One value per round trip, as shares of its average entry price: `adverse` <= 0 (MAE), `favourable` >= 0 (MFE)."""

    adverse: FloatArray
    favourable: FloatArray


def excursions(outcome: Outcome, trips: Trips) -> Excursions:
    """Return the greatest move against and for every round trip, in their order."""
    lowest, highest = trips.exit_price.astype(np.float64), trips.exit_price.astype(np.float64)
    scales = np.array([instrument.price_scale for instrument in outcome.instruments], dtype=np.float64)
    for k, candles in enumerate(outcome.candles):
        for strategy in range(len(outcome.strategies)):
            rows = np.flatnonzero((trips.instrument == k) & (trips.strategy == strategy))
            if rows.size:
                low, high = _reached(candles, trips.entry_ns[rows], trips.exit_ns[rows])
                lowest[rows] = np.minimum(lowest[rows], low)
                highest[rows] = np.maximum(highest[rows], high)
    entry = trips.entry_price / ATOMS * scales[trips.instrument]
    below = np.divide(lowest, entry, out=np.ones_like(entry), where=entry > 0) - 1
    above = np.divide(highest, entry, out=np.ones_like(entry), where=entry > 0) - 1
    long = trips.side > 0
    return Excursions(
        adverse=np.minimum(np.where(long, below, -above), 0.0),
        favourable=np.maximum(np.where(long, above, -below), 0.0),
    )


def _reached(candles: Candles, entry_ns: IntArray, exit_ns: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the lowest low and highest high of the bars that opened in [entry, exit), for one position's trips.

    Trips that close one position part by part share its entry: each goes on where the one before it ended, so that
    every bar is looked at once.
    """
    first = np.searchsorted(candles.times, entry_ns, "left")
    last = np.searchsorted(candles.times, exit_ns, "left")
    goes_on = np.concatenate(([False], first[1:] == first[:-1]))
    begin = np.where(goes_on, np.concatenate(([0], last[:-1])), first)
    low = _extremes(np.minimum, candles.low, begin, last, np.inf)
    high = _extremes(np.maximum, candles.high, begin, last, -np.inf)
    for row in np.flatnonzero(goes_on).tolist():
        low[row], high[row] = min(low[row], low[row - 1]), max(high[row], high[row - 1])
    return low, high


def _extremes(pick: np.ufunc, column: IntArray, begin: IntArray, end: IntArray, nothing: float) -> FloatArray:
    """Return the extreme of column[begin:end] for each pair; `nothing` where a pair is empty."""
    found = np.full(begin.size, nothing)
    some = end > begin
    if some.any():
        # Every other stretch lies between two trips and is left out. An exit falls into a bar, so `end` is an index.
        found[some] = pick.reduceat(column, np.column_stack((begin[some], end[some])).ravel())[::2]
        release(column)
    return found
