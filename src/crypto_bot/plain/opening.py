"""A strategy by name, by file or by entry point, whether it is written in the strategy language or as a plain class."""

import ast
import inspect
import sys
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, ModuleType
from typing import Literal, cast, get_args, get_origin, get_type_hints

import numpy as np

from crypto_bot.authoring.binding import Bound, Strategy
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Module
from crypto_bot.authoring.parameters import Given, Parameter, Parameters, ParameterSet
from crypto_bot.authoring.reader import read_text
from crypto_bot.authoring.source import Source, open_source
from crypto_bot.domain.errors import UsageError
from crypto_bot.kernel.context import BAR_NS, WARMUP
from crypto_bot.kernel.layout import Memory
from crypto_bot.plain.answers import UNTIL
from crypto_bot.plain.guard import Allowance, Guard
from crypto_bot.plain.player import Made, Player
from crypto_bot.strategies.catalogue import NAMES, find

GROUP = "crypto_bot.strategies"
"""The group of entry points under which a package offers strategy classes."""

_MOST = 1_000_000_000
"""Of bars, seconds or mebibytes that a class may say it needs."""

_EMPTY = "def step(p):\n    pass\n"


@dataclass(frozen=True)
class PlainBound(Bound):
    """A plain class with its parameters, ready to be stepped like any strategy."""

    player: Player


class ClassStrategy(Strategy):
    """A plain class as a strategy; `bind` gives it parameters, and its first slice makes the object."""

    def __init__(self, source: Source, made_of: Callable[..., Made], name: str) -> None:
        """Read what the class can be given and what it may take."""
        self._made_of, self._allowance = made_of, allowance_of(source, made_of)
        shell = read_text(_EMPTY, source.path.with_stem(name))
        self.module: Module = replace(
            shell, source=source.text, parameters=_parameters(source, made_of), warmup=_warmup(source, made_of)
        )

    def bind(
        self, params: ParameterSet, symbols: int, run_ns: int, bar_ns: int | None = None, *, gaps: bool = False
    ) -> PlainBound:
        """Return the class ready to run; `meet` tells it the symbols. It is shown those that have a bar anyway."""
        whole = np.zeros(UNTIL + symbols, np.int64)
        warmup = self.module.warmup or 1
        whole[BAR_NS], whole[WARMUP] = bar_ns or run_ns, warmup
        memory = Memory(whole, whole.view(np.float64), np.zeros(1))
        given = dict(zip(self.module.parameters.names, params, strict=True))
        guard = Guard(self.module.name, self.module.path, self._allowance)
        player = Player(partial(self._made_of, **given), guard, run_ns)
        return PlainBound(self.module, params, player.walk, player.walk, memory, warmup, player)


def open_strategy(asked: str) -> Strategy:
    """Return a strategy: a name of the catalogue, a file of either kind, or an entry point; nothing is compiled yet.

    Raises UsageError when there is none, or when it cannot work.
    """
    if asked in NAMES:
        return Strategy(find(asked))
    if not asked.endswith(".py"):
        return _of_entry_point(asked)
    source = open_source(Path(asked))
    tree = source.parse()
    if not _has_class(tree):
        return Strategy(source.path)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "step":
            source.refuse(node, "the file holds a step and a class with on_data, which are two strategies; keep one")
    return ClassStrategy(source, _class_of(source), source.path.stem)


def is_plain(path: Path) -> bool:
    """Tell whether a file holds a plain class rather than the strategy language."""
    return _has_class(open_source(path).parse())


def _has_class(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ClassDef)
        and any(isinstance(each, ast.FunctionDef) and each.name == "on_data" for each in node.body)
        for node in tree.body
    )


def _of_entry_point(asked: str) -> Strategy:
    offered = entry_points(group=GROUP)
    for each in offered:
        if each.name == asked:
            guard = Guard(asked, Path(each.value), Allowance(can_be_raised=False))
            made_of: object = guard.watched(each.load, doing="importing it")
            guard.release()
            if not (isinstance(made_of, type) and hasattr(made_of, "on_data")):
                raise UsageError(f"the entry point {asked} is {each.value}, which is no class with on_data")
            file = Path(inspect.getsourcefile(made_of) or f"{asked}.py")
            return ClassStrategy(open_source(file), cast("Callable[..., Made]", made_of), asked)
    if offered:
        others = ", ".join(sorted(each.name for each in offered))
        raise UsageError(
            f"there is no strategy {asked!r}; there are {', '.join(NAMES)}, installed packages offer {others}, or give"
            " the path of a file that ends in .py"
        )
    find(asked)
    raise UsageError(f"there is no strategy {asked!r}")


