"""Where candles lie: a folder of series that can be listed and read."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

import numpy as np

from crypto_bot.data import decoded
from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.listing import LISTING_NAME, Listing, read_listing
from crypto_bot.data.merge import at_scales
from crypto_bot.data.months import MonthFile, month_files, read_month
from crypto_bot.data.staging import is_half_done, locked
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray

Kind = Literal["archive", "sample", "synthetic"]
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class RawSeries:
    """A series as it is stored, unchecked: the columns of its files one after the other, and where they came from."""

    columns: tuple[IntArray, ...]
    sources: tuple[str, ...]


class Shelf(Protocol):
    """A place that holds series."""

    @property
    def kind(self) -> Kind:
        """What kind of candles these are."""

    def addresses(self) -> list[SeriesAddress]:
        """Return every series held."""

    def pair(self, exchange: str, symbol: str) -> list[SeriesAddress]:
        """Return the series of one symbol."""

    def read(self, address: SeriesAddress) -> Candles:
        """Return one series whole; DataError when it is damaged."""

    def raw(self, address: SeriesAddress) -> RawSeries:
        """Return one series as it is stored, for the audit."""


@dataclass(frozen=True)
class FolderShelf:
    """Series in the files of one folder: <exchange>/<BASE-QUOTE>/<timeframe>/<YYYY-MM>.parquet."""

    root: Path
    kind: Kind

    def addresses(self) -> list[SeriesAddress]:
        """Return every series held, in order of their names."""
        return self._matching("*/*/*")

    def pair(self, exchange: str, symbol: str) -> list[SeriesAddress]:
        """Return the series of one symbol."""
        return self._matching(f"{exchange}/{symbol.replace('/', '-')}/*")

    def read(self, address: SeriesAddress) -> Candles:
        """Return one series whole, from the decoded cache when its files have not changed since."""
        for _ in range(_ATTEMPTS):  # another process may be replacing the files while they are read
            self._settle()
            files, listing = self._files(address)
            slot = f"{self.root.resolve()}\n{address}"
            identity = decoded.identity_of(files, repr(listing))
            block = decoded.recall(slot, identity)
            if block is None:
                block = _decode(files, listing.instrument, address)
                if decoded.identity_of(self._files(address)[0], repr(listing)) != identity:
                    continue
                decoded.remember(slot, identity, block)
                block.flags.writeable = False
            return Candles(listing.instrument, address.timeframe, *block)
        raise DataError(f"The files of {address} in {self.root} keep changing; try again when the import is done.")

    def raw(self, address: SeriesAddress) -> RawSeries:
        """Return one series as it is stored."""
        self._settle()
        files, listing = self._files(address)
        months = [read_month(file) for file in files]
        sources = dict.fromkeys(source for month in months for source in month.description["sources"])
        return RawSeries(_joined(months, listing.instrument), tuple(sources))

    def listing(self, address: SeriesAddress) -> Listing | None:
        """Return the filters of a symbol; None when it is not held."""
        return read_listing(self.root / address.pair_folder / LISTING_NAME)

    def _matching(self, pattern: str) -> list[SeriesAddress]:
        found = (SeriesAddress.of_folder(folder) for folder in self.root.glob(pattern) if month_files(folder))
        return sorted(address for address in found if address is not None)

    def _files(self, address: SeriesAddress) -> tuple[list[Path], Listing]:
        listing = self.listing(address)
        folder = self.root / PurePosixPath(address.folder)
        if listing is None:
            raise DataError(f"{folder.parent / LISTING_NAME} is missing; delete {folder.parent} and import again.")
        if not (files := month_files(folder)):
            raise DataError(f"{folder} has no candles any more; import them again.")
        return files, listing

    def _settle(self) -> None:
        """Complete a change that a killed process left half done."""
        if is_half_done(self.root):
            with locked(self.root):
                pass


def _joined(months: list[MonthFile], instrument: Instrument) -> tuple[IntArray, ...]:
    """Put the columns of the files one after the other, at the instrument's scales."""
    parts = []
    for month in months:
        told = month.description
        scales = Instrument(instrument.symbol, price_scale=told["price_scale"], quantity_scale=told["quantity_scale"])
        parts.append(at_scales(month.columns, scales, instrument))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _decode(files: list[Path], instrument: Instrument, address: SeriesAddress) -> decoded.Block:
    """Read the files of one series; DataError when they are not in order of time."""
    block = np.stack(_joined([read_month(file) for file in files], instrument))
    if np.any(np.diff(block[0]) <= 0):
        raise DataError(
            f"The files of {address} under {files[0].parent} overlap or are out of order; "
            "run data audit, delete the file that is wrong and import it again."
        )
    return block
