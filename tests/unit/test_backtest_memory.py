"""The promise of a small backtest: a year of minutes in 220 MB. Its time is for `make bench` to tell."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.data.archive import Archive
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import SECOND_NS, parse_time_ns
from tests.commands import environment

MINUTES = 525_600
MOST_KB = 220 * 1_024
ROUNDS = 3
WATCH = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(process.pid, 0)
print(used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small process between the test and the measured one: a child is charged for the memory of whoever forks it."""


def year_of_minutes() -> Candles:
    """Return a random walk of one year, in ticks of a cent."""
    random = np.random.default_rng(7)
    path = 3_000_000 + np.cumsum(random.integers(-2_400, 2_401, MINUTES + 1))
    opening, close = path[:-1], path[1:]
    high = np.maximum(opening, close) + random.integers(0, 900, MINUTES)
    low = np.minimum(opening, close) - random.integers(0, 900, MINUTES)
    times = parse_time_ns("2024-01-01") + np.arange(MINUTES, dtype=np.int64) * 60 * SECOND_NS
    return Candles(Instrument("WALK/USDT"), "1m", times, opening, high, low, close, random.integers(1, 10**9, MINUTES))


def most_memory(words: list[str], cwd: Path) -> tuple[int, str]:
    """Return the most memory (KB) that a process held, and what it printed."""
    command = [sys.executable, "-c", WATCH, sys.executable, *words]
    done = subprocess.run(command, cwd=cwd, env=environment(cwd, compile=True), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1]), done.stdout


@pytest.mark.slow
def test_a_year_of_minutes(tmp_path: Path) -> None:
    Archive(tmp_path / "data").store(year_of_minutes(), source="made for the test")
    command = ["-m", "crypto_bot", "backtest", "--strategy", "simple_ma", "--symbol", "WALK/USDT", "--timeframe", "1m"]
    command += ["--limits", "off", "--json"]
    most_memory(command, tmp_path)  # fills the caches
    runs = [most_memory(command, tmp_path) for _ in range(ROUNDS)]
    found = json.loads(runs[0][1])
    assert found["bars"] == MINUTES and found["fills"] > 1_000
    assert min(kb for kb, _ in runs) <= MOST_KB
