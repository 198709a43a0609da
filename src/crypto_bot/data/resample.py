"""Longer bars out of shorter ones."""

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import phase_ns, timeframe_name, timeframe_ns
from crypto_bot.domain.units import INT64_MAX, format_time


def divides(short_ns: int, long_ns: int) -> bool:
    """Tell whether whole bars of the short length fill each bar of the long one."""
    return long_ns % short_ns == 0 and (phase_ns(long_ns) - phase_ns(short_ns)) % short_ns == 0


def resample(candles: Candles, timeframe: str) -> Candles:
    """Join bars into longer ones: UTC days, weeks from Monday.

    A long bar is made when the candles reach from its beginning to its end, so it is never one that
    is still open; short bars that are missing inside it are tolerated. ValueError for a length that
    the candles' own does not divide, DataError when a volume leaves 64 bits.
    """
    bar_ns = timeframe_ns(timeframe)
    if not divides(candles.bar_ns, bar_ns):
        raise ValueError(f"bars of {timeframe} cannot be made of whole bars of {candles.timeframe}")
    if bar_ns == candles.bar_ns or len(candles) == 0:
        return Candles(candles.instrument, timeframe_name(bar_ns), *candles.columns())
    periods = (candles.times - phase_ns(bar_ns)) // bar_ns
    starts = np.flatnonzero(np.diff(periods, prepend=periods[0] - 1))
    opens = periods[starts] * bar_ns + phase_ns(bar_ns)
    covered = (opens >= candles.times[0]) & (opens + bar_ns <= candles.times[-1] + candles.bar_ns)
    ends = np.append(starts[1:], len(candles)) - 1
    joined = (
        opens,
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
        _volumes(candles, starts, opens),
    )
    return Candles(candles.instrument, timeframe_name(bar_ns), *(column[covered] for column in joined))


def _volumes(candles: Candles, starts: npt.NDArray[np.intp], opens: IntArray) -> IntArray:
    """Add up the volumes of each long bar, which begins at starts[i]."""
    rough = np.add.reduceat(candles.volume.astype(np.float64), starts)
    if rough.max() >= INT64_MAX:
        when = format_time(int(opens[int(rough.argmax())]))
        symbol = candles.instrument.symbol
        raise DataError(f"The volumes of {symbol} add up to more than 64 bits at {when}; take shorter bars.")
    return np.add.reduceat(candles.volume, starts)
