"""Indicators hold to what is true of all of them, whatever the market does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray
from tests.plays import FREE, Rooms, author, play
from tests.readings import Floats, noted, played
from tests.small_worlds import T0

MINUTE = 60 * 10**9

OF_PRICES = (
    "sma(k, 4)", "sma(k, 4, source=typical(k))", "ema(k, 5)", "wma(k, 6)", "macd(k, 2, 5)", "macd_signal(k, 2, 5, 3)",
    "atr(k, 3)", "highest(k, 7)", "lowest_low(k, 3)", "deviation(k, 5)", "deviation(k, 5, source=low(k))",
    "bollinger_upper(k, 4)", "vwap(k, 5)", "vwap_day(k)", "ema(k, 3, timeframe='5m')",
)  # fmt: skip
"""They grow with the prices."""

OF_RATIOS = (
    "rsi(k, 3)", "adx(k, 3)", "plus_di(k, 4)", "minus_di(k, 4)", "zscore(k, 5)", "zscore(k, 5, source=high(k))",
    "volatility(k, 4)", "ewma_volatility(k, 4)", "rsi(k, 3, source=ema(k, 2))", "change(k, 2, timeframe='5m')",
)  # fmt: skip
"""They are the same in every unit of price."""

EVERY = OF_PRICES + OF_RATIOS


@st.composite
def markets(draw: st.DrawFn, *, least: int = 40) -> Candles:
    """Return markets of few prices and of many, still ones, leaps of half the price, bars without volume."""
    count = draw(st.integers(least, 90))
    seed = draw(st.integers(0, 2**32 - 1))
    width = draw(st.sampled_from([0, 1, 40, 3_000, 60_000]))
    dice = np.random.default_rng(seed)
    close = np.maximum(100, 100_000 + np.cumsum(dice.integers(-width, width + 1, count)))
    close[dice.random(count) < draw(st.sampled_from([0.0, 0.3]))] //= 2
    return market(close, dice, wick=width // 2)


def market(close: IntArray, dice: np.random.Generator, *, wick: int) -> Candles:
    """Return candles of these closes, in hundredths."""
    count = close.size
    opened = np.r_[close[0], close[:-1]]
    high = np.maximum(opened, close) + dice.integers(0, wick + 1, count)
    low = np.maximum(1, np.minimum(opened, close) - dice.integers(0, wick + 1, count))
    volume = dice.integers(0, 3, count) * dice.integers(1, 10**6, count)
    times = T0 + (np.arange(count, dtype=np.int64) + 1_400) * MINUTE  # midnight comes after forty of them
    return Candles(Instrument("COIN/USDT", price_scale=100), "1m", times, opened, high, low, close, volume)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("laws")


def all_read(folder: Path, candles: Candles) -> list[Floats]:
    """Return what is read of every expression at every step."""
    seen = played(folder, EVERY, [candles])
    return [noted(seen, j) for j in range(len(EVERY))]


@settings(max_examples=12)
@given(candles=markets(), cut=st.integers(30, 39))
def test_what_comes_later_changes_nothing(folder: Path, candles: Candles, cut: int) -> None:
    """Every value is the same, bit for bit, when the bars behind it are not there."""
    early = Candles(candles.instrument, "1m", *(column[:cut] for column in candles.columns()))
    for full, part in zip(all_read(folder, candles), all_read(folder, early), strict=True):
        assert full[: part.size].tobytes() == part.tobytes() and part.size > 0


@settings(max_examples=12)
@given(candles=markets(), factor=st.sampled_from([2, 7, 1_000]))
def test_a_unit_of_price_is_only_a_unit(folder: Path, candles: Candles, factor: int) -> None:
    times, opened, high, low, close, volume = candles.columns()
    prices = [column * factor for column in (opened, high, low, close)]
    dear = Candles(candles.instrument, "1m", times, prices[0], prices[1], prices[2], prices[3], volume)
    for name, one, other in zip(EVERY, all_read(folder, candles), all_read(folder, dear), strict=True):
        scaled = one * factor if name in OF_PRICES else one
        tolerance = 1e-6 * factor if name.startswith(("deviation", "bollinger", "macd")) else 1e-6
        np.testing.assert_allclose(other, scaled, rtol=1e-9, atol=tolerance, err_msg=name)


@settings(max_examples=8)
@given(price=st.integers(1, 10**9), bars=st.integers(40, 60))
def test_a_market_that_stands_still(folder: Path, price: int, bars: int) -> None:
    candles = market(np.full(bars, price), np.random.default_rng(1), wick=0)
    shown = price / 100
    still = {
        "rsi": 50.0,
        "sma": shown,
        "ema": shown,
        "wma": shown,
        "highest": shown,
        "lowest_low": shown,
        "vwap": shown,
    }
    still |= {"vwap_day": shown, "bollinger_upper": shown}
    for name, found in zip(EVERY, all_read(folder, candles), strict=True):
        wanted = still.get(name.partition("(")[0], 0.0)
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * shown, err_msg=name)


@settings(max_examples=12)
@given(candles=markets())
def test_values_lie_where_they_must(folder: Path, candles: Candles) -> None:
    seen = dict(zip(EVERY, all_read(folder, candles), strict=True))
    assert not any(np.isnan(found).any() or np.isinf(found).any() for found in seen.values())
    for name in ("rsi(k, 3)", "adx(k, 3)", "plus_di(k, 4)", "minus_di(k, 4)"):
        assert (seen[name] >= 0).all() and (seen[name] <= 100 + 1e-9).all()
    assert (np.abs(seen["zscore(k, 5)"]) <= 2 + 1e-6).all(), "no value is further than the root of n - 1 deviations"
    close = candles.close / 100
    assert (seen["highest(k, 7)"] >= close[-seen["highest(k, 7)"].size :]).all()


@settings(max_examples=12)
@given(candles=markets())
def test_the_mean_price_by_volume(folder: Path, candles: Candles) -> None:
    seen = dict(zip(EVERY, all_read(folder, candles), strict=True))
    typical = (candles.high + candles.low + candles.close) / 300
    close, volume = candles.close / 100, candles.volume.astype(float)

    def mean(rows: slice) -> float:
        total = volume[rows].sum()
        return float((typical[rows] * volume[rows]).sum() / total) if total else float(close[rows][-1])

    day = ((candles.times + MINUTE - 1) // (1440 * MINUTE)).tolist()
    rolling = [mean(slice(i - 4, i + 1)) for i in range(4, len(candles))]
    daily = [mean(slice(day.index(day[i]), i + 1)) for i in range(len(candles))]
    for name, wanted in (("vwap(k, 5)", rolling), ("vwap_day(k)", daily)):
        np.testing.assert_allclose(seen[name], wanted[-seen[name].size :], rtol=1e-9)


LONG: dict[str, Callable[[Candles], float]] = {
    "sma(k, 50, source=high(k))": lambda c: float(np.mean(c.high[-50:]) / 100),
    "wma(k, 50)": lambda c: float(np.average(c.close[-50:] / 100, weights=np.arange(1, 51))),
    "deviation(k, 50)": lambda c: float(np.std(c.close[-50:] / 100)),
    "deviation(k, 50, source=low(k))": lambda c: float(np.std(c.low[-50:] / 100)),
    "zscore(k, 30, source=low(k))": lambda c: float((c.low[-1] - c.low[-30:].mean()) / c.low[-30:].std()),
    "volatility(k, 40)": lambda c: float(np.std(c.close[-40:] / c.close[-41:-1] - 1, ddof=1) * np.sqrt(365 * 1440)),
    "vwap(k, 40)": lambda c: float(np.average((c.high + c.low + c.close)[-40:] / 300, weights=c.volume[-40:])),
    "highest(k, 60)": lambda c: float(c.close[-60:].max() / 100),
}


@pytest.mark.slow
def test_a_million_bars_leave_no_trace(tmp_path: Path) -> None:
    """After 1,000,000 bars with leaps to a hundred times the price, values are as good as from their windows alone."""
    dice = np.random.default_rng(5)
    close = 1_000_000 + np.cumsum(dice.integers(-300, 301, 1_000_003))
    close = np.maximum(close, 10_000)
    close[dice.integers(0, 999_000, 500)] *= 100
    candles = market(close, dice, wick=50)
    lines = "\n".join(f"            m.x[k, {j}] = {word}" for j, word in enumerate(LONG))
    text = f"""
    def memory(p):
        return dict(x=[0.0] * {len(LONG)})

    def step(p, m):
        for k in symbols():
{lines}
    """
    rooms = Rooms.of_this_process()
    seen = play(rooms, [(rooms.binding.Strategy(author(tmp_path, text)), {})], [candles], FREE).cell("x")[0]
    wanted = [work(candles) for work in LONG.values()]
    np.testing.assert_allclose(seen, wanted, rtol=1e-10)
