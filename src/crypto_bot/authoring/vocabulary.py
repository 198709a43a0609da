"""What the reader and the generator know of each word.

A new word needs a stub in `crypto_bot.strategy` (its signature and its sentence), one row in the table below, and its
compiled function in the kernel.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from crypto_bot import strategy
from crypto_bot.authoring.kinds import Cells, Kind, Simple


class Role(Enum):
    """What a word needs, and how far it looks back."""

    PLAIN = "its arguments and nothing else"
    SLICE = "the slice, but no earlier bars"
    BAR = "one bar, `ago` bars back"
    WINDOW = "`length` bars that end `ago` bars back, worked out whenever it is read"
    INDICATOR = "a state that is kept up to date at every bar; a call of it is a read"


class Row(NamedTuple):
    """One row of the table."""

    role: Role
    least: int = 1
    """The smallest length that means something."""
    more: int = 0
    """Bars that a window needs beyond its length."""
    definition: str = ""
    """What the word stands for, in other words and its own arguments."""


_PLAIN, _SLICE, _BAR, _KEPT = Row(Role.PLAIN), Row(Role.SLICE), Row(Role.BAR), Row(Role.INDICATOR)


def _defined(definition: str) -> Row:
    return Row(Role.INDICATOR, definition=definition)


_TABLE: Mapping[str, Mapping[str, Row]] = {
    "market": {
        **dict.fromkeys(("symbols", "count"), _SLICE),
        **dict.fromkeys(("open_", "high", "low", "close", "typical", "volume"), _BAR),
        "change": Row(Role.WINDOW, more=1),
        **dict.fromkeys(("seconds", "minute", "hour", "day", "weekday"), _SLICE),
    },
    "indicators": {
        "sma": Row(Role.WINDOW),
        **dict.fromkeys(("ema", "wma"), _KEPT),
        "macd": _defined("ema(k, fast) - ema(k, slow)"),
        "macd_signal": _defined("ema(k, signal, source=macd(k, fast, slow))"),
        "macd_histogram": _defined("macd(k, fast, slow) - macd_signal(k, fast, slow, signal)"),
        **dict.fromkeys(("rsi", "atr", "adx", "plus_di", "minus_di"), _KEPT),
        **dict.fromkeys(("highest", "lowest", "highest_high", "lowest_low"), _KEPT),
        "deviation": _KEPT,
        "bollinger_upper": _defined("sma(k, length) + width * deviation(k, length)"),
        "bollinger_lower": _defined("sma(k, length) - width * deviation(k, length)"),
        "zscore": Row(Role.INDICATOR, least=2),
        "volatility": Row(Role.INDICATOR, least=2),
        "ewma_volatility": _KEPT,
        "vwap": _KEPT,
        "vwap_day": _KEPT,
    },
    "account": dict.fromkeys(
        ("equity", "position", "entry", "fee", "wanted", "bought", "sold", "resting"),
        _SLICE,
    ),
    "wishes": dict.fromkeys(
        ("target", "hold", "quote", "unquote", "stop", "take_profit", "bracket", "trail", "break_even", "time_stop"),
        _SLICE,
    ),
    "plain": {"lots": _SLICE, "rank": _SLICE, "sqrt": _PLAIN},
}


@dataclass(frozen=True)
class Argument:
    """One argument of a word."""

    name: str
    kind: Kind
    required: bool
    default: object = None
    named: bool = False
    """Whether it is given by its name only."""


@dataclass(frozen=True)
class Word:
    """One word: its place in the table, its signature, and its sentence."""

    name: str
    section: str
    row: Row
    arguments: tuple[Argument, ...]
    result: Kind
    summary: str

    @property
    def role(self) -> Role:
        """What the word needs."""
        return self.row.role

    @property
    def signature(self) -> str:
        """How the word is written, with its defaults: `close(k, ago=0, timeframe=)`."""
        shown = [f"{a.name}=" if a.named else a.name if a.required else f"{a.name}={a.default}" for a in self.arguments]
        return f"{self.name}({', '.join(shown)})"

    def takes(self, name: str) -> bool:
        """Return whether it has an argument of this name."""
        return any(argument.name == name for argument in self.arguments)

    @property
    def required(self) -> str:
        """How the word is written at its shortest: `close(k)`."""
        return f"{self.name}({', '.join(a.name for a in self.arguments if a.required)})"


_KINDS: Mapping[object, Kind] = {
    int: Simple.WHOLE,
    float: Simple.DECIMAL,
    bool: Simple.FLAG,
    range: Simple.RANGE,
    None: Simple.NOTHING,
    Sequence[float]: Cells(Simple.DECIMAL, 0),
    float | None: Simple.DECIMAL,
    str | None: Simple.NOTHING,
}


def _word(name: str, section: str, row: Row) -> Word:
    stub = getattr(strategy, name)
    signature = inspect.signature(stub)
    arguments = tuple(
        Argument(p.name, _KINDS[p.annotation], p.default is p.empty, p.default, p.kind is p.KEYWORD_ONLY)
        for p in signature.parameters.values()
    )
    return Word(name, section, row, arguments, _KINDS[signature.return_annotation], (stub.__doc__ or "").strip())


WORDS: Mapping[str, Word] = {
    name: _word(name, section, row) for section, rows in _TABLE.items() for name, row in rows.items()
}
"""Every word, in the order of the table."""

SIDES: Mapping[str, int] = {"BUY": strategy.BUY, "SELL": strategy.SELL}
"""The words that are numbers."""

PYTHON = ("range", "enumerate", "len", "min", "max", "abs", "int", "float", "bool")
"""The functions of Python that mean the same when compiled."""

IMPORTABLE = frozenset(strategy.__all__)
"""Everything that an author may import from `crypto_bot.strategy`."""
