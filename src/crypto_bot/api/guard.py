"""The door of the API: who may come in, from where, how often, and to which route.

It stands around the whole application: a route that the table of access does not name is never reached.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto_bot.api.access import ACCESS, ADMIN, OPEN, READ, Principal
from crypto_bot.api.bounds import Bounded, Bounds
from crypto_bot.api.grants import TokenBook, digest_of
from crypto_bot.api.lasting import Ended, while_it_holds
from crypto_bot.api.origin import Surroundings
from crypto_bot.api.problem import HEADERS, problem_response
from crypto_bot.api.routes import RANK, Routes
from crypto_bot.api.throttle import Throttle, is_loopback
from crypto_bot.api.token import is_token
from crypto_bot.domain.errors import CryptoBotError

HEALTH = "/health"
EMERGENCY = frozenset({("POST", "/api/risk/emergency-stop"), ("POST", "/api/risk/halt")})
"""What stops the bot: from this machine no limit stands in its way."""
OWN_NAME = "local"
"""The name of whoever holds the token of `State/api_token` or API_TOKEN."""

_SAFETY = tuple((name.lower().encode(), value.encode()) for name, value in HEADERS.items())
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rules:
    """What the guard goes by: the own token, the granted ones, the table of access, and the open files."""

    token: str
    access: Mapping[tuple[str, str], str]
    open_paths: frozenset[str]
    around: Surroundings = field(default_factory=Surroundings)
    book: TokenBook | None = None
    throttle: Throttle = field(default_factory=Throttle)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request, as far as the guard reads it."""

    method: str
    path: str
    headers: Headers
    address: str

    @property
    def is_emergency(self) -> bool:
        return (self.method, self.path) in EMERGENCY and is_loopback(self.address)


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        """Stand before an application."""
        self.app = app
        self.rules = rules
        self._routes = Routes(rules.access)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not pass; let the rest through with its principal in `request.state`."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        asked = _Asked(scope["method"], scope["path"], headers, self.rules.around.address_of(scope, headers))
        is_file = asked.method in ("GET", "HEAD") and asked.path in self.rules.open_paths
        decision: Principal | Response
        if self.rules.around.came_by_proxy(scope):
            decision = self._decide(asked, is_file)
        else:
            decision = problem_response(403, "Ask through the proxy, which encrypts.")
        answer = self._dressed(send, asked, b"no-cache" if is_file else b"no-store")
        if isinstance(decision, Response):
            await decision(scope, receive, answer)
            return
        scope.setdefault("state", {})["principal"] = decision
        with suppress(Ended):
            await self.app(scope, receive, while_it_holds(answer, lambda: self._holds(decision, headers)))

    def _decide(self, asked: _Asked, is_file: bool) -> Principal | Response:
        """Return who asks, or the answer that turns them away."""
        around, nobody = self.rules.around, Principal("", OPEN, asked.address)
        if not around.answers_to(asked.headers.get("host", "")):
            return problem_response(400, "This server does not answer to that host name.")
        if not asked.is_emergency and (wait_s := self._over_budget(asked.address)):
            return too_many(wait_s)
        if is_file:
            return nobody
        if not around.may_ask(asked.headers):
            return problem_response(403, "Pages of other origins may not call this server.")
        if asked.method == "OPTIONS" and around.is_listed(origin := asked.headers.get("origin")):
            return Response(status_code=204, headers=around.permission(str(origin), preflight=True))
        needed = self._routes.needed(asked.method, asked.path)
        if needed == OPEN:
            return nobody
        principal = self._principal(asked)
        if isinstance(principal, Response):
            return principal
        if needed is None:
            return self._nothing_there(asked)
        if RANK[principal.role] < RANK[needed]:
            return problem_response(
                403, f"This needs the role {needed}; the token {principal.name} has {principal.role}."
            )
        kind, budget = (
            ("reads", self.rules.throttle.limits.reads)
            if needed == READ
            else ("commands", self.rules.throttle.limits.commands)
        )
        if not asked.is_emergency and (wait_s := self.rules.throttle.take(f"{kind} of {principal.name}", budget)):
            return too_many(wait_s)
        return principal

    def _over_budget(self, address: str) -> float:
        limits = self.rules.throttle.limits
        return self.rules.throttle.take(f"from {address}", limits.loopback if is_loopback(address) else limits.address)

    def _nothing_there(self, asked: _Asked) -> Response:
        methods = [*self._routes.methods(asked.path), *(("GET", "HEAD") if asked.path in self.rules.open_paths else ())]
        if methods:
            return problem_response(405, "Method Not Allowed", {"Allow": ", ".join(methods)})
        return problem_response(404, "There is nothing here.")

    def _holds(self, principal: Principal, headers: Headers) -> bool:
        """Tell whether the token of somebody who came in is still good."""
        book = self.rules.book
        if principal.name in ("", OWN_NAME) or book is None:
            return True
        try:
            grant = book.find(_bearer(headers))
        except CryptoBotError:
            return False
        return grant is not None and grant.holds(book.wall())

    def _principal(self, asked: _Asked) -> Principal | Response:
        """Return who holds the token that was sent; after too many wrong ones an address is not listened to."""
        token = _bearer(asked.headers)
        if not token:
            return unauthorized(wrong="authorization" in asked.headers)
        throttle, digest = self.rules.throttle, digest_of(token)
        wait_s = throttle.paused_s(asked.address)
        if wait_s and not asked.is_emergency and not throttle.is_welcome(asked.address, digest):
            return too_many(wait_s)
        if is_token(token, self.rules.token):
            throttle.welcome(asked.address, digest)
            return Principal(OWN_NAME, ADMIN, asked.address)
        return self._granted(asked, token, digest)

    def _granted(self, asked: _Asked, token: str, digest: str) -> Principal | Response:
        book, throttle = self.rules.book, self.rules.throttle
        try:
            grant = None if book is None else book.find(token)
        except CryptoBotError as error:
            log.error("the granted tokens cannot be read, so that none of them opens anything: %s", error)
            return unauthorized(wrong=True)
        if book is not None and grant is not None:
            if not grant.holds(book.wall()):  # once it was right: nobody guesses here
                return unauthorized(wrong=True)
            throttle.welcome(asked.address, digest)
            return Principal(grant.name, grant.role, asked.address)
        pause_s = throttle.missed(asked.address)
        if pause_s:
            log.warning("another wrong token from %s; it has to wait %g s", asked.address, pause_s)
        return unauthorized(wrong=True)

    def _dressed(self, send: Send, asked: _Asked, caching: bytes) -> Send:
        """Put the safety headers on whatever is answered."""
        around, origin = self.rules.around, asked.headers.get("origin")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*_SAFETY, (b"cache-control", caching), *([_HSTS] if around.https else [])]
                named = {name for name, _ in own}
                message["headers"] = [*(pair for pair in message["headers"] if pair[0] not in named), *own]
                headers = MutableHeaders(scope=message)
                if around.origins:
                    headers.add_vary_header("Origin")
                if origin is not None and around.is_listed(origin):
                    for name, value in around.permission(origin, preflight=False).items():
                        headers[name] = value
            await send(message)

        return send_with_headers


def _bearer(headers: Headers) -> str:
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else ""


def add_guard(
    app: FastAPI,
    token: str,
    open_paths: frozenset[str],
    *,
    state_folder: Path | None = None,
    around: Surroundings | None = None,
    throttle: Throttle | None = None,
) -> None:
    """Put the guard, and the bounds of a request behind it, around an application."""
    book = None if state_folder is None else TokenBook(state_folder)
    rules = Rules(token, ACCESS, open_paths, around or Surroundings(), book, throttle or Throttle())
    app.add_middleware(Bounded, bounds=Bounds())
    app.add_middleware(Guard, rules=rules)


def too_many(wait_s: float) -> Response:
    """Return the answer to somebody who has to wait."""
    return problem_response(429, "Too many requests; wait a little.", {"Retry-After": str(max(1, round(wait_s + 0.5)))})


def unauthorized(*, wrong: bool) -> Response:
    """Return the answer to somebody without a token that holds."""
    challenge = 'Bearer realm="cryptotrader"' + (', error="invalid_token"' if wrong else "")
    return problem_response(
        401, "Send the API token as 'Authorization: Bearer TOKEN'.", {"WWW-Authenticate": challenge}
    )
