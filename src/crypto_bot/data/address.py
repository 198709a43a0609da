"""Which series is meant: an exchange, a symbol and a bar length, and the folder that belongs to them."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.timeframe import timeframe_name, timeframe_ns

_ASSET = r"[^\W_]{1,30}"
_SYMBOL = re.compile(rf"{_ASSET}/{_ASSET}")
_FOLDER = re.compile(rf"{_ASSET}-{_ASSET}")
_EXCHANGE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True, order=True)
class SeriesAddress:
    """The name of one series of candles; its parts are checked, so that a folder can be made of them."""

    exchange: str
    symbol: str
    timeframe: str

    @classmethod
    def of(cls, exchange: str, symbol: str, timeframe: str) -> "SeriesAddress":
        """Check the three names and bring them to their usual form; UsageError says which one is none."""
        pair = symbol.strip().upper()
        if _SYMBOL.fullmatch(pair) is None:
            raise UsageError(f"{symbol!r} is not a symbol; write it as BTC/USDT")
        venue = exchange.strip().lower()
        if _EXCHANGE.fullmatch(venue) is None:
            raise UsageError(f"{exchange!r} is not the name of an exchange; write it as binance")
        try:
            usual = timeframe_name(timeframe_ns(timeframe))
        except ValueError as problem:
            raise UsageError(str(problem)) from None
        return cls(venue, pair, usual)

    @classmethod
    def of_folder(cls, folder: PurePosixPath | Path) -> "SeriesAddress | None":
        """Return the series a folder exchange/BASE-QUOTE/timeframe belongs to; None for a stranger's folder."""
        exchange, pair, timeframe = folder.parts[-3:]
        if _FOLDER.fullmatch(pair) is None:
            return None
        try:
            address = cls.of(exchange, pair.replace("-", "/"), timeframe)
        except UsageError:
            return None
        return address if address.folder.parts == (exchange, pair, timeframe) else None

    @property
    def folder(self) -> PurePosixPath:
        """Where the series lies, relative to the archive's root."""
        return self.pair_folder / self.timeframe

    @property
    def pair_folder(self) -> PurePosixPath:
        """Where everything about the pair lies, relative to the archive's root."""
        return PurePosixPath(self.exchange) / self.symbol.replace("/", "-")

    @property
    def bar_ns(self) -> int:
        """Length of one bar in nanoseconds."""
        return timeframe_ns(self.timeframe)

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe} on {self.exchange}"
