"""docs/performance.md, written from what one run has measured."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks import workloads as work
from benchmarks.contest import Result
from benchmarks.processes import Life
from benchmarks.tables import absolute_rows, agreement, comparison, markdown
from benchmarks.verdicts import Absolute, Ratio, absolutes, pace, ratios

_TEXT = """# Performance

Measured on {date} with `make bench PEERS=1 ARGS=--page`, which writes this page.

* Machine: {machine}.
* Load when it began and ended: {loads}.
* Passes: {passes}. Everybody takes turns at one workload before the next; every figure is the median of all
  repetitions.
* Versions: {versions}.

Rates are bars per second of the processor; beside them stands the ratio by the clock on the wall, which means something
only when nothing else runs. The hand-written reference, which has no orders, no ledger, no limits and no hash, took
{reference_ns} ns a bar in the same run: {pace:.2f} times as long as on the machine that the absolute requirements were
written for. "At the reference's pace" divides by that.

## Against others

{comparison}

W1 is a moving average cross (20/100) over 525,600 one-minute bars, all in and all out. W2 is a thousand such crosses
over one set of bars, on two threads; libraries that use one processor are counted as if a second process beside it
cost nothing. W3 is a grid of forty resting limit orders. W4 is W1 on ten symbols with shared cash; bars of every symbol
count. "class" is W1 as a plain Python class with one call per bar, from its file, as `backtest --strategy FILE.py`
runs it. In all of them ours is the full kernel: order states, ledger with its laws, limits watched at every bar, equity
at every bar, decisions hash. What peers leave out is their choice: vectorbt's W1 stops at the final value, and with its
equity curve it is the second row.

{unmet}

## By itself

{absolutes}

"A bar that touches nothing" is a strategy that sleeps with one order far away. "A full order cycle" is signal, risk,
order, fill, ledger, laws and hash: a strategy that changes sides every eight bars, less the same strategy when it never
does, by order. "Advance at every bar" runs the definition without skipping. A whole process is
`python -m crypto_bot backtest --json` on a year of one-minute bars from the archive, with `--limits off`.

## The same work

{agreement}

Fills and equity are compared in every run. Quantities here are whole lots of 1e-6, which is worth a cent in W1. The
grid's first purchase is one order here and twenty where each line buys for itself, at the same price. W2 counts the
hundred pairs that everybody runs; float averages decide some exact ties otherwise than integers do. W4 differs by what
a share means: ours is a tenth of the equity when a position opens. Spread is how far the slowest repetition lies above
the fastest.
"""


@dataclass(frozen=True)
class Circumstances:
    """When, where and with what was measured."""

    date: str
    machine: str
    loads: tuple[float, float]
    versions: Mapping[str, str]
    passes: int

    @classmethod
    def here(
        cls, began: datetime, loads: tuple[float, float], versions: Mapping[str, str], passes: int
    ) -> "Circumstances":
        """Return those of this machine."""
        model = platform.processor() or platform.machine()
        info = Path("/proc/cpuinfo")
        if info.exists():
            names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
            model = names[0] if names else model
        machine = f"{model}, {os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}"
        return cls(f"{began:%Y-%m-%d %H:%M} UTC", machine, loads, versions, passes)


def write_page(
    file: Path, results: Sequence[Result], lives: Mapping[str, Sequence[Life]], where: Circumstances
) -> None:
    """Write the page."""
    compared, figures = ratios(results), absolutes(results, lives)
    text = _TEXT.format(
        date=where.date,
        machine=where.machine,
        loads=" and ".join(f"{load:.1f}" for load in where.loads),
        passes=where.passes,
        versions=", ".join(f"{name} {version}" for name, version in where.versions.items()),
        pace=pace(results),
        reference_ns=f"{_reference_ns(results):.2f}",
        comparison=markdown(comparison(compared)),
        unmet=_unmet(compared, figures),
        absolutes=markdown(absolute_rows(figures)),
        agreement=markdown(agreement(results, work.YEAR)),
    )
    file.write_text(text, encoding="utf-8")


def _reference_ns(results: Sequence[Result]) -> float:
    """Return what the limit took here for a bar."""
    limits = [result for result in results if result.workload == "limit"]
    return statistics.median(1e9 / result.bars_per_cpu_second for result in limits)


def _unmet(compared: Sequence[Ratio], figures: Sequence[Absolute]) -> str:
    """Say which requirements were not met."""
    missed = [f"{each.workload} against {each.peer}" for each in compared if each.verdict not in ("", "yes")]
    missed += [each.name for each in figures if each.met(each.at_reference) == "NO"]
    if not missed:
        return "Every requirement was met."
    return f"Not met: {'; '.join(missed)}."
