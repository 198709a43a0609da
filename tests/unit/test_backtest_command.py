"""`backtest` from outside: what it prints, writes, remembers, and how it refuses. Uncompiled, over the samples."""

import csv
import json
import shlex
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.commands import End, run, run_all
from tests.unit.test_summary import PROMISED

WINDOW = ("--symbol", "BTC/USDT", "--timeframe", "1h", "--from", "2023-06-01", "--to", "2023-06-20")
CROSS = ("backtest", "--strategy", "simple_ma", *WINDOW)
GRID = ("backtest", "--strategy", "grid", *WINDOW)
HOURS = 20 * 24

INI_CHANGES = (("cash = 25000", "cash = 7000"), ("fast = 20", "fast = 5"), ("slow = 100", "slow = 40"))


def json_of(end: End) -> dict[str, Any]:
    assert (end.status, end.err) == (0, ""), end
    found: dict[str, Any] = json.loads(end.out)
    return found


def figures(end: End) -> dict[str, Any]:
    """Return the JSON without what differs from run to run."""
    changing = ("run_id", "engine_seconds", "bars_per_second", "setup_seconds")
    return {key: value for key, value in json_of(end).items() if key not in changing}


# ---- one process from the shell's side


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def whole(place: Path) -> dict[str, Any]:
    """Run one backtest that writes everything there is to write."""
    files = ("--report", "r.html", "--trades", "t.csv", "--equity", "e.csv")
    return json_of(run(*CROSS, *files, "--json", cwd=place))


def test_stdout_holds_one_object_with_the_promised_keys(whole: dict[str, Any]) -> None:
    assert list(whole) == PROMISED
    assert (whole["start"], whole["end"]) == ("2023-06-01T00:00:00Z", "2023-06-20T23:00:00Z")
    assert (whole["bars"], whole["initial_equity"]) == (HOURS, "25000")
    assert whole["fills"] > 0 and whole["engine_seconds"] > 0
    assert whole["params"] == {"fast": 20, "slow": 100, "fraction": 1.0}


def test_the_run_is_remembered_as_it_was_printed(whole: dict[str, Any], place: Path) -> None:
    with sqlite3.connect(place / "State" / "trading.db") as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM runs").fetchall()
    assert len(rows) == 1
    row = rows[0]
    assert (row["run_id"], row["kind"], row["mode"], row["state"]) == (
        whole["run_id"], "backtest", "backtest", "finished",
    )  # fmt: skip
    assert json.loads(row["summary"]) == whole
    assert 0 < row["started_ns"] < row["ended_ns"]
    manifest = json.loads(row["manifest"])
    assert manifest["strategies"] == ["simple_ma"] and manifest["params"] == whole["params"]
    assert manifest["simulation"]["cash"] == 25_000 * 10**8
    assert manifest["simulation"]["limits"]["drawdown_ppm"] == 150_000
    assert (manifest["start"], manifest["data_hash"]) == (whole["start"], whole["data_hash"])


def test_the_files_agree_with_the_figures(whole: dict[str, Any], place: Path) -> None:
    equity = list(csv.DictReader((place / "e.csv").open()))
    assert len(equity) == HOURS and equity[-1]["equity"] == whole["final_equity"]
    trades = list(csv.DictReader((place / "t.csv").open()))
    kinds = [row["kind"] for row in trades]
    assert (kinds.count("fill"), kinds.count("round_trip")) == (whole["fills"], whole["round_trips"])
    assert (place / "r.html").read_text().startswith("<!doctype html>")


def test_people_read_a_summary_and_nothing_else(place: Path) -> None:
    end = run(*CROSS, cwd=place)
    assert (end.status, end.err) == (0, "")
    assert end.out.startswith("simple_ma  BTC/USDT  1h\n") and "Total return" in end.out
    assert "decisions" in end.out.splitlines()[-1]


# ---- many command lines in one process: what decides is the JSON


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, End]:
    folder = tmp_path_factory.mktemp("many")
    ini = (Path(__file__).parents[2] / "src/crypto_bot/config/default.ini").read_text()
    for before, after in INI_CHANGES:
        assert before in ini
        ini = ini.replace(before, after)
    (folder / "own.ini").write_text(ini)
    (folder / "mine.py").write_text((Path(__file__).parents[2] / "src/crypto_bot/strategies/simple_ma.py").read_text())
    ends = run_all([shlex.split(line) for line in (*GOOD.values(), *BAD)], folder)
    return dict(zip((*GOOD, *BAD), ends, strict=True))


