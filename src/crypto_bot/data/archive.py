"""The archive: candles that were imported or downloaded, and those that come with the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.resample import divides, resample
from crypto_bot.data.shelf import FolderShelf, Kind, Shelf
from crypto_bot.data.synthetic import SyntheticShelf
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import format_time

if TYPE_CHECKING:
    from crypto_bot.data.writing import Arrival, StoreReport

SAMPLES = Path(__file__).resolve().parent / "samples"
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Series:
    """One stored series: its name, its first and last open time, its bars and where it comes from."""

    exchange: str
    symbol: str
    timeframe: str
    first_ns: int
    last_ns: int
    rows: int
    source: Kind


class Archive:
    """Candles by symbol and timeframe: the user's own first, then the packaged samples, then synthetic ones.

    What is packaged is never written to.
    """

    def __init__(self, root: Path, *, samples: bool = True) -> None:
        """Look in the folder `root`, which need not exist yet; without `samples` nowhere else."""
        self.root = root
        self._own = FolderShelf(root, "archive")
        self._shelves: list[Shelf] = [self._own]
        if samples:
            self._shelves += [FolderShelf(SAMPLES, "sample"), SyntheticShelf()]

    def series(self) -> list[Series]:
        """Return every stored series; one that lies in several places is told once, from where load takes it."""
        told: dict[SeriesAddress, Series] = {}
        for shelf in self._shelves:
            for address in shelf.addresses():
                if address not in told:
                    told[address] = _summary(shelf, address)
        return sorted(
            told.values(),
            key=lambda each: (
                each.exchange,
                each.symbol,
                SeriesAddress.of(each.exchange, each.symbol, each.timeframe).bar_ns,
            ),
        )

    def locate(self, symbol: str, timeframe: str, *, exchange: str = "binance") -> Series:
        """Return the stored series that load reads.

        Its timeframe is shorter than the one asked for when load has to join bars. DataError when
        nothing fits.
        """
        return _summary(*self._find(SeriesAddress.of(exchange, symbol, timeframe)))

    def load(
        self,
        symbol: str,
        timeframe: str,
        *,
        exchange: str = "binance",
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Candles:
        """Return the candles whose open times lie in [start_ns, end_ns], both inclusive; read-only arrays.

        When the timeframe is not stored, the longest stored one that divides it is joined into it.
        DataError when there is nothing, saying what there is and how to import.
        """
        wanted = SeriesAddress.of(exchange, symbol, timeframe)
        shelf, address = self._find(wanted)
        whole = shelf.read(address)
        if address.bar_ns != wanted.bar_ns:
            whole = resample(whole, wanted.timeframe)
        chosen = whole.between(start_ns, end_ns)
        if len(chosen) == 0:
            raise DataError(_nothing_between(wanted, whole, start_ns, end_ns))
        return chosen

    def store(self, candles: Candles, *, source: str, filters_known: bool = True) -> "StoreReport":
        """Add candles to the archive, or change nothing.

        `source` says where they come from; without `filters_known` tick and lot are only assumed, and
        known ones stay. DataError for candles no market makes or that contradict stored ones,
        RunFailed when the disk refuses.
        """
        from crypto_bot.data.writing import Arrival

        return self.store_all([Arrival(candles, source, filters_known)])[0]

    def store_all(self, arrivals: "Sequence[Arrival]") -> "list[StoreReport]":
        """Add all of these to the archive together, or change nothing."""
        from crypto_bot.data.writing import store_arrivals

        return store_arrivals(self._own, arrivals)

    def shelf_of(self, address: SeriesAddress) -> Shelf:
        """Return the place that holds exactly this series; DataError when none does."""
        for shelf in self._shelves:
            if address in shelf.addresses():
                return shelf
        raise DataError(self._absence(address))

    def _find(self, wanted: SeriesAddress) -> tuple[Shelf, SeriesAddress]:
        for shelf in self._shelves:
            usable = [
                held for held in shelf.pair(wanted.exchange, wanted.symbol) if divides(held.bar_ns, wanted.bar_ns)
            ]
            if usable:
                return shelf, max(usable, key=lambda held: held.bar_ns)
        raise DataError(self._absence(wanted))

    def _absence(self, wanted: SeriesAddress) -> str:
        """Say what there is instead, and how to get what is missing."""
        held = sorted({address for shelf in self._shelves for address in shelf.addresses()})
        same = [address for address in held if address.symbol == wanted.symbol]
        pairs: dict[str, list[str]] = {}
        for address in same or held:
            pairs.setdefault(f"{address.symbol} on {address.exchange}", []).append(address.timeframe)
        named = [f"{pair} ({', '.join(timeframes)})" for pair, timeframes in pairs.items()]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        there = f"there are {', '.join(named[:_NAMED])}{more}" if named else "it is empty"
        return (
            f"The archive {self.root} has no candles of {wanted}: {there}; take one of them or import a file with: "
            f"python -m crypto_bot data import FILE --symbol {wanted.symbol} --timeframe {wanted.timeframe}"
        )


def _summary(shelf: Shelf, address: SeriesAddress) -> Series:
    candles = shelf.read(address)
    first_ns, last_ns = int(candles.times[0]), int(candles.times[-1])
    return Series(address.exchange, address.symbol, address.timeframe, first_ns, last_ns, len(candles), shelf.kind)


def _nothing_between(wanted: SeriesAddress, whole: Candles, start_ns: int | None, end_ns: int | None) -> str:
    if len(whole) == 0:
        return f"The stored candles of {wanted} do not fill one bar; import more of them."
    first, last = (format_time(int(whole.times[i])) for i in (0, -1))
    since = "the beginning" if start_ns is None else format_time(start_ns)
    until = "the end" if end_ns is None else format_time(end_ns)
    reach = f"they reach from {first} to {last}"
    return f"There are no candles of {wanted} from {since} to {until}: {reach}; change the dates."
