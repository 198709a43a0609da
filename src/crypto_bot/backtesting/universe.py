"""Which symbols a run trades: those that are named, or the most traded ones at the time it begins.

The choice looks at the bars before the start only, so that a backtest knows no more than the bot did on that day; it
stays what it is until the run ends. What has no bar from then on is not listed any more: no exchange would offer it.
Coins that no archive holds any more are missing all the same. What follows the price of something else is no coin of
its own: money in coins, wrapped coins and leveraged tokens are left out.
"""

import re
from collections.abc import Set
from itertools import islice

import numpy as np

from crypto_bot.backtesting.loading import CandleSource, Window
from crypto_bot.config.sections import Trading
from crypto_bot.data.archive import Archive
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import DAY_NS, format_time

LOOK_BACK_DAYS = 30

MONEY = frozenset(
    "AEUR AUD BFUSD BRL BUSD DAI EUR EURI EURS EURT FDUSD FRAX GBP GUSD LUSD PAX PYUSD RLUSD SUSD TRY TUSD USD USD1"
    " USDC USDD USDE USDG USDP USDS USDT USTC UST XUSD".split()
)
"""Coins that stand for money of a state."""
WRAPPED = frozenset("BBTC BETH BNSOL CBBTC CBETH RETH STETH STSOL WBETH WBTC WEETH WETH WSTETH".split())
"""Coins that stand for another coin."""
_LEVERAGED = re.compile(r"(.+?)(UP|DOWN|BULL|BEAR|[235][LS])")


def traded_symbols(trading: Trading, source: CandleSource, exchange: str, window: Window) -> tuple[str, ...]:
    """Return the symbols of a run: without those of the blacklist; with `universe`, those that turned over most.

    Raises UsageError when nothing is left or no start is known, DataError when nothing was traded before it.
    """
    if not trading.universe:
        return named_symbols(trading)
    if not isinstance(source, Archive):
        raise UsageError("[trading] universe chooses from the archive; with candles in hand, hand over the chosen ones")
    begin_ns = _begin_ns(trading, source, exchange, window)
    turnover = {
        symbol: _turnover(trading, source, exchange, symbol, begin_ns)
        for symbol in _candidates(trading, source, exchange)
    }
    ranked = sorted((symbol for symbol in turnover if turnover[symbol] > 0), key=lambda each: (-turnover[each], each))
    if not ranked:
        raise DataError(
            f"no symbol of {exchange} was traded in the {LOOK_BACK_DAYS} days before {format_time(begin_ns)};"
            " [trading] universe needs candles from before the start: import some, or start later"
        )
    listed = (symbol for symbol in ranked if _is_listed(trading, source, exchange, symbol, (begin_ns, window.end_ns)))
    if found := tuple(islice(listed, trading.largest)):
        return found
    raise DataError(
        f"no symbol of {exchange} that was traded before {format_time(begin_ns)} has candles from then on;"
        " [trading] universe needs both: import some, or choose other dates"
    )


def named_symbols(trading: Trading) -> tuple[str, ...]:
    """Return the symbols that are named, without those of the blacklist; UsageError when none is left."""
    named = tuple(symbol for symbol in trading.symbols if symbol not in trading.blacklist)
    if not named:
        raise UsageError("[trading] blacklist holds every one of [trading] symbols; take one off")
    return named


def _candidates(trading: Trading, archive: Archive, exchange: str) -> set[str]:
    """Return every coin of the exchange with the quote asset of the named ones that is not on the blacklist."""
    quote = trading.symbols[0].partition("/")[2]
    held = (each.symbol.partition("/") for each in archive.series() if each.exchange == exchange)
    bases = {base for base, _, money in held if money == quote}
    coins = {base for base in bases - MONEY - WRAPPED if not _is_leveraged(base, bases)}
    return {f"{base}/{quote}" for base in coins} - set(trading.blacklist)


def _is_leveraged(base: str, bases: Set[str]) -> bool:
    """Tell BTCUP from JUP: a token on a coin is called by that coin, which is there too."""
    found = _LEVERAGED.fullmatch(base)
    return found is not None and found[1] in bases


def _begin_ns(trading: Trading, archive: Archive, exchange: str, window: Window) -> int:
    if window.start_ns is not None:
        return window.start_ns
    if window.days_back:
        last_ns = max((each.last_ns for each in archive.series() if each.exchange == exchange), default=0)
        return min(last_ns, window.end_ns or last_ns) - window.days_back * DAY_NS
    raise UsageError(
        f"[trading] universe = {trading.universe} is chosen when the run begins; say when that is, with --from, "
        "--days-back or [data] start"
    )


def _is_listed(trading: Trading, archive: Archive, exchange: str, symbol: str, window: tuple[int, int | None]) -> bool:
    """Tell whether a symbol has a bar in the window."""
    try:
        archive.load(symbol, trading.timeframe, exchange=exchange, start_ns=window[0], end_ns=window[1])
    except DataError:
        return False
    return True


def _turnover(trading: Trading, archive: Archive, exchange: str, symbol: str, begin_ns: int) -> float:
    """Return what was traded in the days before the start, in the quote asset; 0 when nothing is known of it."""
    first_ns = begin_ns - LOOK_BACK_DAYS * DAY_NS
    try:
        seen: Candles = archive.load(
            symbol, trading.timeframe, exchange=exchange, start_ns=first_ns, end_ns=begin_ns - 1
        )
    except DataError:
        return 0.0
    seen = seen.between(None, begin_ns - seen.bar_ns)  # what is not closed when the run begins is not known
    scales = float(seen.instrument.price_scale) * seen.instrument.quantity_scale
    return float(np.dot(seen.close.astype(np.float64), seen.volume.astype(np.float64)) / scales)
