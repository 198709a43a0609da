"""Months end where the calendar says, and their gains add up."""

import datetime as dt
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.backtesting.months import month_ends, month_gains, month_name
from crypto_bot.domain.units import ATOMS, DAY_NS, SECOND_NS
from tests.outcomes import START_NS, idle_run


def test_a_bar_belongs_to_the_month_in_which_it_closes() -> None:
    outcome = idle_run([100.0 + n for n in range(60)])  # from the first of January, daily
    months, rows = month_ends(outcome)
    assert [month_name(month) for month in months.tolist()] == ["2023-01", "2023-02", "2023-03"]
    assert rows.tolist() == [30, 58, 59]  # the bar of the 31st closes at midnight and is still January's
    assert month_gains(outcome)[1].tolist() == [30 * ATOMS, 28 * ATOMS, ATOMS]


def test_a_month_without_bars_is_left_out() -> None:
    outcome = idle_run([100.0, 110.0, 120.0])
    outcome = replace(outcome, times=START_NS + np.array([0, 1, 100]) * DAY_NS)
    months, gains = month_gains(outcome)
    assert [month_name(month) for month in months.tolist()] == ["2023-01", "2023-04"]
    assert gains.tolist() == [10 * ATOMS, 10 * ATOMS]


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=60),
    st.integers(0, 400),
    st.sampled_from(["5m", "1h", "1d", "1w"]),
)
def test_months_are_those_of_every_bars_own_date(steps: list[int], offset: int, timeframe: str) -> None:
    length = {"5m": 300, "1h": 3_600, "1d": 86_400, "1w": 604_800}[timeframe]
    outcome = idle_run([100.0 + n for n in range(len(steps))], timeframe=timeframe)
    times = START_NS + (offset + np.cumsum(steps)) * length * SECOND_NS
    outcome = replace(outcome, times=times)
    months, rows = month_ends(outcome)
    closed = [dt.datetime.fromtimestamp(int(time) // SECOND_NS + length - 1, dt.UTC) for time in times]
    own = [(each.year - 1970) * 12 + each.month - 1 for each in closed]
    assert months.tolist() == sorted(set(own))
    assert rows.tolist() == [max(n for n, month in enumerate(own) if month == each) for each in months.tolist()]
    assert int(month_gains(outcome)[1].sum()) == int(outcome.equity[-1]) - outcome.initial_equity
