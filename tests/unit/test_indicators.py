"""Every indicator, as a strategy sees it at every bar, against plain numpy and against published numbers."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from tests.plays import Rooms, author, plain, play
from tests.small_worlds import Row, candles_of

Floats = npt.NDArray[np.float64]
YEAR = math.sqrt(365 * 1440)
COIN = Instrument("COIN/USDT", price_scale=10_000)
BARS = 1_500

QQQQ = [
    44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28, 46.00,
    46.03, 46.41, 46.22, 45.64, 46.21, 46.25, 45.71, 46.45, 45.78, 45.35, 44.03, 44.18, 44.22, 44.57, 43.42, 42.66,
    43.13,
]  # fmt: skip
PUBLISHED_RSI = [
    70.4641, 66.2496, 66.4809, 69.3469, 66.2947, 57.9150, 62.8807, 63.2088, 56.0116, 62.3399, 54.6710, 50.3868, 40.0194,
    41.4926, 41.9024, 45.4995, 37.3228, 33.0905, 37.7888,
]  # fmt: skip
"""StockCharts' example of Wilder's RSI, from the fifteenth close on."""


def walk(bars: int = BARS, seed: int = 3) -> Candles:
    """Return a made-up market whose bars have wicks."""
    dice = np.random.default_rng(seed)
    close = np.maximum(5_000, 300_000 + np.cumsum(dice.integers(-900, 901, bars)))
    opened = np.r_[close[0], close[:-1]]
    high = np.maximum(opened, close) + dice.integers(0, 500, bars)
    low = np.minimum(opened, close) - dice.integers(0, 500, bars)
    rows: list[Row] = [
        (int(o), int(h), int(low_), int(c)) for o, h, low_, c in zip(opened, high, low, close, strict=True)
    ]
    return candles_of(rows, COIN)


def seen(folder: Path, word: str, length: int, candles: Candles, ago: int = 0) -> Floats:
    """Return the values that a strategy reads at each of its steps, which are the last bars of the run."""
    text = f"""
    class Params(NamedTuple):
        n: int = {length}

    def memory(p):
        return dict(x=[0.0] * {len(candles)}, at=0)

    def step(p, m):
        m.x[0, m.at[0]] = {word}(0, p.n, ago={ago})
        m.at[0] += 1
    """
    played = plain(author(folder, text), [candles])
    found: Floats = played.cell("x")[0, : int(played.cell("at")[0, 0])]
    return found


def windows(values: Floats, n: int, work: Callable[[Floats], float]) -> Floats:
    """Return a function of every window of n, not a number where the window is not full."""
    return np.array([work(values[i - n + 1 : i + 1]) if i >= n - 1 else np.nan for i in range(values.size)])


def wilder(first: float, values: Floats, n: int) -> list[float]:
    """Return Wilder's smoothing, beginning with its first mean."""
    found = [first]
    for value in values:
        found.append((found[-1] * (n - 1) + value) / n)
    return found


def expected(word: str, n: int, candles: Candles) -> Floats:
    """Work an indicator out the slow way."""
    high, low, close = (
        column / candles.instrument.price_scale for column in (candles.high, candles.low, candles.close)
    )
    size = close.size
    out = np.full(size, np.nan)
    returns = np.r_[np.nan, close[1:] / close[:-1] - 1]
    if word in ("sma", "highest", "lowest", "highest_high", "lowest_low"):
        source = {"highest_high": high, "lowest_low": low}.get(word, close)
        work: dict[str, Callable[[Floats], float]] = {"s": np.mean, "h": np.max, "l": np.min}
        return windows(source, n, work[word[0]])
    if word == "ema":
        out[n - 1] = close[:n].mean()
        for i in range(n, size):
            out[i] = out[i - 1] + (close[i] - out[i - 1]) * 2 / (n + 1)
    elif word == "rsi":
        steps = np.diff(close)
        gains, losses = np.maximum(steps, 0), np.maximum(-steps, 0)
        up, down = (np.array(wilder(x[:n].mean(), x[n:], n)) for x in (gains, losses))
        out[n:] = np.where(up + down > 0, 100 * up / np.where(up + down > 0, up + down, 1), 50)
    elif word == "atr":
        ranges = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
        out[n:] = wilder(ranges[:n].mean(), ranges[n:], n)
    elif word == "volatility":
        return windows(returns, n, lambda x: float(np.std(x, ddof=1)) * YEAR)
    elif word == "zscore":
        return windows(close, n, lambda x: float((x[-1] - x.mean()) / x.std()) if x.std() else 0.0)
    elif word == "change":
        out[n:] = close[n:] / close[:-n] - 1
    elif word == "ewma_volatility":
        decay, weights = n / (n + 1), np.full(n, 1 / n)
        out[n] = returns[1 : n + 1].std() * YEAR
        for i in range(n + 1, size):  # explicit weights over the whole history
            weights = np.r_[weights * decay, 1 - decay]
            known = returns[1 : i + 1]
            mean = (weights * known).sum()
            out[i] = math.sqrt((weights * (known - mean) ** 2).sum()) * YEAR
    return out


