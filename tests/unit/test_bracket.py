"""One run under every way of filling: the same run, and ends that are in their order."""

import json
from pathlib import Path

import pytest

from crypto_bot import backtest, candles
from crypto_bot.backtesting.bracket import bracket_of
from crypto_bot.backtesting.intrabar import FILL_MODELS
from crypto_bot.backtesting.terminal import ranged
from crypto_bot.notebook import Result
from tests.commands import run_all

GRID = dict(lower_price=24_000, upper_price=32_000, num_grids=30)
DAYS = dict(timeframe="4h", start="2023-05-01", end="2023-07-31")


@pytest.fixture(scope="module")
def grid() -> Result:
    return backtest("grid", "BTC/USDT", params=GRID, limits="off", **DAYS)


def test_every_way_is_the_run_that_asking_for_it_gives(grid: Result) -> None:
    found = grid.bracket()
    assert found["way"].to_list() == ["pessimistic", *(way for way in FILL_MODELS if way != "pessimistic")]
    for way, equity, total, deepest, fills in found.iter_rows():
        alone = backtest("grid", "BTC/USDT", params=GRID, limits="off", fills=way, **DAYS).metrics
        assert float(alone["final_equity"]) == pytest.approx(equity, abs=1e-8)
        assert [alone["total_return"], alone["max_drawdown"]] == pytest.approx([total, deepest])
        assert alone["fills"] == fills


def test_a_kind_way_fills_a_grid_more_often_and_ends_higher(grid: Result) -> None:
    found = {row["way"]: row for row in grid.bracket().to_dicts()}
    assert found["touch"]["fills"] >= found["pessimistic"]["fills"]
    assert found["touch"]["final_equity"] > found["pessimistic"]["final_equity"]


def test_figures_report_and_text_tell_the_range_from_then_on(grid: Result, tmp_path: Path) -> None:
    fresh = backtest("grid", "BTC/USDT", params=GRID, limits="off", **DAYS)
    before = fresh.metrics
    assert before["bracket"] is None
    assert "order of prices" not in repr(fresh)
    fresh.bracket()
    told = fresh.metrics["bracket"]
    assert told is not None
    equities = {way["way"]: float(way["final_equity"]) for way in told["ways"]}
    assert (equities[told["low"]], equities[told["high"]]) == (min(equities.values()), max(equities.values()))
    assert "By the order of prices inside the bars: " in repr(fresh)
    assert "By the order of prices inside the bars: " in fresh._repr_html_()
    assert '"bracket":[{' in fresh.report(tmp_path / "report.html").read_text()


def test_finer_candles_leave_no_path_to_guess() -> None:
    found = backtest("grid", "BTC/USDT", params=GRID, detail_timeframe="1h", **DAYS).bracket()
    assert found["way"].to_list() == ["pessimistic", "touch"]


def test_market_orders_end_the_same_on_every_path() -> None:
    hours = candles("BTC/USDT", "4h", start="2023-05-01", end="2023-07-31")
    result = backtest("simple_ma", hours, limits="off")
    assert result.metrics["fills"] > 5
    assert result.bracket()["final_equity"].n_unique() == 1
    assert "Every way of filling ends the same" in repr(result)


def test_the_sentence_names_both_ends(grid: Result) -> None:
    found = bracket_of(grid._finished)
    sentence = ranged(found)
    assert found.low.fills in sentence and found.high.fills in sentence
    assert sentence.endswith("here pessimistic.")


def test_the_command_tells_the_range(tmp_path: Path) -> None:
    words = (
        "backtest --json --strategy grid --symbol BTC/USDT --timeframe 4h --from 2023-05-01 --to 2023-06-01 --bracket"
    )
    (done,) = run_all([words.split()], tmp_path)
    assert done.status == 0
    assert [way["way"] for way in json.loads(done.out)["bracket"]["ways"]] == list(FILL_MODELS)
