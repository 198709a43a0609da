"""Bars of a longer timeframe, made bar by bar from those that a strategy decides on, inside of its memory.

A frame is a block of the memory: a head, the bars that are forming, and rows of closed bars laid out as the market's
are, so that every word and indicator reads them as it reads any others. A period's bar is known with the bar that
closes the period or, when that one is missing, with the first one after it. A period whose beginning was not seen is
left out.
"""

from crypto_bot.domain.market import IntArray
from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import BAR_NS, OWN_NS, OWN_PHASE, Context
from crypto_bot.kernel.layout import CLOSES, FAR, HIGHS, LOWS, OPENS, PLANES, SUMS, VOLUMES

ROW, ROWS, DEPTH, PERIOD, PHASE, UNTIL, FORMING, FRAME_PER_YEAR, FRAME = range(9)
"""Places in the head: newest closed row (-1: none), rows there are, rows to be kept, length and phase of a period,
when the forming bars end and how they stand, periods a year (a decimal); and where the forming bars begin."""

NOT_BEGUN, NEVER, WHOLE, CUT = range(4)
"""How the forming bars stand: none since the last closed, none ever, from the period's start on, from later on."""


def frame_words(depth: int, symbols: int) -> int:
    """Return the words that a frame takes which keeps so many closed bars.

    It has rows for twice as many, so that they are moved back once in so many periods.
    """
    return FRAME + PLANES * (1 + 2 * depth) * symbols


@word()
def own_end(s: Context, last: bool) -> int:
    """Return when the strategy's newest bar ended; `last` tells that no other becomes known with the same base bar.

    A bar whose end is missing becomes known late, with a base bar behind its period; the base bar before that one is
    the last of its own.
    """
    w = s.whole
    now = s.times[s.t] + w[BAR_NS]
    own, phase = w[OWN_NS], w[OWN_PHASE]
    if own == w[BAR_NS] or (last and (now - phase) % own == 0):
        return int(now)
    return int((s.times[s.t - 1] - phase) // own * own + own + phase)


@word(inline=True)
def framed(s: Context, a: int) -> Context:
    """Return the slice as it looks in the frame at `a`: its newest closed bar is the newest bar."""
    w = s.whole
    first = a + FRAME + PLANES * s.count
    bars = w[first : first + PLANES * w[a + ROWS] * s.count].reshape((PLANES, w[a + ROWS], s.count))
    row = w[a + ROW]
    return Context(
        bars,
        s.times,
        row,
        s.t,
        s.equity,
        s.book,
        s.subs,
        s.wish,
        w,
        s.real,
        s.count,
        s.here,
        s.real[a + FRAME_PER_YEAR],
    )


@word()
def _take_in(s: Context, a: int) -> None:
    """Let the newest bar of every symbol become part of the forming one; begin it when it is the first."""
    w = s.whole
    fresh = w[a + FORMING] <= NEVER
    for k in range(s.count):
        now = a + FRAME + k * PLANES
        if fresh or w[now + CLOSES] == 0:
            # Also the first bar of a symbol that is listed while the period lasts.
            w[now + OPENS] = s.bars[OPENS, s.i, k]
            w[now + HIGHS] = 0
            w[now + LOWS] = FAR
            w[now + VOLUMES] = 0
        w[now + HIGHS] = max(w[now + HIGHS], s.bars[HIGHS, s.i, k])
        w[now + LOWS] = min(w[now + LOWS], s.bars[LOWS, s.i, k])
        w[now + CLOSES] = s.bars[CLOSES, s.i, k]
        w[now + VOLUMES] += s.bars[VOLUMES, s.i, k]


@word()
def _end(w: IntArray, a: int, count: int) -> bool:
    """End the forming bars; True when they are whole and now stand in a row of their own."""
    whole = w[a + FORMING] == WHOLE
    w[a + FORMING] = NOT_BEGUN
    if not whole:
        return False
    bars = a + FRAME + PLANES * count
    row = w[a + ROW] + 1
    if row == w[a + ROWS]:
        # Moving all planes as one leaves each one's rows at its beginning; what comes behind them is never read.
        row = w[a + DEPTH] - 1
        back = (w[a + ROWS] - row) * count
        for y in range(PLANES * w[a + ROWS] * count - back):
            w[bars + y] = w[bars + y + back]
    w[a + ROW] = row
    wide = w[a + ROWS] * count
    for y in range(PLANES * count):
        w[bars + y % PLANES * wide + row * count + y // PLANES] = w[a + FRAME + y]
    for k in range(count):
        at = bars + row * count + k
        w[at + SUMS * wide] = w[at + SUMS * wide - count] + w[at + CLOSES * wide - count] if row > 0 else 0
    return True


@word()
def follow(s: Context, a: int, end: int, turn: int) -> bool:
    """Let a frame see the newest bar, which ended at `end`; True when a bar of the frame has become known.

    Turn 0 ends the period before, when the bar is the first behind it; turn 1 takes the bar in, and ends its period
    when it is the last.
    """
    w = s.whole
    if turn == 0:
        return w[a + FORMING] >= WHOLE and end > w[a + UNTIL] and _end(w, a, s.count)
    _take_in(s, a)
    if w[a + FORMING] <= NEVER:
        period, phase = w[a + PERIOD], w[a + PHASE]
        begun = (end - 1 - phase) // period * period + phase
        w[a + FORMING] = CUT if w[a + FORMING] == NEVER and end - w[OWN_NS] != begun else WHOLE
        w[a + UNTIL] = begun + period
    return end == w[a + UNTIL] and _end(w, a, s.count)
