"""The rooms that decide once more, uncompiled, beside the compiled ones of the same process.

Interpreted code is the kernel's oracle, and for small worlds it is faster than compiling. Its modules
are loaded a second time under the same names and kept apart; what only describes is shared.
"""

import functools
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import crypto_bot
from crypto_bot.kernel.compiled import COMPILE

_ROOMS = ("kernel", "venue", "authoring", "backtesting", "plain", "risk", "strategies")
_MODULES = (
    "kernel.advance", "kernel.arithmetic", "kernel.averages", "kernel.extremes", "kernel.frames", "kernel.genesis",
    "kernel.guarding", "kernel.guards", "kernel.steps", "kernel.evidence", "kernel.gates", "kernel.measures",
    "kernel.indicators", "kernel.spreads", "kernel.strength", "kernel.volumes", "kernel.intents", "kernel.layout",
    "kernel.ledger", "kernel.limits", "kernel.orders", "kernel.risk", "kernel.trace", "kernel.words",
    "venue.book", "venue.matching", "venue.opening", "venue.volume", "authoring.binding", "authoring.parameters",
    "backtesting.delisting", "backtesting.engine", "backtesting.notes", "backtesting.replay", "backtesting.settle",
    "backtesting.setup", "backtesting.several", "backtesting.slices", "backtesting.stage", "backtesting.tape",
    "risk.account", "risk.breaker", "risk.drawdown", "risk.sizing", "risk.steps", "risk.stops", "risk.trading",
    "kernel.reasons", "strategies.catalogue",
)  # fmt: skip


def uncompiled(name: str) -> ModuleType:
    """Return a module of the deciding rooms as plain Python; `name` is told without the package."""
    full = f"crypto_bot.{name}"
    return importlib.import_module(full) if not COMPILE else _copies()[full]


@contextmanager
def in_their_place() -> Iterator[None]:
    """Let imports inside find the uncompiled modules: the text of a strategy imports its words when it is loaded."""
    if not COMPILE:
        yield
        return
    copies = _copies()
    with _put_back():
        sys.modules.update(copies)
        yield


@functools.cache
def _copies() -> dict[str, ModuleType]:
    with _put_back():
        os.environ["CRYPTO_BOT_COMPILE"] = "0"
        for name in _MODULES:
            importlib.import_module(f"crypto_bot.{name}")
        return {name: module for name, module in sys.modules.items() if _is_copied(name)}


@contextmanager
def _put_back() -> Iterator[None]:
    """Take the modules of the rooms away, and put them back afterwards."""
    compiled = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_copied(name)}
    rooms = {room: vars(crypto_bot).get(room) for room in _ROOMS}
    before = os.environ.get("CRYPTO_BOT_COMPILE")
    try:
        yield
    finally:
        for name in [name for name in sys.modules if _is_copied(name)]:
            del sys.modules[name]
        sys.modules.update(compiled)
        for room, module in rooms.items():
            if module is None:
                vars(crypto_bot).pop(room, None)
            else:
                setattr(crypto_bot, room, module)
        os.environ.pop("CRYPTO_BOT_COMPILE", None)
        if before is not None:
            os.environ["CRYPTO_BOT_COMPILE"] = before


def _is_copied(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "crypto_bot" and len(parts) > 1 and parts[1] in _ROOMS
