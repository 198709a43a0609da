"""Play strategies over candles, compiled or not, and keep everything that came of it for comparison."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.units import ATOMS
from tests.uncompiled import in_their_place, uncompiled

SHIPPED = Path(__file__).parents[1] / "src" / "crypto_bot" / "strategies"
NO_LIMITS = (0, 0, 0, 0)


@dataclass(frozen=True)
class Rooms:
    """The modules that a replay needs, all compiled or all not."""

    binding: ModuleType
    genesis: ModuleType
    setup: ModuleType
    stage: ModuleType
    replay: ModuleType
    several: ModuleType
    tape: ModuleType
    notes: ModuleType
    loading: Callable[[], AbstractContextManager[None]] = field(default=nullcontext, kw_only=True)
    """What strategies have to be loaded in."""

    @classmethod
    def plain(cls) -> "Rooms":
        """Return those that are interpreted."""
        return cls(*(uncompiled(name) for name in _NAMES), loading=in_their_place)

    @classmethod
    def of_this_process(cls) -> "Rooms":
        """Return those that everybody else uses: compiled, unless CRYPTO_BOT_COMPILE=0."""
        import importlib

        return cls(*(importlib.import_module(f"crypto_bot.{name}") for name in _NAMES))


_NAMES = (
    "authoring.binding", "kernel.genesis", "backtesting.setup", "backtesting.stage", "backtesting.replay",
    "backtesting.several", "backtesting.tape", "backtesting.notes",
)  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """How fills are simulated and what is limited, in plain numbers."""

    cash: int = 10_000 * ATOMS
    limits: tuple[int, int, int, int] = NO_LIMITS
    costs: tuple[int, int, int] = (1_000, 1_000, 500)
    fee_in: str = "quote"
    volume: tuple[str, int, int] = ("fixed", 1_000_000, 0)
    gates: tuple[tuple[str, Any], ...] = ()
    fills: str = "pessimistic"
    fill_at: str = "next_open"


FREE = Terms(costs=(0, 0, 0))


@dataclass
class Played:
    """What one play left: the stage, and copies of what has to be equal in every other play of it."""

    stage: Any
    notes: Any
    decisions: str
    equity: bytes
    world: dict[str, bytes]
    memories: list[bytes]
    curve: IntArray = field(repr=False)

    def assert_same(self, other: "Played") -> None:
        """Compare decisions, equity, every record of the world and the strategies' memories, byte for byte."""
        assert self.decisions == other.decisions
        assert self.equity == other.equity
        differing = [name for name, part in self.world.items() if other.world[name] != part]
        assert not differing
        assert self.memories == other.memories

    @property
    def world_of(self) -> Any:
        """The world at the end."""
        return self.stage.world

    def fills(self) -> Any:
        """Return every fill as a structured array."""
        return self.notes.fills(len(self.stage.instruments), self.stage.tape.run_times)

    def cell(self, name: str, strategy: int = 0) -> Any:
        """Return the author's memory of this name, one row for each symbol."""
        bound = self.stage.bounds[strategy]
        module, memory = bound.module, bound.memory
        table = 16 + 4 * len(module.indicators) + list(module.cells).index(name)
        values = memory.real if module.cells[name].kind == "float" else memory.whole
        first, last = (int(memory.whole[table + n]) for n in (0, 1))
        return values[first:last].reshape(len(self.stage.instruments), -1)


def play(
    rooms: Rooms,
    strategies: Sequence[tuple[Any, Mapping[str, Any]]],
    candles: Sequence[Candles],
    terms: Terms = Terms(),
    *,
    skip: bool = True,
    start_ns: int | None = None,
    several: bool = False,
) -> Played:
    """Run strategies, read by `rooms.binding.Strategy`, with their parameters over candles.

    `several` asks for the drive of several strategies even for a single one.
    """
    setup, genesis = rooms.setup, rooms.genesis
    chosen = [setup.Chosen(each, each.module.parameters.read(params)) for each, params in strategies]
    simulation = setup.Simulation(
        cash=terms.cash,
        limits=genesis.Limits(*terms.limits, gates=genesis.Gates(**dict(terms.gates))),
        costs=genesis.Costs(*terms.costs, terms.fee_in, *terms.volume),
        fills=terms.fills,
        fill_at=terms.fill_at,
    )
    tape = rooms.tape.make_tape(candles, fills=terms.fills)
    with rooms.loading():
        stage = rooms.stage.prepare(chosen, [each.instrument for each in candles], tape, simulation, start_ns=start_ns)
    notes = rooms.notes.NoteBook(stage.world.log)
    ways = (rooms.replay.SKIP if skip else 0) | (rooms.replay.AT_CLOSE if terms.fill_at == "close" else 0)

    def drive() -> int:
        if several or len(chosen) > 1:
            return int(rooms.several.replay_several(stage, i, tape.times.size, ways))
        loop, memory = stage.bounds[0].loop, stage.bounds[0].memory
        arguments = (stage.markets[0], stage.world, stage.venue, stage.equity, memory)
        return int(rooms.replay.replay(loop, *arguments, i, tape.times.size, ways))

    i = stage.first
    while i < tape.times.size:
        i = stage.guarded(drive)
        notes.collect(stage.world)
    return _kept(rooms, stage, notes)


def _kept(rooms: Rooms, stage: Any, notes: Any) -> Played:
    parts = {
        name: part.tobytes() for name, part in stage.world._asdict().items() if name not in ("log", "desk", "event")
    }
    desk = stage.world.desk.copy()
    # How far the fast path looks ahead is its own affair, and the log was emptied at other times.
    desk["day_index"] = desk["ahead_peak"] = 0
    parts["desk"] = desk.tobytes()
    parts["notes"] = notes.all().tobytes()
    parts["resting"] = stage.venue.resting.tobytes()
    memories = [bound.memory.whole.tobytes() for bound in stage.bounds]
    equity = stage.equity[stage.first :]
    return Played(stage, notes, rooms.stage.decisions_hash(stage.world), equity.tobytes(), parts, memories, equity)


def author(folder: Path, text: str, name: str = "mine") -> Path:
    """Write an author's file; the import of the words goes before it."""
    file = folder / f"{name}.py"
    file.write_text("from crypto_bot.strategy import *\n\n" + textwrap.dedent(text))
    return file


def plain(file: Path, candles: Sequence[Candles], terms: Terms = FREE, **more: Any) -> Played:
    """Play one strategy of a file uncompiled; `more` are its parameters."""
    rooms = Rooms.plain()
    return play(rooms, [(rooms.binding.Strategy(file), more)], candles, terms)


def no_less(values: Any) -> bool:
    """Tell whether an array never falls."""
    return bool(np.all(np.diff(values) >= 0))
