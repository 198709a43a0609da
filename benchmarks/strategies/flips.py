"""In and out of the market every few bars, whatever it does: what an order costs from signal to ledger."""

from crypto_bot.strategy import Memory, NamedTuple, target


class Params(NamedTuple):
    """Bars between two orders."""

    every: int = 8


def check(p):
    """Refuse less than one bar."""
    assert p.every >= 1, "every must be at least 1"


def memory(p):
    """Start outside."""
    return {"seen": 0, "inside": False}


def step(p: Params, m: Memory) -> None:
    """Count, and change sides when it is time."""
    m.seen[0] += 1
    if m.seen[0] >= p.every:
        m.seen[0] = 0
        m.inside[0] = not m.inside[0]
        target(0, 1.0 if m.inside[0] else 0.0)
