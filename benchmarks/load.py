"""The API under load: 200 requests a second and 100 streams, while the engine trades; `make bench-load`.

    python benchmarks/load.py [--seconds 30] [--bars 10]

A real engine process with its real web process on loopback trades made-up prices, some bars a second and an order on
most of them. Beside it two processes call. Reported: what the requests took, from when they were due; how long a fill
took from its commit to a client; and what the order path took, quiet and under load.
"""

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks"
SPEED_OF_ONE_BAR_A_SECOND = 60
BARS_BEFORE_S = 6.0
"""How long bars are played without a pace before, so that the run has a past."""
WARM_UP = 20
"""Orders that are not counted."""


@dataclass(frozen=True)
class Measured:
    """What the watch of the engine saw without callers and with them, and what the callers saw."""

    status: dict[str, Any]
    alone: dict[str, Any]
    seen: dict[str, Any]
    heard: dict[str, Any]
    asked: dict[str, Any]


@dataclass(frozen=True)
class Target:
    """One figure, in ms, and what it has to stay below."""

    name: str
    found_ms: float
    allowed_ms: float

    @property
    def holds(self) -> bool:
        """Tell whether it does."""
        return self.found_ms < self.allowed_ms


def share(values: Sequence[float], part: float) -> float:
    """Return the value that so many parts of all are not above; not a number without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


class Engine:
    """A run in a process of its own, on a folder and an address."""

    def __init__(self, folder: Path, port: int, *words: str) -> None:
        """Start it."""
        self.times = folder / f"times-{secrets.token_hex(4)}.json"
        common = [
            "run",
            "--dry-run",
            "--json",
            "--state",
            str(folder / "State"),
            "--timeframe",
            "1m",
            "--cash",
            "1000000",
        ]
        trading = ["--symbol", "COIN/USDT", "--strategy", str(HERE / "strategies" / "flips.py"), "--param", "every=1"]
        limits = ["--set", "risk.max_drawdown_pct=0.99", "--set", "risk.max_daily_loss_pct=0.99"]
        command = [sys.executable, str(HERE / "load_engine.py"), str(self.times), *common, *trading, *limits, *words]
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder)

    def ask(self, path: str) -> dict[str, Any]:
        """Return an answer of its API."""
        headers = {"Authorization": f"Bearer {os.environ['API_TOKEN']}"}
        with urlopen(Request(f"http://127.0.0.1:{self.port}{path}", headers=headers), timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def wait_until_it_trades(self, seconds: float = 180.0) -> dict[str, Any]:
        """Wait until the API tells of new bars; return the status."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s and self.process.poll() is None:
            try:
                before = self.ask("/api/status")
                time.sleep(0.5)
                after = self.ask("/api/status")
            except OSError:
                time.sleep(0.2)
                continue
            if after["state"] == "running" and after["bars"] != before["bars"]:
                return after
        raise SystemExit("the engine does not trade; see what it wrote above")

    def wait_for_end(self) -> dict[str, Any]:
        """Wait until it has ended in order; return what its watch saw."""
        if self.process.wait(600) != 0:
            raise SystemExit("the engine failed; see what it wrote above")
        seen: dict[str, Any] = json.loads(self.times.read_text(encoding="utf-8"))
        return seen


def call(kind: str, port: int, seconds: float, out: Path) -> subprocess.Popen[bytes]:
    """Start one of the two callers."""
    return subprocess.Popen([sys.executable, str(HERE / "load_clients.py"), kind, str(port), str(seconds), str(out)])


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def milliseconds(times_ns: Sequence[int]) -> list[float]:
    """Return times in ms, without those of the first orders, which warm up."""
    return [each / 1e6 for each in times_ns[WARM_UP:]]


def fill_latencies(commits: Sequence[tuple[int, int]], fills: Sequence[tuple[int, int]]) -> list[float]:
    """Return how long each fill took from the commit that holds it to each client, in ms.

    `commits` are pairs of a last row and when it was durable, `fills` pairs of a row and when a client saw it.
    """
    lasts = [last for last, _ in commits]
    return [
        (seen_ns - commits[place][1]) / 1e6
        for number, seen_ns in fills
        if (place := bisect_left(lasts, number)) < len(lasts) and (place or number == lasts[0])
    ]


