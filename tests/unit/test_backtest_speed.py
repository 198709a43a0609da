"""The promise of a short backtest: a year of minutes in 220 MB, and little more time than its compiler's import.

Times are told as a ratio, processor time against processor time: machines differ, and others work on them.
"""

import json
import os
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
MOST_TIMES_NUMBA = 4.0
ROUNDS = 3


def year_of_minutes() -> Candles:
    """Return a random walk of one year, in ticks of a cent."""
    random = np.random.default_rng(7)
    path = 3_000_000 + np.cumsum(random.integers(-2_400, 2_401, MINUTES + 1))
    opening, close = path[:-1], path[1:]
    high = np.maximum(opening, close) + random.integers(0, 900, MINUTES)
    low = np.minimum(opening, close) - random.integers(0, 900, MINUTES)
    times = parse_time_ns("2024-01-01") + np.arange(MINUTES, dtype=np.int64) * 60 * SECOND_NS
    return Candles(Instrument("WALK/USDT"), "1m", times, opening, high, low, close, random.integers(1, 10**9, MINUTES))


def spent(words: list[str], cwd: Path) -> tuple[float, int, str]:
    """Return the processor seconds and the most memory (KB) of a process, and what it printed."""
    out = cwd / "out"
    with out.open("w") as file:
        process = subprocess.Popen([sys.executable, *words], cwd=cwd, env=environment(cwd, compile=True), stdout=file)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss, out.read_text()


@pytest.mark.slow
def test_a_year_of_minutes(tmp_path: Path) -> None:
    Archive(tmp_path / "data").store(year_of_minutes(), source="made for the test")
    command = ["-m", "crypto_bot", "backtest", "--strategy", "simple_ma", "--symbol", "WALK/USDT", "--timeframe", "1m"]
    command += ["--limits", "off", "--json"]
    spent(command, tmp_path)  # fills the caches
    numba = min(spent(["-c", "import numba"], tmp_path)[0] for _ in range(ROUNDS))
    runs = [spent(command, tmp_path) for _ in range(ROUNDS)]
    found = json.loads(runs[0][2])
    assert found["bars"] == MINUTES and found["fills"] > 1_000
    assert min(kb for _, kb, _ in runs) <= MOST_KB
    assert min(seconds for seconds, _, _ in runs) <= MOST_TIMES_NUMBA * numba
