"""What is required, what was measured, and whether the one meets the other."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contest import Result
from benchmarks.processes import Life
from benchmarks.runs import SHIPPED

REFERENCE_NS = 1.84
"""What the limit took per bar on the machine that the absolute requirements were written for."""
_CORES = 2


@dataclass(frozen=True)
class Ratio:
    """How many times faster than a peer, by the processor's time and by the wall's."""

    workload: str
    peer: str
    ours: float
    theirs: float
    by_cpu: float
    by_wall: float
    required: float | None

    @property
    def verdict(self) -> str:
        """Say whether both clocks agree that the requirement is met, or which of them does."""
        if self.required is None:
            return ""
        by_cpu, by_wall = self.by_cpu >= self.required, self.by_wall >= self.required
        if by_cpu == by_wall:
            return "yes" if by_cpu else "NO"
        return "by the processor only" if by_cpu else "by the wall only"


@dataclass(frozen=True)
class Absolute:
    """A figure with a unit; `at_reference` is what it would be on the reference machine, by the limit's pace."""

    name: str
    unit: str
    measured: float
    at_reference: float
    required: float | None
    more_is_better: bool = False

    def met(self, value: float) -> str:
        """Say whether a value meets the requirement."""
        if self.required is None:
            return ""
        return "yes" if (value >= self.required) == self.more_is_better or value == self.required else "NO"


_REQUIRED: Sequence[tuple[str, str, str, float | None]] = (
    ("W1", "vectorbt", "W1", 4.0),
    ("W1", "vectorbt", "W1 curve", None),
    ("W1", "raptorbt", "W1", 3.0),
    ("W2", "vectorbt", "W2", 4.0),
    ("W2", "raptorbt", "W2", 4.0),
    ("W3", "vectorbt", "W3", 8.0),
    ("W4", "raptorbt", "W4", 4.0),
    ("W4", "vectorbt", "W4", None),
    ("class", "raptorbt", "class", 4.0),
    ("class", "backtesting", "class", None),
)
"""Our workload, the peer, the peer's workload, and how many times faster ours has to be."""


def ratios(results: Sequence[Result]) -> list[Ratio]:
    """Compare every workload with every peer that was measured."""
    found = {(result.contestant, result.workload): result for result in results}
    compared = []
    for workload, peer, theirs, required in _REQUIRED:
        mine, other = found.get(("ours", workload)), found.get((peer, theirs))
        if mine is None or other is None:
            continue
        # A sweep in one process is taken as if a second one beside it cost nothing.
        spare = _CORES / other.last.threads if workload == "W2" else 1
        compared.append(
            Ratio(
                f"{workload} (with its curve)" if theirs != workload else workload,
                peer,
                mine.bars_per_cpu_second,
                other.bars_per_cpu_second,
                mine.bars_per_cpu_second / other.bars_per_cpu_second,
                mine.bars_per_wall_second / (other.bars_per_wall_second * spare),
                required,
            )
        )
    return compared


def pace(results: Sequence[Result]) -> float:
    """Return how many times slower than the reference machine this one was: by the limit's time per bar."""
    limit = next(result for result in results if result.workload == "limit")
    return 1e9 / limit.bars_per_cpu_second / REFERENCE_NS


def absolutes(results: Sequence[Result], lives: Mapping[str, Sequence[Life]]) -> list[Absolute]:
    """Return the figures that stand for themselves."""
    slower = pace(results)
    mine = {result.workload: result for result in results if result.contestant == "ours"}
    per_bar = {name: 1e9 / result.bars_per_cpu_second for name, result in mine.items()}
    flips = mine["flips"].last
    cycle = (per_bar["flips"] - per_bar["no flips"]) * flips.bars / flips.fills
    rows = [
        Absolute("a bar that touches nothing", "ns", per_bar["idle"], per_bar["idle"] / slower, 3.0),
        Absolute("a full order cycle", "ns", cycle, cycle / slower, 600.0),
    ]
    for name, required in (("W1 every bar", 30.0), ("idle every bar", None)):
        rate = mine[name].bars_per_cpu_second / 1e6
        rows.append(
            Absolute(f"advance at every bar, {name.split()[0]}", "M bars/s", rate, rate * slower, required, True)
        )
    rows += [_strategy(mine[name], slower) for name in SHIPPED if name in mine]
    for name, what, required in (
        ("100 coins", "cross_section_momentum, 100 coins by the day", 0.3),
        ("500 coins", "simple_ma, 500 coins by the hour, half of them listed late", 3.0),
    ):
        if name in mine:
            seconds = mine[name].last.bars / mine[name].bars_per_cpu_second
            told = f"{what}, {mine[name].last.fills:,} fills"
            rows.append(Absolute(told, "s", seconds, seconds / slower, required))
    needed = {"warm": 1.0, "new strategy": 2.0, "empty cache": 12.0}
    for name, seconds in needed.items():
        if name in lives:
            wall = statistics.median(life.wall for life in lives[name])
            cpu = statistics.median(life.cpu for life in lives[name])
            rows.append(Absolute(f"whole process, {name}: wall", "s", wall, wall / slower, seconds))
            rows.append(Absolute(f"whole process, {name}: processor", "s", cpu, cpu / slower, seconds))
    for name, most in (("warm", 220.0), ("raptorbt", None)):
        if name in lives:
            peak = max(life.peak_mib for life in lives[name])
            rows.append(Absolute(f"whole process, {name}: most memory", "MiB", peak, peak, most))
    if "raptorbt" in lives:
        for clock in ("wall", "cpu"):
            seconds = statistics.median(getattr(life, clock) for life in lives["raptorbt"])
            name = "wall" if clock == "wall" else "processor"
            rows.append(Absolute(f"whole process, raptorbt: {name}", "s", seconds, seconds / slower, None))
    return rows


def _strategy(result: Result, slower: float) -> Absolute:
    rate = result.bars_per_cpu_second / 1e6
    name = f"{result.workload}, {result.last.fills:,} fills"
    return Absolute(name, "M bars/s", rate, rate * slower, 40.0, True)
