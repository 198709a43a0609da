"""When what a module uses has its first value, for given parameters: counted in bars, never tried out."""

from dataclasses import dataclass

from crypto_bot.authoring.lengths import bars_needed, lengths, period_ns, turn_count
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Formula, IndicatorUse, Module, Reach
from crypto_bot.authoring.parameters import ParameterSet
from crypto_bot.authoring.vocabulary import WORDS
from crypto_bot.kernel.indicators import NEEDS

_MORE_ROWS = 2
"""What an indicator may read of the bars beyond its first value: the close before its window, and one for a change."""


def function_of(use: IndicatorUse) -> str:
    """Return the name of the kernel's function that keeps an indicator."""
    if WORDS[use.word].row.definition:
        return "latest"
    return f"{use.word}_of" if use.formula is not None and f"{use.word}_of" in NEEDS else use.word


@dataclass(frozen=True)
class Turn:
    """One indicator of a use: its length (1 when it has none), the bars before its source exists, those it needs."""

    length: int
    waits: int
    bars: int


class Warming:
    """All indicators, looks back and second timeframes of a module, for given parameters and bars of a length."""

    def __init__(self, module: Module, params: ParameterSet, own_ns: int) -> None:
        """Work everything out; Mistake for a length, an `ago` or a timeframe that means nothing here."""
        self._module, self._params = module, params
        self.periods = tuple(period_ns(module, frame, params) for frame in module.frames)
        for frame, period in zip(module.frames, self.periods, strict=True):
            if period % own_ns:
                text = "is not made of whole bars of those that the strategy decides on; take a longer one for it"
                raise Mistake(module.path, frame.line, f"timeframe={frame.timeframe} {text}, or shorter ones to decide")
        self._ratios = tuple(period // own_ns for period in self.periods)
        self.turns: list[tuple[Turn, ...]] = []
        # A use stands behind those that it is made of.
        for use in module.indicators:
            self.turns.append(self._turns(use))

    @property
    def warmup(self) -> int:
        """The bars before the first step: whatever can be read has a value then, one bar ago too."""
        uses = zip(self._module.indicators, self.turns, strict=True)
        kept = [self._own(turn.bars + 1, use.frame) for use, turns in uses for turn in turns]
        seen = [self._own(bars, reach.frame) for reach in self._module.reaches for bars in self._reach(reach)]
        return max((self._module.warmup or 1, *kept, *seen))

    def depth(self, frame: int) -> int:
        """Return how many closed bars of a second timeframe have to be kept."""
        reaches = [*self._module.reaches]
        for use in self._module.indicators:
            reaches += use.formula.reaches if use.formula else ()
        seen = [bars for reach in reaches if reach.frame == frame for bars in self._reach(reach)]
        uses = zip(self._module.indicators, self.turns, strict=True)
        kept = [turn.bars - turn.waits for use, turns in uses if use.frame == frame for turn in turns]
        return max((1, *seen, *kept)) + _MORE_ROWS

    def _turns(self, use: IndicatorUse) -> tuple[Turn, ...]:
        count = turn_count(self._module, use, self._params)
        needs = NEEDS[function_of(use)]
        ns = lengths(self._module, use, self._params) or (1,) * count
        waits = [0 if use.formula is None else self._waits(use, use.formula, place) for place in range(count)]
        return tuple(Turn(n, wait, needs.bars(n) + wait) for n, wait in zip(ns, waits, strict=True))

    def _waits(self, use: IndicatorUse, formula: Formula, place: int) -> int:
        """Return for how many bars what an indicator is made of has no value yet."""
        bars = [1]
        for reach in formula.reaches:
            needed = self._reach(reach)
            bars.append(
                self._own(needed[min(place, len(needed) - 1)], None if use.frame == reach.frame else reach.frame)
            )
        for inner, ago in formula.uses:
            turns, other = self.turns[inner], self._module.indicators[inner].frame
            turn = turns[min(place, len(turns) - 1)]
            bars.append(self._own(turn.bars + ago, None if use.frame == other else other))
        return max(bars) - 1

    def _reach(self, reach: Reach) -> tuple[int, ...]:
        return bars_needed(self._module, reach, self._params)

    def _own(self, bars: int, frame: int | None) -> int:
        """Return after how many of the strategy's bars so many of a second timeframe are known for certain."""
        ratio = 1 if frame is None else self._ratios[frame]
        return bars * ratio + ratio - 1
