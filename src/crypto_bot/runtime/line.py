"""The line to a running engine: a Unix socket in its state folder, which only the folder's owner can open.

One JSON object a line, each answered by one. The engine carries a command out between two events, and
answers when its row is durable; whoever gets no answer sends the same key again.
"""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from crypto_bot.domain.errors import RunFailed
from crypto_bot.persistence.lock import is_held
from crypto_bot.persistence.payloads import CommandEvent
from crypto_bot.runtime.receipts import Reply

SOCKET = "engine.sock"
LONGEST = 65_536
"""Bytes of a line."""
PATIENCE_S = 5.0
_LONGEST_NAME = 100
"""The kernel takes names of sockets up to 107 bytes."""


class Standing(msgspec.Struct, frozen=True):
    """How a run stands: money and quantities as exact text, times ISO 8601 UTC."""

    run_id: str
    mode: str
    state: str
    halted_by: list[str]
    time: str
    sequence: int
    bars: int
    fills: int
    open_orders: int
    quote: str
    initial_equity: str
    equity: str
    positions: dict[str, str]
    strategies: dict[str, str]
    pid: int


class Request(msgspec.Struct, frozen=True):
    """What is asked of the engine: how it stands, or to carry out a command."""

    ask: Literal["standing", "command"]
    command: CommandEvent | None = None


class Answer(msgspec.Struct, frozen=True):
    """What the engine says: how it stands, or what became of the command."""

    reply: Reply | None = None
    standing: Standing | None = None


@contextmanager
def address(folder: Path) -> Iterator[str]:
    """Give the name of a folder's socket as the kernel takes it, however long the folder's own is."""
    path = str(folder / SOCKET)
    if len(os.fsencode(path)) <= _LONGEST_NAME:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def ask(folder: Path, request: Request, *, patience_s: float = PATIENCE_S) -> Answer:
    """Ask the engine of a state folder; RunFailed says so when none runs, or none answers."""
    try:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as line, address(folder) as name:
            line.settimeout(patience_s)
            line.connect(name)
            line.sendall(msgspec.json.encode(request) + b"\n")
            with line.makefile("rb") as file:
                return _read(folder, file.readline(LONGEST))
    except OSError as error:
        raise silence(folder) from error


async def ask_soon(folder: Path, request: Request, *, patience_s: float = PATIENCE_S) -> Answer:
    """Ask without blocking; raises what `ask` raises."""
    try:
        async with asyncio.timeout(patience_s):
            with address(folder) as name:
                reader, writer = await asyncio.open_unix_connection(name, limit=LONGEST)
            try:
                writer.write(msgspec.json.encode(request) + b"\n")
                await writer.drain()
                return _read(folder, await reader.readline())
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise silence(folder) from error


def _read(folder: Path, line: bytes) -> Answer:
    if not line.endswith(b"\n"):
        raise silence(folder)
    return msgspec.json.decode(line, type=Answer)


def silence(folder: Path) -> RunFailed:
    """Return the error for an engine that does not answer."""
    if not is_held(folder):
        return RunFailed(f"no bot runs on {folder}; start one with `python -m crypto_bot run`")
    return RunFailed(
        f"the bot on {folder} does not answer, so that nobody knows whether it did what was asked: it may be starting;"
        f" ask again, or create the file {folder / 'HALT'} to stop it from opening positions"
    )
