"""Places, pauses, black list and universe, and every gate: a run lets through what a backtest does."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.data.archive import Archive
from crypto_bot.domain.units import PPM, SECOND_NS, format_time
from crypto_bot.kernel.genesis import Costs, Gates, Limits
from crypto_bot.kernel.layout import SELL
from crypto_bot.kernel.reasons import REASONS
from tests.commands import run
from tests.parity.test_drive_parity import assert_one_hash
from tests.plays import author
from tests.small_runs import Setting, walk

HOUR_NS = 3_600 * SECOND_NS
TEXT = """
def step(p):
    for k in symbols():
        if wanted(k) == 0 and position(k) == 0:
            target(k, 0.3)
            stop(k, close(k) * 0.98)
            take_profit(k, close(k) * 1.02)
"""
GATES: dict[str, tuple[dict[str, Any], str]] = {
    "places": ({"places": 2}, "as many positions are open as may be"),
    "cooldown": ({"cooldown_ns": 6 * HOUR_NS}, "its stop was hit a short while ago"),
    "losses": ({"losses": 2, "pause_ns": 5 * HOUR_NS}, "trading is halted"),
    "groups": (
        {"groups": (("C0/USDT", "C1/USDT"),), "group_ppm": 300_000},
        "the exposure limit of its group is reached",
    ),
    "volatility": ({"volatility_ppm": 1, "volatility_days": 20}, ""),
    "expectancy": ({"expectancy": "smallest"}, ""),
    "kelly": ({"kelly_ppm": 1}, ""),
    "all": ({"places": 2, "cooldown_ns": 2 * HOUR_NS, "losses": 3, "pause_ns": HOUR_NS, "kelly_ppm": PPM}, ""),
}


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize("before", [0, 3])
def test_every_gate_is_the_same_in_a_run(name: str, before: int, tmp_path: Path) -> None:
    """Compiled loop, asynchronous run and its replay have one hash, and the gate stood in the way of something."""
    asked, said = GATES[name]
    candles = tuple(walk(300, symbol=f"C{k}/USDT", seed=1 + 4 * k, width=140) for k in range(4))
    file: dict[str, dict[str, Given]] = {str(author(tmp_path, TEXT)): {}}
    free, gated = (
        Setting(file, candles, Simulation(limits=Limits(0, 0, 0, 0, 0, gates), costs=Costs(0, 0, 0)), before=before)
        for gates in (Gates(), Gates(**asked))
    )
    outcome = gated.backtest()
    assert assert_one_hash(gated, tmp_path) == outcome.decisions_hash != free.backtest().decisions_hash
    assert not said or any(said in each for each in outcome.warnings), outcome.warnings
    if said not in ("", "trading is halted"):
        assert said in REASONS.values()


def test_a_pause_after_a_stop_is_as_long_as_was_asked_for(tmp_path: Path) -> None:
    """Told in bars of the run: between the stop of a coin and its next purchase lie six of them."""
    gates = Gates(cooldown_ns=6 * HOUR_NS)
    simulation = Simulation(limits=Limits(0, 0, 0, 0, 0, gates), costs=Costs(0, 0, 0))
    candles = walk(400, width=140)
    fills = Setting({str(author(tmp_path, TEXT)): {}}, (candles,), simulation).backtest().fills
    opens = candles.open[np.searchsorted(candles.times, fills["time_ns"])]
    stopped = np.flatnonzero((fills["side"] == SELL) & ~fills["maker"] & (fills["price"] < opens))[:-1]
    waits = {(int(fills["time_ns"][n + 1]) - int(fills["time_ns"][n])) // HOUR_NS for n in stopped}
    assert (
        stopped.size > 10 and min(waits) == 7
    ), "stopped in a bar, six whole bars without, asked at the close of the last"


def test_places_are_never_passed(tmp_path: Path) -> None:
    simulation = Simulation(limits=Limits(0, 0, 0, 0, 0, Gates(places=2)), costs=Costs(0, 0, 0))
    candles = tuple(walk(300, symbol=f"C{k}/USDT", seed=1 + 4 * k, width=140) for k in range(4))
    fills = Setting({str(author(tmp_path, TEXT)): {}}, candles, simulation).backtest().fills
    held = np.zeros(4, np.int64)
    most = 0
    for fill in fills:
        held[fill["instrument"]] += int(fill["side"]) * int(fill["quantity"])
        most = max(most, int(np.count_nonzero(held)))
    assert most == 2


def test_as_settings_by_the_commands(tmp_path: Path) -> None:
    """The four settings of [trading] together, on an archive of five coins: `backtest` and `run` decide alike."""
    archive = Archive(tmp_path / "data")
    for k in range(5):
        archive.store(walk(2_000, symbol=f"C{k}/USDT", seed=1 + k, width=140), source="made")
    file = author(tmp_path, TEXT)
    start = walk(2_000).times[1_000]
    words = [
        "--data",
        str(archive.root),
        "--strategy",
        str(file),
        "--timeframe",
        "1h",
        "--from",
        format_time(int(start)),
    ]
    words += [
        "--set",
        "trading.symbols=C0/USDT",
        "--set",
        "trading.universe=top:3",
        "--set",
        "trading.blacklist=C1/USDT",
    ]
    plain = json.loads(run("backtest", *words, "--json", cwd=tmp_path).out)
    words += ["--set", "trading.max_open_positions=1", "--set", "trading.stop_cooldown_bars=5"]
    words += ["--set", "risk.volatility_target=0.9"]
    backtest = json.loads(run("backtest", *words, "--json", cwd=tmp_path).out)
    played = json.loads(run("run", *words, "--speed", "0", "--no-api", "--json", cwd=tmp_path).out)
    assert len(backtest["symbols"]) == 3 and "C1/USDT" not in backtest["symbols"]
    assert played["decisions_hash"] == backtest["decisions_hash"] != plain["decisions_hash"]
    assert played["fills"] == backtest["fills"] > 20
    said = " ".join(backtest["warnings"])
    assert "as many positions are open as may be" in said and "its stop was hit a short while ago" in said
