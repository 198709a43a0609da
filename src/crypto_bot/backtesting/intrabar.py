"""The ways of filling inside a bar: whether a limit fills on touch, and which path prices are taken to have gone."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

LEGS = 3
"""Pieces of a bar whose prices are walked along a path."""


class Way(NamedTuple):
    """One way of filling: the price has to trade `through` a limit, or to reach it; bars are walked along `path`.

    `path` is empty where a bar is looked at as a whole: a stop before a target, and what is ordered inside it lives
    from the next bar on. It is ohlc, olhc or adaptive where the bar becomes three legs.
    """

    through: bool
    path: str

    @property
    def legs(self) -> int:
        """How many bars each bar becomes."""
        return LEGS if self.path else 1


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "pessimistic": Way(True, ""),
        "path": Way(False, "adaptive"),
        "touch": Way(False, ""),
        "ohlc": Way(True, "ohlc"),
        "olhc": Way(True, "olhc"),
        "adaptive": Way(True, "adaptive"),
    }
)
FILL_MODELS = tuple(WAYS)
