"""The filters of a symbol, kept beside its candles in instrument.json."""

import json
from dataclasses import dataclass
from pathlib import Path

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import INT64_MAX

LISTING_NAME = "instrument.json"
_NUMBERS = ("price_scale", "quantity_scale", "tick", "lot", "min_notional")


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument, and whether its tick, lot and minimum notional are the exchange's own words."""

    instrument: Instrument
    filters_known: bool

    def encode(self) -> bytes:
        """Return the bytes of instrument.json."""
        told: dict[str, str | int | bool] = {"exchange": self.instrument.exchange, "symbol": self.instrument.symbol}
        told |= {name: getattr(self.instrument, name) for name in _NUMBERS}
        told["filters_known"] = self.filters_known
        return (json.dumps(told, indent=1) + "\n").encode()


def read_listing(file: Path) -> Listing | None:
    """Read the filters of a symbol; None where nothing is written, DataError where it is not readable."""
    try:
        told = json.loads(file.read_bytes())
        numbers = {name: int(told[name]) for name in _NUMBERS}
        if max(numbers.values()) > INT64_MAX:
            raise ValueError("a number is too large")
        return Listing(Instrument(str(told["symbol"]), str(told["exchange"]), **numbers), told["filters_known"] is True)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise DataError(f"{file} is damaged ({problem}); delete its folder and import the candles again.") from None


def join_listings(stored: Listing | None, arriving: Listing) -> Listing:
    """Return the listing under which stored and arriving candles lie together.

    Prices take the finer of the two scales; volumes take the coarser one, because a coarser one was
    chosen where the numbers would not fit. Known filters win over assumed ones, newer over older;
    of assumed ticks the finer one stays.
    """
    if stored is None:
        return arriving
    old, new = stored.instrument, arriving.instrument
    price_scale = max(old.price_scale, new.price_scale)
    quantity_scale = min(old.quantity_scale, new.quantity_scale)
    ticks = [each.tick * (price_scale // each.price_scale) for each in (old, new)]
    known = stored.filters_known or arriving.filters_known
    chosen = old if known and not arriving.filters_known else new
    tick = ticks[chosen is new] if known else min(ticks)
    lot = -(-chosen.lot * quantity_scale // chosen.quantity_scale)
    instrument = Instrument(
        new.symbol, new.exchange, price_scale, quantity_scale, tick=tick, lot=lot, min_notional=chosen.min_notional
    )
    return Listing(instrument, known)
