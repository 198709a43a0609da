"""`strategies`: the catalogue as a user and as a script see it."""

import json
import subprocess
import sys
from pathlib import Path

from crypto_bot.strategies.catalogue import describe


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "crypto_bot", "strategies", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_every_strategy_with_its_parameters(tmp_path: Path) -> None:
    told = run("--json", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    shown = {each["name"]: each["parameters"] for each in json.loads(told.stdout)["strategies"]}
    assert shown == json.loads(json.dumps({each.name: each.parameters for each in describe()}))
    assert {"grid", "simple_ma", "buy_and_hold"} <= set(shown)
    assert {"lower_price", "upper_price", "num_grids", "total_investment", "quantity"} <= set(shown["grid"])
    plain = run(cwd=tmp_path).stdout
    assert all(each.name in plain and each.summary in plain for each in describe())
    assert "fast=20, slow=100, fraction=1.0" in plain
