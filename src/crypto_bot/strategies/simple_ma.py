"""Moving average cross: long while the fast mean of closes lies above the slow one, flat otherwise.

State, not event: long while SMA(fast) > SMA(slow), flat on a tie, from the first bar that has both.
A cross of means is a weighted sum of past returns, the same bet as time-series momentum.
Source: the oldest rule of technical trading; 20/100 after Grayscale's published study.
"""

from crypto_bot.strategy import NamedTuple, count, sma, symbols, target


class Params(NamedTuple):
    """Lengths in bars; the share of equity when long, split evenly over the run's symbols."""

    fast: int = 20
    slow: int = 100
    fraction: float = 1.0


def check(p: Params) -> None:
    """Refuse what is no cross."""
    assert 1 <= p.fast < p.slow, "fast must be below slow, and at least 1"
    assert 0 < p.fraction <= 1, "fraction must lie between 0 and 1"


def step(p: Params) -> None:
    """Decide on the close of a bar."""
    part = p.fraction / count()
    for k in symbols():
        target(k, part if sma(k, p.fast) > sma(k, p.slow) else 0.0)
