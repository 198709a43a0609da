"""Bars from before a run's start, as one row of its journal: what the indicators had seen."""

from array import array
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import Bar, IntArray, Slice
from crypto_bot.kernel.layout import FAR
from crypto_bot.persistence.payloads import SliceEvent, decode_payload
from crypto_bot.persistence.row import JournalRow

_NUMBERS = 5
"""Numbers of a bar: open, high, low, close, volume."""


class History(msgspec.Struct, frozen=True):
    """HISTORY: slices that open before the run's first one, oldest first."""

    slices: list[SliceEvent]


def history_payload(items: Sequence[Slice]) -> str:
    """Return slices of the warm-up as the journal keeps them."""
    return msgspec.json.encode(History([event_of(item) for item in items])).decode()


def event_of(item: Slice) -> SliceEvent:
    """Return a slice as the payload of its row."""
    return SliceEvent(item.time_ns, [bar[1:] if bar else None for bar in item.bars])


def history_of(row: JournalRow) -> list[Slice]:
    """Return the slices of a HISTORY row."""
    return [_slice(event) for event in decode_payload(row, History).slices]


def slice_of(row: JournalRow) -> Slice:
    """Return the slice of a SLICE row."""
    return _slice(decode_payload(row, SliceEvent))


def columns_of(rows: Iterable[JournalRow], instruments: int) -> tuple[IntArray, IntArray]:
    """Return the times and columns[time, instrument, (open, high, low, close, volume)] of HISTORY and SLICE rows.

    Where an instrument has no bar stands what orders see then: see `backtesting.gaps`. Raises DataError for a row
    of other instruments.
    """
    times, numbers, closes = array("q"), array("q"), [0] * instruments
    for row in rows:
        if row.kind == "HISTORY":
            events = decode_payload(row, History).slices
        elif row.kind == "SLICE":
            events = [decode_payload(row, SliceEvent)]
        else:
            continue
        for event in events:
            times.append(event.time)
            for k, bar in enumerate(event.bars[:instruments]):
                closes[k] = closes[k] if bar is None else bar[3]
                numbers.extend((0, 0, FAR, closes[k], 0) if bar is None else bar)
    if len(numbers) != _NUMBERS * instruments * len(times):
        raise DataError("a slice of the journal lacks an instrument of its run; put a backup of the database in place")
    columns = np.array(numbers, np.int64).reshape(len(times), instruments, _NUMBERS)
    return np.array(times, np.int64), columns


def _slice(event: SliceEvent) -> Slice:
    return Slice(event.time, tuple(None if bar is None else Bar(event.time, *bar) for bar in event.bars))
