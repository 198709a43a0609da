"""Alpha and beta beside another program's, and where there is nothing to regress."""

import numpy as np
import pytest

from crypto_bot.backtesting.regression import FEWEST, regress

N = np.arange(250)
MARKET = 0.03 * np.sin(1.7 * N) + 0.001 * np.cos(0.9 * N * N)
OWN = 0.0005 + 0.6 * MARKET + 0.01 * np.cos(0.3 * N) + 0.004 * np.sin(2.3 * N * N)


def test_line_and_errors_are_those_of_statsmodels() -> None:
    found = regress(OWN, MARKET, 365)
    assert found is not None
    # statsmodels 0.14: OLS(...).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": False})
    told = (0.15607588826017038, 0.609558879284739, 0.4736375112938689, 50.38437804845704, 0.7497565629356717)
    assert (found.alpha, found.beta, found.alpha_t, found.beta_t, found.explained) == pytest.approx(told, rel=1e-9)
    assert found.lag == 4


def test_holding_itself_is_all_market() -> None:
    found = regress(MARKET, MARKET, 365)
    assert found is not None
    assert [found.beta, found.explained] == pytest.approx([1.0, 1.0])
    assert found.alpha == pytest.approx(0.0, abs=1e-12)
    assert (found.alpha_t, found.beta_t) == (None, None)


def test_idle_money_has_no_part_in_the_market() -> None:
    found = regress(np.zeros(60), MARKET[:60], 365)
    assert found is not None
    assert (found.alpha, found.beta, found.explained) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("own", "market"), [(OWN[: FEWEST - 1], MARKET[: FEWEST - 1]), (OWN, np.full(250, 0.01))])
def test_too_few_days_or_a_market_that_stands_still_say_nothing(own: np.ndarray, market: np.ndarray) -> None:
    assert regress(own, market, 365) is None


def test_returns_that_ended_early_are_set_beside_their_own_days() -> None:
    assert regress(OWN[:100], MARKET, 365) == regress(OWN[:100], MARKET[:100], 365)


def test_errors_grow_when_what_is_left_echoes() -> None:
    slow, quick = 0.01 * np.cos(0.05 * N), 0.01 * np.cos(2.9 * N)
    one, other = regress(OWN + slow, MARKET, 365), regress(OWN + quick, MARKET, 365)
    assert one is not None and other is not None
    assert one.alpha_t is not None and other.alpha_t is not None
    assert abs(one.alpha_t / one.alpha) < abs(other.alpha_t / other.alpha)
