"""The table of candles: bars as runs and downloads saw them, read without opening the archive."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from crypto_bot.domain.instrument import Instrument
from crypto_bot.persistence.models import OHLCVCache, columns_of

if TYPE_CHECKING:
    from crypto_bot.domain.market import Candles

_CHUNK = 5_000
_KEYS = ("exchange", "symbol", "timeframe", "timestamp")


class CandleRepository:
    """Closed bars by exchange, symbol and timeframe."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def store(self, candles: "Candles", *, run_id: str | None = None) -> int:
        """Write bars, in place of those that are there already; return how many.

        `run_id` names the run that saw them, None a download.
        """
        instrument = candles.instrument
        same = {
            "exchange": instrument.exchange,
            "symbol": instrument.symbol,
            "timeframe": candles.timeframe,
            "price_scale": instrument.price_scale,
            "quantity_scale": instrument.quantity_scale,
            "run_id": run_id,
        }
        names = ("timestamp", "open", "high", "low", "close", "volume")
        for first in range(0, len(candles), _CHUNK):
            part = [column[first : first + _CHUNK].tolist() for column in candles.columns()]
            rows = [same | dict(zip(names, bar, strict=True)) for bar in zip(*part, strict=True)]
            self.session.execute(self._upsert(), rows)
        return len(candles)

    def page(
        self,
        exchange: str,
        symbol: str,
        timeframe: str,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        limit: int = 1_000,
    ) -> Sequence[OHLCVCache]:
        """Return the newest `limit` bars whose open time lies in [start_ns, end_ns], oldest first."""
        query = select(OHLCVCache).where(
            OHLCVCache.exchange == exchange, OHLCVCache.symbol == symbol, OHLCVCache.timeframe == timeframe
        )
        if start_ns is not None:
            query = query.where(OHLCVCache.timestamp >= start_ns)
        if end_ns is not None:
            query = query.where(OHLCVCache.timestamp <= end_ns)
        found = self.session.scalars(query.order_by(OHLCVCache.timestamp.desc()).limit(limit)).all()
        return found[::-1]

    def load(self, exchange: str, symbol: str, timeframe: str) -> "Candles | None":
        """Return every bar of a series, None when there is none; tick and lot are the finest the scales allow."""
        import numpy as np

        from crypto_bot.domain.market import Candles

        query = (
            select(
                OHLCVCache.timestamp,
                OHLCVCache.open,
                OHLCVCache.high,
                OHLCVCache.low,
                OHLCVCache.close,
                OHLCVCache.volume,
                OHLCVCache.price_scale,
                OHLCVCache.quantity_scale,
            )
            .where(OHLCVCache.exchange == exchange, OHLCVCache.symbol == symbol, OHLCVCache.timeframe == timeframe)
            .order_by(OHLCVCache.timestamp)
        )
        table = np.array([tuple(row) for row in self.session.execute(query)], np.int64)
        if not table.size:
            return None
        price_scale, quantity_scale = int(table[:, 6].max()), int(table[:, 7].max())
        table[:, 1:5] *= (price_scale // table[:, 6])[:, None]
        table[:, 5] *= quantity_scale // table[:, 7]
        instrument = Instrument(symbol, exchange, price_scale=price_scale, quantity_scale=quantity_scale)
        return Candles(instrument, timeframe, *(table[:, column].copy() for column in range(6)))

    def _upsert(self) -> sqlite.Insert | postgresql.Insert:
        """Return an insert that overwrites; both databases spell it alike, SQLAlchemy does not."""
        dialect = self.session.get_bind().dialect.name
        statement = sqlite.insert(OHLCVCache) if dialect == "sqlite" else postgresql.insert(OHLCVCache)
        rest = [column.name for column in columns_of(OHLCVCache) if column.name not in _KEYS]
        return statement.on_conflict_do_update(
            index_elements=_KEYS, set_={name: statement.excluded[name] for name in rest}
        )
