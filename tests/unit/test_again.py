"""The command that a report names makes the same run again, whatever was set."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_all

FILE = (Path(__file__).parents[2] / "src/crypto_bot/strategies/simple_ma.py").read_text()
WINDOW = "--symbol BTC/USDT --symbol ETH/USDT --timeframe 1h --from 2023-06-01 --to 2023-06-12"
SETTINGS = {
    "execution.fee_asset": "received",
    "execution.delisting_days": "7",
    "risk.max_drawdown_pct": "0.035",
    "risk.groups": "BTC/USDT ETH/USDT",
    "risk.max_group_exposure_pct": "0.7",
    "risk.max_consecutive_losses": "2",
    "risk.loss_pause_hours": "6.5",
    "trading.max_open_positions": "1",
}
SET = shlex.join([word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")])
RUNS = {
    "its own file": f"--strategy folder/mine.py --param fast=5 --param slow=20 {WINDOW}",
    "settings": f"--strategy simple_ma --param fast=5 --param slow=20 {WINDOW} {SET} --slippage-model square_root",
    "without limits": f"--strategy simple_ma --param fast=5 --param slow=20 {WINDOW} {SET} --limits off",
    "finer bars": f"--strategy grid {WINDOW.replace('--symbol ETH/USDT ', '')} --detail-timeframe 5m",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], dict[str, Any], dict[str, Any]]]:
    """Return, for each run, the words of its command again, what it found, and what that command found."""
    place = tmp_path_factory.mktemp("place")
    (place / "folder").mkdir()
    (place / "folder" / "mine.py").write_text(FILE)
    lines = [
        ["backtest", *shlex.split(words), "--json", "--report", f"{n}.html"] for n, words in enumerate(RUNS.values())
    ]
    first = run_all(lines, place)
    again = []
    for n in range(len(lines)):
        found = re.search(r'"command":("(?:[^"\\]|\\.)*")', (place / f"{n}.html").read_text())
        assert found is not None
        again.append(shlex.split(json.loads(found[1]))[3:])
    second = run_all([[*words, "--json"] for words in again], place)
    assert {each.status for each in (*first, *second)} == {0}, [each.err for each in (*first, *second)]
    both = zip(again, first, second, strict=True)
    return {
        name: (words, json.loads(one.out), json.loads(two.out))
        for name, (words, one, two) in zip(RUNS, both, strict=True)
    }


@pytest.mark.parametrize("name", RUNS)
def test_the_same_run_comes_out(name: str, told: dict[str, tuple[list[str], dict[str, Any], dict[str, Any]]]) -> None:
    words, first, second = told[name]
    assert first["fills"] > 3, "there is something to compare"
    for key in ("decisions_hash", "ledger_hash", "final_equity", "assumptions", "params", "warnings"):
        assert first[key] == second[key], (key, words)


def test_only_what_is_not_as_shipped_is_told(
    told: dict[str, tuple[list[str], dict[str, Any], dict[str, Any]]],
) -> None:
    assert "--set" not in told["its own file"][0] and "--data" not in told["its own file"][0]
    said = [word for word in told["settings"][0] if word.split("=")[0] in SETTINGS]
    assert sorted(said) == sorted(f"{key}={value}" for key, value in SETTINGS.items())
    assert [word for word in told["without limits"][0] if word.split("=")[0] in SETTINGS] == [
        "execution.fee_asset=received",
        "execution.delisting_days=7",
    ]
