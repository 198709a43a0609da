"""Look a series or a file over without changing it: how many rows, what is missing, what is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np

from crypto_bot.data.archive import Archive
from crypto_bot.data.rules import Fault, faults
from crypto_bot.data.timeline import Gap, count_out_of_order, count_repeated, find_gaps
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import format_time


class GapJson(TypedDict):
    """One gap: the open times of the first and the last missing bar, and how many are missing."""

    first: str
    last: str
    bars: int


class AuditJson(TypedDict):
    """What `data audit --json` prints."""

    rows: int
    gaps: list[GapJson]
    duplicates: int
    out_of_order: int
    bad_ohlc: int
    first: str | None
    last: str | None
    sources: list[str]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What a look at every row found; `bad_ohlc` counts rows no market makes, negative volumes among them."""

    rows: int
    gaps: tuple[Gap, ...]
    duplicates: int
    out_of_order: int
    bad_ohlc: int
    first_ns: int | None
    last_ns: int | None
    sources: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Tell whether nothing is wrong; gaps are not wrong, markets have them."""
        return not (self.duplicates or self.out_of_order or self.bad_ohlc)

    def as_json(self) -> AuditJson:
        """Return the promised keys, times in ISO 8601."""
        return {
            "rows": self.rows,
            "gaps": [
                {"first": format_time(gap.first_ns), "last": format_time(gap.last_ns), "bars": gap.bars}
                for gap in self.gaps
            ],
            "duplicates": self.duplicates,
            "out_of_order": self.out_of_order,
            "bad_ohlc": self.bad_ohlc,
            "first": None if self.first_ns is None else format_time(self.first_ns),
            "last": None if self.last_ns is None else format_time(self.last_ns),
            "sources": list(self.sources),
        }


def audit(archive: Archive, symbol: str, timeframe: str, *, exchange: str = "binance") -> AuditReport:
    """Look over a stored series, row by row as its files hold it; DataError when there is none."""
    raw = archive.raw(symbol, timeframe, exchange=exchange)
    return _counted(raw.columns, tuple(faults(raw.columns)), timeframe_ns(timeframe), raw.sources)


def audit_file(path: Path, *, timeframe: str | None = None) -> AuditReport:
    """Look over a file that is not imported; DataError when its rows or their times cannot be read at all.

    Its name tells the timeframe where none is given.
    """
    from crypto_bot.data.filename import parse_name
    from crypto_bot.data.normalise import normalise
    from crypto_bot.data.readers import read_bytes, read_table

    length = timeframe or parse_name(path.name).timeframe
    if length is None:
        raise UsageError(f"The name {path.name} does not say how long its bars are; give --timeframe, as in 1h.")
    try:
        bar_ns = timeframe_ns(length)
    except ValueError as problem:
        raise UsageError(str(problem)) from None
    rows = normalise(read_table(read_bytes(path), path))
    return _counted(rows.columns, rows.faults, bar_ns, (str(path),))


def _counted(
    columns: tuple[IntArray, ...], found: Sequence[Fault], bar_ns: int, sources: tuple[str, ...]
) -> AuditReport:
    times = columns[0]
    bad = np.zeros(times.size, dtype=np.bool_)
    for fault in found:
        bad |= fault.rows
    return AuditReport(
        rows=int(times.size),
        gaps=find_gaps(np.sort(times), bar_ns),
        duplicates=count_repeated(times),
        out_of_order=count_out_of_order(times),
        bad_ohlc=int(bad.sum()),
        first_ns=int(times.min()) if times.size else None,
        last_ns=int(times.max()) if times.size else None,
        sources=sources,
    )