def _class_of(source: Source) -> Callable[..., Made]:
    """Run the file and return its class; Mistake when it has several that could be meant."""
    name = f"crypto_bot_plain_{source.path.stem}"
    module = ModuleType(name)
    module.__file__ = str(source.path)
    code = compile(source.text, str(source.path), "exec", dont_inherit=True)
    folder = str(source.path.absolute().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    sys.modules[name] = module
    guard = Guard(source.path.name, source.path, Allowance(can_be_raised=False))
    guard.watched(partial(_run, code, module), doing="importing it")
    guard.release()
    own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == name]
    found = [each for each in own if hasattr(each, "on_data")]
    leaves = [each for each in found if not any(each is not other and issubclass(other, each) for other in found)]
    if len(leaves) != 1:
        names = ", ".join(each.__name__ for each in leaves)
        raise Mistake(source.path, 0, f"the file holds several strategies: {names}; keep one class with on_data in it")
    return cast("Callable[..., Made]", leaves[0])


def _run(code: CodeType, module: ModuleType) -> None:
    """Run the top level of the file."""
    exec(code, module.__dict__)  # noqa: S102  # nosec B102: the user's own file, which he asked to run


def allowance_of(source: Source, made_of: object) -> Allowance:
    """Return what the class says it needs, or what everybody gets."""
    usual = Allowance()
    seconds = _positive(source, made_of, "time_limit_s", usual.seconds)
    return Allowance(seconds, int(_positive(source, made_of, "memory_limit_mib", usual.mebibytes)))


def _warmup(source: Source, made_of: object) -> int:
    return int(_positive(source, made_of, "warmup", 1))


def _positive(source: Source, made_of: object, name: str, usual: float) -> float:
    given: object = getattr(made_of, name, usual)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= _MOST:
        raise Mistake(source.path, 0, f"{name} is {given!r}; it must be a number above 0, up to {_MOST:,}")
    return given


def _parameters(source: Source, made_of: Callable[..., Made]) -> Parameters:
    """Return the arguments of the class as parameters; each needs a default."""
    try:
        hints = get_type_hints(getattr(made_of, "__init__"))  # noqa: B009 # of any class
    except (NameError, TypeError, AttributeError):
        hints = {}
    found = []
    for name, argument in inspect.signature(made_of).parameters.items():
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            told = (
                f"__init__ takes {argument}; name its parameters one by one, each with a default, as in fast: int = 20"
            )
            raise Mistake(source.path, 0, told)
        if argument.default is argument.empty:
            raise Mistake(source.path, 0, f"the argument {name} of __init__ has no default; write it as {name}=10")
        found.append(_parameter(source, name, argument.default, hints.get(name)))
    fields = namedtuple("Params", [each.name for each in found])  # type: ignore[misc] # its names are the author's
    return Parameters(source, cast("type[ParameterSet]", fields), tuple(found), None)


def _parameter(source: Source, name: str, default: object, hint: object) -> Parameter:
    if get_origin(hint) is Literal and isinstance(default, str):
        return Parameter(name, int, False, default, tuple(str(each) for each in get_args(hint)))
    many = isinstance(default, tuple)
    first = default[0] if isinstance(default, tuple) and default else default
    if isinstance(first, int | float):
        kind: type[int] | type[float] | type[bool] = bool if isinstance(first, bool) else type(first)
        kind = float if hint is float else kind
        return Parameter(name, kind, many, Parameter(name, kind, many, 0).read(cast(Given, default)))
    raise Mistake(
        source.path,
        0,
        f"the default of {name} is {default!r}; a parameter is a number, True or False, a tuple of numbers, or a name"
        ' declared as Literal["one", "two"]',
    )
