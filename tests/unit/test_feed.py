"""Where prices come from: all of them, once, in order, at the asked pace."""

import asyncio
from time import monotonic

import pytest

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Slice
from crypto_bot.domain.units import parse_time_ns
from crypto_bot.runtime.feed import Feed, RecordedFeed, SyntheticFeed
from tests.small_runs import walk

COINS = (Instrument("A/USDT", "synthetic"), Instrument("B/USDT", "synthetic"))


def synthetic(seed: int = 1, speed: float = 0.0) -> SyntheticFeed:
    return SyntheticFeed(seed, COINS, "5m", parse_time_ns("2024-01-01"), (2_800_000, 150_000), speed)


async def first(feed: Feed, count: int, after: int | None = None) -> list[Slice]:
    found: list[Slice] = []
    async for item in feed.after(after):
        found.append(item)
        if len(found) == count:
            break
    return found


def test_recorded_candles_come_once_in_order_and_go_on_after_a_time() -> None:
    candles = (walk(50), walk(50, symbol="ABC/USDT", seed=2))
    feed = RecordedFeed(candles, 0)
    every = asyncio.run(first(feed, 99))
    assert every == list(feed.slices()) and len(every) == 50
    assert [bar for item in every for bar in item.bars[:1]] == [candles[0].bar(i) for i in range(50)]
    assert [bar for item in every for bar in item.bars[1:]] == [candles[1].bar(i) for i in range(50)]
    assert feed.begin_ns == every[0].time_ns == candles[1].times[0]
    for at in (0, 20, 49):
        assert asyncio.run(first(feed, 99, every[at].time_ns)) == every[at + 1 :]
        assert asyncio.run(first(feed, 99, every[at].time_ns - 1)) == every[at:]


def test_a_symbol_without_a_bar_has_none_in_the_slice() -> None:
    long, short = walk(50), walk(50, symbol="ABC/USDT")
    feed = RecordedFeed((long, short.between(int(short.times[10]))), 0)
    played = list(feed.slices())
    assert [item.time_ns for item in played] == long.times.tolist()
    assert [item.bars[1] for item in played] == [None] * 10 + [short.bar(i) for i in range(10, 50)]


@pytest.mark.parametrize("feed", [RecordedFeed((walk(9),), 180_000.0), synthetic(speed=15_000.0)])
def test_the_pace_is_that_of_the_clock_times_the_speed(feed: Feed) -> None:
    began = monotonic()
    asyncio.run(first(feed, 6))
    assert 0.1 <= monotonic() - began < 2.0, "five pauses of 20 ms"


def test_a_feed_without_a_pace_lets_others_have_a_turn() -> None:
    async def both() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await first(RecordedFeed((walk(200),), 0), 999)
        counting.cancel()
        return turns

    assert asyncio.run(both()) >= 10


def test_the_synthetic_stream_is_the_same_for_a_seed_and_goes_on_where_it_was_left() -> None:
    every = asyncio.run(first(synthetic(), 60))
    assert every == asyncio.run(first(synthetic(), 60)) != asyncio.run(first(synthetic(2), 60))
    assert asyncio.run(first(synthetic(), 20, every[39].time_ns)) == every[40:]
    assert [item.time_ns - every[0].time_ns for item in every] == [n * 300 * 10**9 for n in range(60)]
    assert [bar.open for bar in every[0].bars if bar] == [2_800_000, 150_000]
    assert every[5].bars[0] != every[5].bars[1]
