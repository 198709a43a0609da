"""The guard around an application of its own: streams end with their token, and the principal is passed on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Message

from crypto_bot.api import lasting
from crypto_bot.api.access import READ, TRADE
from crypto_bot.api.grants import TokenBook
from crypto_bot.api.guard import Guard, Rules

OWN = "an-own-token-of-this-test"


def guarded(folder: Path, sent: "list[tuple[str, str, str]]") -> FastAPI:
    """Return an application with one endless stream."""
    app = FastAPI()

    @app.get("/stream")
    async def stream(request: Request) -> StreamingResponse:
        principal = request.state.principal
        sent.append((principal.name, principal.role, principal.origin))

        async def events() -> AsyncIterator[bytes]:
            while True:
                yield b": still here\n\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(events())

    book = TokenBook(folder)
    app.add_middleware(Guard, rules=Rules(OWN, {("GET", "/stream"): READ}, frozenset(), book=book))
    return app


async def parts_of(app: FastAPI, token: str, *, seconds: float) -> list[Message]:
    """Ask for the stream, and return what came until it ended or the time was up."""
    told: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        told.append(message)

    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": "/stream", "raw_path": b"/stream", "query_string": b"", "root_path": "", "scheme": "http",
        "headers": headers, "client": ("192.0.2.7", 1), "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            await app(scope, receive, send)
    except TimeoutError:
        pass
    return told


async def test_a_stream_ends_when_its_token_is_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "LOOK_S", 0.05)
    sent: list[tuple[str, str, str]] = []
    book = TokenBook(tmp_path)
    token, _ = book.add("phone", TRADE)
    app = guarded(tmp_path, sent)
    asyncio.get_running_loop().call_later(0.3, book.revoke, "phone")
    told = await parts_of(app, token, seconds=10)
    assert told[0]["status"] == 200 and told[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert sum(message["type"] == "http.response.body" for message in told) > 5, "it went on while the token was good"
    assert sent == [("phone", TRADE, "192.0.2.7")]
    assert (await parts_of(app, token, seconds=10))[0]["status"] == 401


async def test_the_own_token_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "LOOK_S", 0.0)
    told = await parts_of(guarded(tmp_path, []), OWN, seconds=0.3)
    assert told[-1]["more_body"] is True


async def test_a_damaged_book_ends_the_streams_that_it_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "LOOK_S", 0.05)
    book = TokenBook(tmp_path)
    token, _ = book.add("phone", TRADE)
    asyncio.get_running_loop().call_later(0.2, book.path.write_text, "{}")
    assert (await parts_of(guarded(tmp_path, []), token, seconds=10))[-1]["more_body"] is False
