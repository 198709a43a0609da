"""Time-series momentum by tranches: what each of them holds, what it is sized to, and what a flat change leaves."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot.domain.errors import UsageError
from tests.closes import bars_of, decided, run
from tests.plays import Played

QUIET: dict[str, Any] = {"timeframe": "1h", "vol_com": 2, "vol_target": 1_000, "band": 0.0}
"""Every tranche takes the largest share: the volatility never binds."""


LEAD = 280
"""Bars that it watches before its first decision."""


def led(closes: npt.ArrayLike) -> list[float]:
    """Return closes behind as many still ones as the strategy waits for."""
    first, *_ = found = [float(x) for x in np.asarray(closes)]
    return [first] * LEAD + found


def share(played: Played) -> float:
    return int(played.world_of.wish[0]["weight"]) / 1e6


def closes_that_rise(bars: int) -> list[float]:
    return [100.0 + n for n in range(bars)]


@pytest.mark.parametrize("hold", [1, 3, 5])
def test_one_tranche_a_bar_turns(hold: int) -> None:
    """A rise that begins is followed in as many steps as there are tranches, and so is a fall."""
    for turned in range(1, hold + 2):
        rising = bars_of(led([*[100.0 - n for n in range(30)], *[90.0 + 2 * n for n in range(turned)]]))
        got = run("momentum", rising, lookback=1, hold=hold, **QUIET)
        assert share(got) == pytest.approx(min(turned, hold) / hold, abs=1e-6)
        falling = bars_of(led([*closes_that_rise(30), *[100.0 - n for n in range(turned)]]))
        assert share(run("momentum", falling, lookback=1, hold=hold, **QUIET)) == pytest.approx(
            max(0, hold - turned) / hold, abs=1e-6
        )


def test_no_change_keeps_the_state() -> None:
    up = run("momentum", bars_of(led([*closes_that_rise(20), 119, 119, 119])), lookback=1, hold=2, **QUIET)
    assert share(up) == 1
    down = run("momentum", bars_of(led([*[100.0 - n for n in range(20)], 81, 81, 81])), lookback=1, hold=2, **QUIET)
    assert share(down) == 0 and up.fills().size == 2


def test_the_share_is_the_target_over_the_volatility() -> None:
    """Returns of two per cent up and down, exponentially weighted."""
    closes = np.cumprod([100.0, *[0.98, 1.02] * 200])
    played = run("momentum", bars_of(closes, "1d", scale=10**8), lookback=3, hold=1, vol_com=5, band=0.0)
    # With d = 5 / 6 the weighted mean of +c, -c, +c ... is c (1 - d) / (1 + d).
    sigma = np.sqrt(365 * (0.0004 - (0.02 / 11) ** 2))
    assert share(played) == pytest.approx(0.25 / sigma, abs=2e-6)


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d"])
def test_turns_hang_on_the_calendar(timeframe: str) -> None:
    """Begun a bar later, the same tranche decides on the same bar."""
    dice = np.random.default_rng(5)
    whole = bars_of(led(100 + np.cumsum(dice.integers(-3, 4, 300)) / 10), timeframe)
    params = {**QUIET, "timeframe": timeframe, "lookback": 4, "hold": 3}
    late = whole.between(int(whole.times[1]))
    one, other = (decided(run("momentum", each, **params), whole) for each in (whole, late))
    assert one[-20:] == other[-20:] and len(one) > 40


def test_a_band_lets_the_drift_be_and_no_turn() -> None:
    dice = np.random.default_rng(2)
    candles = bars_of(np.cumprod([100.0, *np.exp(dice.normal(0.002, 0.02, 400))]), "1d", scale=10**6)
    fine = run("momentum", candles, vol_target=0.1, band=0.0)
    coarse = run("momentum", candles, vol_target=0.1, band=0.1)
    assert 20 < coarse.fills().size < fine.fills().size / 2
    assert abs(share(fine) - share(coarse)) <= 0.1 * share(coarse) + 1e-6


def test_several_symbols_share_the_money() -> None:
    up, down = bars_of(led(closes_that_rise(30)), symbol="A/USDT"), bars_of(
        led([100 - n for n in range(30)]), symbol="B/USDT"
    )
    played = run("momentum", up, down, lookback=2, hold=1, **QUIET)
    assert [int(wish["weight"]) for wish in played.world_of.wish[:2]] == [500_000, 0]


def test_its_first_volatility_has_faded_when_it_decides() -> None:
    """Begun 280 bars before the last and begun much earlier, it asks for shares less than one per cent apart."""
    assert (60 / 61) ** LEAD < 0.01
    dice = np.random.default_rng(9)
    whole = bars_of(np.cumprod([100.0, *np.exp(dice.normal(0.003, 0.03, 800))]), "1d", scale=10**6)
    shares = []
    for bars in (LEAD + 1, 800):
        shares.append(share(run("momentum", whole.between(int(whole.times[-bars])), lookback=90, hold=1, band=0.0)))
    assert 0 < shares[1] < 1 and shares[0] != shares[1]
    assert shares[0] == pytest.approx(shares[1], rel=0.01)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"hold": 0}, "lookback and hold"), ({"max_weight": 1.5}, "max_weight"), ({"vol_com": 1}, "vol_com")],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("momentum", bars_of([100.0] * 5), **given)
