"""The kind of every expression; an expression that cannot be compiled, or means two things, is refused here."""

import ast
from collections.abc import Callable, Mapping
from typing import cast

from crypto_bot.authoring.calls import bound_own, bound_word, need_whole, python_result, refuse_flags, word_result
from crypto_bot.authoring.kinds import (
    DECIMALS,
    FLAGS,
    Cells,
    Choice,
    Kind,
    Many,
    Row,
    Simple,
    either,
    in_words,
    is_number,
    item_of,
    join,
)
from crypto_bot.authoring.refusals import NAMES, OPERATORS, SYNTAX, did_you_mean, of_syntax
from crypto_bot.authoring.scope import Facts, Scope
from crypto_bot.authoring.spelling import TIMEFRAME
from crypto_bot.authoring.vocabulary import PYTHON, SIDES, WORDS
from crypto_bot.domain.units import INT64_MAX


def kind_of(scope: Scope, node: ast.expr) -> Kind:
    """Return the kind of an expression, NOTHING for a call that gives nothing back."""
    rule = _RULES.get(type(node))
    if rule is None:
        scope.source.refuse(node, of_syntax(node))
    return rule(scope, node)


def value(scope: Scope, node: ast.expr) -> Kind:
    """Return the kind of an expression whose value is used."""
    kind = kind_of(scope, node)
    if kind is Simple.NOTHING:
        scope.source.refuse(node, f"{ast.unparse(node)} gives nothing back; write it on a line of its own")
    return kind


def number(scope: Scope, node: ast.expr, user: str) -> Kind:
    """Return the kind of an expression that must be one number, for the sake of `user`."""
    kind = value(scope, node)
    if not is_number(kind):
        scope.source.refuse(node, f"{user} needs one number, and {ast.unparse(node)} is {in_words(kind)}")
    return kind


# ---- numbers, names and what hangs on them


def _constant(scope: Scope, node: ast.Constant) -> Kind:
    match node.value:
        case bool():
            return Simple.FLAG
        case int() if node.value <= INT64_MAX:
            return Simple.WHOLE
        case int():
            scope.source.refuse(node, "a whole number must fit into 64 bits; write it as a decimal, as in 1e20")
        case float():
            return Simple.DECIMAL
        case None:
            scope.source.refuse(node, "None is not possible inside a strategy; use 0 or a flag")
        case str() | bytes():
            scope.source.refuse(node, SYNTAX[ast.JoinedStr])
    scope.source.refuse(node, f"{ast.unparse(node)} is not possible inside a strategy; use a number")


def _name(scope: Scope, node: ast.Name) -> Kind:
    name, facts = node.id, scope.facts
    if name in scope.local:
        if name not in scope.kinds:
            scope.source.refuse(node, f"{name} is used before it gets a value")
        if not scope.is_sure(name):
            text = f"{name} may have no value here; give it one before the if or the loop"
            scope.source.refuse(node, text)
        return scope.kinds[name]
    if name in facts.constants:
        return facts.constants[name]
    if name in SIDES:
        return Simple.WHOLE
    if name in WORDS or name in facts.parts.functions or name in PYTHON:
        scope.source.refuse(node, f"{name} is a function: write {name}(...)")
    return _unknown(scope, node, name)


def _unknown(scope: Scope, node: ast.AST, name: str) -> Kind:
    facts, function = scope.facts, scope.function.name
    if name in ("p", "m") and function == "step":
        scope.source.refuse(node, "m is not known here; write def step(p, m) and declare it in memory(p)")
    if name in ("p", "m"):
        text = f"{name} is not known in {function}; make {name} an argument of {function} and hand it over"
        scope.source.refuse(node, text)
    if name in NAMES:
        scope.source.refuse(node, NAMES[name])
    known = {*WORDS, *SIDES, *PYTHON, *facts.constants, *facts.parts.functions, *scope.local}
    scope.source.refuse(node, f"I do not know {name}{did_you_mean(name, known)}")


def _attribute(scope: Scope, node: ast.Attribute) -> Kind:
    facts, name = scope.facts, node.attr
    who = node.value.id if isinstance(node.value, ast.Name) else ""
    if who in ("p", "m") and who not in scope.local:
        return _unknown(scope, node, who)
    if who == "p":
        if not facts.parameters:
            scope.source.refuse(node, f"there is no class Params(NamedTuple) that declares {name}")
        if name not in facts.parameters:
            near = did_you_mean(name, facts.parameters)
            scope.source.refuse(node, f"there is no parameter {name} in Params{near}")
        return facts.parameters[name]
    if who == "m":
        if name not in facts.cells:
            near = did_you_mean(name, facts.cells)
            scope.source.refuse(node, f"memory(p) does not declare {name}{near}")
        return facts.cells[name]
    if who in NAMES and who not in scope.local:
        scope.source.refuse(node, NAMES[who])
    scope.source.refuse(node, "the dot is possible on p and m only, as in p.fast and m.held[k]")


