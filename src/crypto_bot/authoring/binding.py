"""A strategy ready to run: its walker, compiled once, and its memory for given parameters and symbols."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from os import getpid
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from crypto_bot.authoring.block import new_block
from crypto_bot.authoring.generator import walker_text
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Module
from crypto_bot.authoring.parameters import ParameterSet
from crypto_bot.authoring.reader import read
from crypto_bot.authoring.sentences import compiler_mistake
from crypto_bot.authoring.warming import Warming
from crypto_bot.domain.timeframe import phase_ns, timeframe_ns
from crypto_bot.domain.units import YEAR_NS
from crypto_bot.kernel.compiled import COMPILE, CompilerFault, compile_folder
from crypto_bot.kernel.context import ALONE, BAR_NS, HERE, OWN_NS, OWN_PHASE, PER_YEAR, WARMUP
from crypto_bot.kernel.gaps import gap_words
from crypto_bot.kernel.layout import Memory

Walkers = tuple[Callable[..., int], Callable[..., int]]
"""The same strategy over bars twice: called by Python, and called by compiled code with a reference."""


@dataclass(frozen=True)
class Bound:
    """A strategy with its parameters and its memory: what a drive needs to step it.

    `walk` steps it over bars; `loop` does so for the compiled loop of a backtest, which hands on references.
    """

    module: Module
    params: ParameterSet
    walk: Callable[..., int]
    loop: Callable[..., int]
    memory: Memory
    warmup: int

    @property
    def wakes_on_fills(self) -> bool:
        """Whether it is stepped after fills only, wherever inside of the run's bars they happen."""
        return self.module.wake_of(self.params) == "fills"

    @property
    def own_ns(self) -> int:
        """The length of the strategy's own bars, 0 when it decides on those of the run."""
        return _own_ns(self.module, self.params)


class Strategy:
    """One author's module, read and compiled; `bind` gives it parameters and memory."""

    def __init__(self, path: Path) -> None:
        """Read the module at a path; Mistake says what cannot work."""
        self.module = read(path)
        self._walkers: dict[tuple[int, ...], Walkers] = {}

    @property
    def name(self) -> str:
        """The name of the strategy."""
        return self.module.name

    def own_ns(self, params: ParameterSet) -> int:
        """Return the length of its own bars with these parameters, 0 when it decides on those of the run."""
        return _own_ns(self.module, params)

    def wakes_on_fills(self, params: ParameterSet) -> bool:
        """Return whether it is stepped after fills only with these parameters."""
        return self.module.wake_of(params) == "fills"

    def bind(
        self, params: ParameterSet, symbols: int, run_ns: int, bar_ns: int | None = None, *, gaps: bool = False
    ) -> Bound:
        """Return the strategy ready to run on so many symbols, with bars of the run's length.

        `bar_ns` is the length of the base bars when orders live on finer ones than those of the run; with `gaps`
        symbols may lack bars that others have.
        Memory is one block of 8-byte words: its bytes are its snapshot.
        """
        bar_ns = bar_ns or run_ns
        own_ns = self.own_ns(params) or run_ns
        if own_ns % run_ns:
            text = f"it decides on {self.module.timeframe_of(params)} bars, which cannot be made of the run's bars"
            raise Mistake(self.module.path, 0, f"{text}; choose a shorter --timeframe that divides them")
        warming = Warming(self.module, params, own_ns)
        whole = new_block(self.module, params, warming, symbols)
        if gaps:
            listed = whole.size
            whole = np.concatenate([whole, np.zeros(gap_words(symbols), np.int64)])
            whole[HERE], whole[ALONE] = listed, warming.warmup
        memory = Memory(whole, whole.view(np.float64), _flat(self.module, params))
        whole[BAR_NS], whole[OWN_NS], whole[OWN_PHASE] = bar_ns, own_ns, phase_ns(own_ns)
        memory.real[PER_YEAR] = YEAR_NS / own_ns
        whole[WARMUP] = warming.warmup
        walkers = self._walkers_of(params, own=own_ns != bar_ns, gaps=gaps)
        return Bound(self.module, params, *walkers, memory, warming.warmup)

    def _walkers_of(self, params: ParameterSet, *, own: bool, gaps: bool) -> Walkers:
        """Return `walk` and `loop` for parameters of this shape; a tuple of another length compiles once more."""
        sleeps = self.module.wake_of(params) == "fills"
        shape = (
            int(own) + 2 * int(sleeps) + 4 * int(gaps),
            *(len(value) if isinstance(value, tuple) else 1 for value in params),
        )
        if shape not in self._walkers:
            self._walkers[shape] = _load(self.module, walker_text(self.module, params, own=own, gaps=gaps))
        return self._walkers[shape]


def _own_ns(module: Module, params: ParameterSet) -> int:
    timeframe = module.timeframe_of(params)
    return timeframe_ns(timeframe) if timeframe else 0


def _load(module: Module, text: str) -> Walkers:
    """Load a walker's text: compiled from a file named by its hash, so that the disk cache is never stale."""
    if not COMPILE:
        plain = ModuleType(module.name)
        exec(compile(text, str(module.path), "exec"), plain.__dict__)  # noqa: S102  # nosec B102: the author's own file
        return plain.__dict__["_walk"], plain.__dict__["_loop"]
    folder = compile_folder() / "strategies"
    name = f"{module.name}_{sha256(text.encode()).hexdigest()[:16]}"
    file = folder / f"{name}.py"
    if not file.exists():
        # Never rewritten: numba also watches its date.
        folder.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{getpid()}")
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    try:
        spec.loader.exec_module(loaded)
    except CompilerFault as fault:
        raise compiler_mistake(module, fault) from None
    return loaded.__dict__["_walk"], loaded.__dict__["_loop"]


def _flat(module: Module, params: ParameterSet) -> Any:
    """Return the parameters as one array of floats."""
    return np.array([float(number) for number in module.parameters.flat(params)] or [0.0])
