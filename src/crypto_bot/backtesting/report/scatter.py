"""Every round trip as a point: what it brought, against how far the price went for and against it."""

from typing import TypedDict

import numpy as np

from crypto_bot.backtesting.excursions import Excursions
from crypto_bot.backtesting.trips import Trips

MOST_POINTS = 1_500


class Scatter(TypedDict):
    """Columns in percent of the entry's worth, one value per point; `total` is how many round trips there are."""

    total: int
    adverse: list[float]
    favourable: list[float]
    net: list[float]


def scatter_of(trips: Trips, moves: Excursions) -> Scatter:
    """Return the points, evenly thinned where there are too many to tell apart."""
    rows = np.unique(np.linspace(0, max(trips.closed - 1, 0), min(trips.closed, MOST_POINTS)).astype(np.int64))
    share = np.divide(trips.net, trips.cost, out=np.zeros(trips.closed), where=trips.cost > 0)

    def percents(column: np.ndarray) -> list[float]:
        return [round(value * 100, 3) for value in column[rows].tolist()]

    return {
        "total": trips.closed,
        "adverse": percents(moves.adverse),
        "favourable": percents(moves.favourable),
        "net": percents(share),
    }
