"""The engine under load: `run` as it is, with a watch beside the order path.

    python benchmarks/load_engine.py TIMES.json run --dry-run ...

TIMES.json holds, when the run is over, in ns: of every signal how long it took from the bar's arrival and from the
decision until its row was durable; and of every commit its last row and the time of the clock when it was durable.
"""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from crypto_bot.cli.frame import run_command
from crypto_bot.domain.market import Slice
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.recorder import Recorder
from crypto_bot.runtime.running import Running


class Watch:
    """Times of the order path, taken at public methods of what runs."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.arrived_ns = 0
        self.from_bar: list[int] = []
        self.from_signal: list[int] = []
        self.commits: list[tuple[int, int]] = []

    def attach(self) -> None:
        """Stand beside the methods."""
        play, record, append = Running.play, Recorder.record, Journal.append

        def watched_play(run: Running, item: Slice) -> None:
            self.arrived_ns = time.perf_counter_ns()
            play(run, item)

        def watched_record(recorder: Recorder, entry: Entry) -> None:
            decided_ns = time.perf_counter_ns()
            record(recorder, entry)
            if entry.kind == "SIGNAL" and entry.binding:
                now_ns = time.perf_counter_ns()
                self.from_bar.append(now_ns - self.arrived_ns)
                self.from_signal.append(now_ns - decided_ns)

        def watched_append(journal: Journal, rows: Iterable[JournalRow]) -> str:
            held = list(rows)
            digest = append(journal, held)
            self.commits.append((held[-1].sequence, time.time_ns()))
            return digest

        Running.play = watched_play  # type: ignore[method-assign, assignment] # a watch, in this process alone
        Recorder.record = watched_record  # type: ignore[method-assign, assignment] # as above
        Journal.append = watched_append  # type: ignore[method-assign, assignment] # as above

    def write(self, path: Path) -> None:
        """Write down what was seen."""
        seen = {"from_bar": self.from_bar, "from_signal": self.from_signal, "commits": self.commits}
        path.write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    watch = Watch()
    watch.attach()
    status = run_command(sys.argv[2:])
    watch.write(Path(sys.argv[1]))
    sys.exit(status)
