"""The memory of a strategy, one block of 8-byte words: head, table of offsets, indicators, timeframes, own cells."""

import numpy as np

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Cell, IndicatorUse, Module
from crypto_bot.authoring.ordinary import same_shape
from crypto_bot.authoring.parameters import ParameterSet
from crypto_bot.authoring.warming import Turn, Warming, function_of
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.timeframe import phase_ns
from crypto_bot.domain.units import YEAR_NS
from crypto_bot.kernel.context import TABLE
from crypto_bot.kernel.indicators import NEEDS

MOST_WORDS = 1 << 27
"""Words that one part of a strategy's memory may take for all symbols together: a gibibyte."""


class _Block:
    """The words of a block while they are given away, one part after the other."""

    def __init__(self, first: int) -> None:
        self.size = first
        self.table: list[int] = []
        self.starts: list[tuple[int, IntArray]] = []

    def give(self, words: IntArray) -> int:
        """Give words to a part, as they start; return where they lie."""
        self.starts.append((self.size, words))
        self.size += words.size
        return self.size - words.size

    def made(self) -> IntArray:
        """Return the whole block, with its table."""
        whole = np.zeros(self.size, np.int64)
        whole[TABLE : TABLE + len(self.table)] = self.table
        for first, words in self.starts:
            whole[first : first + words.size] = words
        return whole


def new_block(module: Module, params: ParameterSet, warming: Warming, symbols: int) -> IntArray:
    """Lay out the memory of a strategy as it starts, but for its head."""
    cells = module.memory_of(params)
    if not same_shape(cells, module.cells):
        raise Mistake(
            module.path, 0, "memory(p) changes its names or kinds with the parameters; only lengths may change"
        )
    block = _Block(TABLE + 4 * len(module.indicators) + len(cells) + 1 + len(module.frames))
    for use, turns in zip(module.indicators, warming.turns, strict=True):
        _refuse_much(module, use.line, use.word, len(turns) * symbols * max(_words_of(use, turn) for turn in turns))
        _give_indicator(block, use, turns, symbols)
    frames = [_give_frame(block, module, warming, frame, symbols) for frame in range(len(module.frames))]
    for name, cell in cells.items():
        _refuse_much(module, 0, f"memory {name}", len(cell.start) * symbols)
        block.table.append(block.give(np.tile(_words(cell), symbols)))
    block.table += [block.size, *frames]
    return block.made()


def _give_indicator(block: _Block, use: IndicatorUse, turns: tuple[Turn, ...], symbols: int) -> None:
    """Give an indicator its values, those of the bar before, and its states, each of the same size."""
    rows = len(turns) * symbols
    unseen = np.full(rows, np.nan).view(np.int64)
    states = np.zeros((rows, max(_words_of(use, turn) for turn in turns)), np.int64)
    states[:, 0] = np.repeat([-turn.waits for turn in turns], symbols)
    block.table += [block.give(unseen), block.give(unseen), block.give(states.ravel()), states.shape[1]]


def _words_of(use: IndicatorUse, turn: Turn) -> int:
    return NEEDS[function_of(use)].words(turn.length)


def _refuse_much(module: Module, line: int, what: str, words: int) -> None:
    if words > MOST_WORDS:
        text = f"{what} takes {words >> 17:,} MiB for all symbols; {MOST_WORDS >> 17:,} are possible, so keep less"
        raise Mistake(module.path, line, text)


def _give_frame(block: _Block, module: Module, warming: Warming, frame: int, symbols: int) -> int:
    """Give a second timeframe its head and its bars; return where they lie."""
    from crypto_bot.kernel.frames import DEPTH, FORMING, FRAME_PER_YEAR, NEVER, PERIOD, PHASE, ROW, ROWS, frame_words

    depth, period = warming.depth(frame), warming.periods[frame]
    _refuse_much(module, module.frames[frame].line, "a second timeframe", frame_words(depth, symbols))
    words = np.zeros(frame_words(depth, symbols), np.int64)
    words[[ROW, ROWS, DEPTH, PERIOD, PHASE, FORMING]] = -1, 2 * depth, depth, period, phase_ns(period), NEVER
    words.view(np.float64)[FRAME_PER_YEAR] = YEAR_NS / period
    return block.give(words)


def _words(cell: Cell) -> IntArray:
    """Return how a cell of the author's memory starts, for one symbol, as 8-byte words."""
    if cell.kind == "float":
        return np.asarray(cell.start, np.float64).view(np.int64)
    return np.asarray(cell.start, np.int64)
