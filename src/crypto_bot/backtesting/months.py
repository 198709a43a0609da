"""Calendar months (UTC) of a run: where they end, and what each brought."""

import numpy as np

from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import SECOND_NS


def month_ends(outcome: Outcome) -> tuple[IntArray, IntArray]:
    """Return the months that have bars, counted from January 1970, and the row of the last bar of each.

    A bar belongs to the month in which it closes; one that closes at midnight to the day before.
    """
    bar_ns = timeframe_ns(outcome.timeframe)
    first, last = (int(time) + bar_ns - 1 for time in (outcome.times[0], outcome.times[-1]))
    months = np.arange(_month(first), _month(last) + 1)
    begin_ns = (months + 1).astype("datetime64[M]").astype("datetime64[s]").astype(np.int64) * SECOND_NS
    rows = np.searchsorted(outcome.times, begin_ns - bar_ns, "right") - 1
    before = np.concatenate(([-1], rows[:-1]))
    some = rows > before
    return months[some], rows[some]


def month_gains(outcome: Outcome) -> tuple[IntArray, IntArray]:
    """Return the months and the change of equity in each, in atoms of the quote asset; the changes add up."""
    months, rows = month_ends(outcome)
    return months, np.diff(outcome.equity[rows], prepend=outcome.initial_equity)


def month_name(month: int) -> str:
    """Return a month as 2023-06."""
    return f"{1970 + month // 12}-{month % 12 + 1:02d}"


def _month(time_ns: int) -> int:
    return int(np.datetime64(time_ns // SECOND_NS, "s").astype("datetime64[M]").astype(np.int64))
