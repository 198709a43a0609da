"""How large a request may be: its address, its headers, its body, how deep the body nests and how long it takes."""

import asyncio
import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto_bot.api.problem import problem_response

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_HEADER_OVERHEAD = 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that is taken in: bytes, counts, levels and seconds."""

    target_bytes: int = 4_096
    headers: int = 64
    header_bytes: int = 16_384
    body_bytes: int = 65_536
    depth: int = 32
    body_s: float = 10.0


class Bounded:
    """ASGI middleware that reads a body whole, within its bounds, before anything of ours sees it."""

    def __init__(self, app: ASGIApp, bounds: Bounds) -> None:
        """Stand before an application."""
        self.app = app
        self.bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 408, 413, 414, 415, 422 or 431 to what is beyond a bound; pass on the rest."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._head(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif "content-length" in headers or "transfer-encoding" in headers:
            await self._with_body(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _head(self, scope: Scope, headers: Headers) -> Response | None:
        bounds = self.bounds
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > bounds.target_bytes:
            return _closing(414, f"The address of a request may have {bounds.target_bytes} bytes.")
        size = sum(len(name) + len(value) + _HEADER_OVERHEAD for name, value in headers.raw)
        if len(headers.raw) > bounds.headers or size > bounds.header_bytes:
            return _closing(431, f"A request may have {bounds.headers} headers of {bounds.header_bytes} bytes in all.")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length[:12]) > bounds.body_bytes:
            return self._too_large()
        return None

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request with its body; one that was cut off is nobody's wish, and nobody waits for an answer."""
        try:
            async with asyncio.timeout(self.bounds.body_s):
                body = await self._read(receive)
        except ClientDisconnect:
            return
        except TimeoutError:
            refusal: Response | None = _closing(408, f"The body did not come within {self.bounds.body_s:g} seconds.")
        else:
            refusal = self._too_large() if body is None else self._content(Headers(scope=scope), body)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        assert body is not None
        await self.app(scope, _replayed(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body; None for one that is too large. ClientDisconnect when its end never came."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > self.bounds.body_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    def _content(self, headers: Headers, body: bytes) -> Response | None:
        """Refuse what a form of a foreign page could send, and what nests too deep for a parser."""
        if not body:
            return None
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            return problem_response(415, "Send the body as application/json.")
        if depth_of(body) > self.bounds.depth:
            return problem_response(422, f"body: it nests deeper than {self.bounds.depth} levels")
        return None

    def _too_large(self) -> Response:
        return _closing(413, f"A body may have {self.bounds.body_bytes} bytes.")


def depth_of(text: bytes) -> int:
    """Return how deep JSON text nests, counted without parsing it; brackets inside strings do not count."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(_STRINGS.sub(b"", text)):
        depth += 1 if found[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _closing(status: int, detail: str) -> Response:
    """Return a problem after which the connection ends: what is left of the request is not read."""
    return problem_response(status, detail, {"Connection": "close"})


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the body once, then whatever the connection says."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
