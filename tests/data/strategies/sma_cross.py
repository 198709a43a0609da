"""Long while the fast mean is above the slow one."""

from crypto_bot.strategy import NamedTuple, sma, symbols, target


class Params(NamedTuple):
    fast: int = 20
    slow: int = 100
    fraction: float = 1.0


def step(p: Params) -> None:
    for k in symbols():
        up = sma(k, p.fast) > sma(k, p.slow)
        target(k, p.fraction if up else 0.0)
