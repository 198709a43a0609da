"""Buy at the first chance, hold to the end: what every other strategy has to beat."""

from crypto_bot.strategy import Memory, NamedTuple, count, symbols, target


class Params(NamedTuple):
    """The share of equity to invest, split evenly over the run's symbols."""

    fraction: float = 1.0


def check(p: Params) -> None:
    """Refuse more than there is."""
    assert 0 < p.fraction <= 1, "fraction must lie between 0 and 1"


def memory(p: Params) -> Memory:
    """Start without having bought."""
    return {"done": False}


def step(p: Params, m: Memory) -> None:
    """Ask once for the share of each symbol, and never again."""
    for k in symbols():
        if not m.done[k]:
            m.done[k] = True
            target(k, p.fraction / count())
