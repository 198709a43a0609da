"""Calls: which argument is which, and what words and functions of Python accept and give back."""

import ast
from collections.abc import Callable, Mapping, Sequence

from crypto_bot.authoring.kinds import (
    DECIMALS,
    FLAGS,
    NUMBERS,
    Cells,
    Kind,
    Many,
    Row,
    Simple,
    in_words,
    is_number,
    join,
)
from crypto_bot.authoring.refusals import listed
from crypto_bot.authoring.source import Source
from crypto_bot.authoring.vocabulary import Word


def bound(
    source: Source, call: ast.Call, name: str, names: Sequence[str], optional: int, *, named: int = 0
) -> Mapping[str, ast.expr]:
    """Return the arguments by name, whatever their order; the last `optional` of the names may be missing.

    The last `named` of them are given by name only.
    """
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            source.refuse(argument, "* before an argument is not possible; write the arguments one by one")
    if len(call.args) > len(names) - named:
        by_name = f", the last {named} by name, as in {names[-named]}=..." if named else ""
        source.refuse(call, f"{name} takes {listed(names) or 'nothing'}{by_name}")
    given = dict(zip(names, call.args, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None:
            source.refuse(call, "** before an argument is not possible; write the arguments one by one")
        if keyword.arg not in names:
            source.refuse(call, f"{name} does not take {keyword.arg}; it takes {listed(names) or 'nothing'}")
        if keyword.arg in given:
            source.refuse(call, f"{name} is given {keyword.arg} twice; write it once")
        given[keyword.arg] = keyword.value
    needed = names[: len(names) - optional]
    for missing in needed:
        if missing not in given:
            source.refuse(call, f"{name} needs {missing}: write {name}({listed(needed)})")
    return given


def bound_word(source: Source, call: ast.Call, word: Word) -> Mapping[str, ast.expr]:
    """Return the arguments of a word by name."""
    names = [argument.name for argument in word.arguments]
    optional = sum(not argument.required for argument in word.arguments)
    return bound(source, call, word.name, names, optional, named=sum(argument.named for argument in word.arguments))


def bound_own(source: Source, call: ast.Call, function: ast.FunctionDef) -> Mapping[str, ast.expr]:
    """Return the arguments of an author's own function by name."""
    names = [argument.arg for argument in function.args.args]
    return bound(source, call, function.name, names, len(function.args.defaults))


def word_result(source: Source, word: Word, given: Mapping[str, tuple[ast.expr, Kind]]) -> Kind:
    """Return what a word gives back; Mistake for an argument of the wrong kind."""
    for argument in word.arguments:
        if argument.name not in given:
            continue
        node, kind = given[argument.name]
        what = f"{argument.name} of {word.name}"
        if isinstance(argument.kind, Cells):
            if kind not in (argument.kind, Simple.UNKNOWN):
                source.refuse(
                    node, f"{word.name} needs memory with one decimal number per symbol, as in {_example(word)}"
                )
        elif not is_number(kind):
            source.refuse(node, f"{what} must be one number, and {ast.unparse(node)} is {in_words(kind)}")
        elif argument.kind is Simple.WHOLE:
            need_whole(source, node, kind, what)
        if argument.name == "ago" and isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            source.refuse(node, "ago counts backwards: a bar of the future cannot be read; write 0, 1, 2 ...")
    return word.result


def need_whole(source: Source, node: ast.expr, kind: Kind, what: str) -> None:
    """Raise the Mistake when this is not a whole number."""
    if kind in DECIMALS or kind in FLAGS:
        shown = ast.unparse(node)
        source.refuse(node, f"{what} must be a whole number, and {shown} is {in_words(kind)}; write int({shown})")


def refuse_flags(source: Source, place: ast.AST, what: str, node: ast.expr, kind: Kind) -> None:
    """Raise the Mistake when this may be True or False: compiled and interpreted code count with that differently."""
    if kind in FLAGS:
        shown = ast.unparse(node)
        source.refuse(place, f"{what} needs a number, and {shown} is {in_words(kind)}; write (1 if {shown} else 0)")


def _example(word: Word) -> str:
    return f"{word.name}({', '.join('m.score' if isinstance(a.kind, Cells) else a.name for a in word.arguments)})"


def python_result(source: Source, call: ast.Call, name: str, kinds: Sequence[Kind]) -> Kind:
    """Return what a function of Python gives back; Mistake for arguments that it cannot take when compiled."""
    if call.keywords:
        source.refuse(call, f"{name} takes no names before its arguments here; write them in order")
    return _PYTHON[name](source, call, kinds)


def _extreme(source: Source, call: ast.Call, kinds: Sequence[Kind]) -> Kind:
    """Return the kind of min and max: of several numbers, or of one tuple."""
    if len(kinds) == 1 and isinstance(kinds[0], Row | Many):
        kinds = kinds[0].items if isinstance(kinds[0], Row) else [kinds[0].item]
    elif len(kinds) < 2:
        source.refuse(call, f"{ast.unparse(call.func)} needs two numbers or more, or a tuple")
    result = kinds[0]
    for place, kind in enumerate(kinds):
        _one_number(source, call.args[min(place, len(call.args) - 1)], kind, call)
        result = join(result, kind) or Simple.UNKNOWN
    return result


def _absolute(source: Source, call: ast.Call, kinds: Sequence[Kind]) -> Kind:
    kind = _single(source, call, kinds)
    refuse_flags(source, call, "abs", call.args[0], kind)
    return kind


def _length(source: Source, call: ast.Call, kinds: Sequence[Kind]) -> Kind:
    if len(kinds) != 1 or not (isinstance(kinds[0], Row | Many) or kinds[0] in (Simple.RANGE, Simple.UNKNOWN)):
        source.refuse(call, "len needs a tuple; the number of symbols is count()")
    return Simple.WHOLE


def _range(source: Source, call: ast.Call, kinds: Sequence[Kind]) -> Kind:
    if not 1 <= len(kinds) <= 3:
        source.refuse(call, "range takes one, two or three whole numbers")
    for argument, kind in zip(call.args, kinds, strict=True):
        _one_number(source, argument, kind, call)
        need_whole(source, argument, kind, "what range counts to")
    return Simple.RANGE


def _enumerate(source: Source, call: ast.Call, _: Sequence[Kind]) -> Kind:
    source.refuse(call, "enumerate belongs into a loop: write for j, x in enumerate(...)")


def _decimal(source: Source, call: ast.Call, kinds: Sequence[Kind]) -> Kind:
    refuse_flags(source, call, "float", call.args[0], _single(source, call, kinds))
    return Simple.DECIMAL


def _convert(kind: Simple) -> "_Rule":
    def result(source: Source, call: ast.Call, kinds: Sequence[Kind]) -> Kind:
        _single(source, call, kinds)
        return kind

    return result


def _single(source: Source, call: ast.Call, kinds: Sequence[Kind]) -> Kind:
    if len(kinds) != 1:
        source.refuse(call, f"{ast.unparse(call.func)} takes one number")
    _one_number(source, call.args[0], kinds[0], call)
    return kinds[0]


def _one_number(source: Source, node: ast.expr, kind: Kind, call: ast.Call) -> None:
    if kind not in NUMBERS and kind is not Simple.UNKNOWN:
        name, shown = ast.unparse(call.func), ast.unparse(node)
        source.refuse(node, f"{name} works on numbers, and {shown} is {in_words(kind)}")


_Rule = Callable[[Source, ast.Call, Sequence[Kind]], Kind]

_PYTHON: Mapping[str, _Rule] = {
    "range": _range,
    "enumerate": _enumerate,
    "len": _length,
    "min": _extreme,
    "max": _extreme,
    "abs": _absolute,
    "int": _convert(Simple.WHOLE),
    "float": _decimal,
    "bool": _convert(Simple.FLAG),
}
