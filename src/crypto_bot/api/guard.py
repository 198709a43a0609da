"""The door of the API: which host names it answers to, and who may come in. What is not open needs the token."""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto_bot.api.problem import HEADERS, problem_response
from crypto_bot.api.token import is_token

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
HEALTH = "/health"


@dataclass(frozen=True, slots=True)
class Rules:
    """The token, the host names that are ours, and the paths that are open to anybody for reading."""

    token: str
    hosts: frozenset[str]
    open_paths: frozenset[str]


class Guard:
    """ASGI middleware around the whole application: a new route is closed until its path is opened here."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        """Stand before an application."""
        self.app = app
        self.rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 400 to a foreign host name and 401 without the token; pass on everything else."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self.rules.hosts:
            refusal = problem_response(400, "This server does not answer to that host name.")
            await refusal(scope, receive, send)
            return
        is_open = scope["method"] in ("GET", "HEAD") and scope["path"] in self.rules.open_paths
        if not is_open and not self._may_enter(headers):
            challenge = 'Bearer realm="cryptotrader"'
            if "authorization" in headers:
                challenge += ', error="invalid_token"'
            refusal = problem_response(
                401, "Send the API token as 'Authorization: Bearer TOKEN'.", {"WWW-Authenticate": challenge}
            )
            await refusal(scope, receive, send)
            return
        is_file = is_open and scope["path"] != HEALTH
        await self.app(scope, receive, _with_headers(send, "no-cache" if is_file else "no-store"))

    def _may_enter(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and is_token(token.strip(), self.rules.token)


def host_name(value: str) -> str:
    """Return the name in a Host header, lower case, without its port: `[::1]:8080` gives `::1`."""
    if value.startswith("["):
        return value[1:].partition("]")[0].lower()
    return value.partition(":")[0].lower()


def allowed_hosts(configured: Collection[str]) -> frozenset[str]:
    """Return the loopback names and the configured ones."""
    return LOOPBACK | {host_name(name) for name in configured if name}


def _with_headers(send: Send, caching: str) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers["Cache-Control"] = caching
        await send(message)

    return send_with_headers
