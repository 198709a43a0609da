"""Ranges by drawing blocks: repeatable, in order, and as wide as theory says where there is one."""

import math

import numpy as np
import pytest

from crypto_bot.backtesting import moments
from crypto_bot.backtesting.bootstrap import FEWEST, block_rows, figures_of, resample
from crypto_bot.backtesting.drawdown import falls

RETURNS = np.random.default_rng(6).normal(0.001, 0.01, 500)


def test_the_same_returns_have_the_same_ranges() -> None:
    assert resample(RETURNS, 365) == resample(RETURNS.copy(), 365)
    assert resample(RETURNS, 365) != resample(RETURNS, 365, seed=2)


def test_the_figures_themselves_lie_inside() -> None:
    found = resample(RETURNS, 365)
    ratio = moments.sharpe(RETURNS, 365)
    assert found is not None and ratio is not None
    assert found.sharpe.low < ratio < found.sharpe.high
    assert -1 <= found.deepest.low < found.deepest.high <= 0
    assert found.cagr.low < float(np.prod(1 + RETURNS)) ** (365 / 500) - 1 < found.cagr.high
    assert found.block == pytest.approx(1.5 * 500 ** (1 / 3))


def test_without_an_echo_the_sharpe_ratio_scatters_by_its_standard_error() -> None:
    found = resample(RETURNS, 365)
    error = moments.sharpe_error(moments.sharpe(RETURNS, 1.0) or 0.0, 500, moments.shape(RETURNS))
    assert found is not None and error is not None
    width = (found.sharpe.high - found.sharpe.low) / (2 * 1.6449)
    assert width == pytest.approx(error * math.sqrt(365), rel=0.15)


def test_an_echo_makes_the_range_wider() -> None:
    calm = np.random.default_rng(7).normal(0, 0.01, 400)
    loud, last = np.empty(400), 0.0
    for row, step in enumerate(calm.tolist()):
        last = 0.6 * last + step
        loud[row] = last
    one, other = resample(calm, 365), resample(loud, 365)
    assert one is not None and other is not None
    assert other.sharpe.high - other.sharpe.low > 1.4 * (one.sharpe.high - one.sharpe.low)


@pytest.mark.parametrize("returns", [RETURNS[: FEWEST - 1], np.full(60, 0.01), np.array([-1.0] + [0.01, 0.02] * 30)])
def test_too_little_has_no_range(returns: np.ndarray) -> None:
    assert resample(returns, 365) is None


def test_the_figures_of_a_draw_are_those_of_its_returns() -> None:
    drawn = np.array([[-0.2, 0.1, 0.05, 0.3], [0.1, -0.1, -0.1, 0.2], [0.02, 0.01, 0.03, 0.01]])
    ratio, yearly, deepest = figures_of(drawn, 365)
    for row, returns in enumerate(drawn):
        curve = np.cumprod(np.concatenate(([1.0], 1 + returns))).astype(np.float64)
        assert ratio[row] == pytest.approx(moments.sharpe(returns, 365))
        assert yearly[row] == pytest.approx(curve[-1] ** (365 / 4) - 1)
        assert deepest[row] == pytest.approx(float(np.min(falls(curve))))


def test_rows_come_in_blocks_of_the_asked_length_and_from_everywhere() -> None:
    rows = block_rows(np.random.default_rng(1), (200, 300), 8.0)
    goes_on = (rows[:, 1:] - rows[:, :-1]) % 300 == 1
    assert 1 / (1 - float(goes_on.mean())) == pytest.approx(8.0, rel=0.05)
    counts = np.bincount(rows.ravel(), minlength=300)
    assert counts.min() > 0.6 * counts.mean()
