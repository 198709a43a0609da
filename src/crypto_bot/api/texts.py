"""Numbers and times as text; lists hold thousands of them, so that none is taken apart by way of Decimal."""

from functools import lru_cache

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.domain.units import format_time as _format_time

_TIMES_KEPT = 32_768


def money(atoms: int) -> str:
    """Print atoms as exact decimal text."""
    return _decimal(int(atoms), ATOMS, 0)


def stepped(value: int, scale: int, step: int) -> str:
    """Print value / scale with the decimals that its step has: 0.02 in lots of 0.00001 is 0.02000.

    A value finer than the step keeps its own decimals.
    """
    return _decimal(int(value), scale, _places(step, scale))


def price_text(value: int, instrument: Instrument) -> str:
    """Print a price with the decimals of the tick."""
    return stepped(value, instrument.price_scale, instrument.tick)


def quantity_text(value: int, instrument: Instrument) -> str:
    """Print a quantity with the decimals of the lot."""
    return stepped(value, instrument.quantity_scale, instrument.lot)


@lru_cache(_TIMES_KEPT)
def time_text(time_ns: int) -> str:
    """Print nanoseconds since 1970 as ISO 8601 UTC; those of a curve are asked for again and again."""
    return _format_time(time_ns)


@lru_cache(1_024)
def _places(step: int, scale: int) -> int:
    """Return how many decimals step / scale has."""
    return len(_decimal(step, scale, 0).partition(".")[2])


def _decimal(value: int, scale: int, places: int) -> str:
    """Print value / scale exactly, with at least so many decimals; scales are powers of ten."""
    whole, rest = divmod(abs(value), scale)
    sign = "-" if value < 0 else ""
    digits = str(scale + rest)[1:].rstrip("0") if rest else ""
    if len(digits) < places:
        digits = digits.ljust(places, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
