"""Counting what was asked of the API, how long it took, and what went wrong."""

import time
from collections import Counter
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""Upper edges of the classes that durations are counted in."""

STREAM = "/api/stream"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are counted by name: a caller makes up any other, and as many as he likes."""


@dataclass
class Meter:
    """Answers by route and status, and their durations by class."""

    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    classes: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    seconds: float = 0.0
    streams: int = 0

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.answers[method, route, status] += 1
        self.classes[sum(seconds > bound for bound in BOUNDS_S)] += 1
        self.seconds += seconds


class Metered:
    """ASGI middleware that counts every answer; a stream counts while it lasts, and its length does not."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        """Stand around an application."""
        self.app = app
        self.meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count what came of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, took = time.perf_counter(), 500, 0.0

        async def counting(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                status, took = message["status"], time.perf_counter() - began
            await send(message)

        try:
            await self.app(scope, receive, counting)
        finally:
            route = scope.get("route")
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.meter.count(method, getattr(route, "path", "other"), status, took)
