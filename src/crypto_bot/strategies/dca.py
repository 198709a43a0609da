"""Buy for the same amount of money at regular times, whatever the price, and never sell.

Quantity a purchase: amount / (close (1 + fee)), from the first bar of each period; periods count from Monday 00:00 UTC.
n purchases at prices p_i cost their harmonic mean n / sum(1 / p_i), at most the mean price: arithmetic, not an edge.
Source: dollar-cost averaging (Graham, The Intelligent Investor, 1949); the plan itself predicts nothing.
"""

from crypto_bot.strategy import Memory, NamedTuple, close, fee, hold, position, seconds, symbols

MONDAY = 4 * 86_400


class Params(NamedTuple):
    """Quote money for each purchase of each symbol, fee included; hours from one to the next."""

    amount: float = 100.0
    every_hours: int = 168


def check(p: Params) -> None:
    """Refuse what buys nothing, or never."""
    assert p.amount > 0, "amount must be positive"
    assert p.every_hours >= 1, "every_hours must be at least 1"


def memory(p: Params) -> Memory:
    """Start before every period; `next` is when one begins, in seconds."""
    return {"next": 0}


def step(p: Params, m: Memory) -> None:
    """Buy on the first bar of a period."""
    for k in symbols():
        if seconds() >= m.next[k]:
            length = 3_600 * p.every_hours
            m.next[k] = MONDAY + ((seconds() - MONDAY) // length + 1) * length
            hold(k, position(k) + p.amount / (close(k) * (1 + fee(k))))
