"""A bot in a process of its own, watched through its database: for tests that kill it."""

import json
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.commands import End, environment, run

DAY = ("--from", "2023-03-20", "--to", "2023-03-20")
QUICK = (*DAY, "--speed", "0", "--no-api", "--json")
"""A day of 5m bars without waiting: 288 bars, some 500 rows."""
PATIENCE_S = 60.0


@dataclass
class Bot:
    """A started `run`; its files lie in `folder`, its state in `folder`/State."""

    folder: Path
    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls, folder: Path, *words: str, most_bytes: int | None = None, **variables: str) -> "Bot":
        """Start `run` with these flags; with `most_bytes` no file it writes can grow beyond."""

        def limit() -> None:
            if most_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        process = subprocess.Popen(
            [sys.executable, "-m", "crypto_bot", "run", *words],
            cwd=folder,
            env={**environment(folder), **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit,
        )
        return cls(folder, process)

    def until(self, reached: Callable[[], bool]) -> bool:
        """Wait for something; False when the process ended before."""
        wait_for(lambda: reached() or self.process.poll() is not None)
        return self.process.poll() is None or reached()

    def until_rows(self, count: int) -> bool:
        """Wait until so many rows are stored; False when the process ended before."""
        return self.until(lambda: stored_rows(self.folder) >= count)

    def send(self, number: signal.Signals) -> End:
        """Send a signal and return how the process ended."""
        self.process.send_signal(number)
        return self.end()

    def kill(self) -> End:
        """Kill it as a power cut would."""
        return self.send(signal.SIGKILL)

    def end(self) -> End:
        """Wait for the end."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return End(self.process.returncode, out, err)


def wait_for(reached: Callable[[], bool]) -> None:
    """Wait until something is so; AssertionError when it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, f"nothing came of it in {PATIENCE_S:g} s"
        time.sleep(0.01)


def database(folder: Path) -> Path:
    """Return the file that a bot in this folder writes."""
    return folder / "State" / "trading.db"


def query(folder: Path, statement: str) -> list[tuple[str | int, ...]]:
    """Ask the database of a folder, which may not be there yet."""
    try:
        with closing(sqlite3.connect(f"file:{database(folder)}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement).fetchall()
    except sqlite3.OperationalError:
        return []


def stored_rows(folder: Path) -> int:
    """Return how many rows of a journal are stored."""
    found = query(folder, "SELECT count(*) FROM journal")
    return int(found[0][0]) if found else 0


def kinds(folder: Path) -> list[str]:
    """Return the kinds of all rows in order."""
    return [str(kind) for (kind,) in query(folder, "SELECT kind FROM journal ORDER BY run_id, sequence")]


def run_states(folder: Path) -> list[tuple[str | int, ...]]:
    """Return id and state of every session."""
    return query(folder, "SELECT run_id, state FROM runs WHERE kind = 'run' ORDER BY started_ns")


def told(end: End) -> dict[str, str | int]:
    """Return the one object that a command printed; it has to have ended well."""
    assert end.status == 0, end.err
    document: dict[str, str | int] = json.loads(end.out)
    return document


def without_id(document: dict[str, str | int]) -> dict[str, str | int]:
    """Return what two runs of the same prices have in common."""
    return {name: value for name, value in document.items() if name != "run_id"}


def assert_replays(folder: Path) -> None:
    """Run the last session again: every decision is the recorded one."""
    found = told(run("replay", "last", "--json", cwd=folder))
    assert found["identical"] is True and found["decisions_hash_recorded"] == found["decisions_hash_replayed"]


def processes_of(parent: int) -> list[int]:
    """Return the children of a process."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(place.name))
    return found


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
