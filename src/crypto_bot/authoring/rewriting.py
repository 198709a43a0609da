"""The edits that make a module's functions kernel functions, and what has to be kept for them."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto_bot.authoring.calls import bound_word
from crypto_bot.authoring.edits import Edit, Text, cut, end, insert, start
from crypto_bot.authoring.expressions import choice_of
from crypto_bot.authoring.formulas import is_kept, read_of
from crypto_bot.authoring.kinds import Kind, Many, Row
from crypto_bot.authoring.lengths import is_known
from crypto_bot.authoring.scope import Facts
from crypto_bot.authoring.spelling import COUNT, COUNTED, HERE, SLICE, TIMEFRAME, VIEWS, WORDS, framed, loop_index
from crypto_bot.authoring.uses import Family, Uses
from crypto_bot.authoring.vocabulary import SIDES, Role, Word
from crypto_bot.authoring.vocabulary import WORDS as VOCABULARY


@dataclass
class Rewriting:
    """One pass over functions that were found to be possible; it collects the edits and the uses."""

    uses: Uses
    text: Text
    edits: list[Edit] = field(default_factory=list)

    @property
    def facts(self) -> Facts:
        """What holds in every function."""
        return self.uses.facts

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
                text = right if isinstance(right, ast.Constant) else left
                assert isinstance(text, ast.Constant)
                self.edits.append(cut(start(text), end(text), f"({choice.names.index(str(text.value))}", ")"))
            case ast.Name(id=name) if name in SIDES:
                self.edits.append(insert(start(node), f"{WORDS}."))
            case ast.AnnAssign(value=ast.expr() as given):
                self._visit(given)
            case _:
                for child in ast.iter_child_nodes(node):
                    self._visit(child)

    def _loop(self, node: ast.For) -> None:
        """Rewrite a loop; one over a known tuple, where an indicator stands in it, needs to count its turns.

        The turns of one whose length the run decides are counted, so that no step goes on for ever.
        """
        counted = isinstance(node.iter, ast.Call) and isinstance(node.target, ast.Tuple)
        over = node.iter.args[0] if isinstance(node.iter, ast.Call) and counted else node.iter
        target = node.target.elts[-1] if isinstance(node.target, ast.Tuple) else node.target
        if not isinstance(target, ast.Name) or not self._is_known_tuple(over):
            is_short = isinstance(over, ast.Call) and ast.unparse(over.func) == "symbols"
            if not is_short:
                self.edits.append(insert(start(over), f"{COUNTED}({SLICE}, "))
            self._visit(node.iter)
            if not is_short:
                self.edits.append(insert(end(over), ")"))
            self._body(node)
            return
        first = node.target.elts[0] if isinstance(node.target, ast.Tuple) else None
        index = first.id if isinstance(first, ast.Name) else loop_index(node.lineno)
        family = Family(target.id, ast.unparse(over), index)
        self.uses.families.append(family)
        self._body(node)
        self.uses.families.pop()
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
        hidden = f"{SLICE}, {VIEWS}" if name in self.facts.parts.functions else ""
        if word is not None:
            given = dict(bound_word(self.facts.source, node, word))
            if is_kept(word, given):
                self._kept(node, word, given["k"])
                return
            if name == "symbols":
                # Read in place, for compiled code hands no arrays back; in brackets, for it may go over several lines.
                self.edits.append(cut(start(node), end(node), f"({HERE}", ")"))
                return
            self.edits.append(insert(start(node.func), f"{WORDS}."))
            hidden = "" if word.role is Role.PLAIN else SLICE
            if word.role in (Role.BAR, Role.WINDOW):
                hidden = self._slice(node, word, given)
        if hidden:
            place = self.text.after_bracket(end(node.func))
            self.edits.append(insert(place, f"{hidden}, " if node.args or node.keywords else hidden))
        for argument in node.args:
            self._visit(argument)
        for keyword in node.keywords:
            if keyword.arg != TIMEFRAME:
                self._visit(keyword.value)

    def _slice(self, node: ast.Call, word: Word, given: dict[str, ast.expr]) -> str:
        """Note how far a word looks back, and return the slice that it is to read."""
        frame = self.uses.frame(given.get(TIMEFRAME))
        reach = self.uses.reach(node, word, given, frame)
        if reach is not None:
            self.uses.reaches.append(reach)
        if frame is None:
            return SLICE
        self._other_timeframe(node)
        return framed(frame)

    def _kept(self, node: ast.Call, word: Word, symbol: ast.expr) -> None:
        """Turn the call of an indicator into a read of its view: `_x.v0[k]`, or `_x.v0[_j12 * _s.count + (k)]`."""
        read = read_of(self.uses, node, word)
        before, after = f"{read.view()}[", "]"
        if read.family is not None:
            read.family.indexed = True
            before, after = f"{before}{read.family.index} * {COUNT} + (", ")]"
        self.edits.append(cut(start(node), start(symbol), before))
        self._visit(symbol)
        self.edits.append(cut(end(symbol), end(node), "", after))

    def _other_timeframe(self, node: ast.Call) -> None:
        """Take the argument timeframe away, with the comma that keeps it apart from another one."""
        for place, keyword in enumerate(node.keywords):
            if keyword.arg != TIMEFRAME:
                continue
            others = [*node.args, *(other.value for other in node.keywords[:place])]
            if others:
                self.edits.append(cut(self.text.comma(end(others[-1])), end(keyword), ""))
            else:
                self.edits.append(cut(start(keyword), start(node.keywords[place + 1]), ""))
