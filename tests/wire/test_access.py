"""Every route for every caller: whoever adds a route without saying who may use it finds this test red."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.routing import Mount

from crypto_bot.api.access import ACCESS, ADMIN, OPEN, READ, ROLES, TRADE
from crypto_bot.api.app import create_app
from crypto_bot.api.grants import TokenBook
from crypto_bot.api.routes import RANK, Routes
from crypto_bot.api.static import static_folder
from tests.grid_run import Grid
from tests.wire.serving import TOKEN, client_of, until, write

CALLERS = ("none", "bad", "expired", "revoked", *ROLES, "local")


@dataclass
class Served:
    client: httpx.Client
    tokens: dict[str, str]

    def status(self, method: str, path: str, caller: str) -> int:
        token = self.tokens[caller]
        headers = {"Authorization": f"Bearer {token}" if token else ""}
        with self.client.stream(method, path, headers=headers) as answer:  # a stream of events never ends by itself
            return answer.status_code


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("access")
    rows = list(Grid(bars=60).rows())
    write(folder / "trading.db", rows)
    book, long_ago = TokenBook(folder), TokenBook(folder, wall=lambda: 1_000_000_000)
    tokens = {"none": "", "bad": "ctb_" + "x" * 43, "local": TOKEN}
    tokens |= {role: book.add(role, role)[0] for role in ROLES}
    tokens |= {"expired": long_ago.add("expired", ADMIN, 1)[0], "revoked": book.add("revoked", ADMIN)[0]}
    book.revoke("revoked")
    with client_of(folder / "trading.db", folder) as client:
        until(client, rows[-1].sequence)
        yield Served(client, tokens)


def routes(tmp_path: Path) -> set[tuple[str, str]]:
    """Return every method and path template that the application knows."""
    found: set[tuple[str, str]] = set()
    waiting = list(create_app(tmp_path / "none.db", TOKEN, static_folder()).routes)
    while waiting:
        route = waiting.pop()
        if isinstance(route, Mount):
            assert route.path == "", f"{route.path}: a mounted application has routes of its own; list them"
            continue
        nested = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if nested:
            waiting += nested
            continue
        methods = getattr(route, "methods", None)
        assert methods, f"{route} answers to something else than HTTP methods"
        found |= {(method, str(getattr(route, "path"))) for method in methods}  # noqa: B009 - of several classes
    return found - {("HEAD", "/openapi.json")}


def test_every_route_says_who_may_use_it(tmp_path: Path) -> None:
    there = routes(tmp_path)
    assert ("GET", "/api/status") in there, "the routes were not found"
    assert there <= set(ACCESS), "give each route its role in the table of access"
    assert set(ACCESS.values()) <= {OPEN, *ROLES}


ANSWERS = {
    ("GET", "/api/commands/{key}"): 404,
    ("POST", "/api/orders/cancel"): 422,
    ("POST", "/api/orders/cancel-all"): 503,
    ("POST", "/api/risk/emergency-stop"): 202,
    ("POST", "/api/risk/flatten"): 503,
    ("POST", "/api/risk/halt"): 202,
    ("POST", "/api/risk/reset-circuit-breaker"): 422,
    ("POST", "/api/risk/resume"): 503,
    ("POST", "/api/strategies/{name}/parameters"): 422,
    ("POST", "/api/strategies/{name}/start"): 503,
    ("POST", "/api/strategies/{name}/stop"): 503,
}
"""What somebody gets who may, without a body and while no bot runs; every read that is not named answers 200."""


def expected(method: str, template: str, caller: str) -> int:
    """Return the status that a caller gets; a new command has no entry, and fails here."""
    role = ACCESS[method, template]
    if role != OPEN:
        if caller in ("none", "bad", "expired", "revoked"):
            return 401
        if RANK[ADMIN if caller == "local" else caller] < RANK[role]:
            return 403
    return 200 if method == "GET" and (method, template) not in ANSWERS else ANSWERS[method, template]


@pytest.mark.parametrize(("method", "template"), sorted(ACCESS), ids=str)
def test_each_caller_gets_what_the_table_says(served: Served, method: str, template: str) -> None:
    path = template.format(order_id=1, key="none", name="grid")
    told = {caller: served.status(method, path, caller) for caller in CALLERS}
    assert told == {caller: expected(method, template, caller) for caller in CALLERS}


def test_every_line_of_the_table_leads_to_a_route(tmp_path: Path) -> None:
    assert set(ACCESS) == routes(tmp_path)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_what_is_not_in_the_table_is_closed(served: Served, method: str) -> None:
    for path in ("/api/none", "/docs", "/redoc", "/admin", "/api", "/api/status/", "//api/status", "/api/Status"):
        assert served.status(method, path, "none") == 401, path
        assert served.status(method, path, "admin") == 404, path
    if method not in ("GET",):
        assert served.status(method, "/api/status", "none") == 401
        assert served.status(method, "/api/status", "admin") == 405


def test_a_route_without_a_line_in_the_table_is_never_reached(tmp_path: Path) -> None:
    app = create_app(tmp_path / "none.db", TOKEN, static_folder())
    called = []
    app.add_api_route("/api/forgotten", lambda: called.append(1), methods=["GET"])
    app.router.routes.insert(0, app.router.routes.pop())
    transport = httpx.ASGITransport(app=app)

    async def ask() -> int:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
            return (await client.get("/api/forgotten")).status_code

    assert asyncio.run(ask()) == 404 and not called


def test_of_two_templates_that_fit_the_stricter_holds() -> None:
    table = {("POST", "/a/{x}"): READ, ("POST", "/a/b"): TRADE, ("POST", "/{p:path}"): ADMIN, ("GET", "/a.b"): READ}
    known = Routes(table)
    assert known.needed("POST", "/a/b") == ADMIN
    assert Routes({key: table[key] for key in list(table)[:2]}).needed("POST", "/a/b") == TRADE
    assert known.needed("GET", "/axb") is None and known.needed("GET", "/a/b") is None
    assert known.methods("/a/b") == ["POST"] and known.methods("/") == []
