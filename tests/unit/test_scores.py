"""The figures of closed trades: by hand, at their edges, and by laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.backtesting.scores import SQN_CAP, longest_run, score

NETS = st.lists(st.integers(-(10**12), 10**12), max_size=200)


def of(*nets: int) -> np.ndarray:
    return np.array(nets, dtype=np.int64)


def test_no_trade_has_no_figure() -> None:
    found = score(of())
    assert (found.wins, found.losses, found.losses_in_a_row) == (0, 0, 0)
    assert {found.profit_factor, found.expectancy, found.win_rate, found.payoff, found.kelly, found.sqn} == {None}


def test_a_factor_over_no_loss_and_a_payoff_without_a_win_have_no_meaning() -> None:
    assert (score(of(5, 7)).profit_factor, score(of(5, 7)).payoff, score(of(5, 7)).win_rate) == (None, None, 1.0)
    assert (score(of(-5, -7)).profit_factor, score(of(-5, -7)).payoff, score(of(-5, -7)).kelly) == (0.0, None, None)


def test_a_trade_that_ends_at_nought_is_on_neither_side() -> None:
    found = score(of(10, 0, 0, -5))
    assert (found.wins, found.losses, found.win_rate, found.profit_factor) == (1, 1, 0.25, 2.0)
    assert found.payoff == 2.0


def test_quality_counts_a_hundred_trades_at_most() -> None:
    few, many = score(of(*[3, -1] * 50)).sqn, score(of(*[3, -1] * 5_000)).sqn
    assert few is not None and many is not None
    assert few == pytest.approx(math.sqrt(SQN_CAP) * 1 / np.std([3, -1] * 50, ddof=1))
    assert many == pytest.approx(few, rel=1e-2)
    assert score(of(4, 4, 4)).sqn is None


def test_losses_in_a_row_are_the_longest_unbroken_run() -> None:
    assert score(of(-1, 2, -1, -1, -1, 0, -1, -1)).losses_in_a_row == 3
    assert longest_run(np.array([], dtype=bool)) == 0


@given(NETS, st.integers(1, 1_000))
def test_ratios_do_not_depend_on_the_unit(nets: list[int], factor: int) -> None:
    small, large = score(of(*nets)), score(of(*[factor * net for net in nets]))
    for name in ("profit_factor", "expectancy_ratio", "win_rate", "payoff", "kelly", "sqn"):
        one, other = getattr(small, name), getattr(large, name)
        assert one == other or one == pytest.approx(other, rel=1e-9), name


@given(NETS)
def test_only_the_run_of_losses_knows_an_order(nets: list[int]) -> None:
    for mine, sorted_ in zip(score(of(*nets))[:-1], score(of(*sorted(nets)))[:-1], strict=True):
        assert mine == sorted_ or mine == pytest.approx(sorted_, rel=1e-9)


@given(NETS)
def test_figures_hang_together(nets: list[int]) -> None:
    found, total = score(of(*nets)), sum(nets)
    if found.profit_factor is not None:
        assert (found.profit_factor > 1) == (total > 0)
        assert found.expectancy_ratio is not None and (found.expectancy_ratio > 0) == (total > 0)
    if found.kelly is not None and 0 not in nets:
        assert (found.kelly > 1e-12) <= (total >= 0)
    assert found.expectancy is None or found.expectancy == total // len(nets)
