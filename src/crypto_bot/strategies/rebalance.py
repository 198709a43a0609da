"""Hold each symbol at a fixed share of the equity, the rest in cash; trade back when a share has drifted too far.

At most once a period: share_k = fraction / symbols; hold share_k equity / close when |held / equity - share_k| > band.
A price that goes by a factor u and back leaves (1 + w (u - 1)) (1 + w (1 / u - 1)) > 1 of the money, w the share,
where holding leaves 1; a price that keeps going leaves less than holding does. No edge by itself.
Source: constant proportions (Perold and Sharpe, Dynamic Strategies for Asset Allocation, 1988).
"""

from crypto_bot.strategy import Memory, NamedTuple, close, count, equity, hold, position, seconds, symbols


class Params(NamedTuple):
    """Share of the equity in all symbols together; drift that is left alone, as a share; hours from look to look."""

    fraction: float = 0.5
    band: float = 0.05
    every_hours: int = 24


def check(p: Params) -> None:
    """Refuse borrowed money, and a band that nothing leaves."""
    assert 0 < p.fraction <= 1, "fraction must lie between 0 and 1"
    assert 0 <= p.band < p.fraction, "band must lie between 0 and fraction"
    assert p.every_hours >= 1, "every_hours must be at least 1"


def memory(p: Params) -> Memory:
    """Start before every period; `next` is when one begins, in seconds."""
    return {"next": 0}


def step(p: Params, m: Memory) -> None:
    """Look at the drift on the first bar of a period."""
    for k in symbols():
        if seconds() >= m.next[k]:
            length, share = 3_600 * p.every_hours, p.fraction / count()
            m.next[k] = (seconds() // length + 1) * length
            if abs(position(k) * close(k) / equity() - share) > p.band / count():
                hold(k, share * equity() / close(k))
