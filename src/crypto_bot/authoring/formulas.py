"""What indicators are made of: the text of a source in the walker, and the uses that it needs in turn.

The walker works a source out at every bar and for every symbol, away from the author's lines. So it may hold what is
the same there: words of the market, numbers, parameters and constants.
"""

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from crypto_bot.authoring.calls import bound_word
from crypto_bot.authoring.expressions import choice_of
from crypto_bot.authoring.lengths import spelled
from crypto_bot.authoring.module import Formula, IndicatorUse, Loop, Reach
from crypto_bot.authoring.spelling import (
    BEFORE,
    COUNT,
    FRAMED,
    LENGTH,
    SLICE,
    SOURCE,
    SYMBOL,
    TIMEFRAME,
    TURN,
    VALUES,
    VIEWS,
    WORDS,
    framed,
)
from crypto_bot.authoring.uses import Family, Uses
from crypto_bot.authoring.vocabulary import PYTHON, Role, Word
from crypto_bot.authoring.vocabulary import WORDS as VOCABULARY

_OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Constant)
_SOURCE = "a source is made of words of the market, numbers and p.something, as in source=volume(k)"
_KNOWN = "use a number, p.something, or the variable of a loop over a tuple of them"


@dataclass(frozen=True)
class Read:
    """One read of an indicator: its place in the list, the loop that it belongs to, and how many bars back."""

    place: int
    family: Family | None
    ago: int

    def view(self) -> str:
        """Return how its row is spelled."""
        return f"{VIEWS}.{BEFORE if self.ago else VALUES}{self.place}"


def is_kept(word: Word, given: Mapping[str, ast.expr]) -> bool:
    """Return whether the call of a word is the read of a kept indicator: its role, or a source, makes it one."""
    return word.role is Role.INDICATOR or SOURCE in given


def read_of(uses: Uses, node: ast.Call, word: Word, *, inside: int | None = None) -> Read:
    """Note the indicator that a call reads, and everything that it is made of; Mistake when it cannot be kept.

    `inside` is the timeframe of the call that this one is a source of.
    """
    given = dict(bound_word(uses.facts.source, node, word))
    frame = _frame(uses, given, inside)
    ago = given.get("ago")
    if ago is not None and not (isinstance(ago, ast.Constant) and ago.value in (0, 1)):
        uses.facts.source.refuse(ago, f"{word.name} keeps its last two values only: ago is 0 or 1")
    source, length = given.get(SOURCE), given.get("length")
    if word.row.definition:
        source, length = _defined(uses, node, word, given), None
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name):
            source.keywords += [ast.keyword("ago", ago)] if ago is not None else []
            return read_of(uses, source, VOCABULARY[source.func.id], inside=frame)
    elif length is not None and not uses.is_known(length):
        text = f"the length of {word.name} must be known before the run, and {ast.unparse(length)} is not"
        uses.facts.source.refuse(length, f"{text}: {_KNOWN}")
    parts = [part for part in (length, source) if part is not None]
    family = uses.family(*parts) if parts else None
    variable, loop = (family.variable, Loop(family.over)) if family else (None, None)
    formula = None if source is None else _Writer(uses, word, given["k"], family, frame).formula(source)
    spelling = None if length is None else spelled(length, variable)
    place = uses.place(IndicatorUse(word.name, spelling, loop, node.lineno, formula, frame))
    return Read(place, family, int(isinstance(ago, ast.Constant) and ago.value == 1))


def _frame(uses: Uses, given: Mapping[str, ast.expr], inside: int | None) -> int | None:
    """Return the timeframe of a call: that which it names, or that of the call it stands in."""
    named = given.get(TIMEFRAME)
    if named is None:
        return inside
    frame = uses.frame(named)
    if inside is not None and frame != inside:
        text = "a source is read on the bars of the indicator that it belongs to; take its own timeframe away"
        uses.facts.source.refuse(named, text)
    return frame


def _defined(uses: Uses, node: ast.Call, word: Word, given: Mapping[str, ast.expr]) -> ast.expr:
    """Return what a defined word stands for in this call; a source goes to every indicator in it that takes one."""
    values = {a.name: given.get(a.name, _constant(a.default)) for a in word.arguments if not a.named}
    for name, value in values.items():
        if name not in ("k", "ago") and not uses.is_known(value):
            text = f"{name} of {word.name} must be known before the run, and {ast.unparse(value)} is not"
            uses.facts.source.refuse(value, f"{text}: {_KNOWN}")
    written = _Substitution(values, given.get(SOURCE)).visit(ast.parse(word.row.definition, mode="eval").body)
    for part in ast.walk(written):
        if isinstance(part, ast.expr | ast.keyword):
            part.lineno = node.lineno
    assert isinstance(written, ast.expr)
    return written


def _constant(default: object) -> ast.expr:
    return ast.Constant(default if isinstance(default, int | float) else 0)


