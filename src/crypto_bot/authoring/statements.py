"""The statements of a function: which names have a value on every way to a line, and of which kind."""

import ast
from collections.abc import Sequence

from crypto_bot.authoring.expressions import arithmetic, items, kind_of, number, value
from crypto_bot.authoring.kinds import DECIMALS, Kind, Many, Row, Simple, in_words, is_number, join
from crypto_bot.authoring.refusals import of_syntax
from crypto_bot.authoring.scope import Scope, either

_MOST_PASSES = 20


def result_of(scope: Scope) -> Kind:
    """Read the whole function and return the kind of what it gives back.

    A loop may change the kind of a name that was read further up, so the function is read again until no kind changes;
    kinds only widen, so this ends.
    """
    start = scope.sure
    for _ in range(_MOST_PASSES):
        before = dict(scope.kinds)
        scope.sure, scope.results = start, []
        _block(scope, scope.function.body)
        if scope.kinds == before:
            break
    return _result(scope)


def _result(scope: Scope) -> Kind:
    """Return the kind that all returns share; Mistake when some give a value and others do not."""
    given = [(node, kind) for node, kind in scope.results if kind is not Simple.NOTHING]
    if not given:
        return Simple.NOTHING
    name, first = scope.function.name, given[0][0]
    result: Kind = given[0][1]
    if name == "step":
        scope.source.refuse(first, "step gives nothing back; write return alone")
    if len(given) < len(scope.results) or scope.sure is not None:
        scope.source.refuse(first, f"{name} gives a value here and nothing elsewhere; end it with a return of a value")
    for node, kind in given:
        both = join(result, kind)
        if both is None:
            scope.source.refuse(node, f"{name} gives back {in_words(result)} and, here, {in_words(kind)}")
        result = both
    return result


def _block(scope: Scope, statements: Sequence[ast.stmt]) -> None:
    for statement in statements:
        _statement(scope, statement)


def _statement(scope: Scope, node: ast.stmt) -> None:
    match node:
        case ast.Assign():
            given = value(scope, node.value)
            for target in node.targets:
                _store(scope, target, given)
        case ast.AnnAssign():
            if node.value is None or not isinstance(node.target, ast.Name):
                scope.source.refuse(node, "give the variable a value")
            _store(scope, node.target, value(scope, node.value))
        case ast.AugAssign():
            _augmented(scope, node)
        case ast.If():
            _if(scope, node)
        case ast.For():
            _for(scope, node)
        case ast.Return():
            _return(scope, node)
        case ast.Break() | ast.Continue():
            scope.sure = None
        case ast.Pass():
            pass
        case ast.Expr():
            _expression(scope, node)
        case _:
            scope.source.refuse(node, of_syntax(node))


def _expression(scope: Scope, node: ast.Expr) -> None:
    """Accept a call or a docstring as a line of its own; any other expression would do nothing."""
    if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return
    kind_of(scope, node.value)
    if not isinstance(node.value, ast.Call):
        equal = isinstance(node.value, ast.Compare) and isinstance(node.value.ops[0], ast.Eq)
        hint = "did you mean = instead of ==?" if equal else "give its value a name, or take it away"
        scope.source.refuse(node, f"this line does nothing; {hint}")


def _return(scope: Scope, node: ast.Return) -> None:
    kind: Kind = Simple.NOTHING if node.value is None else value(scope, node.value)
    if not is_number(kind) and not isinstance(kind, Row | Many) and node.value is not None:
        scope.source.refuse(node, f"a function gives back numbers, and {ast.unparse(node.value)} is {in_words(kind)}")
    scope.results.append((node, kind))
    scope.sure = None


# ---- ways through the function


def _if(scope: Scope, node: ast.If) -> None:
    """Join the two ways: a name that only one gives a value has none afterwards, where a compiler would read 0."""
    number(scope, node.test, "if")
    before = scope.sure
    _block(scope, node.body)
    after, scope.sure = scope.sure, before
    _block(scope, node.orelse)
    scope.sure = either(after, scope.sure)


