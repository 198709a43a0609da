"""The Donchian ensemble against its closed forms: a ramp up to a peak and down again, and its sizing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import DAY_NS, parse_time_ns
from crypto_bot.strategies.catalogue import module_of
from tests.plays import SHIPPED, Played, Rooms, Terms, play

FILE = SHIPPED / "donchian_trend.py"
LOOKBACKS = (5, 10, 20, 30, 60, 90, 150, 250, 360)
PEAK = 500
"""The bar of the highest close: one up a day before it, one down a day after it."""

COIN = Instrument("COIN/USDT", quantity_scale=10**8)
START_NS = parse_time_ns("2020-01-01")
AT_CLOSE = Terms(costs=(0, 0, 0), fill_at="close")


def days(closes: Any, instrument: Instrument = COIN) -> Candles:
    """Return daily candles that never move within a day; closes are in cents."""
    column = np.asarray(closes, dtype=np.int64)
    times = START_NS + np.arange(column.size) * DAY_NS
    return Candles(instrument, "1d", times, column, column, column, column, np.full(column.size, 10**12))


def triangle(bars: int) -> Candles:
    """Return one dollar up a day to the peak, then one down."""
    place = np.arange(bars)
    return days(100_000 + 100 * (PEAK - np.abs(place - PEAK)))


def run(candles: Candles, terms: Terms = AT_CLOSE, **params: Any) -> Played:
    rooms = Rooms.plain()
    return play(rooms, [(rooms.binding.Strategy(FILE), {"vol_window": 2, "band": 0.99, **params})], [candles], terms)


def days_of(played: Played) -> list[int]:
    """Return the days at whose open the fills happened; the close of a day is the open of the next."""
    return [int((fill["time_ns"] - START_NS) // DAY_NS) for fill in played.fills()]


def weights(played: Played) -> list[int]:
    """Return the share wanted of each symbol, in millionths."""
    return [int(wish["weight"]) for wish in played.world_of.wish]


@pytest.mark.parametrize("n", LOOKBACKS)
def test_a_channel_is_left_a_third_of_its_length_after_the_peak(n: int) -> None:
    played = run(triangle(PEAK + 200), lookbacks=(n,))
    assert [int(fill["side"]) for fill in played.fills()] == [1, -1]
    # It is entered at the first step, when the channel exists and yesterday's did.
    assert days_of(played) == [n + 1, PEAK + -(-n // 3) + 1]


def test_the_ensemble_shrinks_by_its_channels() -> None:
    left = [-(-n // 3) for n in LOOKBACKS]
    assert left == [2, 4, 7, 10, 20, 30, 50, 84, 120]
    for after, long in ((0, 9), (1, 9), (2, 8), (10, 5), (50, 2), (119, 1), (120, 0)):
        played = run(triangle(PEAK + after + 1))
        assert int(played.cell("long").sum()) == long
        assert weights(played) == [round(long / 9 * 1e6)]


def test_the_share_is_the_target_over_the_volatility() -> None:
    closes = 1_000_000 * np.cumprod(np.where(np.arange(120) % 2, 1.02, 1 / 1.02 + 0.001))
    closes[-1] = closes.max() * 1.05  # a breakout on the last day
    closes = np.rint(closes)
    returns = closes[1:] / closes[:-1] - 1
    volatility = float(np.std(returns[-90:], ddof=1)) * 365**0.5
    played = run(days(closes), lookbacks=(5,), vol_window=90)
    assert 0.25 / volatility < 1
    assert weights(played) == [int(0.25 / volatility * 1e6 + 0.5)]


def test_no_more_than_the_cap_is_held() -> None:
    assert weights(run(triangle(40), lookbacks=(5,), max_weight=0.5)) == [500_000]


def test_a_channel_without_height_is_not_entered() -> None:
    assert run(days(np.full(40, 100_000)), lookbacks=(5,)).fills().size == 0


def test_several_symbols_share_the_account() -> None:
    rooms = Rooms.plain()
    other = Instrument("OTHER/USDT", quantity_scale=10**8)
    candles = [triangle(40), days(triangle(40).close, other)]
    strategy = rooms.binding.Strategy(FILE)
    played = play(rooms, [(strategy, {"lookbacks": (5,), "vol_window": 2})], candles, AT_CLOSE)
    assert weights(played) == [500_000, 500_000]


def test_a_drift_waits_for_the_band_and_a_breakout_does_not() -> None:
    """In a rise ever rougher the share falls day by day; with a band it is corrected less often."""
    place = np.arange(300)
    closes = np.rint(1_000_000 * 1.004**place * (1 + place % 2 * place * 2e-4))
    rare, often = (run(days(closes), lookbacks=(20,), vol_window=20, band=band).fills().size for band in (0.2, 0.0))
    assert 1 < rare < often / 3


def test_a_share_at_its_cap_is_kept_within_the_band_too() -> None:
    """Both are long all the time at half of the money; the one that grows faster is cut back to it."""
    rooms, place = Rooms.plain(), np.arange(260)
    fast, slow = days(np.rint(1e7 * 1.01**place)), days(np.rint(1e7 * 1.0005**place), replace(COIN, symbol="SLOW/USDT"))
    params = {"lookbacks": (5,), "vol_window": 20, "band": 0.1}
    played = play(rooms, [(rooms.binding.Strategy(FILE), params)], [fast, slow], AT_CLOSE)
    assert played.cell("asked")[:, 0].tolist() == [0.5, 0.5]
    worth = [sub["position"] * each.close[-1] for sub, each in zip(played.world_of.subs, (fast, slow), strict=True)]
    assert [float(each) / sum(worth) for each in worth] == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_channel_longer_than_the_data_uses_what_there_is_when_asked_to() -> None:
    candles = triangle(60)
    assert run(candles, lookbacks=(90,)).fills().size == 0
    played = run(candles, lookbacks=(90,), partial=True)
    assert days_of(played) == [4]
    assert float(played.cell("stop")[0, 0]) == (1_000 + 1_059) / 2  # the middle of all closes there are


def test_a_coin_that_lists_late_uses_its_own_closes_only() -> None:
    rooms = Rooms.plain()
    whole = triangle(60)
    late = replace(whole.between(START_NS + 20 * DAY_NS), instrument=Instrument("LATE/USDT", quantity_scale=10**8))
    params = {"lookbacks": (30,), "vol_window": 2, "band": 0.99, "partial": True}
    played = play(rooms, [(rooms.binding.Strategy(FILE), params)], [whole, late], AT_CLOSE)
    assert days_of(played) == [4, 24]
    assert played.cell("stop")[:, 0].tolist() == [(1_030 + 1_059) / 2, (1_030 + 1_059) / 2]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"lookbacks": (5, 1)}, "lookbacks must be whole numbers from 2 on"),
        ({"vol_target": 0.0}, "vol_target must be above 0"),
        ({"vol_window": 1}, "vol_window must be 2 or more"),
        ({"max_weight": 2.0}, "max_weight must lie between 0 and 1"),
        ({"band": 1.0}, "band must lie between 0 and 1"),
    ],
)
def test_what_cannot_work_is_refused(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Mistake, match=sentence):
        module_of("donchian_trend").parameters.read(params)
