"""The length of a bar, in the words of the field: 1m 5m 15m 1h 4h 1d 1w."""

import re

from crypto_bot.domain.units import SECOND_NS

_UNIT_SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_TIMEFRAME = re.compile(r"([1-9][0-9]{0,2})([mhdw])")
_THURSDAY_TO_MONDAY_NS = 4 * 86_400 * SECOND_NS


def timeframe_ns(name: str) -> int:
    """Return the length of a bar in nanoseconds; ValueError for a name like '7x'."""
    match = _TIMEFRAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not a timeframe; write it as 5m, 4h, 1d or 1w")
    return int(match[1]) * _UNIT_SECONDS[match[2]] * SECOND_NS


def timeframe_name(length_ns: int) -> str:
    """Return the usual name of a bar length; ValueError when it has none."""
    for unit in ("w", "d", "h", "m"):
        step = _UNIT_SECONDS[unit] * SECOND_NS
        if length_ns > 0 and length_ns % step == 0:
            return f"{length_ns // step}{unit}"
    raise ValueError(f"{length_ns} ns is not the length of a bar")


def phase_ns(length_ns: int) -> int:
    """Return where bars of this length begin: weeks on Monday, all others with the UTC day."""
    return _THURSDAY_TO_MONDAY_NS if length_ns % (7 * 86_400 * SECOND_NS) == 0 else 0
