"""The loop of a run: an event comes, happens, is written down, and only then do its effects leave."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.market import Slice
from crypto_bot.runtime.brake import Brake
from crypto_bot.runtime.feed import Feed
from crypto_bot.runtime.inbox import OVER, Inbox
from crypto_bot.runtime.line import Answer
from crypto_bot.runtime.running import Running
from crypto_bot.runtime.standing import standing_of

Watcher = Callable[[Slice, Running], None]
"""Called after each slice."""

USED_UP = "the prices are used up"

_SNAPSHOT_BARS = 5_000
_SNAPSHOT_S = 60.0
_BEAT_S = 0.05
"""How long the flag file may go unseen, and a row undurable, while no price comes."""


async def drive(
    run: Running, feed: Feed, brake: Brake, watch: Watcher | None = None, inbox: Inbox | None = None
) -> bool:
    """Play a feed until it ends or the brake is pulled; True when it ended.

    Every row is durable before the effects that wait for it; all rows are when this returns. What is
    asked through the inbox is answered between two slices.
    """
    playing = asyncio.create_task(_play(run, feed, brake, watch))
    tasks = (
        playing,
        asyncio.create_task(_beat(run, brake)),
        asyncio.create_task(brake.pulled()),
        asyncio.create_task(_answer(run, inbox or Inbox(), brake)),
    )
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            with suppress(CryptoBotError):
                run.recorder.flush()
            raise outcome
    ended = not playing.cancelled()
    run.stop(USED_UP if ended else brake.reason)
    return ended


async def _play(run: Running, feed: Feed, brake: Brake, watch: Watcher | None) -> None:
    """Let the slices of a feed happen; it is interrupted only while it waits for one."""
    kept_bars, kept_at = run.bars, monotonic()
    run.follow(brake.flag)
    async for item in feed.after(run.last_ns):
        run.follow(brake.flag)
        run.play(item)
        if watch is not None:
            watch(item, run)
        if run.bars - kept_bars >= _SNAPSHOT_BARS or monotonic() - kept_at > _SNAPSHOT_S:
            run.keep()
            kept_bars, kept_at = run.bars, monotonic()


async def _answer(run: Running, inbox: Inbox, brake: Brake) -> None:
    """Carry out what is asked, one after the other; a bar whose first rows stand in the journal comes first."""
    while True:
        asked = await inbox.next()
        answer = OVER
        try:
            while run.recorder.next_known is not None:
                await asyncio.sleep(_BEAT_S)
            if asked.request.command is None:
                answer = Answer(standing=standing_of(run))
            else:
                answer = Answer(run.answer(asked.request.command, brake.flag))
        finally:
            if not asked.answered.done():
                asked.answered.set_result(answer)


async def _beat(run: Running, brake: Brake) -> None:
    """Between two slices: see the flag file, and leave no row unwritten."""
    while True:
        await asyncio.sleep(_BEAT_S)
        run.follow(brake.flag)
        run.recorder.flush()
