"""What the name of a file says: BTCUSDT-1d-2021-01.zip, BTC_USDT-5m.feather."""

import re
from typing import NamedTuple

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.timeframe import timeframe_name, timeframe_ns

_SUFFIXES = re.compile(r"(\.(csv|zip|gz|json|feather|parquet))+$", re.IGNORECASE)
_NAME = re.compile(r"(?P<pair>[^\W_]+([-_][^\W_]+)??)([-_](?P<timeframe>[0-9]+[mhdw])([-_].*)?)?")
_QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "DAI", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "AUD",
           "BTC", "ETH", "BNB")  # fmt: skip
"""Assets others are priced in, longer names before those they end in."""


class Named(NamedTuple):
    """What a file's name tells, None where it tells nothing."""

    symbol: str | None
    timeframe: str | None


def parse_name(name: str) -> Named:
    """Read symbol and timeframe from the name of a file."""
    stem = _SUFFIXES.sub("", name)
    match = _NAME.fullmatch(stem)
    if match is None:
        return Named(None, None)
    try:
        timeframe = match["timeframe"] and timeframe_name(timeframe_ns(match["timeframe"]))
    except ValueError:
        timeframe = None
    return Named(_split(match["pair"]), timeframe)


def check_inner_name(outer: str, inner: str) -> None:
    """Refuse an archive whose name tells of other candles than the name of the file inside it."""
    told, found = parse_name(outer), parse_name(inner)
    if any(left and right and left != right for left, right in zip(told, found, strict=True)):
        raise DataError(f"{outer} holds {inner}, which are other candles; unpack it and import what is inside.")


def _split(pair: str) -> str | None:
    """Split BTCUSDT, BTC_USDT or BTC-USDT into BTC/USDT; None when it ends in no asset known to price others."""
    upper = pair.upper()
    for quote in _QUOTES:
        base = upper.removesuffix(quote).rstrip("-_")
        if upper.endswith(quote) and base.isalnum():
            return f"{base}/{quote}"
    return None