def _subscript(scope: Scope, node: ast.Subscript) -> Kind:
    if isinstance(node.value, ast.Name) and node.value.id in WORDS:
        word = WORDS[node.value.id]
        scope.source.refuse(node, f"brackets are possible on memory and tuples only; write {word.required}")
    base = value(scope, node.value)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for part in parts:
        if isinstance(part, ast.Slice):
            scope.source.refuse(node, SYNTAX[ast.Slice])
        need_whole(
            scope.source, part, number(scope, part, "the place between brackets"), "what stands between brackets"
        )
    if isinstance(base, Cells):
        return _cell(scope, node, base, len(parts))
    if base is Simple.UNKNOWN:
        return base
    if not isinstance(base, Row | Many) or len(parts) != 1:
        scope.source.refuse(node, "brackets are possible on memory and tuples only, as in m.held[k] or p.lengths[0]")
    if isinstance(base, Row) and isinstance(parts[0], ast.Constant):
        place, last = cast(int, parts[0].value), len(base.items) - 1
        if place > last:
            scope.source.refuse(node, f"{ast.unparse(node.value)} has no number {place}: they count from 0 to {last}")
        return base.items[place]
    return items(scope, node.value, base)


def _cell(scope: Scope, node: ast.Subscript, cells: Cells, given: int) -> Kind:
    name = ast.unparse(node.value)
    if given != (2 if cells.count else 1):
        many = f"{cells.count} numbers" if cells.count else "one number"
        wanted = "[k, j]" if cells.count else "[k]"
        scope.source.refuse(node, f"{name} needs {wanted}: it keeps {many} for each symbol")
    return cells.item


def items(scope: Scope, node: ast.expr, kind: Kind) -> Kind:
    """Return the kind of every item of a tuple or range; Mistake when the compiler would see more than one."""
    item = item_of(kind)
    if item is None and isinstance(kind, Row):
        text = f"the numbers of {ast.unparse(node)} must be of one kind; write them all whole, or all as in 1.0"
        scope.source.refuse(node, text)
    if item is None:
        text = (
            f"a loop goes over range(...), symbols() or a tuple of numbers, and {ast.unparse(node)} is {in_words(kind)}"
        )
        scope.source.refuse(node, text)
    return item


# ---- arithmetic and choices


def arithmetic(scope: Scope, node: ast.BinOp | ast.AugAssign, left: Kind, right: Kind) -> Kind:
    """Return the kind of a sum, a quotient and the like of two numbers."""
    op = node.op
    if type(op) in OPERATORS:
        scope.source.refuse(node, OPERATORS[type(op)])
    if isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor):
        if left in DECIMALS or right in DECIMALS:
            scope.source.refuse(node, "&, | and ^ need whole numbers; for conditions use and, or, not")
        return Simple.FLAG if left is right is Simple.FLAG else Simple.WHOLE
    if left in FLAGS:
        refuse_flags(scope.source, node, "arithmetic with True or False", _right(node), right)
    if isinstance(op, ast.Div):
        return Simple.DECIMAL
    if Simple.UNKNOWN in (left, right):
        return Simple.UNKNOWN
    return Simple.DECIMAL if left in DECIMALS or right in DECIMALS else Simple.WHOLE


def _right(node: ast.BinOp | ast.AugAssign) -> ast.expr:
    return node.right if isinstance(node, ast.BinOp) else node.value


def _binary(scope: Scope, node: ast.BinOp) -> Kind:
    left, right = number(scope, node.left, "arithmetic"), number(scope, node.right, "arithmetic")
    return arithmetic(scope, node, left, right)


def _unary(scope: Scope, node: ast.UnaryOp) -> Kind:
    kind = number(scope, node.operand, "arithmetic")
    if type(node.op) in OPERATORS:
        scope.source.refuse(node, OPERATORS[type(node.op)])
    if isinstance(node.op, ast.Not):
        return Simple.FLAG
    refuse_flags(scope.source, node, "a sign", node.operand, kind)
    return kind


def _boolean(scope: Scope, node: ast.BoolOp) -> Kind:
    word = "and" if isinstance(node.op, ast.And) else "or"
    result = number(scope, node.values[0], word)
    for other in node.values[1:]:
        result = join(result, number(scope, other, word)) or Simple.UNKNOWN
    return result


