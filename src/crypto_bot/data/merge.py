"""Candles of one series from two hands, joined into one."""

from dataclasses import dataclass

import numpy as np

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.units import INT64_MAX, format_time


@dataclass(frozen=True, slots=True)
class Merged:
    """The joined candles, and how many of the arriving ones were new."""

    candles: Candles
    added: int
    known: int


def rescale(column: IntArray, old: int, new: int) -> IntArray:
    """Bring numbers from one power of ten to another; half of a step rounds up. OverflowError when they do not fit."""
    if new == old or column.size == 0:
        return column
    if new > old:
        factor = new // old
        if int(np.abs(column).max()) > INT64_MAX // factor:
            raise OverflowError
        return column * factor
    factor = old // new
    return column // factor + (column % factor >= factor // 2)


def at_scales(columns: tuple[IntArray, ...], old: Instrument, new: Instrument) -> tuple[IntArray, ...]:
    """Bring times, four prices and a volume to another instrument's scales; DataError when they do not fit."""
    times, *prices, volume = columns
    try:
        widened = [rescale(price, old.price_scale, new.price_scale) for price in prices]
        return times, *widened, rescale(volume, old.quantity_scale, new.quantity_scale)
    except OverflowError:
        raise DataError(
            f"The prices of {new.symbol} do not fit into 64 bits at {new.price_scale} steps per unit; "
            "round them to fewer decimals."
        ) from None


def merge(stored: Candles, arriving: Candles, *, source: str) -> Merged:
    """Join two parts of a series at the same scales, each in order and without repetition.

    Rows both have must be equal; DataError names the source and the first time at which they differ.
    """
    joined = [np.concatenate(pair) for pair in zip(stored.columns(), arriving.columns(), strict=True)]
    order = np.argsort(joined[0], kind="stable")
    columns = [column[order] for column in joined]
    repeats = np.append(False, columns[0][1:] == columns[0][:-1])
    differs = np.zeros_like(repeats)
    for column in columns[1:]:
        differs[1:] |= column[1:] != column[:-1]
    if (conflict := np.flatnonzero(repeats & differs)).size:
        raise DataError(_conflict(stored.instrument, columns, int(conflict[0]), source))
    candles = Candles(arriving.instrument, arriving.timeframe, *(column[~repeats] for column in columns))
    known = int(np.count_nonzero(repeats))
    return Merged(candles, len(arriving) - known, known)


def _conflict(instrument: Instrument, columns: list[IntArray], row: int, source: str) -> str:
    """Say which number of one bar is told in two ways."""
    names = ("open", "high", "low", "close", "volume")
    column = next(i for i in range(1, 6) if columns[i][row] != columns[i][row - 1])
    text = instrument.quantity_text if column == 5 else instrument.price_text
    before, now = (text(int(columns[column][i])) for i in (row - 1, row))
    when = format_time(int(columns[0][row]))
    return (
        f"{source} says that the {names[column - 1]} of {instrument.symbol} at {when} is {now}, but it was {before} "
        "before; find out which is true, and delete the other file or give another --data folder."
    )


def check_totals(candles: Candles, *, source: str) -> None:
    """Refuse a series whose sums and products would leave 64 bits; DataError names what was added last."""
    if len(candles) == 0:
        return
    instrument = candles.instrument
    highest = int(candles.high.max())
    if float(candles.high.sum(dtype=np.float64)) >= INT64_MAX or highest * instrument.quantity_scale > INT64_MAX:
        when = format_time(int(candles.times[int(candles.high.argmax())]))
        raise DataError(
            f"{source} makes the prices of {instrument.symbol} too large to be added up in 64 bits, with "
            f"{instrument.price_text(highest)} at {when} in steps of 1/{instrument.price_scale}; "
            "correct that price or round all to fewer decimals."
        )
