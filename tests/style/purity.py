"""Rules of the pure rooms: what is compiled decides bit for bit as what is interpreted, on every machine.

The banned operations are those whose results were measured to differ: `x**2` in 91 of 100,000
values, `x**3` in 25,880, numpy's sums in 1,682 of 2,000 windows, anything under fastmath.
"""

import ast
import re
from collections.abc import Iterator

from tests.style.honesty import imports
from tests.style.tree import Finding, Source

ROOMS = ("kernel", "venue", "strategies")
INTEGER_FILES = re.compile(r"kernel/(orders|ledger|limits|arithmetic)\.py|venue/\w+\.py|domain/(order|instrument)\.py")
"""Where money and quantities are counted: no float may enter."""

BANNED_METHODS = {"sum", "mean", "std", "var", "dot", "average", "prod", "einsum", "matmul"}
BANNED_CALLS = {"open", "print", "input", "eval", "exec", "breakpoint", "id", "hash", "pow"}
BANNED_MODULES = {
    "asyncio", "time", "random", "os", "logging", "socket", "uuid", "secrets", "threading", "multiprocessing",
    "subprocess", "http", "urllib", "requests", "httpx", "aiohttp", "websockets", "pandas", "polars", "pathlib",
    "tempfile", "shutil", "signal", "sys",
}  # fmt: skip

BORDER = {"kernel/compiled.py", "kernel/linking.py", "kernel/sight.py", "strategies/catalogue.py", "venue/scene.py"}
"""Where the pure rooms meet the disk or the compiler, and what is written for these."""

STRATEGY_WORDS = {"timeframe", "wake", "warmup"}
"""What a strategy's module declares by a lower-case name."""

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*|__\w+__")
_TYPE = re.compile(r"_?[A-Z][A-Za-z0-9]*|[a-z]+_t")
"""Types: an alias in CamelCase, or a numpy record as in order_t."""


def _is_pure(source: Source) -> bool:
    return source.room in ROOMS


def operators(source: Source) -> Iterator[Finding]:
    """No operation that compiled and interpreted code round differently: **, numpy's sums, fastmath, prange."""
    if not _is_pure(source):
        return
    ordinary = _ordinary(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow) and node not in ordinary:
            yield Finding(node.lineno, "** rounds differently when compiled; multiply")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            yield Finding(node.lineno, "@ sums in an order of its own; write the loop")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in BANNED_METHODS:
            yield Finding(node.lineno, f"{node.func.attr} sums in an order of its own; write the loop")
        elif isinstance(node, ast.keyword) and node.arg in ("fastmath", "parallel"):
            yield Finding(node.value.lineno, f"{node.arg} lets the compiler change results")
        elif (isinstance(node, ast.Name) and node.id == "prange") or (
            isinstance(node, ast.Attribute) and node.attr == "prange"
        ):
            yield Finding(node.lineno, "prange sums in the order of the threads; use range")


def _ordinary(source: Source) -> set[ast.AST]:
    """Return what runs as ordinary Python in every run: the memory and the check of a strategy."""
    functions = source.tree.body if source.room == "strategies" else []
    return {
        node
        for function in functions
        if isinstance(function, ast.FunctionDef) and function.name in ("memory", "check")
        for node in ast.walk(function)
    }


def constants(source: Source) -> Iterator[Finding]:
    """Module-level names are UPPERCASE constants or types: the compiler freezes what it reads from a module."""
    if not _is_pure(source) or source.place in BORDER:
        return
    words = STRATEGY_WORDS if source.room == "strategies" else set()
    for node in _top_level(source.tree.body):
        for target in _targets(node):
            for name in (child.id for child in ast.walk(target) if isinstance(child, ast.Name)):
                if not (_CONSTANT.fullmatch(name) or _TYPE.fullmatch(name) or name in words):
                    yield Finding(node.lineno, f"{name} is frozen when it is compiled; name it as a constant")


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, looking into `if` but not into functions and classes."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _top_level([*node.body, *node.orelse])


def _targets(node: ast.stmt) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For) else []


def calls(source: Source) -> Iterator[Finding]:
    """Nothing is opened, printed or evaluated; strategies do without sum(), which rounds otherwise from 3.12 on."""
    if not _is_pure(source):
        return
    banned = BANNED_CALLS | {"sum"} if source.room == "strategies" else BANNED_CALLS
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in banned:
            yield Finding(node.lineno, f"{node.func.id}() has no place in a pure room")
        elif isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            yield Finding(node.lineno, f"{node.attr} reads a clock; time comes in with the event")


def outside(source: Source) -> Iterator[Finding]:
    """No clock, no randomness, no files, no network: all of it comes in as events."""
    if not _is_pure(source) or source.place in BORDER:
        return
    for node, name in imports(source.tree):
        if name.split(".")[0] in BANNED_MODULES or name == "numpy.random":
            yield Finding(node.lineno, f"{name} reaches outside of a pure room; let the value come in with an event")
    for inner in ast.walk(source.tree):
        if isinstance(inner, ast.Attribute) and ast.unparse(inner).startswith(("np.random", "numpy.random")):
            yield Finding(inner.lineno, "randomness comes in with an event")


def whole_numbers(source: Source) -> Iterator[Finding]:
    """Where money is counted there is no float: no annotation, no literal, no dtype, no true division."""
    if not INTEGER_FILES.fullmatch(source.place):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "float":
            yield Finding(node.lineno, "float, where money is counted; use integers at a scale")
        elif isinstance(node, ast.Attribute) and node.attr.startswith(("float", "double")):
            yield Finding(node.lineno, f"{node.attr}, where money is counted; use int64")
        elif isinstance(node, ast.Constant) and (isinstance(node.value, float) or node.value in ("f8", "f4")):
            yield Finding(node.lineno, f"{node.value!r}, where money is counted; use integers at a scale")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield Finding(node.lineno, "/ makes a float; use // and say which way it rounds")


RULES = (operators, constants, calls, outside, whole_numbers)
