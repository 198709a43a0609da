"""A stage on which a strategy is played twice: as the author wrote it, and as its edits make it. No kernel is needed.

Every word gives a made-up value that depends on its arguments and on the bar alone, so the two plays must make the same
wishes, in the same order, and leave the same memory.
"""

import inspect
import zlib
from collections.abc import Callable, Mapping
from types import SimpleNamespace

from crypto_bot import strategy
from crypto_bot.authoring import spelling
from crypto_bot.authoring.kinds import Simple
from crypto_bot.authoring.lengths import lengths
from crypto_bot.authoring.module import Module
from crypto_bot.authoring.vocabulary import WORDS, Role, Word

SYMBOLS = 3
BARS = 60

Line = tuple[object, ...]
Function = Callable[..., object]


def made_up(bar: int, *of: object) -> float:
    """Return a value between 0 and 100 that depends on all of these and on nothing else."""
    return zlib.crc32(repr((bar, *of)).encode()) % 10_000 / 100


class Cell:
    """One name of memory, for all symbols, without numpy."""

    def __init__(self, start: tuple[float, ...], count: int) -> None:
        """Start every symbol alike."""
        places = [(k, j) for k in range(SYMBOLS) for j in range(len(start))]
        self.values: dict[object, float] = {(k, j) if count else k: start[j] for k, j in places}

    def __getitem__(self, place: object) -> float:
        """Return one number; LookupError outside of memory."""
        return self.values[place]

    def __setitem__(self, place: object, value: float) -> None:
        """Change one number; LookupError outside of memory."""
        assert place in self.values, place
        self.values[place] = value

    def rank(self, k: int) -> int:
        """Return the place of k, the best first."""
        return sum(self.values[j] > self.values[k] for j in range(SYMBOLS))


class Play:
    """One run over made-up bars; `log` is what was wished, and how it ended."""

    def __init__(self, module: Module) -> None:
        """Start with the memory that the default parameters ask for."""
        self.module = module
        self.bar = 0
        self.log: list[Line] = []
        self.params = module.parameters.defaults
        self.memory = SimpleNamespace(**{n: Cell(c.start, c.count) for n, c in module.cells.items()})

    def run(self, step: Function, *hidden: object) -> list[Line]:
        """Call step for every bar; a division by zero and a place outside of memory end the run."""
        given = [*hidden, self.params, *([self.memory] if self.module.takes_memory else [])]
        for self.bar in range(BARS):
            try:
                step(*given)
            except (ArithmeticError, LookupError, AssertionError) as error:
                self.log.append((self.bar, type(error).__name__))
                break
        self.log.append(tuple((name, *cell.values.items()) for name, cell in vars(self.memory).items()))
        return self.log

    def word(self, word: Word) -> Function:
        """Return the made-up function of a word, without the slice."""
        signature = inspect.signature(getattr(strategy, word.name))

        def play(*positional: object, **named: object) -> object:
            bound = signature.bind(*positional, **named)
            bound.apply_defaults()
            if word.name == "symbols":
                return range(SYMBOLS)
            if word.name == "count":
                return SYMBOLS
            if word.name == "rank":
                scores, k = bound.args
                assert isinstance(scores, Cell) and isinstance(k, int)
                return scores.rank(k)
            arguments = [float(argument) for argument in bound.args]
            if word.result is Simple.NOTHING:
                self.log.append((self.bar, word.name, *arguments))
                return None
            value = made_up(self.bar, word.name, *arguments)
            return int(value) if word.result is Simple.WHOLE else value > 50 if word.result is Simple.FLAG else value

        return play

    def view(self, place: int, ago: int) -> "View":
        """Return the made-up view of one kept indicator."""
        return View(self, place, ago)


class View:
    """One row of an indicator, or of a family of them, as `_x.v0` is."""

    def __init__(self, play: Play, place: int, ago: int) -> None:
        """Keep which indicator this is, and whether it is the value of the bar before."""
        self._play, self._ago = play, ago
        self._use = play.module.indicators[place]
        self._lengths = lengths(play.module, self._use, play.params)

    def __getitem__(self, place: int) -> float:
        """Return the value of a symbol, in the row of its length."""
        row, k = divmod(place, SYMBOLS) if self._use.loop else (0, place)
        return made_up(self._play.bar, self._use.word, float(k), float(self._lengths[row]), float(self._ago))


def as_written(module: Module) -> list[Line]:
    """Play the author's own text, with made-up words in place of those it imports."""
    play = Play(module)
    names: dict[str, object] = {}
    exec(compile(module.source, str(module.path), "exec", dont_inherit=True), names)
    names |= {name: play.word(word) for name, word in WORDS.items()}
    return play.run(_step(names))


def as_edited(module: Module) -> list[Line]:
    """Play the edited text, with the hidden context in the places that the edits name."""
    play = Play(module)
    count, here = (name.removeprefix(f"{spelling.SLICE}.") for name in (spelling.COUNT, spelling.HERE))
    hidden = SimpleNamespace(**{count: SYMBOLS, here: range(SYMBOLS)})

    def with_slice(word: Word) -> Function:
        function = play.word(word)
        if word.role is Role.PLAIN:
            return function

        def play_with_slice(given: object, *positional: object, **named: object) -> object:
            assert given is hidden
            return function(*positional, **named)

        return play_with_slice

    words = {name: with_slice(word) for name, word in WORDS.items() if word.role is not Role.INDICATOR}
    views = {
        f"{row}{place}": play.view(place, ago)
        for place in range(len(module.indicators))
        for row, ago in ((spelling.VALUES, 0), (spelling.BEFORE, 1))
    }
    names: dict[str, object] = {
        spelling.WORDS: SimpleNamespace(**words, counted=lambda _, over: over, BUY=strategy.BUY, SELL=strategy.SELL)
    }
    exec(compile(module.edited_text(), str(module.path), "exec", dont_inherit=True), names)
    return play.run(_step(names), hidden, SimpleNamespace(**views))


def _step(names: Mapping[str, object]) -> Function:
    step = names["step"]
    assert callable(step)
    return step
