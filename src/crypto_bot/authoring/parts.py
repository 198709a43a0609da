"""The parts of a module, by its grammar alone: nothing of a file that is refused here is ever run."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from crypto_bot.authoring import constants, imports
from crypto_bot.authoring.kinds import either
from crypto_bot.authoring.parameters import choices_of
from crypto_bot.authoring.refusals import HOST, NAMES, did_you_mean, of_syntax
from crypto_bot.authoring.source import Source
from crypto_bot.authoring.vocabulary import PYTHON, SIDES, WORDS

SETTINGS: Mapping[str, str] = {"timeframe": "'4h'", "wake": "'fills'", "warmup": "200"}
"""What a module may declare by a lower-case name, with an example."""

ORDINARY = ("memory", "check", "wake")
"""These run as ordinary Python, before a run."""

PARAMETER_TYPES = ("int", "float", "bool", "tuple[int, ...]", "tuple[float, ...]")

_CHOICE = 'Literal["one", "two"]'

_TOP = "at the top level only constants in CAPITALS and timeframe, wake, warmup; what changes goes into memory(p)"


@dataclass
class Parts:
    """What stands at the top level, by name."""

    source: Source
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    ordinary: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, ast.Assign | ast.AnnAssign] = field(default_factory=dict)
    settings: dict[str, ast.Assign | ast.AnnAssign] = field(default_factory=dict)
    parameters: dict[str, ast.AnnAssign] = field(default_factory=dict)
    imported: set[str] = field(default_factory=set)
    lines: dict[str, int] = field(default_factory=dict)

    def arguments(self, function: str) -> list[str]:
        """Return the names of a function's arguments."""
        return [argument.arg for argument in self.functions[function].args.args]

    def declare(self, node: ast.stmt, name: str) -> None:
        """Note that the name is given here; Mistake when it was given before."""
        if name in self.lines:
            self.source.refuse(node, f"{name} is defined twice, first on line {self.lines[name]}; keep one of them")
        self.lines[name] = node.lineno

    def refuse_name(self, node: ast.AST, name: str, thing: str) -> None:
        """Raise the Mistake when an author may not give this name to a thing of his own."""
        if name in WORDS or name in SIDES:
            self.source.refuse(node, f"{name} is a word of the vocabulary; give your {thing} another name")
        if name in PYTHON:
            self.source.refuse(node, f"{name} is a function of Python; give your {thing} another name")
        if name.startswith("_") and name != "_":
            self.source.refuse(node, f"{name} begins with _, as hidden names do; give your {thing} another name")


def parts_of(source: Source, tree: ast.Module) -> Parts:
    """Sort the top level into its parts; Mistake at the first line that has no place there."""
    parts = Parts(source)
    _refuse_other_ways(source, tree)
    for node in tree.body:
        match node:
            case ast.Import() | ast.ImportFrom():
                parts.imported |= imports.imported(source, node)
            case ast.ClassDef():
                _params(parts, node)
            case ast.FunctionDef():
                _function(parts, node)
            case ast.AsyncFunctionDef():
                source.refuse(node, of_syntax(node))
            case ast.Assign() | ast.AnnAssign():
                _assignment(parts, node)
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case _:
                source.refuse(node, "only imports, Params, constants and functions are possible at the top level")
    if "step" not in parts.functions:
        near = did_you_mean("step", parts.functions)
        source.refuse(None, f"there is no function step(p) or step(p, m){near}")
    if "memory" in parts.ordinary and parts.arguments("step") == ["p"]:
        text = "memory(p) is declared, and step does not take it; write def step(p, m)"
        source.refuse(parts.functions["step"], text)
    _refuse_circles(parts)
    return parts


