"""Bars from before a run's start, as one row of its journal: what the indicators had seen."""

from array import array
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import Bar, IntArray, Slice
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
    return SliceEvent(item.time_ns, [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in item.bars])


def history_of(row: JournalRow) -> list[Slice]:
    """Return the slices of a HISTORY row."""
    return [_slice(row, event) for event in decode_payload(row, History).slices]


def slice_of(row: JournalRow) -> Slice:
    """Return the slice of a SLICE row; DataError when an instrument has no bar in it."""
    return _slice(row, decode_payload(row, SliceEvent))


def columns_of(rows: Iterable[JournalRow], instruments: int) -> tuple[IntArray, IntArray]:
    """Return the times and columns[time, instrument, (open, high, low, close, volume)] of HISTORY and SLICE rows.

    Raises DataError when an instrument has no bar in one of them.
    """
    times, numbers = array("q"), array("q")
    for row in rows:
        if row.kind == "HISTORY":
            events = decode_payload(row, History).slices
        elif row.kind == "SLICE":
            events = [decode_payload(row, SliceEvent)]
        else:
            continue
        for event in events:
            times.append(event.time)
            for bar in event.bars:
                numbers.extend(bar or ())
    if len(numbers) != _NUMBERS * instruments * len(times):
        raise DataError("a slice of the journal lacks the bar of an instrument; put a backup of the database in place")
    columns = np.array(numbers, np.int64).reshape(len(times), instruments, _NUMBERS)
    return np.array(times, np.int64), columns


def _slice(row: JournalRow, event: SliceEvent) -> Slice:
    bars = tuple(Bar(event.time, *bar) for bar in event.bars if bar is not None)
    if len(bars) < len(event.bars):
        raise DataError(f"row {row.sequence} ({row.kind}) of the journal lacks the bar of an instrument")
    return Slice(event.time, bars)
