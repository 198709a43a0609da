"""A whole process from its start to its end: seconds and the most memory it held, as the system counts them."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import workloads as work
from benchmarks.contest import ROOT
from benchmarks.stand import Task

_COMMAND = ("-m", "crypto_bot", "backtest", "--json", "--symbol", "COIN0/USDT", "--timeframe", "1m")
_TERMS = ("--cash", str(work.CASH), "--slippage-bps", "0", "--limits", "off", "--from", "2024-01-01")
_SIMPLE_MA = ROOT / "src/crypto_bot/strategies/simple_ma.py"


@dataclass(frozen=True)
class Life:
    """One process: seconds on the wall and on the processor, and the most memory it held, in MiB."""

    wall: float
    cpu: float
    peak_mib: float


def live(command: list[str], environment: dict[str, str] | None = None) -> Life:
    """Run a command to its end and return what it took; RuntimeError when it failed."""
    launcher = [sys.executable, "-S", "-E", str(ROOT / "benchmarks/launch.py"), *command]
    done = subprocess.run(launcher, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with status {done.returncode}")
    return Life(**json.loads(done.stdout))


class Place:
    """A temporary archive with one symbol's year, a state folder and a compile cache of its own."""

    def __init__(self, task: Task) -> None:
        """Import the candles."""
        from benchmarks.ours import candles
        from crypto_bot.data.archive import Archive

        self._folder = tempfile.TemporaryDirectory(prefix="cryptotrader-bench-")
        self.path = Path(self._folder.name)
        Archive(self.path / "data", samples=False).store(candles(task), source="benchmark")

    def command(self, strategy: str = "simple_ma") -> list[str]:
        """Return the command that is measured."""
        folders = ["--data", str(self.path / "data"), "--state", str(self.path / "State")]
        return [sys.executable, *_COMMAND, *_TERMS, *folders, "--strategy", strategy]

    def environment(self, cache: str) -> dict[str, str]:
        """Return an environment whose caches lie in a folder of this name."""
        return {**os.environ, "CRYPTO_BOT_CACHE_DIR": str(self.path / cache)}

    def edited_strategy(self, number: int) -> str:
        """Return the path of a copy of the cross that nobody has compiled yet."""
        text = _SIMPLE_MA.read_text(encoding="utf-8")
        assert "else 0.0)" in text
        file = self.path / f"edited_{number}.py"
        file.write_text(text.replace("else 0.0)", f"else 0.0 * {number + 2})"), encoding="utf-8")
        return str(file)

    def remove(self) -> None:
        """Delete everything."""
        self._folder.cleanup()


def whole_processes(task: Task, repeats: int, peer: Path | None) -> dict[str, list[Life]]:
    """Return the lives of our command, cold, with a new strategy and warm, in turn with a peer's where there is one."""
    place = Place(task)
    lives: dict[str, list[Life]] = {"empty cache": [], "new strategy": [], "warm": []}
    try:
        lives["empty cache"].append(live(place.command(), place.environment("cache")))
        for number in range(repeats):
            lives["new strategy"].append(live(place.command(place.edited_strategy(number)), place.environment("cache")))
            lives["warm"].append(live(place.command(), place.environment("cache")))
            if peer is not None:
                script = str(ROOT / "benchmarks/peer_runs/once_raptorbt.py")
                environment = {**os.environ, "PYTHONPATH": str(ROOT)}
                lives.setdefault("raptorbt", []).append(live([str(peer), script, str(task.folder)], environment))
    finally:
        place.remove()
    return lives