def _refuse_other_ways(source: Source, tree: ast.Module) -> None:
    """Raise the Mistake of a file without step that is written as for another program, or as half of a class."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name != "Params"]
    if "step" in functions:
        return
    if classes:
        text = (
            f"class {classes[-1].name} has no def on_data(self, shown), with which a plain class begins; "
            "strategies --new NAME --plain writes one to copy from"
        )
        source.refuse(classes[-1], text)
    if "on_data" in functions:
        source.refuse(functions["on_data"], "on_data belongs into a class; put it there, as def on_data(self, shown)")


# ---- Params, constants and settings


def _params(parts: Parts, node: ast.ClassDef) -> None:
    source = parts.source
    if node.name != "Params":
        source.refuse(node, "the only class of a strategy is class Params(NamedTuple)")
    parts.declare(node, node.name)
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    if bases != ["NamedTuple"] or len(node.bases) != 1 or node.keywords or node.decorator_list:
        source.refuse(node, "write class Params(NamedTuple): without another base or a decorator")
    if "NamedTuple" not in parts.imported:
        source.refuse(node, "NamedTuple is not imported; write from crypto_bot.strategy import NamedTuple, ...")
    for line in node.body:
        match line:
            case ast.AnnAssign(target=ast.Name(id=name)):
                _parameter(parts, line, name)
            case ast.Assign(targets=[ast.Name(id=name)]):
                source.refuse(line, f"say what kind of number {name} is, as in {name}: int = {ast.unparse(line.value)}")
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _:
                source.refuse(line, "Params holds parameters only, each written as in fast: int = 20")


def _parameter(parts: Parts, node: ast.AnnAssign, name: str) -> None:
    source = parts.source
    if name in parts.parameters:
        source.refuse(node, f"parameter {name} is defined twice; keep one of them")
    if name.startswith("_"):
        source.refuse(node, f"parameter {name} begins with _; give it another name")
    choices = choices_of(node.annotation)
    if not choices and ast.unparse(node.annotation) not in PARAMETER_TYPES:
        given = ast.unparse(node.annotation)
        text = f"parameter {name} is declared {given}; possible are {', '.join((*PARAMETER_TYPES, _CHOICE))}"
        source.refuse(node, text)
    if node.value is None:
        source.refuse(node, f"give every parameter a default: {name}: {ast.unparse(node.annotation)} = ...")
    if choices:
        _refuse_choice(parts, node, name, choices)
    else:
        constants.refuse_unknown(source, node.value, _known(parts))
    parts.parameters[name] = node


def _refuse_choice(parts: Parts, node: ast.AnnAssign, name: str, choices: tuple[str, ...]) -> None:
    """Raise the Mistake when a named choice cannot be written so, or starts as none of its names."""
    if "Literal" not in parts.imported:
        parts.source.refuse(node, "Literal is not imported; write from crypto_bot.strategy import Literal, ...")
    if not isinstance(node.value, ast.Constant) or node.value.value not in choices:
        parts.source.refuse(node, f"parameter {name} is one of its names, so its default must be {either(choices)}")


def _assignment(parts: Parts, node: ast.Assign | ast.AnnAssign) -> None:
    source = parts.source
    if node.value is None:
        source.refuse(node, "give the constant a value")
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if not isinstance(target, ast.Name) or not (target.id.isupper() or target.id in SETTINGS):
            source.refuse(node, _TOP)
        parts.refuse_name(node, target.id, "constant")
        parts.declare(node, target.id)
        if target.id in SETTINGS and isinstance(node.value, ast.Constant):
            parts.settings[target.id] = node
        elif target.id in SETTINGS:
            source.refuse(node, f"write {target.id} as it is, as in {target.id} = {SETTINGS[target.id]}")
        else:
            constants.refuse_unknown(source, node.value, _known(parts))
            parts.constants[target.id] = node


def _known(parts: Parts) -> set[str]:
    """Return the names that the value of a constant or a default may use here."""
    return set(parts.constants) | (set(SIDES) & parts.imported)


# ---- functions


def _function(parts: Parts, node: ast.FunctionDef) -> None:
    source, arguments = parts.source, node.args
    parts.declare(node, node.name)
    if node.decorator_list:
        source.refuse(node, "a decorator is not possible here")
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        source.refuse(node, "*, / and ** are not possible between the arguments of a function")
    if getattr(node, "type_params", None):
        source.refuse(node, "type parameters are not possible here")
    if node.name in ORDINARY:
        _ordinary(parts, node)
        return
    thing = "function"
    if node.name in ("p", "m", "NamedTuple", "Memory", "Params", *SETTINGS) or node.name.isupper():
        source.refuse(node, f"{node.name} has a meaning of its own; give your {thing} another name")
    parts.refuse_name(node, node.name, thing)
    for argument in arguments.args:
        parts.refuse_name(argument, argument.arg, "argument")
    for default in arguments.defaults:
        constants.refuse_unknown(source, default, _known(parts))
    names = [argument.arg for argument in arguments.args]
    if node.name == "step" and (names not in (["p"], ["p", "m"]) or arguments.defaults):
        source.refuse(node, "step takes p, or p and m: write def step(p, m)")
    parts.functions[node.name] = node


def _ordinary(parts: Parts, node: ast.FunctionDef) -> None:
    """Accept memory(p), check(p) or wake(p): ordinary Python, but for what leads out of it."""
    source = parts.source
    if len(node.args.args) != 1 or node.args.defaults:
        source.refuse(node, f"{node.name} takes the parameters and nothing else: write def {node.name}(p)")
    own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {argument.arg for argument in node.args.args}
    for inner in ast.walk(node):
        match inner:
            case ast.Import() | ast.ImportFrom():
                source.refuse(inner, "an import belongs to the top of the file")
            case ast.Name(id=name) if name in HOST or name.startswith("__"):
                source.refuse(inner, f"{name} is not possible in {node.name}(p): it works out numbers, nothing else")
            case ast.Attribute(attr=name) if name.startswith("__"):
                source.refuse(inner, f"{name} is not possible in {node.name}(p): it works out numbers, nothing else")
            case ast.Call(func=ast.Name(id=name)) if name in WORDS and name not in own:
                source.refuse(inner, f"{name} works inside step only; {node.name}(p) runs once, before the run")
    parts.ordinary[node.name] = node


def _calls(parts: Parts, name: str) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(parts.functions[name]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in parts.functions:
            yield node, node.func.id


def _refuse_circles(parts: Parts) -> None:
    """Raise the Mistake when a function calls itself, directly or through others."""
    graph: Mapping[str, list[tuple[ast.Call, str]]] = {name: list(_calls(parts, name)) for name in parts.functions}
    done: set[str] = set()

    def follow(name: str, above: tuple[str, ...]) -> None:
        for call, called in graph[name]:
            if called == "step":
                parts.source.refuse(call, NAMES["step"])
            if called in (*above, name):
                parts.source.refuse(call, f"{called} calls itself, directly or through others; use a for loop")
            if called not in done:
                follow(called, (*above, name))
        done.add(name)

    for name in parts.functions:
        follow(name, ())
