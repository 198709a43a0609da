"""What is known while the functions of a module are read: for all of them, and inside of one."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crypto_bot.authoring.kinds import Cells, Kind, Simple, in_words, join
from crypto_bot.authoring.parts import Parts
from crypto_bot.authoring.source import Source


@dataclass(frozen=True)
class Facts:
    """What holds in every function: the parts of the module, and the kinds of what is not a local name."""

    parts: Parts
    constants: Mapping[str, Kind]
    parameters: Mapping[str, Kind]
    cells: Mapping[str, Cells]

    @property
    def source(self) -> Source:
        """The author's file."""
        return self.parts.source


CallOwn = Callable[[ast.Call, str, Mapping[str, Kind]], Kind]
"""How the result of one of the author's functions is found: from the call, its name and the kinds of its arguments."""


@dataclass
class Scope:
    """One function while it is read: what its names are, and which of them surely have a value here.

    `sure` is None where no line can be reached: behind return, continue and break.
    """

    facts: Facts
    function: ast.FunctionDef
    call_own: CallOwn
    kinds: dict[str, Kind]
    sure: frozenset[str] | None
    local: frozenset[str]
    loops: list[str] = field(default_factory=list)
    results: list[tuple[ast.Return, Kind]] = field(default_factory=list)

    @property
    def source(self) -> Source:
        """The author's file."""
        return self.facts.source

    def is_sure(self, name: str) -> bool:
        """Return whether the name has a value on every way to this line."""
        return self.sure is None or name in self.sure

    def give(self, node: ast.AST, name: str, kind: Kind) -> None:
        """Note that a local name gets a value of this kind; Mistake when it holds another kind elsewhere."""
        if name in ("p", "m"):
            self.source.refuse(node, f"{name} cannot be changed; give your variable another name")
        if name in self.loops and name != "_":
            self.source.refuse(node, f"{name} is counted by the loop and cannot be changed in it; use another name")
        before = self.kinds.get(name, kind)
        both = join(before, kind)
        if both is None:
            text = f"{name} is {in_words(before)} in one place and {in_words(kind)} in another; use two names"
            self.source.refuse(node, text)
        self.kinds[name] = both
        if self.sure is not None:
            self.sure |= {name}


def either(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """Return the names that have a value whichever of two ways was taken."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def local_names(facts: Facts, function: ast.FunctionDef) -> frozenset[str]:
    """Return the names that belong to the function; Mistake for one that is taken."""
    names = {argument.arg for argument in function.args.args}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            facts.parts.refuse_name(node, node.id, "variable")
            names.add(node.id)
    for node in ast.walk(function):
        name = getattr(node, "id", getattr(node, "arg", None))
        if isinstance(node, ast.Name | ast.arg) and name in names:
            _refuse_taken(facts, node, str(name))
    return frozenset(names)


def _refuse_taken(facts: Facts, node: ast.AST, name: str) -> None:
    if name in facts.constants:
        facts.source.refuse(node, f"{name} is a constant of this file; give your variable another name")
    if name in facts.parts.functions:
        facts.source.refuse(node, f"{name} is a function of this file; give your variable another name")


def argument_kind(name: str) -> Kind:
    """Return the kind of an argument of which no call is known: p and m keep their meaning everywhere."""
    return {"p": Simple.PARAMS, "m": Simple.MEMORY}.get(name, Simple.UNKNOWN)
