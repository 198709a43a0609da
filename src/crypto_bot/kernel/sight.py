"""What a strategy's walker needs, handed on by reference: the loop of a backtest calls it again and again.

Interpreted, a reference is the thing itself.
"""

from typing import Any, NamedTuple

from crypto_bot.kernel.compiled import COMPILE, types
from crypto_bot.kernel.layout import Account, Market, Memory


class Sight(NamedTuple):
    """The prices, the part of the account and the memory of one strategy."""

    market: Market
    account: Account
    memory: Memory


Reference = Any
"""Where a sight lies: an address compiled, the sight itself interpreted."""

if COMPILE:
    from crypto_bot.kernel.layout import ACCOUNT, INTEGER, MARKET_VIEW, MEMORY
    from crypto_bot.kernel.linking import references

    LOOP_SIGNATURE = INTEGER(INTEGER, INTEGER, INTEGER)
    LOOP = types.FunctionType(LOOP_SIGNATURE)
    lend, borrow = references(types.NamedTuple([MARKET_VIEW, ACCOUNT, MEMORY], Sight))
else:
    LOOP_SIGNATURE = LOOP = None

    def lend(sight: Sight) -> Reference:
        """Return the sight."""
        return sight

    def borrow(sight: Reference) -> Sight:
        """Return the sight."""
        return sight  # type: ignore[no-any-return] # a reference is the sight itself
