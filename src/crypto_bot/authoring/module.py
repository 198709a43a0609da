"""What the reader hands to the generator: one author's module, understood."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from crypto_bot.authoring.edits import Edit, Text
from crypto_bot.authoring.parameters import Parameters, ParameterSet
from crypto_bot.authoring.spelling import ALL, HERE

Wake: TypeAlias = Literal["bars", "fills"]
"""When a strategy steps: at the close of every bar, or at the start and after a fill."""


@dataclass(frozen=True)
class Loop:
    """A loop over a tuple that is known at the start of a run; `over` is its Python expression, as in `p.lookbacks`."""

    over: str


@dataclass(frozen=True)
class IndicatorUse:
    """One indicator to keep for every symbol: number j in the list is read as `_x.vj` and `_x.bj`.

    `length` is a Python expression of `p`, constants and, with a loop, of `spelling.LENGTH`, which takes each value of
    the loop's tuple in turn: such a use is a family of indicators, in rows of as many as there are symbols. It is None
    for a word without a length. `formula` is what the indicator is made of, None where that is the bars; `frame` is
    the place of the timeframe on whose bars it is kept, None for those that the strategy decides on.
    """

    word: str
    length: str | None
    loop: Loop | None
    line: int
    formula: "Formula | None" = None
    frame: int | None = None


@dataclass(frozen=True)
class Reach:
    """One look back at bars, by a word that keeps nothing; `length` is None for words that read one bar."""

    word: str
    length: str | None
    ago: str
    loop: Loop | None
    line: int
    frame: int | None = None


@dataclass(frozen=True)
class Formula:
    """What an indicator is made of instead of closes: its text in the walker, and how far it looks back.

    `uses` are the indicators in it, by their place in the module's list, each with the `ago` that is read.
    """

    text: str
    reaches: tuple[Reach, ...]
    uses: tuple[tuple[int, int], ...]

    @property
    def waits(self) -> bool:
        """Whether it may have no value at the first bar."""
        return bool(self.uses) or any(reach.length is not None or reach.ago != "0" for reach in self.reaches)


@dataclass(frozen=True)
class Frame:
    """A second timeframe: the expression that names it, a text or a named choice, as in `p.trend`."""

    timeframe: str
    line: int


@dataclass(frozen=True)
class Cell:
    """One name of the memory of a symbol: its kind, how many numbers (0: a single one), and how they start."""

    kind: Literal["int", "float"]
    count: int
    start: tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Module:
    """One author's module, read and found to be possible.

    `wake` is "fills" when it may sleep until a fill, so that it has no indicators; `wake_of` says whether it does.

    `namespace` is what running its top level gave; `cells` is the memory that the default parameters ask for, and
    `memory_of` says it for others. `functions` are the names of the author's functions that are compiled, `step` too.
    `timeframe` is that of the bars it decides on, None for those of the run; with `chosen_timeframe` it is the default
    of the parameter of that name.
    """

    path: Path
    source: str
    edits: tuple[Edit, ...]
    indicators: tuple[IndicatorUse, ...]
    reaches: tuple[Reach, ...]
    frames: tuple[Frame, ...]
    functions: tuple[str, ...]
    parameters: Parameters
    cells: Mapping[str, Cell]
    memory_of: Callable[[ParameterSet], Mapping[str, Cell]]
    timeframe: str | None
    chosen_timeframe: bool
    wake: Wake
    wake_of: Callable[[ParameterSet], Wake]
    warmup: int | None
    takes_memory: bool
    namespace: Mapping[str, object]

    @property
    def name(self) -> str:
        """The name of the strategy: the file's, without its ending."""
        return self.path.stem

    @property
    def summary(self) -> str:
        """The first line of the module's docstring; empty when there is none."""
        return (ast.get_docstring(ast.parse(self.source)) or "").partition("\n")[0]

    @property
    def trades_first_alone(self) -> bool:
        """Whether its words are about symbol 0 only: of the other symbols of a run it knows nothing."""
        tree = ast.parse(self.source)
        words = {
            name.asname or name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names
        }
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        said = [(call, call.func.id) for call in calls if isinstance(call.func, ast.Name) and call.func.id in words]
        told = {ast.unparse(call.args[0]) for call, word in said if call.args and word != "sqrt"}
        return told == {"0"} and not any(word in ("symbols", "count") for _, word in said)

    @property
    def params(self) -> type[ParameterSet]:
        """The author's class Params; an empty one when there is none."""
        return self.parameters.params

    def timeframe_of(self, params: ParameterSet) -> str | None:
        """Return the timeframe it decides on with these parameters, None for that of the run."""
        return str(params[self.parameters.names.index("timeframe")]) if self.chosen_timeframe else self.timeframe

    def edited_text(self, *, gaps: bool = False) -> str:
        """Return the author's text with all edits done, line for line.

        Without `gaps` symbols() are all of the run, told as the plain range that a compiler unrolls.
        """
        edits = self.edits if gaps else [replace(each, text=each.text.replace(HERE, ALL)) for each in self.edits]
        return Text(self.source).edited(edits)
