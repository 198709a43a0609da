"""What the words of a strategy work on: one slice, seen by one strategy; and its memory's head.

A strategy's memory is one block of 8-byte words, seen as integers and as floats; its bytes are its
snapshot. It begins with a head, then a table of offsets, then the states of its indicators, then the
author's own cells.
"""

from typing import Any, NamedTuple

from crypto_bot.kernel.compiled import word

Values = Any
"""The values of one indicator: for every symbol, and for every length of a family."""

NEXT, FAULT, FAULT_SYMBOL, FAULT_VALUE, FAULT_BAR = 0, 1, 2, 3, 4
BAR_NS, PER_YEAR, WARMUP, STARTED, OWN_NS, OWN_PHASE, TABLE = 5, 6, 7, 8, 9, 10, 16
"""Places in the head: next own bar, what went wrong, length of a bar, own bars a year, warm-up, stepped before, and
length and phase of the bars that the strategy decides on."""

HERE, ALONE, JOINED = 11, 12, 13
"""Places in the head where instruments lack bars: where the list of those in the slice lies, the bars that each has to
have before it is in the list, and whether one has come in since the last step."""

FAULT_NAN, FAULT_SHARE, FAULT_FUTURE, FAULT_PAST, FAULT_NEGATIVE, FAULT_SLOT, FAULT_SIDE, FAULT_LENGTH = range(1, 9)
FAULT_LARGE, FAULT_PART, FAULT_TURNS = 9, 10, 11

LOOPED, MOST_TURNS = 14, 10_000_000
"""Place in the head where the turns of the present step's loops are counted, and how many there may be: some
hundredths of a second of compiled code."""


class Context(NamedTuple):
    """One slice as a strategy sees it: i counts its own bars, t the bars of the run; so many own bars are a year.

    `count` symbols are in the run; `here` are those that may be decided on.
    """

    bars: Any
    times: Any
    i: int
    t: int
    equity: Any
    book: Any
    subs: Any
    wish: Any
    whole: Any
    real: Any
    count: int  # type: ignore[assignment] # hides tuple.count, which nothing calls
    here: Any
    per_year: float


@word()
def fail(s: Context, code: int, k: int, value: float) -> None:
    """Leave word of what is wrong in the head and stop the run."""
    s.whole[FAULT] = code
    s.whole[FAULT_SYMBOL] = k
    s.real[FAULT_VALUE] = value
    s.whole[FAULT_BAR] = s.t
    raise ArithmeticError("strategy")
