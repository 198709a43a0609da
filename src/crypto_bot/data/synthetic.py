"""Prices nobody has paid: a demonstration set of twenty coins, and an endless stream for the dry run.

Both are martingales, made by integer arithmetic from a seed: the same on every machine, and with
no edge in them for any strategy. Their symbols cannot be mistaken for a market's.
"""

import itertools
from collections.abc import Iterator
from math import isqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crypto_bot.data import decoded
from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.resample import resample
from crypto_bot.data.shelf import Kind, RawSeries
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Bar, Candles
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, PPM, parse_time_ns

EXCHANGE = "synthetic"
SYMBOLS = tuple(f"SYN{number:02}/USDT" for number in range(1, 21))
SEED = 20_240_101
_TIMEFRAMES = ("1h", "1d")
_START_NS = parse_time_ns("2022-01-01")
_HOURS = (365 + 365 + 366) * 24
_STEPS_PER_HOUR = 4
_DICE = 4
"""Uniform numbers added up for one step: near enough to a bell."""

_HERE = Path(__file__)
_WORD = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB

_STREAM_STEPS = 8
_STREAM_WIDTH_PPM = 300
"""Widest step of the stream, an eighth of a bar, for bars of one minute; it grows with the root of the length."""


class SyntheticShelf:
    """The demonstration set: made when it is asked for, kept in the decoded cache."""

    kind: Kind = "synthetic"

    def addresses(self) -> list[SeriesAddress]:
        """Return the twenty coins, by the hour and by the day."""
        return [SeriesAddress(EXCHANGE, symbol, timeframe) for symbol in SYMBOLS for timeframe in _TIMEFRAMES]

    def pair(self, exchange: str, symbol: str) -> list[SeriesAddress]:
        """Return the series of one coin, on whatever exchange it is asked for: no exchange lists it."""
        return [address for address in self.addresses() if address.symbol == symbol]

    def read(self, address: SeriesAddress) -> Candles:
        """Make the candles of one coin; days are joined from its hours."""
        slot, identity = f"synthetic\n{address.symbol}", decoded.identity_of([_HERE], "synthetic")
        block = decoded.recall(slot, identity)
        if block is None:
            block = _walk_of_hours(SYMBOLS.index(address.symbol))
            decoded.remember(slot, identity, block)
            block.flags.writeable = False
        hours = Candles(_coin(address.symbol), "1h", *block)
        return resample(hours, address.timeframe)

    def raw(self, address: SeriesAddress) -> RawSeries:
        """Return the same candles with the seed as their source."""
        return RawSeries(self.read(address).columns(), (f"synthetic, seed {SEED}",))


def _coin(symbol: str) -> Instrument:
    return Instrument(symbol, EXCHANGE, tick=1, lot=1_000, min_notional=5 * ATOMS)


def first_dice(seed: int, count: int) -> npt.NDArray[np.uint64]:
    """Return the first outputs of splitmix64 for a seed."""
    with np.errstate(over="ignore"):
        state = np.uint64(seed & _WORD) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GAMMA)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(_MIX_1)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(_MIX_2)
    return state ^ (state >> np.uint64(31))


def _shocks(seed: int, count: int, width_ppm: int) -> npt.NDArray[np.int64]:
    """Return symmetric whole numbers of parts per million around zero, each the sum of a few dice."""
    thrown = (first_dice(seed, count * _DICE) >> np.uint64(32)).astype(np.int64)
    faces = 2 * width_ppm + 1
    shocks: npt.NDArray[np.int64] = ((thrown * faces >> 32) - width_ppm).reshape(count, _DICE).sum(axis=1)
    return shocks


def _walk_of_hours(number: int) -> decoded.Block:
    """Walk one coin through all its hours; coins share a part of every step, as real ones do."""
    steps = _HOURS * _STEPS_PER_HOUR
    market = _shocks(SEED, steps, 1_800)
    own = _shocks(SEED + 1 + number, steps, 1_500 + 170 * number)
    price = 10_000 * (1 + 37 * number % 61)
    path = [price]
    for change in (market + own).tolist():
        distance = price * abs(change) // PPM
        price = max(1, price + distance if change > 0 else price - distance)
        path.append(price)
    prices = np.array(path, dtype=np.int64)
    legs = np.stack([prices[i : i + steps : _STEPS_PER_HOUR] for i in range(_STEPS_PER_HOUR + 1)])
    lots = 20_000 + (first_dice(SEED - 1 - number, _HOURS) >> np.uint64(48)).astype(np.int64)
    volume = lots * 1_000
    times = _START_NS + np.arange(_HOURS, dtype=np.int64) * timeframe_ns("1h")
    return np.stack([times, legs[0], legs.max(axis=0), legs.min(axis=0), legs[-1], volume])


def synthetic_stream(
    seed: int, instrument: Instrument, timeframe: str, start_ns: int, start_price: int
) -> Iterator[Bar]:
    """Yield bars without end from `start_ns` on, the first one opening at `start_price`.

    Prices are whole ticks, each step is as likely up as down, and each bar opens at the last close.
    Equal arguments give equal bars.
    """
    bar_ns = timeframe_ns(timeframe)
    width_ppm = _STREAM_WIDTH_PPM * isqrt(bar_ns // timeframe_ns("1m"))
    thrown = dice(seed)
    ticks = max(1, start_price // instrument.tick)
    for time_ns in itertools.count(start_ns, bar_ns):
        path = [ticks]
        for _ in range(_STREAM_STEPS):
            width = min(max(1, ticks * width_ppm // PPM), ticks - 1)  # never to zero, and as far down as up
            ticks += (next(thrown) * (2 * width + 1) >> 64) - width
            path.append(ticks)
        volume = (1 + (next(thrown) >> 44)) * instrument.lot
        scaled = [value * instrument.tick for value in (path[0], max(path), min(path), ticks)]
        yield Bar(time_ns, scaled[0], scaled[1], scaled[2], scaled[3], volume)


def dice(seed: int) -> Iterator[int]:
    """Yield the outputs of splitmix64, one by one and without end."""
    state = seed & _WORD
    while True:
        state = (state + _GAMMA) & _WORD
        word = ((state ^ (state >> 30)) * _MIX_1) & _WORD
        word = ((word ^ (word >> 27)) * _MIX_2) & _WORD
        yield word ^ (word >> 31)