@dataclass
class _Substitution(ast.NodeTransformer):
    """Put the arguments of a call into a word's definition."""

    values: Mapping[str, ast.expr]
    source: ast.expr | None

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the argument of this name."""
        return copy.deepcopy(self.values.get(node.id, node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Hand the source on where none is given."""
        inner = self.generic_visit(node)
        assert isinstance(inner, ast.Call) and isinstance(node.func, ast.Name)
        named = {keyword.arg for keyword in inner.keywords}
        if self.source is not None and VOCABULARY[node.func.id].takes(SOURCE) and SOURCE not in named:
            inner.keywords.append(ast.keyword(SOURCE, copy.deepcopy(self.source)))
        return inner


@dataclass
class _Writer:
    """Write one source as the walker reads it, and collect what it needs."""

    uses: Uses
    word: Word
    symbol: ast.expr
    family: Family | None
    frame: int | None
    reaches: list[Reach] = field(default_factory=list)
    reads: list[tuple[int, int]] = field(default_factory=list)

    def formula(self, source: ast.expr) -> Formula:
        """Return the source with everything that it looks back at."""
        text = ast.unparse(self._written(source))
        return Formula(text, tuple(self.reaches), tuple(self.reads))

    def _refuse(self, node: ast.AST, text: str) -> NoReturn:
        self.uses.facts.source.refuse(node, f"{text}: {_SOURCE}")

    def _written(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Name(id=name) if self.family is not None and name == self.family.variable:
                return ast.Name(LENGTH)
            case ast.Name(id=name) if name in self.uses.facts.constants or name in PYTHON:
                return node
            case ast.Name(id=name):
                self._refuse(node, f"{name} is not the same at every bar and for every symbol")
            case ast.Attribute(value=ast.Name(id="p")):
                return node
            case ast.Subscript() if self.uses.is_known(node):
                return ast.Name(spelled(node, self.family.variable if self.family else None))
            case ast.Call(func=ast.Name(id=name)) if name in VOCABULARY:
                return self._call(node, VOCABULARY[name])
            case ast.Call(func=ast.Name(id=name)) if name in PYTHON:
                return ast.Call(node.func, [self._written(argument) for argument in node.args], [])
            case ast.Compare(left=left, comparators=[right]) if choice := choice_of(self.uses.facts, left) or choice_of(
                self.uses.facts, right
            ):
                places = {name: ast.Constant(place) for place, name in enumerate(choice.names)}
                sides = [places[str(n.value)] if isinstance(n, ast.Constant) else n for n in (left, right)]
                return ast.Compare(sides[0], node.ops, [sides[1]])
            case _ if isinstance(node, _OPERATIONS):
                return self._operation(node)
        self._refuse(node, f"{ast.unparse(node)} cannot be worked out there")

    def _operation(self, node: ast.expr) -> ast.expr:
        """Return an operation with its operands written."""
        changed = copy.copy(node)
        for name, part in ast.iter_fields(node):
            if isinstance(part, ast.expr):
                setattr(changed, name, self._written(part))
            elif isinstance(part, list) and part and isinstance(part[0], ast.expr):
                setattr(changed, name, [self._written(each) for each in part])
        return changed

    def _call(self, node: ast.Call, word: Word) -> ast.expr:
        if word.role is Role.PLAIN:
            return ast.Call(ast.Name(f"{WORDS}.{word.name}"), [self._written(each) for each in node.args], [])
        if word.role is Role.SLICE:
            self._refuse(node, f"{word.name} is not possible in the source of {self.word.name}")
        given = dict(bound_word(self.uses.facts.source, node, word))
        if is_kept(word, given):
            read = read_of(self.uses, node, word, inside=self.frame)
            self.reads.append((read.place, read.ago))
            symbol = self._symbol(given["k"])
            row = symbol if read.family is None else f"{TURN} * {COUNT} + {symbol}"
            return ast.Name(f"{read.view()}[{row}]")
        frame = _frame(self.uses, given, self.frame)
        reach = self.uses.reach(node, word, given, frame)
        if reach is None:
            self._refuse(node, f"how far {ast.unparse(node)} looks back is not known before the run")
        self.reaches.append(reach)
        context = ast.Name(SLICE if frame is None else FRAMED if self.frame is not None else framed(frame))
        arguments: list[ast.expr] = [context, ast.Name(self._symbol(given["k"]))]
        named = [ast.keyword(n, self._written(given[n])) for n in ("length", "ago") if n in given]
        return ast.Call(ast.Name(f"{WORDS}.{word.name}"), arguments, named)

    def _symbol(self, node: ast.expr) -> str:
        """Return the symbol of a word in the source: the indicator's own, or one that is told by its number."""
        if ast.unparse(node) == ast.unparse(self.symbol):
            return SYMBOL
        if isinstance(node, ast.Constant):
            return ast.unparse(node)
        shown, wanted = ast.unparse(node), ast.unparse(self.symbol)
        self._refuse(
            node, f"the symbol of {self.word.name} is {wanted}, and that of its source {shown}; write {wanted}"
        )
