"""Symbols that list late, miss bars or are delisted: which of them a strategy may decide on at a slice.

A symbol is in the slice when it has a bar there and has had as many as the strategy needs before its first decision,
counted from its own first bar. A bar that is missing between others is shown flat at the last close, without volume.
"""

from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import ALONE, HERE, JOINED, WARMUP, Context
from crypto_bot.kernel.layout import CLOSES, PRESENT

MET = -1
"""Stands for the bar from which on a symbol is warm, once it has been in a slice."""


def gap_words(symbols: int) -> int:
    """Return the words of memory that the list of symbols, and since when each is warm, take."""
    return 2 * symbols


@word(inline=True)
def is_unlisted(s: Context, k: int) -> bool:
    """Tell whether a symbol has not had a bar yet."""
    return bool(s.bars[CLOSES, s.i, k] == 0)


@word()
def gather(bars: IntArray, i: int, whole: IntArray, count: int) -> int:
    """List the symbols of own bar i and return how many they are; to be called for every bar, in order."""
    here = whole[HERE]
    since = here + count
    listed = 0
    for k in range(count):
        warm = whole[since + k]
        if warm == 0:
            if bars[CLOSES, i, k] == 0:
                continue
            warm = i + whole[ALONE]
            whole[since + k] = warm
        if bars[PRESENT, i, k] == 0 or i + 1 < warm or i + 1 < whole[WARMUP]:
            continue
        if warm != MET:
            whole[since + k] = MET
            whole[JOINED] = 1
        whole[here + listed] = k
        listed += 1
    return listed
