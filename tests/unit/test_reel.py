"""The growing tape: however bars arrive, it is the tape that a backtest lays out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.backtesting.gaps import has_gaps
from crypto_bot.backtesting.tape import Tape, make_tape
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.persistence.payloads import encode
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime.feed import RecordedFeed
from crypto_bot.runtime.history import columns_of, event_of
from crypto_bot.runtime.reel import Reel, Shelf
from tests.small_runs import walk

NONE: IntArray = np.zeros(0, np.int64)
WAKING = "3h"
"""Stands for a strategy that wakes on fills, which has bars of its own where instruments lack bars."""


def reel_for(candles: tuple[Candles, ...], fills: str, own: tuple[str, ...]) -> Reel:
    run_ns = candles[0].bar_ns
    bars = np.zeros((6, 0, len(candles)), np.int64)
    tape = Tape(
        bars, NONE, run_ns // 3 if fills == "path" else run_ns, NONE, bars, run_ns, NONE, has_gaps=has_gaps(candles)
    )
    return Reel(tape, [timeframe_ns(each) if each else 0 for each in own], [each == WAKING for each in own])


def with_gaps(candles: Candles, kept: list[bool]) -> Candles:
    """Leave out bars, but never all of them."""
    rows = np.array([*kept[: len(candles) - 1], True])
    return Candles(candles.instrument, candles.timeframe, *(column[rows] for column in candles.columns()))


def assert_is_tape(reel: Reel, tape: Tape, own: tuple[str, ...]) -> None:
    """Compare everything that a walker can read."""
    count = tape.times.size
    assert reel.base.count == count
    assert np.array_equal(reel.base.bars[:, :count], tape.bars)
    assert np.array_equal(reel.base.times[:count], tape.times)
    for s, timeframe in enumerate(own):
        market = tape.market(timeframe_ns(timeframe) if timeframe else 0, on_fills=timeframe == WAKING)
        grown = reel.market(s)
        known = market.own.shape[1]
        assert np.array_equal(grown.own[:, :known], market.own)
        assert np.array_equal(grown.due[: market.due.size], market.due)
        assert (grown.due[market.due.size :] > count).all(), "what is not known is never due"
        assert reel.seen(s) == known


OWN = ("", "4h", "1d", WAKING)
KEPT = st.lists(st.booleans(), min_size=70, max_size=70)


@given(kept=KEPT, others=st.one_of(st.none(), KEPT), split=st.booleans(), at=st.integers(0, 69))
def test_bar_by_bar_and_at_once_are_the_tape(kept: list[bool], others: list[bool] | None, split: bool, at: int) -> None:
    """Two instruments have the same gaps, or each its own."""
    fills = "path" if split else "pessimistic"
    candles = (with_gaps(walk(70), kept), with_gaps(walk(70, symbol="ABC/USDT", seed=3), others or kept))
    tape = make_tape(candles, fills=fills)
    slices = list(RecordedFeed(candles, 0).slices())

    one_by_one = reel_for(candles, fills, OWN)
    for item in slices:
        one_by_one.append(item)
    assert_is_tape(one_by_one, tape, OWN)

    brought_back = reel_for(candles, fills, OWN)
    known = slices[: at % (len(slices) + 1)]
    times = np.array([item.time_ns for item in known], np.int64)
    rows = [JournalRow(n, 0, "SLICE", encode(event_of(item)), "{}", "") for n, item in enumerate(known)]
    stored_times, columns = columns_of(rows, 2)
    assert stored_times.tolist() == times.tolist()
    brought_back.lay(times, columns)
    for item in slices[len(known) :]:
        brought_back.append(item)
    assert_is_tape(brought_back, tape, OWN)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_shelf_finds_room_without_losing_a_bar(at_once: bool) -> None:
    shelf, count = Shelf(1), 10_000
    columns = np.zeros((6, count, 1), np.int64)
    columns[3, :, 0] = np.arange(count)
    numbers = np.arange(count, dtype=np.int64)
    if at_once:
        shelf.fill(numbers, columns, numbers)
    else:
        moved = [shelf.append(i, columns[:, i], i) for i in range(count)]
        assert 0 < sum(moved) < 4
        assert shelf.bars[4, :count, 0].tolist() == [i * (i - 1) // 2 for i in range(count)]
    assert shelf.count == count <= shelf.times.size
    assert shelf.bars[3, :count, 0].tolist() == list(range(count))
    assert shelf.times[:count].tolist() == shelf.due[:count].tolist() == list(range(count))
