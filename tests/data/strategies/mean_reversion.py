"""Buy when the close falls through so many deviations below its mean; leave at the mean, on time, or at the stop."""

from crypto_bot.strategy import Memory, NamedTuple, close, position, stop, symbols, target, zscore

timeframe = "1h"


class Params(NamedTuple):
    length: int = 20
    enter: float = 2.0
    leave: float = 0.0
    stop_loss: float = 0.03
    max_bars: int = 30
    reset: float = 0.5
    fraction: float = 1.0


def memory(p: Params) -> Memory:
    return {"held": 0, "ready": True}


def step(p: Params, m: Memory) -> None:
    for k in symbols():
        z = zscore(k, p.length)
        if abs(z) < p.reset:
            m.ready[k] = True
        if position(k) > 0:
            m.held[k] += 1
            if z >= -p.leave or m.held[k] >= p.max_bars:
                target(k, 0)
        elif m.ready[k] and z <= -p.enter < zscore(k, p.length, ago=1):
            m.held[k] = 0
            m.ready[k] = False  # after this trade, wait until the price has been near its mean
            target(k, p.fraction)
            stop(k, close(k) * (1 - p.stop_loss))
