"""CryptoTrader: one deterministic kernel that backtests, paper-trades and trades live.

For scripts and notebooks: `from crypto_bot import backtest, candles`. For programs of one's own:
`RiskManager`, and `UnitOfWork` over what a bot has written down.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

_RISK = ("RiskManager", "FixedFractionalSizer", "CircuitBreaker", "DrawdownTracker", "StopLossHandler")
_OFFERED: Mapping[str, str] = MappingProxyType(
    {
        "backtest": "notebook",
        "candles": "notebook",
        **dict.fromkeys(_RISK, "risk"),
        "UnitOfWork": "persistence.unit_of_work",
        "TradeRepository": "persistence.repositories",
        "OrderRepository": "persistence.repositories",
    }
)


def __getattr__(name: str) -> object:
    """Import what a script asks for when it asks: a command that needs none of it starts at once."""
    if name in _OFFERED:
        found: object = getattr(import_module(f"crypto_bot.{_OFFERED[name]}"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
