"""What a module's functions need: indicators to keep, looks back, second timeframes; each is listed once."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from crypto_bot.authoring.expressions import choice_of
from crypto_bot.authoring.lengths import is_known, names_in, spelled
from crypto_bot.authoring.module import Frame, IndicatorUse, Loop, Reach
from crypto_bot.authoring.scope import Facts
from crypto_bot.authoring.spelling import TIMEFRAME
from crypto_bot.authoring.vocabulary import Word
from crypto_bot.domain.timeframe import timeframe_ns


@dataclass
class Family:
    """A loop over a tuple that is known at the start of a run, while its body is rewritten."""

    variable: str
    over: str
    index: str
    indexed: bool = False


@dataclass
class Uses:
    """The lists, while functions are read one after the other; `families` are the loops around the present line."""

    facts: Facts
    indicators: list[IndicatorUse] = field(default_factory=list)
    reaches: list[Reach] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    unknown_reach: ast.expr | None = None
    families: list[Family] = field(default_factory=list)

    def is_known(self, node: ast.expr) -> bool:
        """Return whether the expression is known before the run."""
        variables = [family.variable for family in self.families if family.variable != "_"]
        return is_known(node, self.facts.constants, variables)

    def family(self, *nodes: ast.expr) -> Family | None:
        """Return the loop that the expressions depend on; Mistake when there are two."""
        names = {name for node in nodes for name in names_in(node)}
        used = [family for family in self.families if family.variable in names]
        if len(used) > 1:
            self.facts.source.refuse(
                nodes[0], "a length can depend on one loop only; write one loop over a tuple of all lengths"
            )
        return used[0] if used else None

    def place(self, use: IndicatorUse) -> int:
        """Return the number of the indicator in the list; the same indicator twice is one."""
        for place, known in enumerate(self.indicators):
            if (known.word, known.length, known.loop, known.formula, known.frame) == (
                use.word, use.length, use.loop, use.formula, use.frame
            ):  # fmt: skip
                return place
        self.indicators.append(use)
        return len(self.indicators) - 1

    def frame(self, given: ast.expr | None) -> int | None:
        """Return the number of a second timeframe in the list, None for the own; Mistake for what is no timeframe."""
        if given is None:
            return None
        choice = choice_of(self.facts, given)
        named: Sequence[object] = [given.value] if isinstance(given, ast.Constant) else choice.names if choice else ()
        if not named or not all(is_timeframe(name) for name in named):
            shown = ast.unparse(given)
            text = f"{TIMEFRAME} is {shown}; write it as '4h', '1d' or '1w', or as a named choice of such"
            self.facts.source.refuse(given, text)
        spelling = ast.unparse(given)
        for place, known in enumerate(self.frames):
            if known.timeframe == spelling:
                return place
        self.frames.append(Frame(spelling, given.lineno))
        return len(self.frames) - 1

    def reach(self, node: ast.Call, word: Word, given: dict[str, ast.expr], frame: int | None) -> Reach | None:
        """Return how far a call looks back; None, noted, when that is not known before the run."""
        length, ago = given.get("length"), given.get("ago")
        used = [expression for expression in (length, ago) if expression is not None]
        families = {id(family): family for e in used if self.is_known(e) and (family := self.family(e))}
        if len(families) > 1 or not all(self.is_known(expression) for expression in used):
            if frame is not None:
                text = f"how far {word.name} looks back on another timeframe must be known before the run"
                self.facts.source.refuse(node, f"{text}; use numbers, p.something, or the variable of a loop over such")
            self.unknown_reach = self.unknown_reach or node
            return None
        family = next(iter(families.values()), None)
        variable, loop = (family.variable, Loop(family.over)) if family else (None, None)
        window = None if length is None else spelled(length, variable)
        back = "0" if ago is None else spelled(ago, variable)
        return Reach(word.name, window, back, loop, node.lineno, frame)


def is_timeframe(name: object) -> bool:
    """Tell whether this is the name of a timeframe."""
    try:
        return isinstance(name, str) and timeframe_ns(name) > 0
    except ValueError:
        return False
