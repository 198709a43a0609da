"""Every worked value of signals that belongs to a shipped strategy, from closes to what the strategy makes of them."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import parse_time_ns
from tests.plays import FREE, SHIPPED, Played, author, plain

SCALE = 10**8
COIN = Instrument("COIN/USDT", price_scale=SCALE, quantity_scale=1_000)
HOUR_NS = 3_600 * 10**9

QQQQ = [
    44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28, 46.00,
    46.03, 46.41, 46.22, 45.64, 46.21, 46.25, 45.71, 46.45, 45.78, 45.35, 44.03, 44.18, 44.22, 44.57, 43.42, 42.66,
    43.13,
]  # fmt: skip
"""The closes of StockCharts' page on the RSI."""

VALUES: dict[str, tuple[float | list[float], float]] = {
    "T1.sma_ramp_gap_10_30": (10.0, 1e-9),
    **{
        f"T2.cross_k_{pair}": (bars, 0)
        for pair, bars in {"10_30": 13, "20_30": 17, "5_20": 8, "20_50": 23, "50_200": 78, "9_21": 10}.items()
    },
    "T3.rsi14": (
        [
            70.46413502109705, 66.24961855355507, 66.48094183471265, 69.34685316290866, 66.29471265892624,
            57.91502067008556, 62.88071830996241, 63.208788718287764, 56.01158478954757, 62.33992931089789,
            54.67097137765516, 50.386815195114224, 40.01942379131357, 41.49263540422282, 41.902429678458105,
            45.49949723868041, 37.32277831337995, 33.090482572723396, 37.788771982057824,
        ],
        2e-6,
    ),
    "T4.rsi_alt_seed": (66.66666666666667, 1e-9),
    "T4.rsi_k_ups": ([53.57142857142857, 56.88775510204081, 65.481923454513, 76.170047831998], 1e-9),
    **{f"T5.z_ramp_ddof0_{n}": (math.sqrt(3 * (n - 1) / (n + 1)), 1e-9) for n in (10, 20, 50)},
    **{f"T5.z_spike_ddof0_{n}": (math.sqrt(n - 1), 1e-9) for n in (10, 20, 50)},
    "T6.halflife_exact": (6.578813478960581, 1e-6),
    "T6.halflife_chan": (6.9314718055994495, 1e-6),
    "T10.tsmom_sigma": (0.3230988538195795, 1e-6),
}  # fmt: skip
"""Value and tolerance. Prices are whole hundred-millionths here, which costs some digits of T6 and T10."""


def bars(closes: npt.ArrayLike, timeframe_hours: int = 1) -> Candles:
    """Return bars that open at the close before them."""
    close = np.rint(np.asarray(closes) * SCALE).astype(np.int64)
    opened = np.r_[close[0], close[:-1]]
    times = parse_time_ns("2024-01-01") + np.arange(close.size) * timeframe_hours * HOUR_NS
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    name = "1d" if timeframe_hours == 24 else f"{timeframe_hours}h"
    return Candles(COIN, name, times, opened, high, low, close, np.full(close.size, 10**6))


def read_by(folder: Path, expression: str, closes: npt.ArrayLike) -> list[float]:
    """Return what a strategy reads at each of its steps, which are the last bars."""
    text = f"""
    def memory(p):
        return dict(x=[0.0] * {np.size(np.asarray(closes))}, at=0)

    def step(p, m):
        k = 0
        m.x[0, m.at[0]] = {expression}
        m.at[0] += 1
    """
    played = plain(author(folder, text), [bars(closes)])
    return [float(x) for x in played.cell("x")[0, : int(played.cell("at")[0, 0])]]


def padded(closes: npt.ArrayLike) -> list[float]:
    """Return closes with one more at the end: the first value of an indicator is seen a bar after it exists."""
    found = [float(x) for x in np.asarray(closes)]
    return [*found, found[-1]]


def rsi_of(folder: Path, closes: npt.ArrayLike) -> list[float]:
    """Return the RSI(14) from the fifteenth close on, which is read a bar late."""
    return read_by(folder, "rsi(k, 14, ago=1)", padded(closes))


UP = [1_000.0 + n for n in range(800)]
PEAK = [*UP, *(UP[-1] - n for n in range(1, 400))]


