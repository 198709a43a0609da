"""Indicators against libraries that others wrote: TA-Lib on real candles, Tulip's and ta4j's published vectors."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.data.archive import Archive
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from tests.readings import Floats, readings
from tests.small_worlds import T0

talib = pytest.importorskip("talib", reason="TA-Lib is not installed; it comes with the extras research and dev")

OWN = Path(__file__).parents[1] / "data" / "indicators"
SIZE = 1_000
MINUTE = 60 * 10**9

WORDS: dict[str, Callable[[Any], Any]] = {
    "sma(k, 20)": lambda c: talib.SMA(c.close, 20),
    "ema(k, 20)": lambda c: talib.EMA(c.close, 20),
    "wma(k, 20)": lambda c: talib.WMA(c.close, 20),
    "rsi(k, 14)": lambda c: talib.RSI(c.close, 14),
    "atr(k, 14)": lambda c: talib.ATR(c.high, c.low, c.close, 14),
    "adx(k, 14)": lambda c: talib.ADX(c.high, c.low, c.close, 14),
    "adx(k, 3)": lambda c: talib.ADX(c.high, c.low, c.close, 3),
    "plus_di(k, 14)": lambda c: talib.PLUS_DI(c.high, c.low, c.close, 14),
    "minus_di(k, 14)": lambda c: talib.MINUS_DI(c.high, c.low, c.close, 14),
    "deviation(k, 20)": lambda c: talib.STDDEV(c.close, 20),
    "bollinger_upper(k)": lambda c: talib.BBANDS(c.close, 20, 2, 2)[0],
    "bollinger_lower(k, 30, 2.5)": lambda c: talib.BBANDS(c.close, 30, 2.5, 2.5)[2],
    "highest(k, 55)": lambda c: talib.MAX(c.close, 55),
    "lowest(k, 55)": lambda c: talib.MIN(c.close, 55),
    "highest_high(k, 20)": lambda c: talib.MAX(c.high, 20),
    "lowest_low(k, 20)": lambda c: talib.MIN(c.low, 20),
    "typical(k)": lambda c: talib.TYPPRICE(c.high, c.low, c.close),
    "sma(k, 20, source=volume(k))": lambda c: talib.SMA(c.volume, 20),
    "wma(k, 9, source=high(k))": lambda c: talib.WMA(c.high, 9),
    "ema(k, 9, source=rsi(k, 14))": lambda c: talib.EMA(talib.RSI(c.close, 14), 9),
    "rsi(k, 5, source=ema(k, 8))": lambda c: talib.RSI(talib.EMA(c.close, 8), 5),
    "highest(k, 14, source=rsi(k, 14))": lambda c: talib.MAX(talib.RSI(c.close, 14), 14),
    "deviation(k, 20, source=typical(k))": lambda c: talib.STDDEV(talib.TYPPRICE(c.high, c.low, c.close), 20),
    "100 * (close(k) - lowest_low(k, 14)) / (highest_high(k, 14) - lowest_low(k, 14))": lambda c: talib.STOCHF(
        c.high, c.low, c.close, 14, 1
    )[0],
    "volatility(k, 30)": lambda c: talib.STDDEV(talib.ROCP(c.close, 1), 30) * np.sqrt(30 / 29 * 365 * 288),
}


class Columns:
    """Candles as TA-Lib takes them."""

    def __init__(self, candles: Candles) -> None:
        scale = candles.instrument.price_scale
        self.high, self.low, self.close = (c / scale for c in (candles.high, candles.low, candles.close))
        self.volume = candles.volume / candles.instrument.quantity_scale


@pytest.fixture(scope="module")
def real() -> Candles:
    """Return candles of a day of panic and what came after it: the packaged sample from the 10th of March 2023 on."""
    candles = Archive(Path("nowhere")).load("BTC/USDT", "5m")
    first = int(np.searchsorted(candles.times, 1_678_406_400 * 10**9))
    return Candles(candles.instrument, "5m", *(column[first : first + SIZE] for column in candles.columns()))


def assert_equal(found: Floats, wanted: Floats, *, rtol: float = 1e-9, atol: float = 1e-9) -> None:
    """Compare from the first step on; nothing but the one bar for ago=1 may be kept back."""
    assert found.size >= np.count_nonzero(~np.isnan(wanted)) - 1
    np.testing.assert_allclose(found, wanted[-found.size :], rtol=rtol, atol=atol)


@pytest.mark.parametrize("expression", WORDS)
def test_against_ta_lib(tmp_path: Path, real: Candles, expression: str) -> None:
    # TA-Lib's running sums of squares lose digits that ours keep.
    loose = 1e-5 if re.match("deviation|bollinger|volatility", expression) else 1e-9
    assert_equal(readings(tmp_path, expression, real), WORDS[expression](Columns(real)), rtol=loose, atol=1e-9)


@pytest.mark.parametrize(("word", "place"), [("macd", 0), ("macd_signal", 1), ("macd_histogram", 2)])
def test_macd_is_ta_libs_once_its_start_has_faded(tmp_path: Path, real: Candles, word: str, place: int) -> None:
    """TA-Lib begins the fast mean as late as the slow one; here each begins as soon as it can."""
    found = readings(tmp_path, f"{word}(k)", real)
    wanted = talib.MACD(Columns(real).close, 12, 26, 9)[place]
    np.testing.assert_allclose(found[-600:], wanted[-600:], rtol=0, atol=1e-8)


# ---- Tulip


def candles_from(high: Floats, low: Floats, close: Floats, volume: Floats, *, scale: int) -> Candles:
    """Return printed prices as candles whose bars open at the last close, within high and low."""
    highs, lows, closes = (np.rint(column * scale).astype(np.int64) for column in (high, low, close))
    opened = np.clip(np.r_[closes[0], closes[:-1]], lows, highs)
    times = T0 + np.arange(closes.size, dtype=np.int64) * MINUTE
    sizes = np.rint(volume).astype(np.int64)
    return Candles(
        Instrument("COIN/USDT", price_scale=scale, quantity_scale=1), "1m", times, opened, highs, lows, closes, sizes
    )


TULIP = {
    "sma 5": "sma(k, 5)",
    "ema 5": "ema(k, 5)",
    "wma 5": "wma(k, 5)",
    "rsi 5": "rsi(k, 5)",
    "stddev 5": "deviation(k, 5)",
    "max 5": "highest(k, 5)",
    "min 5": "lowest(k, 5)",
    "bbands 5 2": "bollinger_lower(k, 5, 2)",
    "typprice": "typical(k)",
    "vwma 5": "sma(k, 5, source=close(k) * volume(k)) / sma(k, 5, source=volume(k))",
    "atr 5": "atr(k, 5)",
}
CONVERGING = {"ema 5", "atr 5"}
"""Tulip begins these otherwise; its start fades."""


def tulip(reference: Path) -> dict[str, list[Floats]]:
    """Return Tulip's vectors by name and options: the inputs, then the expected outputs."""
    path = reference / "data" / "reference" / "tulip" / "untest.txt"
    if not path.is_file():
        pytest.skip(f"Tulip's vectors ({len(TULIP)} of them) are not beside this checkout")
    found: dict[str, list[Floats]] = {}
    name = ""
    for line in path.read_text().splitlines():
        if line.startswith("{"):
            found[name].append(np.array([float(x) for x in line.strip("{}").split(",") if x]))
        elif line and not line.startswith("#"):
            name = line.strip()
            found[name] = []
    return found


