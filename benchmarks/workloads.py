"""What is measured: the data and the constants, the same for everybody. Imports nothing but numpy.

The data is synthetic: ten symbols, each a seeded walk of one-minute bars with eight steps inside. Every bar opens
at the close before it, so that "filled at the next open" and "filled at the signal's close" are the same trade and
libraries with either habit can be compared.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

YEAR = 525_600
"""One-minute bars in a year."""
SYMBOLS = 10
START_NS = 1_704_067_200_000_000_000
MINUTE_NS = 60_000_000_000
SCALE = 100
VOLUME_SCALE = 1_000_000

CASH = 1_000_000_000
FEE_PPM = 1_000
FEE = FEE_PPM / 1e6
FAST, SLOW = 20, 100
PAIRS = tuple((fast, slow) for fast in range(5, 55, 2) for slow in range(60, 260, 5))
"""The thousand parameter sets of W2."""
SHARE_OF_PAIRS = 10
"""Peers run every tenth of them, which is enough for bars a second."""

GRID_CASH = 1_000_000
GRID_LOWER, GRID_UPPER, GRID_CELLS, GRID_QUANTITY = 25_000, 35_000, 40, 0.1
LINES = tuple(GRID_LOWER + i * (GRID_UPPER - GRID_LOWER) / GRID_CELLS for i in range(GRID_CELLS + 1))

COINS, COIN_DAYS, COIN_SCALE = 100, 1_826, 1_000_000
"""Five years of a hundred coins by the day."""
MANY, MANY_HOURS = 500, 8_760
"""A year of five hundred coins by the hour."""

FIRST_CLOSES = "bda996fe8d2381c3"
"""Digest of the first symbol's year: a generator that gives other data measures other work."""

_STEPS, _VOLATILITY, _START = 8, 0.0008, 30_000.0
_FIRST_SEED = 7


@dataclass(frozen=True)
class Expected:
    """What a year of a workload has to come to; `tolerance` is in units of the quote asset."""

    fills: tuple[int, ...]
    equity: float
    tolerance: float


EXPECTED = {
    # Quantities are cut to a lot of 1e-6 here and not at all elsewhere: one cent in 378,449.
    "W1": Expected((7_308,), 378_449.377088, 0.05),
    # The grid's first purchase is one order here, and twenty where every line is bought by itself.
    "W3": Expected((1_857, 1_876), 977_864.05548, 1e-4),
    "W4": Expected((71_931,), 883_592.85, 0.05),
}


def make(number: int, bars: int) -> tuple[FloatArray, ...]:
    """Return open, high, low, close and volume of one symbol."""
    chance = np.random.default_rng(_FIRST_SEED + number)
    drift = -0.5 * _VOLATILITY * _VOLATILITY / _STEPS
    moves = chance.standard_normal((bars, _STEPS)) * (_VOLATILITY / np.sqrt(_STEPS)) + drift
    path = np.round(np.exp(np.log(_START) + np.cumsum(moves.ravel())), 2).reshape(bars, _STEPS)
    close = path[:, -1]
    opened = np.concatenate(([_START], close[:-1]))
    volume = np.round(chance.lognormal(2.0, 0.8, bars), 4)
    return opened, np.maximum(path.max(1), opened), np.minimum(path.min(1), opened), close, volume


def write(folder: Path, bars: int, symbols: int = SYMBOLS) -> None:
    """Write every symbol as one array [bar, column], and the times, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(symbols):
        file = folder / f"s{number}.npy"
        if not file.exists():
            np.save(file, np.column_stack(make(number, bars)))
    np.save(folder / "times.npy", START_NS + np.arange(bars, dtype=np.int64) * MINUTE_NS)


def columns(folder: Path, number: int = 0) -> list[FloatArray]:
    """Return open, high, low, close and volume of one symbol as it was written."""
    table = np.load(folder / f"s{number}.npy")
    return [np.ascontiguousarray(table[:, column]) for column in range(5)]


def times(folder: Path) -> IntArray:
    """Return the open times in UTC nanoseconds."""
    loaded: IntArray = np.load(folder / "times.npy")
    return loaded


def digest(folder: Path) -> str:
    """Return the digest of the first symbol."""
    return hashlib.sha256(np.load(folder / "s0.npy").tobytes()).hexdigest()[:16]


def coin(number: int, bars: int = COIN_DAYS, minutes: int = 1_440) -> tuple[IntArray, IntArray]:
    """Return the prices between the bars of one coin, a martingale of 4 % a day from 100, and its volumes."""
    chance = np.random.default_rng(1_000 + number)
    share = minutes / 1_440
    moves = chance.normal(-0.0008 * share, 0.04 * share**0.5, bars + 1)
    prices = np.rint(100 * COIN_SCALE * np.exp(np.cumsum(moves))).astype(np.int64)
    return prices, chance.lognormal(15 + number / 100, 1, bars).astype(np.int64)


def coin_times(bars: int = COIN_DAYS, minutes: int = 1_440) -> IntArray:
    """Return the open times of the bars."""
    return START_NS + np.arange(bars, dtype=np.int64) * (minutes * MINUTE_NS)
