"""Candles for drawing: those of the run, and beyond them what the table of candles holds."""

from collections.abc import Sequence

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


async def candles_answer(
    follower: Follower, symbol: str | None, timeframe: str | None, *, limit: int, before: int | None
) -> Ohlcv:
    """Tell the newest candles that open before a time (epoch s); 404 where there are none of that symbol."""
    replica = follower.replica or Replica("")
    start = replica.start
    if start is None:
        raise HTTPException(404, "There are no candles yet.")
    symbol, timeframe = symbol or start.instruments[0].symbol, timeframe or start.timeframe
    length_ns = _length(timeframe)
    end_ns = None if before is None else before * SECOND_NS
    number = replica.number_of(symbol)
    found: list[Candle] = []
    if number is not None and length_ns % replica.bar_ns == 0:
        instrument = replica.instruments[number]
        kept = replica.candles[number].newest(CANDLES_KEPT if end_ns else limit + 1, length_ns, replica.bar_ns)
        found = [one for one in kept if end_ns is None or one.time_ns < end_ns][-limit - 1 :]
    if len(found) <= limit:
        instrument, found = await _with_stored(follower, symbol, timeframe, found, end_ns=end_ns, limit=limit)
    if not found and (number is None or length_ns % replica.bar_ns):
        raise HTTPException(404, _missing(replica, symbol, timeframe))
    page = found[-limit:]
    more = len(found) > limit
    return Ohlcv(
        symbol=symbol,
        timeframe=timeframe,
        items=[candle_answer(one, instrument) for one in page],
        next=str(page[0].time_ns // SECOND_NS) if more else None,
    )


async def _with_stored(
    follower: Follower, symbol: str, timeframe: str, found: list[Candle], *, end_ns: int | None, limit: int
) -> tuple[Instrument, list[Candle]]:
    """Put what the table holds before candles of the run; return the scales and all of them, oldest first."""
    replica = follower.replica or Replica("")
    number = replica.number_of(symbol)
    exchange = replica.instruments[0 if number is None else number].exchange
    last_ns = found[0].time_ns if found else end_ns
    rows = await follower.look_up(
        lambda tables: tables.candles.page(
            exchange,
            symbol,
            timeframe,
            end_ns=None if last_ns is None else last_ns - 1,
            limit=min(PAGE_MAX + 1, limit + 1 - len(found)),
        )
    )
    instrument = replica.instruments[number] if number is not None else _scales(symbol, exchange, rows or [])
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


def _missing(replica: Replica, symbol: str, timeframe: str) -> str:
    if replica.number_of(symbol) is None:
        traded = ", ".join(instrument.symbol for instrument in replica.instruments)
        return f"This run trades {traded}, not {symbol}, and no candles of it are stored."
    assert replica.start is not None
    return (
        f"No candles of {timeframe} are stored, and they are not a multiple of the run's {replica.start.timeframe}"
        " to be put together from."
    )


def _length(timeframe: str) -> int:
    try:
        return timeframe_ns(timeframe)
    except ValueError as error:
        raise HTTPException(422, f"timeframe: {error}") from error