_CROSS, _GRID = shlex.join(CROSS), shlex.join(GRID)
GOOD = {
    "plain": f"{_CROSS} --json",
    "again": f"{_CROSS} --offline --feed candles --isolation fast_local --json",
    "of a file": f"{_CROSS} --config own.ini --json",
    "flags over the file": f"{_CROSS} --config own.ini --cash 9000.5 --param fast=10 --json",
    "own file": f"backtest --strategy mine.py {shlex.join(WINDOW)} --json",
    "costs": f"{_CROSS} --fee-maker-bps 1 --fee-taker-bps 2.5 --slippage-bps 0 --fill-at close --limits off --json",
    "several": "backtest --strategy simple_ma --strategy grid --param simple_ma.fast=10 --param grid.num_grids=10 "
    f"{shlex.join(WINDOW)} --json",
    "two symbols": f"{_CROSS} --symbol ETH/USDT --json",
    "days back": "backtest --strategy buy_and_hold --symbol BTC/USDT --timeframe 1d --to 2023-06-20 --days-back 30 "
    "--json",
    "detail": f"{_GRID} --detail-timeframe 5m --json",
    "path": f"{_GRID} --fills path --json",
    "beyond": "backtest --strategy buy_and_hold --symbol BTC/USDT --timeframe 1h --from 2022-12-20 --to 2023-01-05 "
    "--json",
    "time": "backtest --strategy buy_and_hold --symbol BTC/USDT --timeframe 1h --from 2023-06-01T05:00 "
    "--to 2023-06-01T09:00+00:00 --json",
}  # fmt: skip


def test_the_same_asked_twice_is_the_same(answers: dict[str, End]) -> None:
    assert figures(answers["plain"]) == figures(answers["again"])


def test_flags_win_over_the_file_and_the_file_over_the_defaults(answers: dict[str, End]) -> None:
    of_file, flags = figures(answers["of a file"]), figures(answers["flags over the file"])
    assert (of_file["initial_equity"], of_file["params"]) == ("7000", {"fast": 5, "slow": 40, "fraction": 1.0})
    assert (flags["initial_equity"], flags["params"]) == ("9000.5", {"fast": 10, "slow": 40, "fraction": 1.0})


def test_a_file_of_the_users_own_decides_like_the_one_it_copies(answers: dict[str, End]) -> None:
    own, shipped = figures(answers["own file"]), figures(answers["plain"])
    assert own["strategy"] == "mine"
    assert own["decisions_hash"] == shipped["decisions_hash"]


def test_costs_and_limits_are_what_was_asked_for(answers: dict[str, End]) -> None:
    taken = figures(answers["costs"])["assumptions"]
    assert taken == {
        "fills": "pessimistic", "fill_at": "close", "limits": "off",
        "fee_maker_bps": 1.0, "fee_taker_bps": 2.5, "slippage_bps": 0.0, "seed": 1,
        "fee_asset": "quote", "detail_timeframe": None,
        "slippage_model": "fixed", "slippage_impact": 1.0, "max_volume_share": 0.0,
        "delisting_days": 3, "delisting_haircut": 0.3,
    }  # fmt: skip


def test_several_strategies_share_the_account(answers: dict[str, End]) -> None:
    found = figures(answers["several"])
    assert found["strategy"] == "simple_ma,grid"
    assert (found["params"]["simple_ma.fast"], found["params"]["grid.num_grids"]) == (10, 10)
    assert found["params"]["grid.lower_price"] == 25_000.0  # of [strategy.grid]


def test_bars_count_every_symbol(answers: dict[str, End]) -> None:
    found = figures(answers["two symbols"])
    assert (found["symbols"], found["bars"]) == (["BTC/USDT", "ETH/USDT"], 2 * HOURS)


def test_days_back_counts_from_the_last_bar(answers: dict[str, End]) -> None:
    found = figures(answers["days back"])
    assert (found["start"], found["end"], found["bars"]) == ("2023-05-22T00:00:00Z", "2023-06-20T00:00:00Z", 30)


def test_finer_bars_change_fills_and_not_what_counts(answers: dict[str, End]) -> None:
    detail, path = figures(answers["detail"]), figures(answers["path"])
    assert (detail["assumptions"]["detail_timeframe"], path["assumptions"]["detail_timeframe"]) == ("5m", None)
    assert detail["bars"] == path["bars"] == HOURS
    assert path["assumptions"]["fills"] == "path"
    assert detail["fills"] > 0 and detail["decisions_hash"] != path["decisions_hash"]


def test_a_window_that_is_not_all_there_is_told(answers: dict[str, End]) -> None:
    found = figures(answers["beyond"])
    assert found["start"] == "2023-01-01T00:00:00Z" and found["bars"] == 5 * 24
    assert "the candles of BTC/USDT begin on 2023-01-01T00:00:00Z, after the start that was asked for" in (
        found["warnings"]
    )


def test_both_ends_of_the_window_are_inside(answers: dict[str, End]) -> None:
    found = figures(answers["time"])
    assert (found["bars"], found["end"]) == (5, "2023-06-01T09:00:00Z")
    assert Decimal(found["fees_paid"]) > 0


# ---- refusals: a status, one sentence, nothing on stdout

