"""Plain classes that tests write to files: one that works, and ways to go wrong."""

from pathlib import Path

CROSS = """
from collections import deque

from crypto_bot.plain import Signal


class Cross:
    def __init__(self, fast: int = 20, slow: int = 100, fraction: float = 1.0):
        self.fast, self.slow, self.fraction = fast, slow, fraction
        self.closes = {}
        self.told = []

    def on_start(self, symbols, timeframe):
        self.closes = {symbol: deque(maxlen=self.slow) for symbol in symbols}

    def on_data(self, shown):
        for symbol, bar in shown.bars.items():
            self.closes[symbol].append(round(bar.close * 100))

    def generate_signals(self, account):
        found = []
        for symbol, closes in self.closes.items():
            if len(closes) == self.slow:
                recent = list(closes)
                up = sum(recent[-self.fast :]) * self.slow > sum(recent) * self.fast
                share = self.fraction / len(self.closes) if up else 0.0
                found.append(Signal(symbol, share=share, reason="fast above slow" if up else "fast below slow"))
        return found

    def on_order_filled(self, fill):
        self.told.append([fill.symbol, fill.side, fill.price, fill.quantity])

    def get_state(self):
        closes = {symbol: list(each) for symbol, each in self.closes.items()}
        return {"closes": closes, "told": self.told, "lengths": [self.fast, self.slow, self.fraction]}

    @classmethod
    def from_state(cls, state):
        made = cls(*state["lengths"])
        made.closes = {symbol: deque(each, maxlen=made.slow) for symbol, each in state["closes"].items()}
        made.told = state["told"]
        return made
"""

SIMPLE = """
from collections import deque


class Simple:
    def __init__(self, fast: int = 20, slow: int = 100):
        self.fast, self.slow = fast, slow
        self.closes = deque(maxlen=slow)

    def on_data(self, bar):
        self.closes.append(round(bar.close * 100))
        if len(self.closes) < self.slow:
            return None
        recent = list(self.closes)
        return 1.0 if sum(recent[-self.fast :]) * self.slow > sum(recent) * self.fast else 0.0
"""

QUOTING = '''
from crypto_bot.plain import Quote, Signal


class Quoting:
    """Buys below and sells above, guarded by a stop; replaces what is filled."""

    def __init__(self, every: int = 24):
        self.every, self.bars, self.close = every, 0, 0.0

    def on_data(self, shown):
        self.bars += 1
        self.symbol, bar = next(iter(shown.bars.items()))
        self.close, self.now = bar.close, shown.time_ns

    def generate_signals(self, account):
        if self.bars % self.every != 1:
            return None
        held = account.positions[self.symbol]
        sell = [Quote("sell", self.close * 1.01, held)] if held > 0 else []
        return Signal(
            self.symbol,
            quotes=(Quote("buy", self.close * 0.995, 0.05), *sell),
            stop=self.close * 0.9,
            valid_until_ns=self.now + 12 * 3_600 * 10**9,
        )
'''


MAKING = """
from crypto_bot.plain import Quote, Signal


class Making:
    def on_data(self, shown):
        self.closes = {symbol: bar.close for symbol, bar in shown.bars.items()}

    def generate_signals(self, account):
        for symbol, close in self.closes.items():
            held = account.positions[symbol]
            buy, sell = Quote("buy", close * 0.9951, 0.0512345), Quote("sell", close * 1.0049, held)
            quotes = (buy, sell) if held > 0.06 else (buy,)
            yield Signal(symbol, quotes=quotes, stop=close * 0.9777, take_profit=close * 1.0333)
"""

MAKING_IN_WORDS = """
from crypto_bot.strategy import BUY, SELL, bracket, close, position, quote, symbols, unquote


def step(p):
    for k in symbols():
        quote(k, 0, BUY, close(k) * 0.9951, 0.0512345)
        if position(k) > 0.06:
            quote(k, 1, SELL, close(k) * 1.0049, position(k))
        else:
            unquote(k, 1)
        bracket(k, close(k) * 0.9777, close(k) * 1.0333)
"""


def failing(body: str, name: str = "on_data", top: str = "") -> str:
    """Return a class that does something wrong: in on_data at once, in generate_signals at the 30th bar."""
    return f"""
import sys, time
from crypto_bot.plain import Quote, Signal

class Failing:
    {top or "warmup = 1"}

    def __init__(self, n: int = 3):
        self.n, self.bars, self.kept = n, 0, []

    def on_data(self, shown):
        self.bars += 1
        {body if name == "on_data" else "pass"}

    def generate_signals(self, account):
        if self.bars == 30:
            {body if name == "generate_signals" else "pass"}
        return []
"""


def write(folder: Path, name: str, text: str) -> Path:
    """Save a class as a file."""
    file = folder / f"{name}.py"
    file.write_text(text)
    return file
