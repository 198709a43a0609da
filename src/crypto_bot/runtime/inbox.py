"""Where the engine takes in what is asked of it: nothing is carried out here, only queued for the loop of the run."""

import asyncio
import os
import socket
import struct
from asyncio import Future, Queue, StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from crypto_bot.domain.errors import UsageError
from crypto_bot.runtime.line import LONGEST, SOCKET, Answer, Request, address
from crypto_bot.runtime.receipts import Reply

_WAITING_MOST = 64
_CALLERS_MOST = 64
_IDLE_S = 30.0
_CREDENTIALS = struct.Struct("3i")
OVER = Answer(Reply("unanswered", "the run is over; nothing was done"))


@dataclass(frozen=True)
class Asked:
    """One request, and where its answer goes."""

    request: Request
    answered: "Future[Answer]"


@dataclass
class Inbox:
    """Requests in the order they came; `open_at` lets callers in."""

    waiting: "Queue[Asked]" = field(default_factory=lambda: Queue(_WAITING_MOST))
    callers: int = 0
    closed: bool = False

    async def next(self) -> Asked:
        """Wait for a request."""
        return await self.waiting.get()

    @asynccontextmanager
    async def open_at(self, folder: Path) -> AsyncIterator[None]:
        """Listen in a state folder whose lock is held; whatever waits at the end is told that the run is over."""
        (folder / SOCKET).unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            with address(folder) as name:
                server = await asyncio.start_unix_server(self._serve, name, limit=LONGEST)
        except OSError as error:
            raise UsageError(f"the bot cannot listen at {folder / SOCKET} ({error}); name another --state") from error
        finally:
            os.umask(before)
        try:
            yield
        finally:
            self.closed = True
            server.close()
            (folder / SOCKET).unlink(missing_ok=True)
            while not self.waiting.empty():
                asked = self.waiting.get_nowait()
                if not asked.answered.done():
                    asked.answered.set_result(OVER)
            await asyncio.sleep(0)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one caller, request by request, until it leaves."""
        self.callers += 1
        try:
            if self.callers > _CALLERS_MOST or not _is_ours(writer):
                return
            with suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                while line := await asyncio.wait_for(reader.readline(), _IDLE_S):
                    writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                    await writer.drain()
        finally:
            self.callers -= 1
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            request = msgspec.json.decode(line, type=Request)
        except msgspec.DecodeError as error:
            return Answer(Reply("unknown", f"that is no request: {error}"))
        if self.closed:
            return OVER
        asked = Asked(request, asyncio.get_running_loop().create_future())
        await self.waiting.put(asked)
        return await asked.answered


def _is_ours(writer: StreamWriter) -> bool:
    """Tell whether the caller runs as the engine's own user."""
    connection = writer.get_extra_info("socket")
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(told)
    return user in (os.getuid(), 0)