def bars_until_out(fast: int, slow: int) -> int:
    """Return how many closes after the peak of a triangle `simple_ma` asks to leave."""
    played = run("simple_ma", bars(PEAK), fast=fast, slow=slow)
    _, left = played.fills()["time_ns"]
    return int((left - bars(PEAK).times[len(UP) - 1]) // HOUR_NS) - 1


def run(name: str, candles: Candles, **params: object) -> Played:
    return plain(SHIPPED / f"{name}.py", [candles], FREE, **params)


def neutral_then_up() -> list[float]:
    """Return closes of which 14 changes cancel, and ten that rise."""
    return [float(x) for x in np.cumsum([100.0, *[1.0, -1.0] * 7, *[1.0] * 10])]


def phi_of(folder: Path) -> float:
    """Return 1 + b as `mean_reversion` finds it, on distances that shrink by a tenth a bar."""
    text = (SHIPPED / "mean_reversion.py").read_text()
    text = text.replace('"gated": 0}', '"gated": 0, "found": 0.0}').replace("def step(p", "def instead(p")
    file = folder / "mean_reversion.py"
    file.write_text(f"{text}\n\ndef step(p: Params, m: Memory) -> None:\n    m.found[0] = 1 + slope(p, 0)[0]\n")
    closes = 10_000 + 5_000 * 0.9 ** np.arange(60)
    played = plain(file, [bars(closes)], window=40, trend=2, timeframe="1h")
    return float(played.cell("found")[0, 0])


def momentum_sigma() -> float:
    """Return the volatility by which `momentum` sized its share, in years of 261 days.

    Returns of +2 % and -2 % take turns, and the last one is a rise; of two bars back the price has then fallen by a
    little, of three it has risen.
    """
    closes = np.cumprod([100.0, *[0.98, 1.02] * 1_500])
    params = {"lookback": 3, "hold": 1, "vol_target": 0.1, "band": 0.0}
    played = run("momentum", bars(closes, 24), **params)
    weight = int(played.world_of.wish[0]["weight"]) / 1e6
    return 0.1 / weight * math.sqrt(261 / 365)


def found(name: str, folder: Path) -> float | list[float]:
    """Work a value out with what ships."""
    kind, numbers = name.split(".")[0], [int(part) for part in name.split("_") if part.isdigit()]
    ups = neutral_then_up()
    works: dict[str, Callable[[], float | list[float]]] = {
        "T1": lambda: read_by(folder, "sma(k, 10) - sma(k, 30)", UP)[-1],
        "T2": lambda: float(bars_until_out(*numbers)),
        "T3": lambda: rsi_of(folder, QQQQ),
        "T4.rsi_alt_seed": lambda: rsi_of(folder, np.cumsum([100.0, *[2.0, -1.0] * 7]))[0],
        "T4.rsi_k_ups": lambda: [rsi_of(folder, ups)[k] for k in (1, 2, 5, 10)],
        "T6.halflife_exact": lambda: -math.log(2) / math.log(phi_of(folder)),
        "T6.halflife_chan": lambda: -math.log(2) / (phi_of(folder) - 1),
        "T10": momentum_sigma,
    }
    if kind == "T5":
        (n,) = numbers
        shape = np.arange(2 * n) if "ramp" in name else np.r_[np.zeros(2 * n - 1), 1]
        return read_by(folder, f"zscore(k, {n})", 100.0 + shape)[-1]
    return (works.get(name) or works[kind])()


@pytest.mark.parametrize("name", VALUES)
def test_a_worked_value_comes_out(name: str, tmp_path: Path) -> None:
    value, tolerance = VALUES[name]
    assert found(name, tmp_path) == pytest.approx(value, rel=tolerance, abs=tolerance)


def test_the_copied_values_are_those_of_the_specification(reference: Path) -> None:
    whole = json.loads((reference / "specs" / "vectors.json").read_text())
    for name, (value, _) in VALUES.items():
        assert value == pytest.approx(whole[name]["value"], rel=1e-12, abs=1e-12), name
    mine = {name for name in whole if name.split(".")[0] in ("T1", "T2", "T3", "T4", "T5", "T6", "T10")}
    assert mine - set(VALUES) == {"T3.RS_vs_page", "T4.rsi_k_ups.num"}, "the same numbers in other words"
