"""Candles that were brought in by hand, put where the page reads them: into the table of candles."""

from typing import TYPE_CHECKING

from crypto_bot.persistence.database import Database
from crypto_bot.persistence.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from crypto_bot.domain.market import Candles

CACHED_BARS = 20_000
"""The newest so many bars of a series are for drawing; the archive holds all of them."""
_AT_ONCE = 1_000
"""Bars to a transaction: a bot that trades meanwhile waits for one of them at most."""


def cache_newest(database: Database, candles: "Candles") -> int:
    """Write the newest bars of a series into the table, in place of those that are there; return how many."""
    newest = candles if len(candles) <= CACHED_BARS else candles.between(int(candles.times[-CACHED_BARS]))
    for first in range(0, len(newest), _AT_ONCE):
        last = min(first + _AT_ONCE, len(newest)) - 1
        with UnitOfWork(database) as work:
            work.candles.store(newest.between(int(newest.times[first]), int(newest.times[last])))
            work.commit()
    return len(newest)
