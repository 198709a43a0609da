"""Add candles to the user's archive: check, join with what is there, and change the files together."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.listing import LISTING_NAME, Listing, join_listings
from crypto_bot.data.merge import at_scales, check_totals, merge
from crypto_bot.data.months import encode_month, read_month, split_by_file
from crypto_bot.data.rules import check_candles
from crypto_bot.data.shelf import FolderShelf
from crypto_bot.data.staging import locked, replace_files
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray


@dataclass(frozen=True, slots=True)
class Arrival:
    """Candles on their way into the archive, where they come from, and whether their filters are the exchange's."""

    candles: Candles
    source: str
    filters_known: bool = True


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What became of one arrival: bars that were new, bars that were there already, and the files written."""

    added: int
    known: int
    files: tuple[str, ...]


@dataclass
class _Pending:
    """One series while arrivals are joined to it."""

    candles: Candles
    news: list[tuple[IntArray, str]]
    """The open times each arrival was the first to bring, with its source."""


def store_arrivals(shelf: FolderShelf, arrivals: Sequence[Arrival]) -> list[StoreReport]:
    """Join all arrivals with what the folder holds and write the files that change, all or none."""
    for arrival in arrivals:
        check_candles(arrival.candles, arrival.source)
    with locked(shelf.root):
        listings = _joined_listings(shelf, arrivals)
        pending: dict[SeriesAddress, _Pending] = {}
        counts = []
        for arrival in arrivals:
            address = _address(arrival.candles)
            instrument = listings[address.pair_folder].instrument
            if address not in pending:
                pending[address] = _Pending(_stored(shelf, address, instrument), [])
            counts.append(_join(pending[address], arrival, instrument))
        files: dict[PurePosixPath, bytes] = {}
        for address, series in pending.items():
            check_totals(series.candles, source=series.news[-1][1])
            files |= _changed_files(shelf, address, series)
        for pair_folder, listing in listings.items():
            place = pair_folder / LISTING_NAME
            if listing.encode() != _current(shelf, place):
                _check_neighbours(shelf, listing.instrument, pending)
                files[place] = listing.encode()
        replace_files(shelf.root, files)
    names = tuple(str(place) for place in files)
    folders = [str(_address(arrival.candles).folder) for arrival in arrivals]
    return [
        StoreReport(added, known, tuple(name for name in names if name.startswith(f"{folder}/")))
        for (added, known), folder in zip(counts, folders, strict=True)
    ]


def _joined_listings(shelf: FolderShelf, arrivals: Sequence[Arrival]) -> dict[PurePosixPath, Listing]:
    """Return the filters and scales under which each symbol will lie."""
    listings: dict[PurePosixPath, Listing] = {}
    for arrival in arrivals:
        address = _address(arrival.candles)
        stored = listings.get(address.pair_folder) or shelf.listing(address)
        arriving = Listing(arrival.candles.instrument, arrival.filters_known)
        listings[address.pair_folder] = join_listings(stored, arriving)
    return listings


def _address(candles: Candles) -> SeriesAddress:
    return SeriesAddress.of(candles.instrument.exchange, candles.instrument.symbol, candles.timeframe)


def _stored(shelf: FolderShelf, address: SeriesAddress, instrument: Instrument) -> Candles:
    """Return what is stored of a series, at the scales it will have; nothing for a new series."""
    if address not in shelf.pair(address.exchange, address.symbol):
        nothing = (np.empty(0, dtype=np.int64) for _ in range(6))
        return Candles(instrument, address.timeframe, *nothing)
    stored = shelf.read(address)
    return Candles(instrument, address.timeframe, *at_scales(stored.columns(), stored.instrument, instrument))


def _join(series: _Pending, arrival: Arrival, instrument: Instrument) -> tuple[int, int]:
    """Join one arrival to a series; return how many of its bars were new and how many known."""
    columns = at_scales(arrival.candles.columns(), arrival.candles.instrument, instrument)
    arriving = Candles(instrument, series.candles.timeframe, *columns)
    merged = merge(series.candles, arriving, source=arrival.source)
    series.news.append((arriving.times[~np.isin(arriving.times, series.candles.times)], arrival.source))
    series.candles = merged.candles
    return merged.added, merged.known


def _check_neighbours(shelf: FolderShelf, instrument: Instrument, pending: dict[SeriesAddress, _Pending]) -> None:
    """Refuse new scales under which another series of the same symbol would not fit any more."""
    source = next(series.news[-1][1] for series in pending.values() if series.candles.instrument == instrument)
    for address in shelf.pair(instrument.exchange, instrument.symbol):
        if address not in pending:
            check_totals(_stored(shelf, address, instrument), source=source)


def _changed_files(shelf: FolderShelf, address: SeriesAddress, series: _Pending) -> dict[PurePosixPath, bytes]:
    """Encode the files of a series that get new bars; the others stay as they are, at their own scales."""
    files = {}
    for name, part in split_by_file(series.candles):
        first, last = part.times[0], part.times[-1]
        sources = [source for times, source in series.news if np.any((times >= first) & (times <= last))]
        if sources:
            place = address.folder / name
            file = shelf.root / place
            before = read_month(file).description["sources"] if file.exists() else []
            files[place] = encode_month(part, list(dict.fromkeys([*before, *sources])))
    return files


def _current(shelf: FolderShelf, place: PurePosixPath) -> bytes:
    file = shelf.root / place
    return file.read_bytes() if file.exists() else b""