CASES = [
    ("sma", 1), ("sma", 20), ("sma", 100), ("ema", 1), ("ema", 5), ("ema", 50), ("rsi", 2), ("rsi", 14), ("atr", 1),
    ("atr", 14), ("highest", 1), ("highest", 7), ("highest", 55), ("lowest", 2), ("lowest", 55), ("highest_high", 20),
    ("lowest_low", 20), ("volatility", 2), ("volatility", 30), ("volatility", 90), ("ewma_volatility", 20),
    ("ewma_volatility", 60), ("zscore", 2), ("zscore", 20), ("zscore", 64), ("change", 1), ("change", 28),
]  # fmt: skip


@pytest.mark.parametrize(("word", "length"), CASES)
def test_against_plain_numpy(tmp_path: Path, word: str, length: int) -> None:
    candles = walk(400 if word == "ewma_volatility" else BARS)
    found = seen(tmp_path, word, length, candles)
    wanted = expected(word, length, candles)
    assert found.size >= np.count_nonzero(~np.isnan(wanted)) - 1, "no value is kept back but the first, for ago=1"
    np.testing.assert_allclose(found, wanted[-found.size :], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("word", "length"), [("ema", 5), ("rsi", 14), ("atr", 3), ("highest", 7), ("zscore", 20), ("volatility", 30)]
)
def test_one_bar_ago_is_the_value_of_the_bar_before(tmp_path: Path, word: str, length: int) -> None:
    candles = walk(200)
    now, before = seen(tmp_path, word, length, candles), seen(tmp_path, word, length, candles, ago=1)
    assert list(before[1:]) == list(now[:-1]) and not np.isnan(before).any()


def closes_only(closes: list[int], scale: int = 100) -> Candles:
    """Return bars that show their closes alone."""
    return candles_of([(c, c, c, c) for c in closes], Instrument("COIN/USDT", price_scale=scale))


def test_wilders_rsi_as_published(tmp_path: Path) -> None:
    found = seen(tmp_path, "rsi", 14, closes_only([round(100 * price) for price in QQQQ]))
    assert found == pytest.approx(PUBLISHED_RSI[-found.size :], abs=6e-5) and found.size >= 18


def test_rsi_of_a_flat_market_is_neutral_and_of_a_rise_full(tmp_path: Path) -> None:
    assert set(seen(tmp_path, "rsi", 5, closes_only([100] * 20))) == {50.0}
    assert set(seen(tmp_path, "rsi", 5, closes_only(list(range(100, 140))))) == {100.0}
    assert set(seen(tmp_path, "rsi", 5, closes_only(list(range(140, 100, -1))))) == {0.0}


def test_the_z_of_a_ramp_and_of_a_spike(tmp_path: Path) -> None:
    ramp = seen(tmp_path, "zscore", 20, closes_only([10_000 + 100 * n for n in range(60)]))
    assert ramp == pytest.approx([math.sqrt(3 * 19 / 21)] * ramp.size, rel=1e-12)
    spike = seen(tmp_path, "zscore", 20, closes_only([10_000] * 39 + [20_000]))
    assert spike[-1] == pytest.approx(math.sqrt(19), rel=1e-12) and spike[0] == 0.0


