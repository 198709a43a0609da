"""The stream: events of the run as they are written, read with fetch and the token, resumed by their numbers."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from typing import Annotated

import msgspec
from fastapi import Header, HTTPException, Query, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from crypto_bot.api.asking import Following, api_router
from crypto_bot.api.follow import Follower
from crypto_bot.api.frames import Frame, frame_text
from crypto_bot.api.meter import Meter
from crypto_bot.api.replica import Replica
from crypto_bot.domain.units import INT64_MAX
from crypto_bot.persistence.journal import Journal

BEAT_S = 0.5
"""How long a stream may be silent: a page that hears nothing for a second says that it is cut off."""
STREAMS_MOST = 150
_AT_ONCE = 500
"""Events that are put into one piece."""
BEHIND_MOST = 20_000
"""Events that a client may be behind; beyond it is told to begin anew."""
PATIENCE_S = 10.0
"""How long a client may leave a piece unread."""
_BEAT = b": beat\n\n"

_SENT = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["event", "data"],
}
"""One event, for the description; `data` is JSON."""

router = api_router()


class EventStream(Response):
    """Sends pieces as they come, until the client leaves or does not read any more."""

    media_type = "text/event-stream"

    def __init__(self, follower: Follower, after: int | None, meter: Meter) -> None:
        """Begin behind the event `after`, with the next one when it is None."""
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._follower, self._after, self._meter = follower, after, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; nothing is queued for a client, so that a slow one costs no memory."""
        self._meter.streams += 1
        leaving = asyncio.create_task(_left(receive))
        sending = asyncio.create_task(self._send(send))
        try:
            await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._meter.streams -= 1
            for task in (leaving, sending):
                task.cancel()
            await asyncio.gather(leaving, sending, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in pieces(self._follower, self._after):
            async with asyncio.timeout(PATIENCE_S):
                await send({"type": "http.response.body", "body": piece, "more_body": True})


async def pieces(follower: Follower, after: int | None) -> AsyncIterator[bytes]:
    """Yield what a client is sent: a greeting, then events in order without a gap, and a beat in silence."""
    replica = follower.replica or Replica("")
    sequence = replica.sequence if after is None else after
    yield _greeting("hello", replica)
    if not -1 <= sequence <= replica.sequence or replica.sequence - sequence > BEHIND_MOST:
        yield _greeting("reset", replica)
        sequence = replica.sequence
    while True:
        now = follower.replica or Replica("")
        if now.run_id != replica.run_id or now.sequence - sequence > BEHIND_MOST:
            replica, sequence = now, now.sequence
            yield _greeting("reset", replica)
        frames = await _frames(follower, replica, sequence)
        if frames:
            yield b"".join(frame.text(replica) for frame in frames)
            sequence = frames[-1].row.sequence
        elif now.sequence <= sequence:
            before = now.sequence
            await follower.news(BEAT_S)
            if (follower.replica or replica).sequence == before:
                yield _BEAT
        else:
            yield _BEAT


async def _frames(follower: Follower, replica: Replica, after: int) -> list[Frame]:
    """Return the next events: from memory, or from the journal when they are no longer there."""
    tail = follower.tail
    if tail.first <= after + 1:
        return list(islice(tail.after(after), _AT_ONCE))
    if after >= replica.sequence:
        return []
    rows = await follower.read(lambda database: Journal(database, replica.run_id).read(after, _AT_ONCE))
    return [Frame(row) for row in rows or []]


def _greeting(kind: str, replica: Replica) -> bytes:
    told = {"run_id": replica.run_id or None, "sequence": replica.sequence}
    return frame_text(kind, msgspec.json.encode(told))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get(
    "/stream",
    status_code=200,
    response_class=EventStream,
    responses={200: {"description": "Server-sent events.", "content": {EventStream.media_type: {"schema": _SENT}}}},
)
async def stream(
    request: Request,
    follower: Following,
    after: Annotated[int | None, Query(ge=-1, le=INT64_MAX, description="Begin behind this event.")] = None,
    last: Annotated[str | None, Header(alias="Last-Event-ID", pattern="^(-1|[0-9]{1,18})$")] = None,
) -> EventStream:
    """Follow the run: one event for each row of its journal, its number as `id`, the panels it changes in `data`."""
    meter = request.app.state.meter
    assert isinstance(meter, Meter)
    if meter.streams >= STREAMS_MOST:
        raise HTTPException(503, f"There are {STREAMS_MOST} streams already; close one.")
    if after is None and last is not None:
        after = int(last)
    return EventStream(follower, after, meter)
