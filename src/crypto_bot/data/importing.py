"""Bring files of candles into the archive: read, normalise, check, store; all of them or none."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.archive import Archive
from crypto_bot.data.filename import parse_name
from crypto_bot.data.normalise import Rows, normalise
from crypto_bot.data.readers import read_bytes, read_table
from crypto_bot.data.timeline import Gap, count_out_of_order, distances, find_gaps, off_grid
from crypto_bot.data.writing import Arrival, StoreReport
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.timeframe import timeframe_name
from crypto_bot.domain.units import SECOND_NS, format_time


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file: its rows, what was repaired and what is missing.

    `added` bars are new in the archive, `known` ones were there already; `notes` are for the reader.
    """

    file: str
    exchange: str
    symbol: str
    timeframe: str
    rows: int
    added: int
    known: int
    duplicates: int
    out_of_order: int
    gaps: tuple[Gap, ...]
    first_ns: int
    last_ns: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be stored: its candles in order, each time once, and what was repaired."""

    file: Path
    arrival: Arrival
    rows: int
    duplicates: int
    out_of_order: int
    notes: tuple[str, ...]


def import_files(
    paths: Sequence[Path],
    *,
    archive: Archive,
    symbol: str | None = None,
    timeframe: str | None = None,
    exchange: str = "binance",
) -> list[ImportReport]:
    """Store the candles of some files, or nothing when one of them is refused.

    Symbol and timeframe come from each file's name where they are not given. UsageError when the name
    does not tell them, DataError for anything that cannot be candles of that timeframe.
    """
    if not paths:
        raise UsageError("No file to import was named; give one or more files of candles.")
    addresses = [_address(path, symbol, timeframe, exchange) for path in paths]
    checked = [check_file(path, address) for path, address in zip(paths, addresses, strict=True)]
    stored = archive.store_all([each.arrival for each in checked])
    return [_report(each, result) for each, result in zip(checked, stored, strict=True)]


def _address(path: Path, symbol: str | None, timeframe: str | None, exchange: str) -> SeriesAddress:
    """Find out which series a file belongs to."""
    named = parse_name(path.name)
    pair, length = symbol or named.symbol, timeframe or named.timeframe
    if pair is None:
        raise UsageError(f"The name {path.name} does not say which symbol it holds; give --symbol, as in BTC/USDT.")
    if length is None:
        raise UsageError(f"The name {path.name} does not say how long its bars are; give --timeframe, as in 1h.")
    return SeriesAddress.of(exchange, pair, length)


def check_file(path: Path, address: SeriesAddress) -> CheckedFile:
    """Read one file and refuse it with a DataError unless every row is a candle of the series."""
    data = read_bytes(path)
    digest = hashlib.sha256(data).hexdigest()
    _check_published_digest(path, digest)
    rows = normalise(read_table(data, path))
    for fault in rows.faults:
        row = int(fault.rows.argmax())
        when = format_time(int(rows.columns[0][row]))
        raise DataError(
            f"{path.name} has {fault.told} in {rows.table.where(row)} ({when}); correct that row or leave it out."
        )
    _check_timeframe(rows, address)
    candles, duplicates = _in_order(rows, address)
    out_of_order = count_out_of_order(rows.columns[0])
    notes = [*rows.notes]
    if out_of_order:
        notes.append(f"rows that were out of order and have been sorted: {out_of_order}")
    if duplicates:
        notes.append(f"exact duplicates that have been left out: {duplicates}")
    arrival = Arrival(candles, f"{path.name} (sha256 {digest[:16]})", filters_known=False)
    return CheckedFile(path, arrival, rows.columns[0].size, duplicates, out_of_order, tuple(notes))


def _check_published_digest(path: Path, digest: str) -> None:
    """Compare a file with the CHECKSUM file the exchange publishes beside it, when that is there too."""
    beside = path.with_name(f"{path.name}.CHECKSUM")
    if beside.is_file() and digest not in beside.read_bytes().decode("ascii", "replace").lower().split():
        raise DataError(f"{path.name} does not agree with {beside.name} beside it; download both again.")


def _check_timeframe(rows: Rows, address: SeriesAddress) -> None:
    """Refuse bars of another length, and bars that begin where none of this length does."""
    name, times = rows.table.name, rows.columns[0]
    steps = np.sort(distances(times))
    usual = int(steps[steps.size // 2]) if steps.size else address.bar_ns
    if usual < address.bar_ns or (steps.size and steps[0] > address.bar_ns):
        raise DataError(
            f"{name} holds bars that lie {_length(usual)} apart, not {address.timeframe}; "
            "check the --timeframe or the file."
        )
    wrong = off_grid(times, address.bar_ns)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{name} has a bar at {format_time(int(times[row]))} in {rows.table.where(row)}, where no bar of "
            f"{address.timeframe} begins; check the --timeframe or leave that row out."
        )


def _length(step_ns: int) -> str:
    try:
        return timeframe_name(step_ns)
    except ValueError:
        return f"{step_ns / SECOND_NS:g} s"


def _in_order(rows: Rows, address: SeriesAddress) -> tuple[Candles, int]:
    """Sort the rows and leave out exact duplicates; DataError for two rows of one time that differ."""
    order = np.argsort(rows.columns[0], kind="stable")
    columns = [column[order] for column in rows.columns]
    repeats = np.append(False, columns[0][1:] == columns[0][:-1])
    for column in columns[1:]:
        differs = np.append(False, column[1:] != column[:-1]) & repeats
        if differs.any():
            row = int(differs.argmax())
            first, second = sorted((int(order[row - 1]), int(order[row])))
            raise DataError(
                f"{rows.table.name} tells of {format_time(int(columns[0][row]))} twice and differently, in "
                f"{rows.table.where(first)} and {rows.table.where(second)}; leave the wrong one out."
            )
    instrument = Instrument(address.symbol, address.exchange, rows.price_scale, rows.quantity_scale)
    kept = Candles(instrument, address.timeframe, *(column[~repeats] for column in columns))
    return kept, int(repeats.sum())


def _report(checked: CheckedFile, stored: StoreReport) -> ImportReport:
    candles = checked.arrival.candles
    gaps = find_gaps(candles.times, candles.bar_ns)
    notes = list(checked.notes)
    if gaps:
        missing = sum(gap.bars for gap in gaps)
        told = "1 bar is missing" if missing == 1 else f"{missing} bars are missing"
        where = "one gap" if len(gaps) == 1 else f"{len(gaps)} gaps, the first"
        notes.append(f"{told}, in {where} at {format_time(gaps[0].first_ns)}")
    return ImportReport(
        file=str(checked.file),
        exchange=candles.instrument.exchange,
        symbol=candles.instrument.symbol,
        timeframe=candles.timeframe,
        rows=checked.rows,
        added=stored.added,
        known=stored.known,
        duplicates=checked.duplicates,
        out_of_order=checked.out_of_order,
        gaps=gaps,
        first_ns=int(candles.times[0]),
        last_ns=int(candles.times[-1]),
        notes=tuple(notes),
    )
