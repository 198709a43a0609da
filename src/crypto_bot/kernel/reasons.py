"""Why an order was refused or cut, and why trading is halted, as words."""

from collections.abc import Mapping
from types import MappingProxyType

from crypto_bot.kernel.layout import (
    BY_CASH,
    BY_COOLDOWN,
    BY_DELISTED,
    BY_EXPECTANCY,
    BY_EXPOSURE,
    BY_FILTER,
    BY_GROUP,
    BY_HALT,
    BY_KELLY,
    BY_LOSSES,
    BY_NO_PRICE,
    BY_OVERFLOW,
    BY_PLACES,
    BY_POSITION,
    BY_RISK,
    BY_VOLATILITY,
    HALT_DAILY_LOSS,
    HALT_DRAWDOWN,
    HALT_LAW,
    HALT_LOSSES,
    HALT_OPERATOR,
)

REASONS: Mapping[int, str] = MappingProxyType(
    {
        BY_HALT: "trading is halted",
        BY_EXPOSURE: "the exposure limit is reached",
        BY_CASH: "the cash is not enough",
        BY_FILTER: "it is below the exchange's smallest order",
        BY_POSITION: "nothing is left to sell",
        BY_RISK: "its stop is too far away for what one position may lose",
        BY_NO_PRICE: "it has no price yet",
        BY_GROUP: "the exposure limit of its group is reached",
        BY_VOLATILITY: "its price moves too much for more",
        BY_KELLY: "the trips so far do not carry more",
        BY_EXPECTANCY: "the trips so far do not earn enough to go on, or are too few to tell",
        BY_PLACES: "as many positions are open as may be",
        BY_COOLDOWN: "its stop was hit a short while ago",
        BY_LOSSES: "a quarter is bought until a trip wins again",
        BY_DELISTED: "no bar of it has come for a long time, and it was given up",
        BY_OVERFLOW: "it is too large to be counted exactly",
    }
)
"""Why an order was refused or cut, as words."""

HALTS: Mapping[int, str] = MappingProxyType(
    {
        HALT_DRAWDOWN: "the drawdown limit",
        HALT_DAILY_LOSS: "the daily loss limit",
        HALT_OPERATOR: "the operator",
        HALT_LAW: "a broken law",
        HALT_LOSSES: "losses in a row",
    }
)
"""Why trading is halted, by the bits of a halt."""
