"""How numbers are shown to people: thousands by comma, a true minus, gains with a plus, a dash for what has no meaning.

Money is rounded exactly, on integers, half away from zero; floats only for ratios.
"""

from crypto_bot.domain.units import ATOMS, DAY_NS, SECOND_NS

NOTHING = "\u2013"
MINUS = "\u2212"
PLUS_MINUS = "\u00b1"


def rounded(value: int, scale: int, places: int) -> int:
    """Return value / scale in steps of 10**-places, half away from zero."""
    step: int = 10**places
    size = (2 * abs(value) * step + scale) // (2 * scale)
    return size if value >= 0 else -size


def grouped(steps: int, places: int, *, signed: bool = False) -> str:
    """Print steps of 10**-places with thousands; zero carries no sign."""
    whole, part = divmod(abs(steps), 10**places)
    sign = MINUS if steps < 0 else "+" if signed and steps > 0 else ""
    return f"{sign}{whole:,}" + (f".{part:0{places}d}" if places else "")


def money(atoms: int | None, places: int = 2, *, signed: bool = False) -> str:
    """Print atoms as units of the asset."""
    return NOTHING if atoms is None else grouped(rounded(atoms, ATOMS, places), places, signed=signed)


def number(value: float | None, places: int = 2, *, signed: bool = False) -> str:
    """Print a plain ratio or count."""
    if value is None:
        return NOTHING
    steps = round(abs(value) * 10**places)
    return grouped(steps if value >= 0 else -steps, places, signed=signed)


def percent(ratio: float | None, places: int = 2, *, signed: bool = False) -> str:
    """Print a ratio as percent."""
    return NOTHING if ratio is None else number(ratio * 100, places, signed=signed) + "%"


def duration(length_ns: int | None) -> str:
    """Print a length of time in the one unit that suits it: 47 s, 12 min, 3 h, 2 d."""
    if length_ns is None:
        return NOTHING
    seconds = length_ns / SECOND_NS
    for unit, size in (("d", DAY_NS / SECOND_NS), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            amount = seconds / size
            return f"{number(amount, 0 if amount >= 10 or amount == int(amount) else 1)} {unit}"
    return f"{number(seconds, 0)} s"


def decimals(scale: int, step: int) -> int:
    """Return how many decimals a price or quantity shows that moves in `step` of 1/scale."""
    places = len(str(scale)) - 1
    while places and step % 10 == 0:
        step, places = step // 10, places - 1
    return places


def plain(text: str) -> str:
    """Return text in ASCII, for terminals that may know no other signs."""
    return text.replace(MINUS, "-").replace(NOTHING, "-").replace(PLUS_MINUS, "+/-")
