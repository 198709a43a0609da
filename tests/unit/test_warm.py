"""`warm`: compiles what is missing, says so, and is quick when nothing is missing."""

import json
from pathlib import Path

import pytest

from crypto_bot.strategies.catalogue import NAMES
from tests.commands import run, run_all


def test_uncompiled_there_is_nothing_to_do(tmp_path: Path) -> None:
    told, document = run_all([["warm"], ["warm", "--json"]], tmp_path)
    assert (told.status, told.out, told.err) == (0, "CRYPTO_BOT_COMPILE=0: nothing is compiled\n", "")
    found = json.loads(document.out)
    assert (found["compiled"], found["folder"], found["steps"]) == (0, None, [])


@pytest.mark.slow
def test_the_second_time_nothing_is_compiled(tmp_path: Path) -> None:
    first = run("warm", "--json", cwd=tmp_path, compile=True)
    assert (first.status, first.err) == (0, "")
    second = run("warm", cwd=tmp_path, compile=True)
    assert second.status == 0 and "everything was compiled already" in second.out
    steps = [step["name"] for step in json.loads(first.out)["steps"]]
    assert steps == ["replay loop", *(f"strategy {name}" for name in NAMES), "several strategies", "slice by slice"]
    assert second.err.splitlines() == [f"{step} ..." for step in steps]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_after_warming_a_backtest_compiles_nothing(tmp_path: Path) -> None:
    assert run("warm", cwd=tmp_path, compile=True).status == 0
    folder = Path(json.loads(run("warm", "--json", cwd=tmp_path, compile=True).out)["folder"])
    before = {file.name for file in folder.rglob("*.nbc")}
    window = ("--symbol", "BTC/USDT", "--timeframe", "5m", "--days-back", "3", "--json")
    for words in (("grid",), ("simple_ma",), ("buy_and_hold",), ("simple_ma", "grid")):
        asked = [word for name in words for word in ("--strategy", name)]
        end = run("backtest", *asked, *window, cwd=tmp_path, compile=True)
        assert (end.status, end.err) == (0, ""), end
    assert {file.name for file in folder.rglob("*.nbc")} - before == set()