BAD = {
    f"{_CROSS} --cash 0": (2, "it must be an amount of the quote asset above 0"),
    f"{_CROSS} --cash 1e30": (2, "[trading] cash"),
    f"{_CROSS} --symbol XYZ/USDT": (3, "no candles of XYZ/USDT 1h"),
    f"{_CROSS} --symbol BTCUSDT": (2, "pairs like BTC/USDT"),
    f"{_CROSS} --symbol SOL/EUR": (3, "no candles of SOL/EUR"),
    f"{_CROSS} --timeframe 7x": (2, "the length of a bar"),
    f"{_CROSS} --timeframe 7m": (3, "no candles of BTC/USDT 7m"),
    f"{_CROSS} --strategy griid": (2, "did you mean grid?"),
    f"{_CROSS} --strategy gone.py": (2, "gone.py: there is no such file"),
    f"{_CROSS} --strategy sub/simple_ma.py": (2, "there is no such file"),
    f"{_CROSS} --strategy ./simple_ma.py --config own.ini": (2, "there is no such file"),
    f"{_CROSS} --param fast": (2, "write it as --param name=value"),
    f"{_CROSS} --param fasst=3": (2, "did you mean fast?"),
    f"{_CROSS} --param fast=x": (2, "fast must be a whole number, not x"),
    f"{_CROSS} --param fast=200": (2, "fast must be below slow, and at least 1; fast is 200, slow is 100"),
    f"{_CROSS} --set strategy.simple_ma.fraction=2": (2, "[strategy.simple_ma]: fraction must lie between 0 and 1"),
    f"{_CROSS} --set strategy.grid.num_gridz=3": (2, "[strategy.grid]: there is no parameter num_gridz"),
    f"{_CROSS} --set strategy.dca.amount=x": (2, "[strategy.dca]: amount must be a number, not x"),
    f"{_CROSS} --param grid.num_grids=3": (2, "grid, which does not take part: simple_ma"),
    "backtest --strategy simple_ma --strategy grid --param fast=3": (2, "write simple_ma.fast or grid.fast"),
    "backtest --from 2023-07-01 --to 2023-06-01": (2, "the window begins on 2023-07-01 and ends on 2023-06-01"),
    "backtest --from yesterday": (2, "'yesterday' is neither a date"),
    "backtest --from 2030-01-01 --to 2030-02-01": (3, "they reach from 2023-01-01T00:00:00Z"),
    "backtest --from 2023-06-01 --days-back 3": (2, "give one of them"),
    f"{_CROSS} --fills hope": (2, "pessimistic, path, touch, ohlc, olhc or adaptive"),
    f"{_CROSS} --fee-maker-bps 0.001": (2, "at most two decimals"),
    f"{_CROSS} --slippage-bps -1": (2, "basis points from 0 to 1000"),
    f"{_CROSS} --feed trades": (2, "a backtest on trades comes with the exchanges"),
    f"{_CROSS} --feed book": (2, "a backtest on book comes with the exchanges"),
    f"{_CROSS} --isolation process": (2, "--isolation process comes with"),
    f"{_CROSS} --set backtest.fast_local=false": (2, "[backtest] fast_local = false comes with"),
    f"{_CROSS} --detail-timeframe 1h": (2, "must be shorter than the run's 1h"),
    f"{_CROSS} --detail-timeframe 7m": (2, "divide it"),
    f"{_CROSS} --detail-timeframe 1m": (3, "no candles of BTC/USDT 1m"),
    f"{_CROSS} --detail-timeframe 5m --fills path": (2, "take one of the two"),
    f"{_CROSS} --report nowhere/r.html": (2, "which is no folder"),
    f"{_CROSS} --trades .": (2, "is a folder"),
    f"{_GRID} --param lower_price=30000 --param upper_price=20000": (2, "lower_price must lie below upper_price"),
    f"{_GRID} --param lower_price=30000 --param upper_price=30000": (2, "lower_price must lie below upper_price"),
    f"{_GRID} --param lower_price=26000 --param upper_price=28000 --param num_grids=60": (
        2, "the grid cannot earn them: take num_grids=35 or less",
    ),
    f"{_CROSS} --nonsense": (2, "unrecognized arguments: --nonsense"),
}  # fmt: skip


@pytest.mark.parametrize("line", BAD)
def test_refuses_in_one_sentence(line: str, answers: dict[str, End]) -> None:
    status, told = BAD[line]
    end = answers[line]
    assert (end.status, end.out) == (status, ""), end
    assert end.err.startswith("error: ") and end.err.count("\n") == 1 and told in end.err
    assert "Traceback" not in end.err


def test_a_result_is_shown_even_when_it_cannot_be_remembered(tmp_path: Path) -> None:
    (tmp_path / "State").write_text("in the way")
    end = run_all([[*CROSS, "--json"]], tmp_path)[0]
    assert end.status != 0 and end.err.startswith("error: ") and "State" in end.err
    assert json.loads(end.out)["fills"] > 0