def _for(scope: Scope, node: ast.For) -> None:
    source = scope.source
    if node.orelse:
        source.refuse(node.orelse[0], "else after for is not possible inside a strategy; write it behind the loop")
    over = _counted(scope, node.iter) or node.iter
    item = items(scope, over, value(scope, over))
    if not is_number(item):
        source.refuse(over, f"a loop goes over numbers, and {ast.unparse(over)} holds {in_words(item)}")
    names = _loop_names(scope, node)
    before = scope.sure
    kinds: list[Kind] = [Simple.WHOLE, item]
    for name, its in zip(names, kinds[-len(names) :], strict=True):
        scope.give(name, name.id, its)
    scope.loops += [name.id for name in names]
    _block(scope, node.body)
    del scope.loops[-len(names) :]
    scope.sure = before


def _counted(scope: Scope, node: ast.expr) -> ast.expr | None:
    """Return what a loop over enumerate(...) goes over; None for any other loop."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "enumerate":
        return None
    if len(node.args) != 1 or node.keywords:
        scope.source.refuse(node, "enumerate takes the tuple alone, and counts from 0")
    return node.args[0]


def _loop_names(scope: Scope, node: ast.For) -> list[ast.Name]:
    """Return the names of a loop: one, or with enumerate the place and the value."""
    targets = [node.target]
    if _counted(scope, node.iter) is not None:
        if not isinstance(node.target, ast.Tuple) or len(node.target.elts) != 2:
            scope.source.refuse(node, "write for j, x in enumerate(...)")
        targets = node.target.elts
    names = [target for target in targets if isinstance(target, ast.Name)]
    if len(names) != len(targets):
        scope.source.refuse(node, "a loop needs a plain name, as in for k in symbols()")
    if len({name.id for name in names}) != len(names):
        scope.source.refuse(node, "a loop needs two different names")
    return names


# ---- giving values


def _augmented(scope: Scope, node: ast.AugAssign) -> None:
    if isinstance(node.target, ast.Name) and node.target.id in scope.local and not scope.is_sure(node.target.id):
        scope.source.refuse(node, f"{node.target.id} may have no value here; give it one first")
    if isinstance(node.target, ast.Attribute):
        _store(scope, node.target, Simple.UNKNOWN)
    left, right = number(scope, node.target, "arithmetic"), number(scope, node.value, "arithmetic")
    _store(scope, node.target, arithmetic(scope, node, left, right))


def _store(scope: Scope, target: ast.expr, kind: Kind) -> None:
    match target:
        case ast.Name(id=name):
            if kind in (Simple.PARAMS, Simple.MEMORY) or not _keepable(kind):
                scope.source.refuse(target, f"{name} cannot stand for {in_words(kind)}; write it out where it is used")
            scope.give(target, name, kind)
        case ast.Tuple(elts=targets):
            for each, its in zip(targets, _unpacked(scope, target, kind), strict=True):
                _store(scope, each, its)
        case ast.Subscript(value=ast.Attribute(value=ast.Name(id="m"), attr=name)):
            cell = kind_of(scope, target)
            if not is_number(kind):
                scope.source.refuse(target, f"m.{name} keeps numbers, and this is {in_words(kind)}")
            if cell is Simple.WHOLE and kind in DECIMALS:
                text = f"m.{name} starts as a whole number in memory(p), so a decimal number would lose its fraction"
                scope.source.refuse(target, f"{text}; start it with 0.0, or use int(...)")
        case ast.Subscript():
            scope.source.refuse(target, "only memory can be written to, as in m.name[k] = ...")
        case ast.Attribute(value=ast.Name(id="p")):
            scope.source.refuse(target, "parameters cannot be changed; keep what changes in memory(p)")
        case ast.Attribute(value=ast.Name(id="m"), attr=name):
            kind_of(scope, target)
            scope.source.refuse(target, f"memory is kept per symbol: write m.{name}[k] = ...")
        case _:
            scope.source.refuse(target, "this cannot be given a value; write name = ... or m.name[k] = ...")


def _keepable(kind: Kind) -> bool:
    return is_number(kind) or isinstance(kind, Row | Many) or kind is Simple.RANGE


def _unpacked(scope: Scope, target: ast.Tuple, kind: Kind) -> Sequence[Kind]:
    """Return the kind of each item that a tuple of names takes apart."""
    wanted = len(target.elts)
    match kind:
        case Row(given) if len(given) == wanted:
            return given
        case Row(given):
            scope.source.refuse(
                target, f"{wanted} names cannot take {len(given)} values; write as many names as values"
            )
        case Many(item):
            return [item] * wanted
        case Simple.UNKNOWN:
            return [kind] * wanted
    scope.source.refuse(target, f"{wanted} names cannot take {in_words(kind)}; write one name")
