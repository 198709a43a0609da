"""What `strategies --new` writes: the same rule in the strategy language and as a plain class."""

LANGUAGE = '''"""Long while the fast mean is above the slow one."""
from crypto_bot.strategy import NamedTuple, count, sma, symbols, target


class Params(NamedTuple):
    fast: int = 20
    slow: int = 100
    fraction: float = 1.0


def check(p):
    assert 1 <= p.fast < p.slow, "fast must be at least 1 and below slow"
    assert 0 < p.fraction <= 1, "fraction must lie above 0, up to 1"


def step(p):
    for k in symbols():
        up = sma(k, p.fast) > sma(k, p.slow)
        target(k, p.fraction / count() if up else 0.0)
'''

CLASS = '''"""Long while the fast mean is above the slow one."""

from collections import deque

from crypto_bot.plain import Account, Filled, Shown, Signal


class TITLE:
    warmup = 100

    def __init__(self, fast: int = 20, slow: int = 100, fraction: float = 1.0):
        self.fast, self.slow, self.fraction = fast, slow, fraction
        self.closes: dict[str, deque[float]] = {}

    def on_start(self, symbols: tuple[str, ...], timeframe: str) -> None:
        self.closes = {symbol: deque(maxlen=self.slow) for symbol in symbols}

    def on_data(self, shown: Shown) -> None:
        for symbol, bar in shown.bars.items():
            self.closes[symbol].append(bar.close)

    def generate_signals(self, account: Account) -> list[Signal]:
        signals = []
        for symbol, closes in self.closes.items():
            if len(closes) == self.slow:
                recent = list(closes)
                up = sum(recent[-self.fast :]) / self.fast > sum(recent) / self.slow
                share = self.fraction / len(self.closes) if up else 0.0
                signals.append(Signal(symbol, share=share, reason="fast above slow" if up else "fast below slow"))
        return signals

    def on_order_filled(self, fill: Filled) -> None:
        pass

    def on_stop(self) -> None:
        pass

    def get_state(self) -> dict:
        closes = {symbol: list(each) for symbol, each in self.closes.items()}
        return {"lengths": [self.fast, self.slow, self.fraction], "closes": closes}

    @classmethod
    def from_state(cls, state: dict) -> "TITLE":
        made = cls(*state["lengths"])
        made.closes = {symbol: deque(each, maxlen=made.slow) for symbol, each in state["closes"].items()}
        return made
'''
