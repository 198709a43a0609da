"""Buy when Wilder's RSI comes back up through a low, in an upward trend; leave on strength, on time or at the stop."""

from crypto_bot.strategy import Memory, NamedTuple, atr, close, position, rsi, sma, stop, symbols, target

timeframe = "15m"


class Params(NamedTuple):
    length: int = 14
    low: float = 30.0
    high: float = 55.0
    trend: int = 200
    stop_atr: float = 2.0
    max_bars: int = 10
    fraction: float = 1.0


def memory(p: Params) -> Memory:
    return {"held": 0}


def step(p: Params, m: Memory) -> None:
    for k in symbols():
        if position(k) > 0:
            m.held[k] += 1
            if rsi(k, p.length) >= p.high or m.held[k] >= p.max_bars:
                target(k, 0)
        elif rsi(k, p.length, ago=1) < p.low <= rsi(k, p.length) and close(k) > sma(k, p.trend):
            m.held[k] = 0
            target(k, p.fraction)
            stop(k, close(k) - p.stop_atr * atr(k, p.length))
