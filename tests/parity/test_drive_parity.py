"""One decisions hash from the compiled replay, from the interpreted replay and from the asynchronous drive."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.data.archive import Archive
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import parse_time_ns
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.runtime.compare import compare
from tests.parity.markets import with_gaps
from tests.small_runs import CROSS, GRID, PaperJournal, Setting, as_journal, walk

GRIDS: Mapping[str, Mapping[str, Given]] = {
    "BTC/USDT": {"lower_price": 20_000, "upper_price": 34_000, "num_grids": 40},
    "ETH/USDT": {"lower_price": 1_400, "upper_price": 2_200, "num_grids": 40},
}
WIDE: Mapping[str, Given] = {"lower_price": 10_000, "upper_price": 110_000, "num_grids": 25}


def parameters_of(name: str, symbol: str, timeframe: str) -> Mapping[str, Given]:
    if name != "grid":
        return {}
    return WIDE if timeframe == "1d" else GRIDS[symbol]


def recorded(symbols: tuple[str, ...], timeframe: str, start: str, end: str | None, before: int) -> tuple[Candles, ...]:
    """Return sample candles from a date on, with so many bars before it."""
    archive, start_ns = Archive(Path("no such folder")), parse_time_ns(start)
    end_ns = parse_time_ns(end, end_of_day=True) if end else None
    whole = [archive.load(symbol, timeframe, end_ns=end_ns) for symbol in symbols]
    return tuple(each.between(start_ns - before * each.bar_ns) for each in whole)


def assert_one_hash(setting: Setting, folder: Path) -> str:
    """Replay, drive and run again; return the hash that all three have."""
    outcome = setting.backtest()
    journal = PaperJournal()
    session = setting.run(journal, folder).session
    assert session.decisions_hash == outcome.decisions_hash
    assert (session.fills, session.equity) == (len(outcome.fills), int(outcome.equity[-1]))
    found = compare(as_journal(journal))
    assert found.identical and found.unfinished == 0 and found.events == len(journal.written)
    assert found.hash_recorded == found.hash_replayed == outcome.decisions_hash
    assert session.fills > 0
    return outcome.decisions_hash


MADE = [
    pytest.param(*each, id=" ".join(str(one) for one in each))
    for each in itertools.product(
        ("grid", "simple_ma", "both"), ("pessimistic", "touch", "path"), ("next_open", "close"), (1, 2), (0, 12)
    )
]


@pytest.mark.parametrize(("name", "fills", "fill_at", "symbols", "before"), MADE)
def test_every_way_to_fill(name: str, fills: str, fill_at: str, symbols: int, before: int, tmp_path: Path) -> None:
    """Tight limits on every second run, and fees in the coin on the others."""
    strategies = {"grid": {"grid": GRID}, "simple_ma": {"simple_ma": CROSS}}.get(
        name, {"grid": GRID, "simple_ma": CROSS}
    )
    candles = tuple(walk(45, symbol=f"C{k}/USDT", seed=1 + 4 * k) for k in range(symbols))
    limits, costs = (Limits(), Costs(fee_in="received")) if before else (Limits(10_000, 3_000), Costs())
    simulation = Simulation(fills=fills, fill_at=fill_at, limits=limits, costs=costs)
    assert_one_hash(Setting(strategies, candles, simulation, before=before), tmp_path)


@pytest.mark.parametrize("fills", ["pessimistic", "path"])
@pytest.mark.parametrize("name", ["grid", "simple_ma", "both"])
@pytest.mark.parametrize("before", [0, 12])
def test_instruments_that_lack_bars(name: str, fills: str, before: int, tmp_path: Path) -> None:
    """One misses bars, one ends early, one lists late; the journal keeps which."""
    strategies = {"grid": {"grid": GRID}, "simple_ma": {"simple_ma": CROSS}}.get(
        name, {"grid": GRID, "simple_ma": CROSS}
    )
    candles = with_gaps([walk(70, symbol=f"C{k}/USDT", seed=1 + 4 * k) for k in range(3)])
    assert_one_hash(Setting(strategies, tuple(candles), Simulation(fills=fills), before=before), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["grid", "simple_ma", "buy_and_hold"])
@pytest.mark.parametrize(
    ("symbols", "timeframe", "start", "end", "before"),
    [
        pytest.param(("BTC/USDT",), "5m", "2023-03-01", "2023-03-21", 200, id="BTC 5m"),
        pytest.param(("ETH/USDT",), "5m", "2023-08-01", "2023-08-21", 200, id="ETH 5m"),
        pytest.param(("BTC/USDT", "ETH/USDT", "SOL/USDT"), "1d", "2021-09-18", None, 200, id="BTC ETH SOL 1d"),
    ],
)
def test_recorded_candles(
    name: str, symbols: tuple[str, ...], timeframe: str, start: str, end: str | None, before: int, tmp_path: Path
) -> None:
    candles = recorded(symbols, timeframe, start, end, before)
    strategies = {name: parameters_of(name, symbols[0], timeframe)}
    assert_one_hash(Setting(strategies, candles, before=before), tmp_path)


@pytest.mark.slow
def test_a_whole_year_of_five_minutes(tmp_path: Path) -> None:
    candles = recorded(("BTC/USDT",), "5m", "2023-01-01", None, 0)
    assert len(candles[0]) > 104_000
    setting = Setting({"grid": GRIDS["BTC/USDT"]}, candles)
    journal = PaperJournal()
    session = setting.run(journal, tmp_path).session
    outcome = setting.backtest()
    assert (session.decisions_hash, session.fills) == (outcome.decisions_hash, len(outcome.fills))


@pytest.mark.slow
@pytest.mark.parametrize("fills", ["pessimistic", "path", "ohlc", "olhc"])
def test_compiled_and_interpreted_processes_agree(fills: str, tmp_path: Path) -> None:
    """Backtest and run, each compiled and interpreted, as a user starts them."""
    flags = ["--from", "2023-03-20", "--to", "2023-03-21", "--set", f"execution.fills={fills}", "--json"]
    flags += ["--state", str(tmp_path / "State")]
    found = set()
    for compiled, words in itertools.product("10", (["backtest"], ["run", "--speed", "0", "--no-api"])):
        done = subprocess.run(
            [sys.executable, "-m", "crypto_bot", *words, *flags],
            capture_output=True,
            check=True,
            env={**os.environ, "CRYPTO_BOT_COMPILE": compiled},
            timeout=400,
        )
        told = json.loads(done.stdout)
        found.add((told["decisions_hash"], told["fills"], told["final_equity"], told["bars"]))
    assert len(found) == 1 and found.pop()[1] > 0
