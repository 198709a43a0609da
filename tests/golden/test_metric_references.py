"""The figures of other programs, from their own returns and trades: equal where definitions agree, told where not.

The files are not part of the project; see tests/data/metrics/PROVENANCE.md.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.backtesting import moments
from crypto_bot.backtesting.drawdown import falls
from crypto_bot.backtesting.scores import score

FINE = 10**12


def file_of(reference: Path, *names: str) -> Path:
    path = reference.joinpath("data", "reference", *names)
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside this checkout")
    return path


def test_the_probabilistic_sharpe_ratio_of_a_published_implementation(reference: Path) -> None:
    expected = json.loads(file_of(reference, "psr", "expected.json").read_text())
    lines = file_of(reference, "psr", "returns_for_tests.csv").read_text().split()
    returns, want = np.array([float(line) for line in lines]), expected["expected"]
    form, ratio = moments.shape(returns), moments.sharpe(returns, 1.0)
    assert ratio == pytest.approx(want["sharpe_per_period"], rel=1e-12)
    assert ratio is not None
    assert moments.sharpe_error(ratio, returns.size, form) == pytest.approx(want["sharpe_std"], rel=1e-12)
    found = moments.skill_probability(ratio, returns.size, form, benchmark=0.05)
    assert found == pytest.approx(want["psr_vs_sr0_05"], rel=1e-9)
    needed = moments.least_track_record(ratio, form, benchmark=0.05, confidence=0.9)
    assert needed == pytest.approx(want["min_trl_sr0_05_prob0_90"], rel=1e-9)
    for example in expected["paper_examples"]:
        shape = moments.Shape(example["skew"], example["kurt"])
        if "psr_sr0_3dp" in example:
            sure = moments.skill_probability(example["sr"], example["n"], shape)
            assert sure is not None and round(sure, 3) == example["psr_sr0_3dp"]
        else:
            error = moments.sharpe_error(example["sr"], example["n"], shape)
            years = moments.least_track_record(example["sr"], shape)
            assert error is not None and round(error, 4) == example["sr_std_4dp"]
            assert years is not None and round(years / 12, 4) == example["min_trl_years_p95_sr0_4dp"]


@pytest.fixture(scope="module")
def freqtrade(reference: Path) -> dict[str, Any]:
    """Return a backtest of freqtrade's own test data: its trades and what it says of them."""
    found = json.loads(file_of(reference, "freqtrade_backtest_results", "backtest-result.json").read_text())
    (strategy,) = found["strategy"].values()
    return dict(strategy)


def test_freqtrades_trades_score_the_same(freqtrade: dict[str, Any], reference: Path) -> None:
    told = json.loads(file_of(reference, "freqtrade_expected_metrics.json").read_text())
    expected = told["metrics_on_backtest_result_json"]
    net = np.array([round(trade["profit_abs"] * FINE) for trade in freqtrade["trades"]])
    found = score(net)
    # Theirs counts a trade by its rounded ratio: 122 that earned next to nothing are draws.
    assert (found.wins, found.losses) == (freqtrade["wins"] + freqtrade["draws"], freqtrade["losses"])
    assert found.profit_factor == pytest.approx(freqtrade["profit_factor"], rel=1e-6)
    assert (found.expectancy or 0) / FINE == pytest.approx(expected["expectancy"], rel=1e-6)
    assert found.expectancy_ratio == pytest.approx(expected["expectancy_ratio"], rel=1e-6)
    example = expected["expectancy_example"]
    sample = score(np.array(example["profit_abs"]))
    assert sample.expectancy_ratio == pytest.approx(example["ratio"], rel=1e-8)
    assert sum(example["profit_abs"]) / 8 == example["expectancy"]


def test_freqtrades_drawdown_is_ours_on_the_same_curve(freqtrade: dict[str, Any]) -> None:
    profits: dict[str, float] = {}
    for trade in freqtrade["trades"]:  # what closes in one moment is one point of a curve
        profits[trade["close_date"]] = profits.get(trade["close_date"], 0.0) + trade["profit_abs"]
    moved = np.cumsum([profits[date] for date in sorted(profits)])
    equity = freqtrade["starting_balance"] + np.concatenate(([0.0], moved))
    assert -float(np.min(falls(equity))) == pytest.approx(freqtrade["max_drawdown_account"], rel=1e-9)
    # What theirs does not see is the fall while trades are open: closed profits are its curve, every bar is ours.
