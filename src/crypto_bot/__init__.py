"""CryptoTrader: one deterministic kernel that backtests, paper-trades and trades live.

For scripts and notebooks: `from crypto_bot import backtest, candles`.
"""

from importlib import import_module

_OFFERED = ("backtest", "candles")


def __getattr__(name: str) -> object:
    """Import what a script asks for when it asks: a command that needs none of it starts at once."""
    if name in _OFFERED:
        found: object = getattr(import_module("crypto_bot.notebook"), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
