"""Rules of size and name: a room that can be read in one sitting, called by a noun of the field."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.style.exemptions import GIVEN_NAMES, PARAMETERS
from tests.style.tree import Finding, Source

FILE_LINES = 400
FUNCTION_LINES = 70
PUBLIC_METHODS = 12
POSITIONAL = 5
WITH_KEYWORDS = 7
COMPILED = 9

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base"}
EMPTY_ENDINGS = ("Manager", "Helper", "Handler", "Impl", "Factory", "Builder", "Utils", "Util")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method, also those inside others."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def file_length(source: Source) -> Iterator[Finding]:
    """A file has at most 400 lines."""
    count = source.text.count("\n")
    if count > FILE_LINES:
        yield Finding(FILE_LINES, f"the file has {count} lines, {FILE_LINES} is the limit; find the second room in it")


def function_length(source: Source) -> Iterator[Finding]:
    """A function has at most 70 lines."""
    for node in functions(source.tree):
        count = (node.end_lineno or node.lineno) - node.lineno + 1
        if count > FUNCTION_LINES:
            yield Finding(node.lineno, f"{node.name} has {count} lines, {FUNCTION_LINES} is the limit; name its parts")


def class_width(source: Source) -> Iterator[Finding]:
    """A class has at most 12 public methods; classes of tests are lists and may be long."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef) or (node.name.startswith("Test") and not source.in_package):
            continue
        names = {child.name for child in node.body if isinstance(child, Function) and not child.name.startswith("_")}
        if len(names) > PUBLIC_METHODS:
            message = f"{node.name} has {len(names)} public methods, {PUBLIC_METHODS} is the limit; it does two things"
            yield Finding(node.lineno, message)


def parameters(source: Source) -> Iterator[Finding]:
    """A function has at most 5 positional parameters, and 7 with those that must be named.

    A test may have all 7 in a row, because pytest names them. A compiled function may have 9: numba knows
    no parameters that must be named, and flat numbers stay in registers.
    """
    exempt = PARAMETERS.get(source.place, {})
    for node, is_method in _with_kind(source.tree):
        if node.name in exempt:
            continue
        arguments = node.args
        positional = len(arguments.posonlyargs) + len(arguments.args) - is_method
        in_a_row, in_all = _allowed(source, node)
        if positional > in_a_row:
            message = f"{node.name} takes {positional} positional parameters, {in_a_row} is the limit"
            yield Finding(
                node.lineno, f"{message}; make a dataclass of what belongs together, or put * before the rest"
            )
        elif (total := positional + len(arguments.kwonlyargs)) > in_all:
            message = f"{node.name} takes {total} parameters, {in_all} is the limit"
            yield Finding(node.lineno, f"{message}; make a dataclass of what belongs together")


def _allowed(source: Source, node: Function) -> tuple[int, int]:
    """Return how many parameters may stand in a row, and how many there may be."""
    if _is_compiled(node):
        return COMPILED, COMPILED
    if node.name.startswith("test_") and not source.in_package:
        return WITH_KEYWORDS, WITH_KEYWORDS
    return POSITIONAL, WITH_KEYWORDS


def _is_compiled(node: Function) -> bool:
    return any(ast.unparse(decorator).split("(")[0] in ("compiled", "word") for decorator in node.decorator_list)


def _with_kind(tree: ast.AST) -> Iterator[tuple[Function, int]]:
    """Yield each function with 1 when its first parameter is self or cls."""
    for node in functions(tree):
        named = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args][:1]]
        yield node, int(named in (["self"], ["cls"]))


def module_name(source: Source) -> Iterator[Finding]:
    """A module or folder is named by what is in it, never utils, helpers, common, misc, manager or base."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part.lower().strip("_") in EMPTY_NAMES:
            yield Finding(1, f"the name {part!r} says nothing of what is inside; take a noun of the field")


def class_ending(source: Source) -> Iterator[Finding]:
    """No class is called a Manager, Helper, Handler, Impl, Factory or Builder, but for names the user gave."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith(EMPTY_ENDINGS) and node.name not in GIVEN_NAMES:
            yield Finding(node.lineno, f"the class name {node.name} ends in an empty word; say what it is")


def room_docstring(source: Source) -> Iterator[Finding]:
    """The __init__ of each folder says what is in the room."""
    if source.path.endswith("/__init__.py") and source.in_package and not ast.get_docstring(source.tree):
        yield Finding(1, "the docstring is missing: say what is in this room and what may not enter")


RULES = (
    file_length,
    function_length,
    class_width,
    parameters,
    module_name,
    class_ending,
    room_docstring,
)
