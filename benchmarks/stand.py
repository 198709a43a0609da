"""How every contestant is timed: a process that answers one workload a line, so that contestants take turns.

Runs under the interpreter of each peer: nothing but the standard library. Wall time and the processor's time of the
whole process are taken side by side, because the second is steadier on a machine that others use too.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Span:
    """Seconds that passed on the wall and on the processor."""

    wall: float = 0.0
    cpu: float = 0.0


@dataclass
class Score:
    """One workload done `spans` times; bars count every symbol and every run, `threads` those that did the work."""

    bars: int
    spans: list[Span]
    fills: int = 0
    equity: float = 0.0
    threads: int = 1
    note: str = ""


@dataclass(frozen=True)
class Task:
    """What is asked for: where the data is, how many bars it has, how often to repeat."""

    folder: Path
    bars: int
    repeats: int


Measure = Callable[[Task], Score]


@contextmanager
def taking(span: Span) -> Iterator[None]:
    """Measure what happens inside."""
    cpu, wall = time.process_time(), time.perf_counter()
    yield
    span.wall, span.cpu = time.perf_counter() - wall, time.process_time() - cpu


@dataclass
class Stopwatch:
    """Repeats a piece of work and keeps how long each took."""

    spans: list[Span] = field(default_factory=list)

    def repeat(self, work: Callable[[], object], times: int) -> None:
        """Do the work so many times."""
        for _ in range(times):
            span = Span()
            with taking(span):
                work()
            self.spans.append(span)


def serve(version: str, workloads: dict[str, Measure]) -> None:
    """Answer requests on stdin with scores on stdout, one JSON object a line, until stdin ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    print(json.dumps({"version": version, "workloads": list(workloads)}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        task = Task(Path(request["folder"]), request["bars"], request["repeats"])
        score = workloads[request["workload"]](task)
        print(json.dumps(asdict(score)), file=answers, flush=True)