def test_the_gap_of_two_means_on_a_ramp(tmp_path: Path) -> None:
    """SMA(f) - SMA(s) of a slope m is m (s - f) / 2."""
    ramp = closes_only([10_000 + 100 * n for n in range(120)])
    fast, slow = seen(tmp_path, "sma", 20, ramp), seen(tmp_path, "sma", 40, ramp)
    assert list(np.round(fast[-slow.size :] - slow, 9)) == [10.0] * slow.size


def test_volatility_of_alternating_returns(tmp_path: Path) -> None:
    """+2 % and -2 % in turn: the weighted deviation has a closed form."""
    closes = [10_000.0]
    for n in range(799):
        closes.append(closes[-1] * (1.02 if n % 2 == 0 else 0.98))
    candles = closes_only([round(close * 1_000_000) for close in closes], 1_000_000)
    found = seen(tmp_path, "ewma_volatility", 60, candles)
    assert found[-1] == pytest.approx(YEAR * math.sqrt(0.0004 - (0.02 / 121) ** 2), rel=1e-4)


def test_crosses_of_a_triangle(tmp_path: Path) -> None:
    """Bars after a symmetric peak until the fast mean lies below the slow one: a published closed form."""
    table = {(10, 30): 13, (20, 30): 17, (5, 20): 8, (20, 50): 23, (9, 21): 10}
    for (fast, slow), after in table.items():
        closes = [10_000 + 10 * n for n in range(100)] + [10_990 - 10 * n for n in range(1, 100)]
        candles = closes_only(closes)
        f, s = seen(tmp_path, "sma", fast, candles), seen(tmp_path, "sma", slow, candles)
        below = np.flatnonzero(f[-s.size :] < s)
        assert len(closes) - s.size + int(below[0]) - 99 == after


def test_a_long_run_does_not_drift(tmp_path: Path) -> None:
    """Running sums are exact and running squares are summed afresh: the last value is as good as the first."""
    candles = walk(12_000, seed=8)
    for word, length in (("zscore", 20), ("volatility", 30), ("sma", 100)):
        found = seen(tmp_path, word, length, candles)
        tail = Candles(COIN, "1m", *(column[-500:] for column in candles.columns()))
        assert found[-1] == pytest.approx(expected(word, length, tail)[-1], rel=1e-10)


@pytest.mark.parametrize("fills", ["pessimistic", "path"])
@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_warm_up_equals_a_run_whose_indicators_saw_the_same_bars(tmp_path: Path, timeframe: str, fills: str) -> None:
    """From the start on, each step reads the same values, bit for bit, as in a run that began with the warm-up."""
    candles = walk(400)
    text = f"""
    timeframe = "{timeframe}"

    def memory(p):
        return dict(x=[0.0] * 500, y=[0.0] * 500, t=[0] * 500, at=0)

    def step(p, m):
        m.t[0, m.at[0]] = minute()
        m.x[0, m.at[0]] = rsi(0, 14) + ema(0, 9) + atr(0, 5) + zscore(0, 10)
        m.y[0, m.at[0]] = highest(0, 12) + volatility(0, 8) + ewma_volatility(0, 7) + sma(0, 20) + change(0, 3)
        m.at[0] += 1
    """
    from tests.plays import FREE

    rooms = Rooms.plain()
    file = author(tmp_path, text)
    terms = type(FREE)(costs=(0, 0, 0), fills=fills)
    start = 200
    whole = play(rooms, [(rooms.binding.Strategy(file), {})], [candles], terms)
    late = play(rooms, [(rooms.binding.Strategy(file), {})], [candles], terms, start_ns=int(candles.times[start]))
    n, k = int(late.cell("at")[0, 0]), int(whole.cell("at")[0, 0])
    assert n == (200 if timeframe == "1m" else 40) < k
    for name in ("t", "x", "y"):
        assert late.cell(name)[0, :n].tobytes() == whole.cell(name)[0, k - n : k].tobytes()
