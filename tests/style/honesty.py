"""Rules that keep the code honest: nothing swallowed, nothing untyped, nothing hidden, nothing unfinished."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.style.exemptions import BORDERS, LOOSE_TYPES
from tests.style.tree import Finding, Source

EDGES = ("config", "api", "authoring")
"""Rooms where values come in whose shape nobody has checked yet."""

DECIDING_ROOMS = ("cli", "config", "api", "persistence", "")
"""Rooms that put a run together or look one up, and so may ask for its mode; "" is the package's top level."""

MUTATORS = {
    "append", "add", "update", "setdefault", "pop", "popitem", "clear", "extend", "insert", "remove", "discard",
}  # fmt: skip

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_DUNDER = re.compile(r"__\w+__")
_IGNORE = re.compile(r"#\s*type:\s*ignore(?P<codes>\[[^\]]*\])?(?P<reason>.*)")
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\b(for now|simplified)\b")
_MODE_NAME = re.compile(r"is_(live|backtest|backtesting|paper|dry_run|forward)|(live|paper|backtest)_mode")


def broad_except(source: Source) -> Iterator[Finding]:
    """Exceptions are caught by their name; to clean up and raise again is fine, and a process border may catch all."""
    if not source.in_package or source.place in BORDERS:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _catches_all(node.type) and not _ends_in_raise(node):
            yield Finding(node.lineno, "this swallows every exception; name the ones that can come")


def _catches_all(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException") for kind in kinds)


def _ends_in_raise(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def loose_types(source: Source) -> Iterator[Finding]:
    """No Any and no dict[str, object] past the edges."""
    at_edge = source.room in EDGES or source.place.endswith("wire.py") or source.place in LOOSE_TYPES
    if not source.in_package or at_edge:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "typing":
            loose = any(alias.name == "Any" for alias in node.names)
        elif isinstance(node, ast.Attribute):
            loose = ast.unparse(node) == "typing.Any"
        else:
            loose = isinstance(node, ast.Subscript) and _is_open_dict(node)
        if loose:
            message = "a type that says nothing, past the edges; give it a dataclass or a TypedDict"
            yield Finding(getattr(node, "lineno", 1), message)


def _is_open_dict(node: ast.Subscript) -> bool:
    return re.fullmatch(r"(dict|Dict|Mapping|MutableMapping)\[str, object\]", ast.unparse(node)) is not None


def module_state(source: Source) -> Iterator[Finding]:
    """Nothing at a module's top level changes: tables are UPPERCASE, not empty, and nobody writes into them."""
    if not source.in_package:
        return
    tables: set[str] = set()
    for node in source.tree.body:
        for name, value in _assigned(node):
            if not _is_container(value) or _DUNDER.fullmatch(name):
                continue
            tables.add(name)
            if not _CONSTANT.fullmatch(name):
                yield Finding(node.lineno, f"{name} is a container at module level; pass it in, or make it a constant")
            elif _is_empty(value):
                yield Finding(node.lineno, f"{name} starts empty, so somebody fills it later; keep it in an object")
    for inner in ast.walk(source.tree):
        if isinstance(inner, ast.Global):
            yield Finding(inner.lineno, f"global {', '.join(inner.names)}: state in a module; keep it in an object")
        elif (name := _written(inner)) in tables:
            yield Finding(getattr(inner, "lineno", 1), f"{name} is a table of the module and is written to here")


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    for target in targets:
        if isinstance(target, ast.Name) and value is not None:
            yield target.id, value


def _is_container(value: ast.expr) -> bool:
    if isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return True
    makers = ("list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict", "bytearray")
    return isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in makers


def _is_empty(value: ast.expr) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List | ast.Set):
        return not value.elts
    return isinstance(value, ast.Call) and not value.args and not value.keywords


def _written(node: ast.AST) -> str:
    """Return the name of the container that this node writes into, or nothing."""
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
        return node.value.id
    call = node.func if isinstance(node, ast.Call) else None
    if isinstance(call, ast.Attribute) and call.attr in MUTATORS and isinstance(call.value, ast.Name):
        return call.value.id
    return ""


def mode_branches(source: Source) -> Iterator[Finding]:
    """Nothing that trades asks in which mode it runs; who puts a run together chooses other parts instead."""
    if not source.in_package or source.room in DECIDING_ROOMS:
        return
    for node in ast.walk(source.tree):
        name = _last_name(node)
        if _MODE_NAME.fullmatch(name) and isinstance(getattr(node, "ctx", None), ast.Load):
            yield Finding(getattr(node, "lineno", 1), f"{name}: a mode is a choice of parts, not a question")
        elif isinstance(node, ast.Compare) and "mode" in map(_last_name, [node.left, *node.comparators]):
            yield Finding(node.lineno, "a comparison with the mode; give the parts that differ from outside")
        elif isinstance(node, ast.Match) and _last_name(node.subject) == "mode":
            yield Finding(node.lineno, "a match on the mode; give the parts that differ from outside")


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def unexplained_ignores(source: Source) -> Iterator[Finding]:
    """A `type: ignore` names its error and says after it why the checker is wrong."""
    for line, comment in _comments(source):
        match = _IGNORE.search(comment)
        if match and not (match["codes"] and re.search(r"\w{3}", match["reason"])):
            yield Finding(line, "write it as  type: ignore[code]  # why the checker is wrong")


def unfinished(source: Source) -> Iterator[Finding]:
    """Nothing is promised for later: no open ends in comments, no NotImplementedError."""
    for line, comment in [*_comments(source), *_docstrings(source.tree)]:
        if match := _UNFINISHED.search(comment):
            yield Finding(line, f"{match[0]!r}: do it, or write down as a limit what is not done")
    if "/migrations/versions/" in source.path:  # a step back that cannot be made is refused in this word
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Raise) and node.exc is not None and "NotImplementedError" in ast.unparse(node.exc):
            yield Finding(node.lineno, "NotImplementedError: declare a Protocol, or write the method")


def _comments(source: Source) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.lineno, value.value


def one_compiler(source: Source) -> Iterator[Finding]:
    """Two files import numba, so that the kernel could move to another compiler."""
    if not source.in_package or source.place in ("kernel/compiled.py", "kernel/linking.py"):
        return
    for node, name in imports(source.tree):
        if name.split(".")[0] in ("numba", "llvmlite"):
            yield Finding(
                node.lineno,
                "numba is imported by kernel/compiled.py and kernel/linking.py alone; take what you need from there",
            )


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each imported module's full name, with the statement that imports it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module


RULES = (
    broad_except,
    loose_types,
    module_state,
    mode_branches,
    unexplained_ignores,
    unfinished,
    one_compiler,
)