@pytest.mark.parametrize("name", TULIP)
def test_against_tulip(tmp_path: Path, reference: Path, name: str) -> None:
    rows = tulip(reference)[name]
    fields = {"typprice": "hlc", "atr 5": "hlc", "vwma 5": "cv"}.get(name, "c")
    given = dict(zip(fields, rows, strict=False))
    close, wanted = given["c"], rows[len(fields)]
    flat = {**dict.fromkeys("hl", close), "v": np.ones(close.size), **given}
    candles = candles_from(flat["h"], flat["l"], close, flat["v"], scale=1000)
    found = readings(tmp_path, TULIP[name], candles)
    size = min(found.size, wanted.size)
    if name in CONVERGING:
        gaps = np.abs(found[-size:] - wanted[-size:])
        assert gaps[-1] < 0.02 * close[-1] and gaps[-1] <= gaps[0] + 1e-3
        return
    assert size >= wanted.size - 1
    np.testing.assert_allclose(found[-size:], wanted[-size:], atol=6e-4)


# ---- ta4j


def ta4j(name: str) -> tuple[Candles, Floats]:
    """Return the candles and the expected average of one of ta4j's files."""
    with (OWN / f"ta4j_{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    high, low, close, volume, wanted = (
        np.array([float(row[key]) for row in rows]) for key in ("High", "Low", "Close", "Volume", name)
    )
    return candles_from(high, low, close, volume, scale=100), wanted


def test_the_volume_weighted_mean_of_ta4j(tmp_path: Path) -> None:
    candles, wanted = ta4j("VWMA")
    length = 10
    found = readings(
        tmp_path, f"sma(k, {length}, source=close(k) * volume(k)) / sma(k, {length}, source=volume(k))", candles
    )
    np.testing.assert_allclose(found, wanted[-found.size :], rtol=1e-12)


def test_wilders_mean_of_ta4j(tmp_path: Path) -> None:
    """Wilder's mean of length n is the exponential one of 2 n - 1; ta4j starts it at the first close, which fades."""
    candles, wanted = ta4j("SMMA")
    found = readings(tmp_path, "ema(k, 2 * 10 - 1)", candles)
    np.testing.assert_allclose(found[-100:], wanted[-100:], rtol=1e-9)
