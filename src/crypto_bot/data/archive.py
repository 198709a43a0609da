"""The archive: candles that were imported or downloaded, and those that come with the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.resample import divides, resample
from crypto_bot.data.shelf import FolderShelf, Kind, RawSeries, Shelf
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
        return [told[address] for address in sorted(told, key=_in_listing)]

    def locate(
        self,
        symbol: str,
        timeframe: str,
        *,
        exchange: str = "binance",
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Series:
        """Return the stored series from which load takes these candles.

        Its timeframe is shorter than the one asked for where load has to join bars. DataError when
        nothing fits.
        """
        shelf, address, _ = self._choose(SeriesAddress.of(exchange, symbol, timeframe), start_ns, end_ns)
        return _summary(shelf, address)

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

        They come from the first place that has any in that stretch: the user's own, the samples, the
        synthetic ones. A place that lacks the timeframe joins the longest one it has that divides it.
        DataError when there is nothing, saying what there is and how to import.
        """
        return self._choose(SeriesAddress.of(exchange, symbol, timeframe), start_ns, end_ns)[2]

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

    def raw(self, symbol: str, timeframe: str, *, exchange: str = "binance") -> RawSeries:
        """Return one stored series unchecked, as its files hold it, for the audit; nothing is joined."""
        wanted = SeriesAddress.of(exchange, symbol, timeframe)
        for shelf in self._shelves:
            for held in shelf.pair(wanted.exchange, wanted.symbol):
                if held.timeframe == wanted.timeframe:
                    return shelf.raw(held)
        raise DataError(self._absence(wanted))

    def _choose(
        self, wanted: SeriesAddress, start_ns: int | None, end_ns: int | None
    ) -> tuple[Shelf, SeriesAddress, Candles]:
        """Return the first place with candles in a stretch of time, the series there, and the candles."""
        outside: Candles | None = None
        for shelf in self._shelves:
            held = shelf.pair(wanted.exchange, wanted.symbol)
            usable = [address for address in held if divides(address.bar_ns, wanted.bar_ns)]
            if not usable:
                continue
            address = max(usable, key=lambda each: each.bar_ns)
            whole = resample(shelf.read(address), wanted.timeframe)
            chosen = whole.between(start_ns, end_ns)
            if len(chosen):
                return shelf, address, chosen
            outside = whole if outside is None else outside
        told = self._absence(wanted) if outside is None else _nothing_between(wanted, outside, start_ns, end_ns)
        raise DataError(told)

    def _absence(self, wanted: SeriesAddress) -> str:
        """Say what there is instead, and how to get what is missing."""
        held = sorted({address for shelf in self._shelves for address in shelf.addresses()}, key=_in_listing)
        same = [address for address in held if address.symbol == wanted.symbol]
        pairs: dict[str, list[str]] = {}
        for address in same or held:
            pairs.setdefault(f"{address.symbol} on {address.exchange}", []).append(address.timeframe)
        named = [f"{pair} ({', '.join(timeframes)})" for pair, timeframes in pairs.items()]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        there = f"there are {', '.join(named[:_NAMED])}{more}" if named else "it is empty"
        return (
            f"The archive {self.root} has no candles of {wanted}: {there}; take one of them or import a file with: "
            f"python -m crypto_bot data import FILE --symbol {wanted.symbol} --timeframe {wanted.timeframe} "
            f"--exchange {wanted.exchange}"
        )


def _in_listing(address: SeriesAddress) -> tuple[str, str, int]:
    """Order series by name and length of bars."""
    return address.exchange, address.symbol, address.bar_ns


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
