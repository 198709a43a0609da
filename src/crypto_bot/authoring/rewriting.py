"""The edits that make a module's functions kernel functions, and what has to be kept for them."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto_bot.authoring.calls import bound_word
from crypto_bot.authoring.edits import Edit, Text, cut, end, insert, start
from crypto_bot.authoring.expressions import choice_of
from crypto_bot.authoring.kinds import Kind, Many, Row
from crypto_bot.authoring.lengths import is_known, names_in, spelled
from crypto_bot.authoring.module import IndicatorUse, Loop, Reach
from crypto_bot.authoring.scope import Facts
from crypto_bot.authoring.spelling import BEFORE, COUNT, SLICE, VALUES, VIEWS, WORDS, loop_index
from crypto_bot.authoring.vocabulary import SIDES, Role, Word
from crypto_bot.authoring.vocabulary import WORDS as VOCABULARY


@dataclass
class Family:
    """A loop over a tuple that is known at the start of a run, while its body is rewritten."""

    variable: str
    over: str
    index: str
    indexed: bool = False


@dataclass
class Rewriting:
    """One pass over functions that were found to be possible; it collects the edits and the uses."""

    facts: Facts
    text: Text
    edits: list[Edit] = field(default_factory=list)
    indicators: list[IndicatorUse] = field(default_factory=list)
    reaches: list[Reach] = field(default_factory=list)
    unknown_reach: ast.expr | None = None
    _families: list[Family] = field(default_factory=list)

    def take_out(self, node: ast.stmt) -> None:
        """Leave only the line ends of a statement."""
        self.edits.append(cut(start(node), end(node), ""))

    def annotation(self, node: ast.expr | None) -> None:
        """Write None for an annotation: what stands there would be worked out when the module is loaded."""
        if node is not None:
            self.edits.append(cut(start(node), end(node), "(", "None)"))

    def function(self, node: ast.FunctionDef) -> None:
        """Give a function the hidden arguments, take its annotations away, and rewrite its body."""
        hidden = f"{SLICE}, {VIEWS}"
        self.edits.append(insert(self.text.after_bracket(start(node)), f"{hidden}, " if node.args.args else hidden))
        for argument in node.args.args:
            self.annotation(argument.annotation)
        self.annotation(node.returns)
        for statement in node.body:
            self._visit(statement)

    # ---- the body

    def _visit(self, node: ast.AST) -> None:
        match node:
            case ast.For():
                self._loop(node)
            case ast.Call(func=ast.Name(id=name)):
                self._call(node, name)
            case ast.Compare(left=left, comparators=[right]) if choice := choice_of(self.facts, left) or choice_of(
                self.facts, right
            ):
                name = right if isinstance(right, ast.Constant) else left
                assert isinstance(name, ast.Constant)
                self.edits.append(cut(start(name), end(name), f"({choice.names.index(str(name.value))}", ")"))
            case ast.Name(id=name) if name in SIDES:
                self.edits.append(insert(start(node), f"{WORDS}."))
            case ast.AnnAssign(value=ast.expr() as given):
                self._visit(given)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._visit(child)

    def _loop(self, node: ast.For) -> None:
        """Rewrite a loop; one over a known tuple, where an indicator stands in it, needs to count its turns."""
        counted = isinstance(node.iter, ast.Call) and isinstance(node.target, ast.Tuple)
        over = node.iter.args[0] if isinstance(node.iter, ast.Call) and counted else node.iter
        target = node.target.elts[-1] if isinstance(node.target, ast.Tuple) else node.target
        if not isinstance(target, ast.Name) or not self._is_known_tuple(over):
            self._visit(node.iter)
            self._body(node)
            return
        first = node.target.elts[0] if isinstance(node.target, ast.Tuple) else None
        index = first.id if isinstance(first, ast.Name) else loop_index(node.lineno)
        family = Family(target.id, ast.unparse(over), index)
        self._families.append(family)
        self._body(node)
        self._families.pop()
        if family.indexed and not counted:
            self.edits.append(insert(start(target), f"{index}, "))
            self.edits.append(insert(start(over), "enumerate(("))
            self.edits.append(insert(end(over), "))"))

    def _body(self, node: ast.For) -> None:
        for statement in node.body:
            self._visit(statement)

    def _is_known_tuple(self, over: ast.expr) -> bool:
        kinds: Mapping[str, Kind] = self.facts.constants
        match over:
            case ast.Tuple():
                return is_known(over, self.facts.constants, ())
            case ast.Name(id=name):
                return isinstance(kinds.get(name), Row)
            case ast.Attribute(value=ast.Name(id="p"), attr=name):
                return isinstance(self.facts.parameters.get(name), Many)
        return False

    # ---- calls

    def _call(self, node: ast.Call, name: str) -> None:
        word = VOCABULARY.get(name)
        if word is not None and word.role is Role.INDICATOR:
            self._kept(node, word)
            return
        hidden = f"{SLICE}, {VIEWS}" if name in self.facts.parts.functions else ""
        if word is not None:
            self.edits.append(insert(start(node.func), f"{WORDS}."))
            hidden = "" if word.role is Role.PLAIN else SLICE
            if word.role in (Role.BAR, Role.WINDOW):
                self._reach(node, word)
        if hidden:
            place = self.text.after_bracket(end(node.func))
            self.edits.append(insert(place, f"{hidden}, " if node.args or node.keywords else hidden))
        for argument in node.args:
            self._visit(argument)
        for keyword in node.keywords:
            self._visit(keyword.value)

    def _kept(self, node: ast.Call, word: Word) -> None:
        """Turn the call of an indicator into a read of its view: `_x.v0[k]`, or `_x.v0[_j12 * _s.count + (k)]`."""
        given = bound_word(self.facts.source, node, word)
        length, ago, symbol = given["length"], given.get("ago"), given["k"]
        if not self._is_known(length):
            text = (
                f"the length of {word.name} must be known before the run, and {ast.unparse(length)} is not: "
                "use a number, p.something, or the variable of a loop over a tuple of them"
            )
            self.facts.source.refuse(length, text)
        if ago is not None and not (isinstance(ago, ast.Constant) and ago.value in (0, 1)):
            self.facts.source.refuse(ago, f"{word.name} keeps its last two values only: ago is 0 or 1")
        family = self._family(length)
        row = BEFORE if isinstance(ago, ast.Constant) and ago.value == 1 else VALUES
        before, after = f"{VIEWS}.{row}{self._place(node, word, length, family)}[", "]"
        if family is not None:
            family.indexed = True
            before, after = f"{before}{family.index} * {COUNT} + (", ")]"
        self.edits.append(cut(start(node), start(symbol), before))
        self._visit(symbol)
        self.edits.append(cut(end(symbol), end(node), "", after))

    def _place(self, node: ast.Call, word: Word, length: ast.expr, family: Family | None) -> int:
        """Return the number of the indicator in the list; the same indicator twice is one."""
        variable, loop = (family.variable, Loop(family.over)) if family else (None, None)
        use = IndicatorUse(word.name, spelled(length, variable), loop, node.lineno)
        for place, known in enumerate(self.indicators):
            if (known.word, known.length, known.loop) == (use.word, use.length, use.loop):
                return place
        self.indicators.append(use)
        return len(self.indicators) - 1

    def _reach(self, node: ast.Call, word: Word) -> None:
        """Note how far a word looks back, or that it is not known before the run."""
        given = bound_word(self.facts.source, node, word)
        length, ago = given.get("length"), given.get("ago")
        used = [expression for expression in (length, ago) if expression is not None]
        families = {id(family): family for e in used if self._is_known(e) and (family := self._family(e))}
        if len(families) > 1 or not all(self._is_known(expression) for expression in used):
            self.unknown_reach = self.unknown_reach or node
            return
        family = next(iter(families.values()), None)
        variable, loop = (family.variable, Loop(family.over)) if family else (None, None)
        text = None if length is None else spelled(length, variable)
        back = "0" if ago is None else spelled(ago, variable)
        self.reaches.append(Reach(word.name, text, back, loop, node.lineno))

    def _is_known(self, node: ast.expr) -> bool:
        return is_known(
            node, self.facts.constants, [family.variable for family in self._families if family.variable != "_"]
        )

    def _family(self, node: ast.expr) -> Family | None:
        """Return the loop that the expression depends on; Mistake when there are two."""
        used = [family for family in self._families if family.variable in names_in(node)]
        if len(used) > 1:
            self.facts.source.refuse(
                node, "a length can depend on one loop only; write one loop over a tuple of all lengths"
            )
        return used[0] if used else None
