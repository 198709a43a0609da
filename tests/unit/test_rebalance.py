"""Fixed shares: what trading back brings when a price returns, what it costs when it does not, and the band."""

import numpy as np
import pytest

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS, parse_time_ns
from tests.plays import SHIPPED, Played, Terms, plain

HOUR_NS = 3_600 * 10**9
FREE = Terms(cash=100_000 * ATOMS, costs=(0, 0, 0))


def hours(closes: list[int], symbol: str = "AAA/USDT") -> Candles:
    """Return bars that open at the close before them, in hundredths."""
    coin = Instrument(symbol, price_scale=100, quantity_scale=1_000_000)
    close = np.array(closes, np.int64)
    opened = np.r_[close[0], close[:-1]]
    times = parse_time_ns("2024-01-01") + np.arange(close.size) * HOUR_NS
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return Candles(coin, "1h", times, opened, high, low, close, np.full(close.size, 10**9))


def run(*candles: Candles, terms: Terms = FREE, **params: float) -> Played:
    return plain(SHIPPED / "rebalance.py", list(candles), terms, **{"every_hours": 1, **params})


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_price_that_doubles_and_comes_back(share: float) -> None:
    """Each time (1 + w (u - 1)) (1 + w (1 / u - 1)): with half in the coin and u = 2, 1.125."""
    there_and_back = 4
    played = run(hours([10_000, 10_000, *[20_000, 20_000, 10_000, 10_000] * there_and_back]), fraction=share, band=0)
    once = (1 + share) * (1 - share / 2)
    assert played.curve[-1] / FREE.cash == pytest.approx(once**there_and_back, rel=1e-6)
    assert once > 1


def test_a_price_that_keeps_going_is_followed_with_less_than_holding() -> None:
    doublings = 5
    prices = [10_000, 10_000, *(10_000 * 2**n for n in range(1, doublings + 1) for _ in range(2))]
    played = run(hours(prices), band=0)
    assert played.curve[-1] / FREE.cash == pytest.approx(1.5**doublings, rel=1e-6)
    assert 1.5**doublings < 0.5 + 0.5 * 2**doublings


def test_within_the_band_nothing_is_traded() -> None:
    """Half of the equity; from 100 to 122 the share becomes 0.5495, to 123 it becomes 0.5516."""
    assert len(run(hours([10_000, 10_000, 12_200, 12_200, 12_200])).fills()) == 1
    fills = run(hours([10_000, 10_000, 12_300, 12_300, 12_300])).fills()
    assert fills["side"].tolist() == [1, -1]
    held = int(fills["quantity"][0]) - int(fills["quantity"][1])
    assert held * 12_300 == pytest.approx(0.5 * 100_000 * 1.115 * 10**8, rel=1e-5)


def test_it_looks_once_a_period() -> None:
    prices = [10_000 + 1_000 * (n % 2) for n in range(100)]
    daily = run(hours(prices), band=0, every_hours=24).fills()
    assert [time // HOUR_NS % 24 for time in daily["time_ns"].tolist()[1:]] == [0] * (len(daily) - 1)
    assert len(run(hours(prices), band=0).fills()) > 90


def test_two_symbols_have_half_of_it_each() -> None:
    up, down = hours([10_000, 10_000, 20_000, 20_000], "AAA/USDT"), hours([10_000, 10_000, 5_000, 5_000], "BBB/USDT")
    played = run(up, down, fraction=0.8, band=0.01)
    held = [
        int(each["position"]) * close for each, close in zip(played.world_of.subs[:2], (20_000, 5_000), strict=True)
    ]
    assert [each / played.curve[-1] for each in held] == pytest.approx([0.4, 0.4], abs=1e-6)
    sides = played.fills()["side"].tolist()
    assert sides == [1, 1, -1, 1], "what has risen is sold before what has fallen is bought"
