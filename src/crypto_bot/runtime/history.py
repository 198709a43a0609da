"""Bars from before a run's start, as one row of its journal: what the indicators had seen."""

from collections.abc import Sequence

import msgspec

from crypto_bot.domain.market import Bar, Slice
from crypto_bot.persistence.payloads import SliceEvent, decode_payload
from crypto_bot.persistence.row import JournalRow


class History(msgspec.Struct, frozen=True):
    """HISTORY: slices that open before the run's first one, oldest first."""

    slices: list[SliceEvent]


def history_payload(items: Sequence[Slice]) -> str:
    """Return slices of the warm-up as the journal keeps them."""
    rows = [SliceEvent(item.time_ns, [bar[1:] for bar in item.bars]) for item in items]
    return msgspec.json.encode(History(rows)).decode()


def history_of(row: JournalRow) -> list[Slice]:
    """Return the slices of a HISTORY row."""
    return [to_slice(event) for event in decode_payload(row, History).slices]


def slice_of(row: JournalRow) -> Slice:
    """Return the slice of a SLICE row."""
    return to_slice(decode_payload(row, SliceEvent))


def to_slice(event: SliceEvent) -> Slice:
    """Return the bars of an event as values."""
    return Slice(event.time, tuple(Bar(event.time, *bar) for bar in event.bars if bar is not None))
