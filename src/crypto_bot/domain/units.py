"""Scales, and the only places where decimal text becomes integers and back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

ATOMS = 100_000_000
"""Atoms in one unit of any asset: money is kept in steps of 1e-8."""

PPM = 1_000_000
"""Parts in a whole, for fees, shares and limits."""

PPM_PER_BPS = 100
"""Parts per million in one basis point."""

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
YEAR_NS = 365 * DAY_NS
"""Crypto trades every day: a year has 365 of them, never 252."""

INT64_MAX = (1 << 63) - 1

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_scaled(text: str | int | Decimal, scale: int) -> int:
    """Turn decimal text into an integer number of 1/scale, exactly.

    Raises ValueError for text that is no finite number, has more decimals than the scale holds,
    or does not fit into 64 bits.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not value.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    scaled = value * scale
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{text} has more decimals than 1/{scale} can hold")
    if abs(whole) > INT64_MAX:
        raise ValueError(f"{text} is too large")
    return whole


def to_decimal(value: int, scale: int) -> Decimal:
    """Return value / scale as an exact Decimal (scales are powers of ten)."""
    return Decimal(int(value)).scaleb(1 - len(str(scale)))


def format_scaled(value: int, scale: int) -> str:
    """Print value / scale exactly, without exponent and without needless zeros."""
    text = f"{to_decimal(value, scale):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_time_ns(text: str, *, end_of_day: bool = False) -> int:
    """Read an ISO 8601 date or time as UTC nanoseconds since 1970.

    A bare date means its first instant, or its last nanosecond with `end_of_day`.
    Raises ValueError for anything else.
    """
    try:
        if len(text) == len("2024-01-01"):
            day = date.fromisoformat(text)
            start = (day - _EPOCH.date()).days * DAY_NS
            return start + DAY_NS - 1 if end_of_day else start
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a date like 2024-01-31 nor an ISO 8601 time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def format_time(time_ns: int) -> str:
    """Print nanoseconds since 1970 as ISO 8601 UTC, to the second, or finer where it matters."""
    moment = _EPOCH + timedelta(microseconds=int(time_ns) // 1_000)
    return moment.isoformat(timespec="auto").replace("+00:00", "Z")
