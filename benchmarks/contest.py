"""Contestants take turns: every pass asks each of them for the same workload before the next pass begins."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.stand import Score, Span

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Result:
    """All passes of one contestant on one workload."""

    contestant: str
    workload: str
    scores: list[Score] = field(default_factory=list)

    @property
    def bars_per_wall_second(self) -> float:
        """The median over all repetitions."""
        return statistics.median(score.bars / span.wall for score in self.scores for span in score.spans)

    @property
    def bars_per_cpu_second(self) -> float:
        """The median over all repetitions, of the processor's seconds of all threads."""
        return statistics.median(score.bars / span.cpu for score in self.scores for span in score.spans)

    @property
    def spread(self) -> float:
        """How far the slowest repetition lies above the fastest, in processor time; 0.1 is a tenth."""
        seconds = [span.cpu / score.bars for score in self.scores for span in score.spans]
        return max(seconds) / min(seconds) - 1

    @property
    def last(self) -> Score:
        """The score of the last pass: its fills and its equity are those of every pass."""
        return self.scores[-1]

    def told(self) -> dict[str, str | float | int]:
        """Return the figures for a file."""
        return {
            "contestant": self.contestant,
            "workload": self.workload,
            "bars_per_wall_second": round(self.bars_per_wall_second),
            "bars_per_cpu_second": round(self.bars_per_cpu_second),
            "spread": round(self.spread, 3),
            "fills": self.last.fills,
            "equity": self.last.equity,
            "threads": self.last.threads,
            "note": self.last.note,
        }


class Contestant:
    """A process that answers one workload a line; see `stand.serve`."""

    def __init__(self, name: str, python: Path, script: Path) -> None:
        """Start the process and wait until it has imported what it needs."""
        self.name = name
        # A peer finds the project's folder, not its package.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *_kept(name)])}
        self._process = subprocess.Popen(
            [python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        hello = self._answer()
        self.version = str(hello["version"])
        self.workloads = tuple(hello["workloads"])

    def run(self, workload: str, folder: Path, bars: int, repeats: int) -> Score:
        """Do one workload and return its score."""
        request = {"workload": workload, "folder": str(folder), "bars": bars, "repeats": repeats}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        return Score(**{**answer, "spans": [Span(**span) for span in answer["spans"]]})

    def stop(self) -> None:
        """Let the process end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended without an answer; its last words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _kept(name: str) -> list[str]:
    """Return the search path of whoever called, for our own side."""
    return [os.environ["PYTHONPATH"]] if name == "ours" and "PYTHONPATH" in os.environ else []


def contest(
    contestants: Sequence[Contestant], workloads: Iterable[str], folder: Path, *, bars: int, passes: int, repeats: int
) -> list[Result]:
    """Let everybody do every workload he knows, in turn, `passes` times; tell on stderr how far it is."""
    results: dict[tuple[str, str], Result] = {}
    for number in range(passes):
        for workload in workloads:
            for each in contestants:
                if workload in each.workloads:
                    result = results.setdefault((each.name, workload), Result(each.name, workload))
                    result.scores.append(each.run(workload, folder, bars, repeats))
        print(f"pass {number + 1} of {passes} done, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return list(results.values())


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return all results with every repetition."""
    return [{**result.told(), "scores": [asdict(score) for score in result.scores]} for result in results]