def _compare(scope: Scope, node: ast.Compare) -> Kind:
    for op in node.ops:
        if type(op) in OPERATORS:
            scope.source.refuse(node, OPERATORS[type(op)])
    operands = (node.left, *node.comparators)
    for operand in operands:
        if choice := choice_of(scope.facts, operand):
            return _compare_names(scope, node, operand, choice)
    for operand in operands:
        number(scope, operand, "a comparison")
    return Simple.FLAG


def _compare_names(scope: Scope, node: ast.Compare, chosen: ast.expr, choice: Choice) -> Kind:
    """Accept a named choice compared with one of its names."""
    shown = ast.unparse(chosen)
    names = [operand.value for operand in (node.left, *node.comparators) if isinstance(operand, ast.Constant)]
    if len(node.ops) != 1 or len(names) != 1 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        scope.source.refuse(node, f"{shown} is {in_words(choice)}: compare it with one name by == or !=")
    if names[0] not in choice.names:
        near = did_you_mean(str(names[0]), choice.names)
        scope.source.refuse(node, f"{shown} is never {names[0]!r}: it is {either(choice.names)}{near}")
    return Simple.FLAG


def choice_of(facts: Facts, node: ast.expr) -> Choice | None:
    """Return the names that a parameter leaves to choose from; None for any other expression."""
    match node:
        case ast.Attribute(value=ast.Name(id="p"), attr=name):
            kind = facts.parameters.get(name)
            return kind if isinstance(kind, Choice) else None
    return None


def _choice(scope: Scope, node: ast.IfExp) -> Kind:
    number(scope, node.test, "if")
    one, other = value(scope, node.body), value(scope, node.orelse)
    both = join(one, other)
    if both is None:
        scope.source.refuse(node, f"this is {in_words(one)} or {in_words(other)}; both must be of one kind")
    return both


def _tuple(scope: Scope, node: ast.Tuple) -> Kind:
    if not node.elts:
        scope.source.refuse(node, "an empty tuple is not possible inside a strategy")
    kinds = []
    for element in node.elts:
        kind = value(scope, element)
        if not is_number(kind) and not isinstance(kind, Row | Many):
            scope.source.refuse(element, f"a tuple holds numbers, and {ast.unparse(element)} is {in_words(kind)}")
        kinds.append(kind)
    return Row(tuple(kinds))


# ---- calls


def _call(scope: Scope, node: ast.Call) -> Kind:
    source, functions = scope.source, scope.facts.parts.functions
    if not isinstance(node.func, ast.Name):
        if isinstance(node.func, ast.Attribute):
            kind_of(scope, node.func)
        source.refuse(node, "functions are called by their plain name, as in close(k)")
    name = node.func.id
    if name in scope.local:
        source.refuse(node, f"{name} is a variable here and cannot be called")
    if name in WORDS:
        word = WORDS[name]
        given = bound_word(source, node, word)
        numbers = {name: argument for name, argument in given.items() if name != TIMEFRAME}
        return word_result(source, word, {name: (each, value(scope, each)) for name, each in numbers.items()})
    if name in functions and name != "step":
        return _own(scope, node, name)
    if name in PYTHON:
        kinds = [value(scope, argument) for argument in node.args]
        return python_result(source, node, name, kinds)
    return _unknown(scope, node.func, name)


def _own(scope: Scope, node: ast.Call, name: str) -> Kind:
    """Check a call of the author's own function: p and m go to arguments of the same name, and nothing else does."""
    source, function = scope.source, scope.facts.parts.functions[name]
    given = bound_own(source, node, function)
    kinds: dict[str, Kind] = {}
    for argument, expression in given.items():
        kind = value(scope, expression)
        shown = ast.unparse(expression)
        hidden = kind in (Simple.PARAMS, Simple.MEMORY)
        if (hidden or argument in ("p", "m")) and shown != argument:
            source.refuse(expression, f"p and m keep their names: {argument} of {name} cannot be {shown}")
        if isinstance(kind, Cells):
            source.refuse(expression, f"{shown} is {in_words(kind)}; hand over m, and write {shown}[k] in {name}")
        if isinstance(kind, Choice):
            source.refuse(expression, f"{shown} is {in_words(kind)}; hand over p, and compare {shown} in {name}")
        kinds[argument] = kind
    return scope.call_own(node, name, kinds)


_Rule = Callable[[Scope, ast.expr], Kind]

_RULES: Mapping[type[ast.expr], _Rule] = cast(
    Mapping[type[ast.expr], _Rule],
    {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.BoolOp: _boolean,
        ast.Compare: _compare,
        ast.IfExp: _choice,
        ast.Tuple: _tuple,
        ast.Call: _call,
    },
)
