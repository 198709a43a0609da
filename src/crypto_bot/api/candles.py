"""Candles for drawing: those of the run, and beyond them what the table of candles holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import HTTPException

from crypto_bot.api.answers import Ohlcv
from crypto_bot.api.follow import Follower
from crypto_bot.api.replica import Replica
from crypto_bot.api.series import CANDLES_KEPT, Candle
from crypto_bot.api.views import candle_answer
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import SECOND_NS
from crypto_bot.persistence.models import OHLCVCache
from crypto_bot.persistence.repositories import PAGE_MAX

DEFAULT_EXCHANGE = "binance"
"""Whose candles are meant before there is a run."""


@dataclass(frozen=True)
class SeriesAsked:
    """Whose candles are wanted; what is None is taken from the run."""

    symbol: str | None
    timeframe: str | None
    exchange: str | None


@dataclass(frozen=True)
class _Series:
    """One series by name; `number` is its place among the run's instruments, None when the run has none of it."""

    symbol: str
    timeframe: str
    exchange: str
    number: int | None


async def candles_answer(follower: Follower, asked: SeriesAsked, *, limit: int, before: int | None) -> Ohlcv:
    """Tell the newest candles that open before a time (epoch s); 404 where there are none of that series."""
    replica = follower.replica or Replica("")
    series = _named(replica, asked)
    end_ns = None if before is None else before * SECOND_NS
    found: list[Candle] = []
    if series.number is not None:
        length_ns = timeframe_ns(series.timeframe)
        kept = replica.candles[series.number].newest(CANDLES_KEPT if end_ns else limit + 1, length_ns, replica.bar_ns)
        found = [one for one in kept if end_ns is None or one.time_ns < end_ns][-limit - 1 :]
    if len(found) <= limit:
        instrument, found = await _with_stored(follower, series, found, end_ns=end_ns, limit=limit)
    else:
        instrument = replica.instruments[series.number or 0]
    if not found and series.number is None:
        raise HTTPException(404, _missing(replica, series))
    page = found[-limit:]
    more = len(found) > limit
    return Ohlcv(
        symbol=series.symbol,
        timeframe=series.timeframe,
        items=[candle_answer(one, instrument) for one in page],
        next=str(page[0].time_ns // SECOND_NS) if more else None,
    )


def _named(replica: Replica, asked: SeriesAsked) -> _Series:
    """Fill in what was not asked for; before there is a run nothing can be."""
    start = replica.start
    if start is None:
        if asked.symbol is None or asked.timeframe is None:
            raise HTTPException(404, "There is no run yet; name the symbol and the timeframe of candles in store.")
        _length(asked.timeframe)
        return _Series(asked.symbol, asked.timeframe, asked.exchange or DEFAULT_EXCHANGE, None)
    symbol, timeframe = asked.symbol or start.instruments[0].symbol, asked.timeframe or start.timeframe
    number = replica.number_of(symbol)
    exchange = asked.exchange or replica.instruments[number or 0].exchange
    known = number is not None and replica.instruments[number].exchange == exchange
    whole = _length(timeframe) % replica.bar_ns == 0
    return _Series(symbol, timeframe, exchange, number if known and whole else None)


async def _with_stored(
    follower: Follower, series: _Series, found: list[Candle], *, end_ns: int | None, limit: int
) -> tuple[Instrument, list[Candle]]:
    """Put what the table holds before candles of the run; return the scales and all of them, oldest first."""
    last_ns = found[0].time_ns if found else end_ns
    rows = await follower.look_up(
        lambda tables: tables.candles.page(
            series.exchange,
            series.symbol,
            series.timeframe,
            end_ns=None if last_ns is None else last_ns - 1,
            limit=min(PAGE_MAX + 1, limit + 1 - len(found)),
        )
    )
    replica, number = follower.replica or Replica(""), series.number
    scales = _scales(series.symbol, series.exchange, rows or [])
    instrument = replica.instruments[number] if number is not None else scales
    return instrument, [_candle(row, instrument) for row in rows or []] + found


def _candle(row: OHLCVCache, instrument: Instrument) -> Candle:
    """Return a stored bar at the scales of an instrument."""
    opened, high, low, close = (
        price * instrument.price_scale // row.price_scale for price in (row.open, row.high, row.low, row.close)
    )
    volume = row.volume * instrument.quantity_scale // row.quantity_scale
    return Candle(row.timestamp, opened, high, low, close, volume)


def _scales(symbol: str, exchange: str, rows: Sequence[OHLCVCache]) -> Instrument:
    """Return an instrument at the finest scales of stored bars."""
    if not rows:
        return Instrument("NONE/NONE", exchange)
    price_scale, quantity_scale = max(row.price_scale for row in rows), max(row.quantity_scale for row in rows)
    return Instrument(symbol, exchange, price_scale=price_scale, quantity_scale=quantity_scale)


def _missing(replica: Replica, series: _Series) -> str:
    named = f"{series.symbol} {series.timeframe} of {series.exchange}"
    if replica.start is None:
        return f"There is no run yet, and no candles of {named} are stored."
    if replica.number_of(series.symbol) is None:
        traded = ", ".join(instrument.symbol for instrument in replica.instruments)
        return f"This run trades {traded}, not {series.symbol}, and no candles of it are stored."
    return (
        f"No candles of {named} are stored, and they are not a multiple of the run's {replica.start.timeframe}"
        " to be put together from."
    )


def _length(timeframe: str) -> int:
    try:
        return timeframe_ns(timeframe)
    except ValueError as error:
        raise HTTPException(422, f"timeframe: {error}") from error
