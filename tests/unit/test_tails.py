"""The worst returns, counted by hand and by sorting."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.backtesting.tails import tail

RETURNS = np.array([0.01, -0.02, 0.03, -0.05, 0.0, 0.02, 0.01, -0.01, 0.04, 0.01] * 4)


def test_the_worst_twentieth_of_forty_days_are_two() -> None:
    found = tail(RETURNS, 0.95)
    assert found is not None
    assert (found.level, found.at_risk, found.beyond) == (0.95, -0.05, -0.05)
    found = tail(RETURNS, 0.85)
    assert found is not None
    assert [found.at_risk, found.beyond] == pytest.approx([-0.02, (4 * -0.05 + 2 * -0.02) / 6])


@pytest.mark.parametrize(("days", "level"), [(19, 0.95), (99, 0.99), (0, 0.95)])
def test_a_tail_of_less_than_one_day_is_none(days: int, level: float) -> None:
    assert tail(np.linspace(-0.1, 0.1, days), level) is None
    assert tail(np.linspace(-0.1, 0.1, round(1 / (1 - level))), level) is not None


@given(st.lists(st.floats(-0.99, 10), min_size=20, max_size=300), st.sampled_from([0.9, 0.95, 0.99]))
def test_the_tail_is_the_front_of_the_sorted_returns(values: list[float], level: float) -> None:
    found, count = tail(np.array(values), level), math.ceil(round((1 - level) * len(values), 9))
    if len(values) * (1 - level) < 1 - 1e-9:
        assert found is None
        return
    worst = sorted(values)[:count]
    assert found is not None
    assert [found.at_risk, found.beyond] == pytest.approx([worst[-1], sum(worst) / count])
    assert found.beyond <= found.at_risk + 1e-12
