"""Candles laid out for the kernel: aligned, split into legs, gathered into longer bars, also over gaps."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import phase_ns, timeframe_ns
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, SUMS, VOLUMES
from tests.small_worlds import COIN, MINUTE, T0, candles_of
from tests.uncompiled import uncompiled

tape = uncompiled("backtesting.tape")
OTHER = Instrument("OTHER/USDT")


def walk(times: IntArray, seed: int = 1, instrument: Instrument = COIN, timeframe: str = "1m") -> Candles:
    dice = np.random.default_rng(seed)
    closes = 10_000 + np.cumsum(dice.integers(-50, 51, times.size))
    opens = closes + dice.integers(-20, 21, times.size)
    high, low = np.maximum(opens, closes) + dice.integers(0, 30, times.size), np.minimum(opens, closes) - dice.integers(
        0, 30, times.size
    )
    rows = [tuple(int(x) for x in row) for row in zip(opens, high, low, closes, strict=True)]
    made = candles_of(rows, instrument, timeframe=timeframe, times=times)  # type: ignore[arg-type] # four of them
    return replace(made, volume=dice.integers(1, 999, times.size))


def minutes(*numbers: int) -> IntArray:
    return T0 + np.array(numbers, np.int64) * MINUTE


def slow_own_bars(candles: Candles, own_ns: int) -> list[tuple[int, ...]]:
    """Return (due, open, high, low, close, volume) of every longer bar, bar by bar, as a feed would learn of them."""
    parts: dict[int, list[int]] = defaultdict(list)
    for i, time in enumerate(candles.times):
        parts[(int(time) - phase_ns(own_ns)) // own_ns].append(i)
    found: list[tuple[int, ...]] = []
    for label, rows in parts.items():
        end = (label + 1) * own_ns + phase_ns(own_ns)
        known = [i for i, time in enumerate(candles.times) if int(time) + candles.bar_ns >= end]
        if known:
            _, o, h, low, c, v = (column[rows] for column in candles.columns())
            found.append((known[0], int(o[0]), int(max(h)), int(min(low)), int(c[-1]), int(sum(v))))
    return found


@given(
    st.lists(st.sampled_from([1, 1, 1, 2, 4, 9, 23, 61]), min_size=1, max_size=120),
    st.sampled_from(["2m", "5m", "15m", "1h"]),
)
def test_longer_bars_over_any_gaps(steps: list[int], timeframe: str) -> None:
    """Every longer bar becomes known with the bar that closes it, or with the first one after it."""
    candles = walk(T0 + 7 * MINUTE + np.cumsum(np.array(steps, np.int64)) * MINUTE)
    own_ns = timeframe_ns(timeframe)
    times, bars = tape.planes([candles])
    own, due = tape.own_bars(bars, times, MINUTE, own_ns)
    found = [
        (int(d), *(int(own[plane, u, 0]) for plane in (OPENS, HIGHS, LOWS, CLOSES, VOLUMES))) for u, d in enumerate(due)
    ]
    assert found == slow_own_bars(candles, own_ns)
    assert list(own[SUMS, :, 0]) == [int(own[CLOSES, :u, 0].sum()) for u in range(due.size)]


def test_the_last_longer_bar_waits_until_it_is_over() -> None:
    times, bars = tape.planes([walk(minutes(*range(14)))])
    for last, count in ((9, 1), (10, 2), (14, 2)):
        assert tape.own_bars(bars[:, :last], times[:last], MINUTE, 5 * MINUTE)[1].size == count


def test_weeks_begin_on_monday() -> None:
    day = timeframe_ns("1d")
    candles = walk(T0 - 5 * day + np.arange(20, dtype=np.int64) * day, timeframe="1d")  # from Wednesday, 27 December
    times, bars = tape.planes([candles])
    _, due = tape.own_bars(bars, times, day, 7 * day)
    assert [int(times[d]) // day % 7 for d in due] == [3, 3, 3], "Sunday closes the week"
    assert list(due) == [4, 11, 18]


def test_every_time_is_kept() -> None:
    first, second = walk(minutes(0, 1, 2, 4, 5)), walk(minutes(1, 2, 3, 5, 6), 2, OTHER)
    times, bars = tape.planes([first, second])
    assert list(times) == list(minutes(0, 1, 2, 3, 4, 5, 6))
    assert list(bars[CLOSES, :, 0]) == list(first.close[[0, 1, 2, 2, 3, 4, 4]])
    assert list(bars[CLOSES, 1:, 1]) == list(second.close[[0, 1, 2, 2, 3, 4]]) and bars[CLOSES, 0, 1] == 0
    assert list(bars[SUMS, :3, 1]) == [0, 0, second.close[0]]


def test_no_bar_at_all_is_told() -> None:
    with pytest.raises(DataError, match=r"COIN/USDT, OTHER/USDT have no bar of 1m"):
        tape.make_tape([walk(minutes()), walk(minutes(), 2, OTHER)])


def test_legs_make_up_their_bar() -> None:
    candles = walk(minutes(*range(50)))
    split = tape.make_tape([candles], fills="path")
    assert split.is_split and split.bar_ns == MINUTE // 3 and split.times.size == 150
    for i in range(50):
        legs = split.bars[:, 3 * i : 3 * i + 3, 0]
        assert legs[OPENS, 0] == candles.open[i] and legs[CLOSES, 2] == candles.close[i]
        assert legs[HIGHS].max() == candles.high[i] and legs[LOWS].min() == candles.low[i]
        assert legs[VOLUMES].sum() == candles.volume[i]
        assert list(legs[OPENS, 1:]) == list(legs[CLOSES, :2])
    assert list(split.due) == [3 * i + 2 for i in range(50)]
    assert list(split.times[split.due] + split.bar_ns) == list(candles.times + MINUTE), "a bar is known at its close"


def test_finer_candles_carry_the_orders() -> None:
    fine = walk(minutes(*range(3, 60)))
    coarse = walk(T0 + np.arange(12, dtype=np.int64) * 5 * MINUTE, 2, timeframe="5m")
    split = tape.make_tape([coarse], detail=[fine])
    assert list(split.run_times) == list(coarse.times[1:]), "the first bar opens before its detail begins"
    assert list(split.times[split.due] + MINUTE) == list(split.run_times + 5 * MINUTE)
    assert list(split.run_bars[SUMS, :, 0]) == [int(coarse.close[1 : 1 + i].sum()) for i in range(11)]


def test_detail_elsewhere_in_time_is_told() -> None:
    with pytest.raises(DataError, match="do not cover"):
        tape.make_tape([walk(minutes(0, 5, 10), timeframe="5m")], detail=[walk(minutes(100, 101))])
