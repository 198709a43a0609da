"""Measure how fast backtests are: `python benchmarks/run.py [--peers] [--quick]`, or `make bench`.

Prints ours alone; with --peers installs other libraries, each into an environment of its own, and lets everybody
take turns in the same run. Figures go to benchmarks/out/latest.json; --page writes docs/performance.md as well.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # started as a script, only this file's folder is searched
    sys.path.insert(0, str(ROOT))

from benchmarks import workloads as work  # noqa: E402
from benchmarks.contest import Contestant, Result, as_json, contest  # noqa: E402
from benchmarks.environments import PEERS, install  # noqa: E402
from benchmarks.page import Circumstances, write_page  # noqa: E402
from benchmarks.processes import Life, whole_processes  # noqa: E402
from benchmarks.runs import SHIPPED  # noqa: E402
from benchmarks.stand import Task  # noqa: E402
from benchmarks.tables import absolute_rows, agreement, comparison, plain  # noqa: E402
from benchmarks.verdicts import absolutes, pace, ratios  # noqa: E402

HERE = ROOT / "benchmarks"
WORKLOADS = (
    "limit", "W1", "W1 curve", "W3", "W4", "class", "W2", "W1 every bar", "idle", "idle every bar", "flips", "no flips",
    *SHIPPED, "100 coins", "500 coins",
)  # fmt: skip
_QUICK_BARS = 20_000


def main(words: list[str] | None = None) -> int:
    """Measure, print, and write the figures down."""
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description="Measure how fast backtests are.")
    parser.add_argument("--peers", action="store_true", help="install and measure other libraries as well")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_BARS} bars, one pass: does it work at all")
    parser.add_argument("--passes", type=int, default=5, help="how often everybody takes his turn (default 5)")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md from what was measured")
    args = parser.parse_args(words)
    peers = list(PEERS.values()) if args.peers else []
    for peer in peers:
        install(peer)
    bars = _QUICK_BARS if args.quick else work.YEAR
    folder = HERE / "peers" / "data" / str(bars)
    work.write(folder, bars)
    if bars == work.YEAR and work.digest(folder) != work.FIRST_CLOSES:
        raise SystemExit("this numpy draws other random numbers, so the fills will differ from those that are expected")
    task = Task(folder, bars, 1 if args.quick else 8)
    began = datetime.now(UTC)
    load_before = os.getloadavg()[0]
    contestants = [Contestant("ours", Path(sys.executable), HERE / "ours.py")]
    contestants += [Contestant(peer.name, peer.python, peer.script) for peer in peers]
    versions = {each.name: each.version for each in contestants}
    try:
        passes = 1 if args.quick else args.passes
        results = contest(contestants, WORKLOADS, folder, bars=bars, passes=passes, repeats=task.repeats)
    finally:
        for each in contestants:
            each.stop()
    lives = {} if args.quick else whole_processes(task, 5, PEERS["raptorbt"].python if peers else None)
    where = Circumstances.here(began, (load_before, os.getloadavg()[0]), versions, passes)
    _show(results, lives, bars)
    _keep(results, lives, where)
    if args.page:
        write_page(ROOT / "docs" / "performance.md", results, lives, where)
    return 0


def _show(results: list[Result], lives: dict[str, list[Life]], bars: int) -> None:
    """Print the tables; rates are bars per second of the processor."""
    print(plain(comparison(ratios(results), results)))
    print(f"\nthis machine took {pace(results):.2f} times as long for the limit as the reference machine\n")
    print(plain(absolute_rows(absolutes(results, lives))))
    print()
    print(plain(agreement(results, bars)))


def _keep(results: list[Result], lives: dict[str, list[Life]], where: Circumstances) -> None:
    """Write every repetition to a file."""
    file = HERE / "out" / "latest.json"
    file.parent.mkdir(exist_ok=True)
    kept = {
        "circumstances": asdict(where),
        "pace": pace(results),
        "results": as_json(results),
        "ratios": [asdict(ratio) for ratio in ratios(results)],
        "processes": {name: [asdict(life) for life in each] for name, each in lives.items()},
    }
    file.write_text(json.dumps(kept, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
