"""Numbers as exact decimal text."""

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, format_scaled, to_decimal


def money(atoms: int) -> str:
    """Print atoms as exact decimal text."""
    return format_scaled(atoms, ATOMS)


def stepped(value: int, scale: int, step: int) -> str:
    """Print value / scale with the decimals that its step has: 0.02 in lots of 0.00001 is 0.02000.

    A value finer than the step keeps its own decimals.
    """
    places = max(len(format_scaled(one, scale).partition(".")[2]) for one in (step, value))
    return f"{to_decimal(value, scale):.{places}f}"


def price_text(value: int, instrument: Instrument) -> str:
    """Print a price with the decimals of the tick."""
    return stepped(value, instrument.price_scale, instrument.tick)


def quantity_text(value: int, instrument: Instrument) -> str:
    """Print a quantity with the decimals of the lot."""
    return stepped(value, instrument.quantity_scale, instrument.lot)