def measure(folder: Path, seconds: float, bars: float) -> Measured:
    """Play a past, then the order path alone, then everything at once."""
    speed = ("--speed", str(SPEED_OF_ONE_BAR_A_SECOND * bars))
    Engine(folder, 0, "--no-api", "--speed", "0", "--duration", str(BARS_BEFORE_S)).wait_for_end()
    alone = Engine(folder, 0, "--no-api", *speed, "--duration", str(seconds)).wait_for_end()
    port = free_port()
    engine = Engine(folder, port, *speed, "--api-port", str(port))
    try:
        status = engine.wait_until_it_trades()
        outs = [folder / f"{kind}.json" for kind in ("streams", "requests")]
        streams = call("streams", port, seconds + 3, outs[0])
        time.sleep(1.5)
        asking = call("requests", port, seconds, outs[1])
        for caller in (asking, streams):
            if caller.wait() != 0:
                raise SystemExit("a caller failed; see above")
        engine.process.send_signal(signal.SIGINT)
        seen = engine.wait_for_end()
    finally:
        engine.process.kill()
    heard, asked = (json.loads(out.read_text(encoding="utf-8")) for out in outs)
    return Measured(status, alone, seen, heard, asked)


def report(found: Measured) -> bool:
    """Print what was found; return whether all of it is as it has to be."""
    asked, heard, seen = found.asked, found.heard, found.seen
    every = [took for each in asked["took_ms"].values() for took in each]
    rows = {
        "requests, all": every, **{f"  {path}": took for path, took in sorted(asked["took_ms"].items())},
        "fill, commit to client": fill_latencies(seen["commits"], heard["fills"]),
        "order path, signal to commit": milliseconds(seen["from_signal"]),
        "order path, bar to commit": milliseconds(seen["from_bar"]),
        "  without callers": milliseconds(found.alone["from_bar"]),
    }  # fmt: skip
    print(
        f"a run of {found.status['bars']} bars and {found.status['trades']} fills goes on, {os.cpu_count()} processors"
    )
    print(f"{len(every)} requests, {len(every) / asked['seconds']:.0f} a second, failed: {asked['failed'] or 'none'}")
    print(
        f"{len(heard['events'])} streams, {sum(heard['events'])} events, {heard['gaps']} gaps, {heard['cut_off']} lost"
    )
    print(f"\n{'ms':32}{'count':>8}{'p50':>9}{'p99':>9}{'worst':>9}")
    for name, took in rows.items():
        print(f"{name:32}{len(took):8}{share(took, 0.5):9.2f}{share(took, 0.99):9.2f}{share(took, 1.0):9.2f}")
    targets = (
        Target("requests p99", share(every, 0.99), 100),
        Target("/api/status p50", share(asked["took_ms"]["/api/status"], 0.5), 5),
        Target("order path p99", share(rows["order path, bar to commit"], 0.99), 25),
        Target("fill to client p99", share(rows["fill, commit to client"], 0.99), 200),
    )
    print()
    for each in targets:
        print(f"{each.name:32}{each.found_ms:9.2f} ms, {'within' if each.holds else 'ABOVE'} {each.allowed_ms:g} ms")
    return all(each.holds for each in targets) and not (asked["failed"] or heard["gaps"] or heard["cut_off"])


def main(words: list[str] | None = None) -> int:
    """Measure in a folder of its own; 0 when every figure is within its target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to call (default 30)")
    parser.add_argument("--bars", type=float, default=10.0, help="bars a second that the engine plays (default 10)")
    options = parser.parse_args(words)
    os.environ["API_TOKEN"] = secrets.token_urlsafe(32)
    folder = Path(tempfile.mkdtemp(prefix="load-"))
    before = os.getloadavg()[0]
    try:
        sound = report(measure(folder, options.seconds, options.bars))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"load average {before:.2f} before, {os.getloadavg()[0]:.2f} after: times mean something on a quiet machine")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
