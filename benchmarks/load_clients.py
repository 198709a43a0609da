"""Callers of the API, as cheap as they can be made: what is measured is the server.

    python benchmarks/load_clients.py requests|streams PORT SECONDS OUT.json

Requests leave when they are due, whether or not others were answered, and count from when they were due. The token is
taken from API_TOKEN.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

RATE = 200
"""Requests a second."""
STREAMS = 100
CONNECTIONS = 24

READS = (
    "/api/status", "/api/orders", "/api/status", "/api/positions", "/api/trades", "/api/status", "/api/pnl",
    "/api/equity?limit=500", "/api/status", "/api/ohlcv?limit=300", "/api/risk", "/api/status", "/api/strategies",
    "/api/alerts", "/api/status", "/api/trades?limit=1000", "/api/runs", "/api/status", "/metrics",
    "/api/recommendations",
)  # fmt: skip
"""What is asked, over and over: the page's own mix."""
COMMAND = "/api/risk/resume"
COMMAND_EVERY = 200
"""Each so manieth request is a command; to go on when nothing is halted changes nothing, but is a durable row."""

_NUMBERED = re.compile(rb"id: (\d+)\nevent: (\w+)\n")


@dataclass
class Calls:
    """What became of the requests: milliseconds by path, and how many had another status than 200."""

    took_ms: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def add(self, path: str, status: int, took_ms: float) -> None:
        """Count one answer."""
        self.took_ms.setdefault(path, []).append(took_ms)
        if status != 200:
            told = f"{path}: {status}"
            self.failed[told] = self.failed.get(told, 0) + 1


@dataclass
class Connection:
    """One connection that is kept; it answers one request after the other."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect to the server on this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 22))

    async def ask(self, method: str, path: str) -> int:
        """Send a request and read its answer; return the status."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {os.environ['API_TOKEN']}\r\n"
        self.writer.write(f"{head}{'Content-Length: 0' if method == 'POST' else 'Accept: */*'}\r\n\r\n".encode())
        told = await self.reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", told)[1])  # type: ignore[index] # every answer but a stream has one
        await self.reader.readexactly(length)
        return int(told[9:12])


async def requests(port: int, seconds: float) -> dict[str, object]:
    """Send so many requests a second, each on a connection that is free."""
    free = deque([await Connection.open(port) for _ in range(CONNECTIONS)])
    calls, running = Calls(), set[asyncio.Task[None]]()

    async def one(number: int, due_s: float) -> None:
        command = number % COMMAND_EVERY == COMMAND_EVERY - 1
        method, path = ("POST", COMMAND) if command else ("GET", READS[number % len(READS)])
        connection = free.popleft() if free else await Connection.open(port)
        status = await connection.ask(method, path)
        calls.add(path, status, (time.perf_counter() - due_s) * 1e3)
        free.append(connection)

    began_s = time.perf_counter()
    for number in range(int(seconds * RATE)):
        due_s = began_s + number / RATE
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        task = asyncio.create_task(one(number, due_s))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    return {"took_ms": calls.took_ms, "failed": calls.failed, "seconds": time.perf_counter() - began_s}


async def streams(port: int, seconds: float) -> dict[str, object]:
    """Listen so many times; tell of each fill when each client saw it, and of each client how many events came."""
    fills: list[tuple[int, int]] = []
    counts, gaps = [0] * STREAMS, [0]
    head = f"GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {os.environ['API_TOKEN']}\r\n\r\n"

    async def listen(place: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        writer.write(head.encode())
        last, rest = -1, b""
        while data := await reader.read(1 << 16):
            now_ns, rest = time.time_ns(), rest + data
            end = rest.rfind(b"\n\n") + 2
            for found in _NUMBERED.finditer(rest, 0, max(0, end)):
                number = int(found[1])
                gaps[0] += last >= 0 and number != last + 1
                last = number
                counts[place] += 1
                if found[2] == b"fill":
                    fills.append((number, now_ns))
            rest = rest[max(0, end) :]

    listening = [asyncio.create_task(listen(place)) for place in range(STREAMS)]
    await asyncio.sleep(seconds)
    cut_off = sum(task.done() for task in listening)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    return {"fills": fills, "events": counts, "gaps": gaps[0], "cut_off": cut_off}


if __name__ == "__main__":
    kind, port, seconds, out = sys.argv[1:]
    result = asyncio.run({"requests": requests, "streams": streams}[kind](int(port), float(seconds)))
    Path(out).write_text(json.dumps(result), encoding="utf-8")
