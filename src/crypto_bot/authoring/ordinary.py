"""The half of a module that runs as ordinary Python, once, before a run: its top level, memory(p) and wake(p)."""

import keyword
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import cast

from crypto_bot.authoring.module import Cell, Wake
from crypto_bot.authoring.parameters import ParameterSet
from crypto_bot.authoring.parts import Parts
from crypto_bot.authoring.source import Source
from crypto_bot.authoring.watching import watched
from crypto_bot.domain.units import INT64_MAX

MOST_KEPT = 1_000_000
"""Numbers that one name of the memory of one symbol may hold."""

_START = "start it with 0, 0.0, False or a list of such"


def run_top_level(source: Source) -> Mapping[str, object]:
    """Run the top level and return its names; Mistake where it fails."""
    module = ModuleType(source.path.stem)
    module.__file__ = str(source.path)
    code = source.compiled()

    def load() -> None:
        # The user's own file, and its grammar was checked before.
        exec(code, module.__dict__)  # noqa: S102  # nosec B102

    watched(source, load, doing="the top of the file", failed="this cannot be worked out")
    return module.__dict__


def memory_reader(parts: Parts, namespace: Mapping[str, object]) -> Callable[[ParameterSet], Mapping[str, Cell]]:
    """Return the function from parameters to the memory of one symbol, as the author's memory(p) starts it."""
    source, declared = parts.source, parts.ordinary.get("memory")
    author = cast("Callable[[ParameterSet], object] | None", namespace.get("memory") if declared else None)

    def memory_of(params: ParameterSet) -> Mapping[str, Cell]:
        if author is None:
            return {}
        started = watched(source, partial(author, params), doing="memory(p)")
        if not isinstance(started, dict):
            source.refuse(declared, "memory(p) returns dict(name=start, ...)")
        return {_name(parts, name): _cell(parts, name, start) for name, start in started.items()}

    return memory_of


def wake_reader(parts: Parts, namespace: Mapping[str, object], declared: Wake) -> Callable[[ParameterSet], Wake]:
    """Return the function from parameters to when the strategy steps: as wake(p) says, or as it is declared."""
    source, node = parts.source, parts.ordinary.get("wake")
    author = cast("Callable[[ParameterSet], object] | None", namespace.get("wake") if node else None)

    def wake_of(params: ParameterSet) -> Wake:
        if author is None:
            return declared
        told = watched(source, partial(author, params), doing="wake(p)")
        if told not in ("bars", "fills"):
            source.refuse(node, f"wake(p) returns {repr(told)[:60]}; return 'bars' or 'fills'")
        return "bars" if told == "bars" else "fills"

    return wake_of


def same_shape(one: Mapping[str, Cell], other: Mapping[str, Cell]) -> bool:
    """Return whether two memories differ in lengths and starts only, not in names, kinds or order."""
    return [(n, c.kind, c.count > 0) for n, c in one.items()] == [(n, c.kind, c.count > 0) for n, c in other.items()]


def _name(parts: Parts, name: object) -> str:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        parts.source.refuse(parts.ordinary["memory"], f"{name!r} cannot be the name of memory; write it as in held=0")
    return name


def _cell(parts: Parts, name: str, start: object) -> Cell:
    """Return the cell that one name of memory starts as; Mistake for anything but numbers of 64 bits."""
    source, node = parts.source, parts.ordinary["memory"]
    starts: Sequence[object] = start if isinstance(start, list | tuple) else (start,)
    if not starts:
        source.refuse(node, f"memory {name} starts as an empty list; {_START}, at least one number long")
    if len(starts) > MOST_KEPT:
        source.refuse(node, f"memory {name} keeps {len(starts):,} numbers for each symbol; {MOST_KEPT:,} are possible")
    numbers = [number for number in starts if isinstance(number, int | float)]
    for number in starts:
        if not isinstance(number, int | float):
            source.refuse(node, f"memory {name} starts as {repr(start)[:60]}; {_START}")
        if isinstance(number, int) and abs(number) > INT64_MAX:
            source.refuse(node, f"memory {name} starts as {number}; a whole number must fit into 64 bits")
    count = len(numbers) if isinstance(start, list | tuple) else 0
    if any(isinstance(number, float) for number in numbers):
        return Cell("float", count, tuple(float(number) for number in numbers))
    return Cell("int", count, tuple(int(number) for number in numbers))
