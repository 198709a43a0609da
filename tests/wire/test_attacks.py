"""What somebody hostile sends: from a page of another site, from another name, too large, too deep, too often."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response
from starlette.types import Message

from crypto_bot.api import connection
from crypto_bot.api.access import ACCESS, Principal
from crypto_bot.api.bounds import Bounded, Bounds, depth_of
from crypto_bot.api.grants import TokenBook
from crypto_bot.api.guard import Guard, _Asked
from crypto_bot.api.problem import POLICY
from crypto_bot.api.throttle import Throttle
from tests.grid_run import Grid
from tests.wire.serving import BEARER, TOKEN, client_of, until, write

FOREIGN = (
    "https://evil.example",
    "http://localhost:1",
    "null",
    "http://127.0.0.1.evil.example",
    "https://desk.example.evil",
)
CHANGING = sorted(path for method, path in ACCESS if method == "POST")
NOTHING = {"Authorization": ""}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("attacks")
    rows = list(Grid(bars=30).rows())
    write(folder / "trading.db", rows)
    with client_of(folder / "trading.db", folder) as opened:
        until(opened, rows[-1].sequence)
        yield opened


def status(client: httpx.Client, method: str, path: str, **headers: str) -> int:
    with client.stream(method, path, headers=headers) as answer:
        return answer.status_code


# ---- other sites ---
@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_reaches_nothing_even_with_the_token(client: httpx.Client, origin: str) -> None:
    for method, path in ACCESS:
        if path != "/health":
            assert status(client, method, path.format(order_id=1, key="k", name="grid"), Origin=origin) == 403, path
    with client.stream("GET", "/api/stream", headers={"Origin": origin}) as answer:
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""]
)
def test_what_a_form_can_send_changes_nothing(client: httpx.Client, path: str, kind: str) -> None:
    """A form sends no bearer header; and were one there, its kinds of body are not read."""
    path = path.format(name="grid")
    body = '{"reason": "x", "flatten": true}'
    bare = client.post(path, content=body, headers={**NOTHING, "Content-Type": kind, "Origin": "https://evil.example"})
    assert bare.status_code == 403
    assert client.post(path, content=body, headers={**NOTHING, "Content-Type": kind}).status_code == 401
    assert client.post(path, content=body, headers={"Content-Type": kind}).status_code == 415


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_picture_or_link_of_another_site_reads_nothing(client: httpx.Client, site: str) -> None:
    assert status(client, "GET", "/api/status", **{"Sec-Fetch-Site": site}) == 403
    assert status(client, "GET", "/api/status", **{"Sec-Fetch-Site": "same-origin"}) == 200


def test_the_own_page_and_a_listed_one_may_call(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip("/")
    assert status(client, "GET", "/api/status", Origin=own) == 200
    answer = client.get("/api/status", headers={"Origin": "https://desk.example"})
    assert answer.headers["access-control-allow-origin"] == "https://desk.example"
    assert "access-control-allow-credentials" not in answer.headers and "Origin" in answer.headers["vary"]
    asked = {"Origin": "https://desk.example", "Access-Control-Request-Method": "POST", **NOTHING}
    preflight = client.options("/api/orders/cancel-all", headers=asked)
    assert preflight.status_code == 204 and preflight.headers["access-control-allow-origin"] == "https://desk.example"
    assert client.get("/api/status", headers={"Origin": "https://desk.example", **NOTHING}).status_code == 401
    assert "*" not in {value for answer in (answer, preflight) for value in answer.headers.values()}


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "0.0.0.0", "[::]", "127.0.0.1@evil.example"]
)
def test_a_name_bent_to_this_address_is_found_out(client: httpx.Client, host: str) -> None:
    for path in ("/", "/health", "/api/status", "/api/stream", "/api/orders/cancel-all"):
        assert status(client, "POST" if path.endswith("all") else "GET", path, Host=host) == 400, path


# ---- paths and parameters ---
TRAVERSALS = (
    "/../State/api_token", "/..%2fState%2fapi_token", "/%2e%2e/%2e%2e/etc/passwd", "/vendor/../../pyproject.toml",
    "/vendor/%2e%2e%2f%2e%2e%2fpyproject.toml", "/..\\..\\pyproject.toml", "/%5c..%5c", "//etc/passwd", "/.git/config",
    "/index.html%00.js", "/%c0%ae%c0%ae/etc/passwd", "/vendor/..;/x", "/index.html/", "/INDEX.HTML",
)  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leaves_the_folder_of_the_page(client: httpx.Client, path: str) -> None:
    for headers, expected in ((BEARER, b" 404 "), (NOTHING, b" 401 ")):
        line = raw(
            client, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {headers['Authorization']}\r\n\r\n"
        )
        assert expected in line.partition(b"\r\n")[0], line


INJECTIONS = (
    "' OR 1=1 --", "1; DROP TABLE trades", "BTC/USDT' UNION SELECT * FROM runs --", "${jndi:ldap://x}", "{{7*7}}",
    "<script>alert(1)</script>", "../../../etc/passwd", "\x00", "a" * 3_000, "%", "\\", "BTC/USDT\r\nSet-Cookie: a=b",
    "\U0001f4a9",
)  # fmt: skip


QUESTIONS = (
    ("/api/ohlcv", "symbol"), ("/api/ohlcv", "timeframe"), ("/api/equity", "since"), ("/api/trades", "cursor"),
    ("/api/orders", "limit"), ("/api/runs", "cursor"),
)  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_hostile_parameter_is_a_wrong_question(client: httpx.Client, text: str) -> None:
    for path, name in QUESTIONS:
        answer = client.get(path, params={name: text})
        assert answer.status_code in (200, 400, 404, 422), (path, name)
        assert answer.headers["content-type"].endswith("json") and "set-cookie" not in answer.headers
        assert not {"Traceback", "sqlalchemy", "sqlite3"} & set(answer.text.replace('"', " ").split())
    for template in ("/api/why/{}", "/api/commands/{}"):
        assert status(client, "GET", template.format(quote(text, safe=""))) in (400, 404, 422), template


# ---- too large, too deep, too slow ---
def test_bodies_are_bounded(client: httpx.Client) -> None:
    path, most = "/api/risk/halt", Bounds().body_bytes
    kind = {"Content-Type": "application/json"}
    large = b'"' + b"x" * most + b'"'
    assert client.post(path, content=large, headers=kind).status_code == 413
    assert client.post(path, content=iter([large[:5_000]] * 20), headers=kind).status_code == 413, "in pieces"
    assert client.post(path, content=b'"' + b"x" * (most - 2) + b'"', headers=kind).status_code not in (413, 500)
    for deep in (b"[" * 10_000, b'{"a":' * 10_000, b"[" * 33 + b"]" * 33):
        assert client.post(path, content=deep, headers=kind).status_code == 422
    for wrong in (b"{", b"\xff\xfe", b'{"reason": NaN}', b"9" * 5_000, b'"\\ud800"', b'{"a": 1e999}'):
        assert client.post(path, content=wrong, headers=kind).status_code in (400, 404, 405, 422), wrong[:20]
    claim = "POST /api/risk/halt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n"
    assert b" 413 " in raw(client, f"{claim}Authorization: Bearer {TOKEN}\r\n\r\n"), "refused before it is sent"


@pytest.mark.parametrize("parts", [[], [b""], [b'{"symbol":'], [b"{}", b" "]], ids=repr)
def test_a_command_whose_body_was_cut_off_is_not_carried_out(parts: list[bytes]) -> None:
    """Half of a body is no body: without its end `cancel these orders` could read `cancel all`."""
    kind = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "raw_path": b"/x", "query_string": b"", "headers": kind}
    arriving = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    arriving.append({"type": "http.disconnect"})
    told: list[object] = []

    async def inner(*_: object) -> None:
        told.append("carried out")

    async def receive() -> Message:
        return arriving.pop(0)

    async def send(message: Message) -> None:
        told.append(message)

    asyncio.run(Bounded(inner, Bounds())(scope, receive, send))
    assert told == [] and arriving == []


def test_addresses_and_headers_are_bounded(client: httpx.Client) -> None:
    assert status(client, "GET", "/api/status?" + "x" * 5_000) == 414
    assert status(client, "GET", "/api/status", **{f"X-{number}": "1" for number in range(70)}) == 431
    assert status(client, "GET", "/api/status", **{"X-Long": "x" * 16_350}) in (400, 431)
    long = raw(client, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "x" * 20_000 + "\r\n\r\n")
    assert long.split()[1] in (b"400", b"431")


@given(st.recursive(st.none() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3), max_leaves=12))
@settings(max_examples=60)
def test_depth_is_counted_as_a_parser_would(value: object) -> None:
    def depth(one: object) -> int:
        return 1 + max(map(depth, one), default=0) if isinstance(one, list) else 0

    assert depth_of(json.dumps(value).encode()) == depth(value)
    assert depth_of(json.dumps(json.dumps([[value]])).encode()) == 0, "brackets in a string do not count"


def test_two_meanings_of_one_request_are_refused(client: httpx.Client) -> None:
    """Smuggling: two lengths, two hosts, a length beside chunks, a line folded on."""
    start = f"POST /api/risk/halt HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    for more in (
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "Host: evil.example\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "X : 1\r\n\r\n",
        "Content-Length: -1\r\n\r\n",
    ):
        assert b" 400 " in raw(client, start + more).partition(b"\r\n")[0] + b" ", more


def test_a_request_that_never_ends_is_cut_off(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_S", 0.3)
    whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for first, then in ((b"", b""), (b"", whole[:30]), (whole, whole[:1])):
        with connected(client) as one:
            one.sendall(first)
            if first:
                assert b" 200 " in one.recv(65_536)
            one.sendall(then)
            before = time.monotonic()
            while not _is_ended(one):
                assert time.monotonic() - before < 60, then


def test_strangers_cannot_take_every_connection(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "is_loopback", lambda address: False)
    monkeypatch.setattr(connection, "FROM_ONE_ADDRESS", 5)
    held = [connected(client) for _ in range(12)]
    try:
        time.sleep(0.2)
        ended = sum(_is_ended(one) for one in held)
        assert 6 <= ended <= 8, "five may stay, and the client's own may be among them"
        monkeypatch.undo()
        assert status(client, "GET", "/api/status") == 200, "this machine's own callers still come in"
    finally:
        for one in held:
            one.close()


def test_made_up_methods_and_paths_leave_nothing_behind(client: httpx.Client) -> None:
    """What is counted by name is bounded, or whoever asks for a thousand names fills the memory."""
    before = len(client.get("/metrics").text.splitlines())
    for number in range(30):
        assert status(client, f"MADEUP{number}", "/api/status") == 405
        assert status(client, "GET", f"/made/up/{number}") == 404
        assert status(client, f"MADEUP{number}", f"/made/up/{number}", Authorization="") == 401
    assert len(client.get("/metrics").text.splitlines()) <= before + 6


# ---- too often ---
@pytest.fixture
def guard(tmp_path: Path) -> Iterator[tuple[httpx.Client, "Clock", str]]:
    """Serve under the limits that hold for users, on a clock that the test turns."""
    clock = Clock()
    write(tmp_path / "trading.db", list(Grid(bars=3).rows()))
    token, _ = TokenBook(tmp_path).add("phone", "trade")
    with client_of(tmp_path / "trading.db", tmp_path, throttle=Throttle(clock=clock)) as opened:
        yield opened, clock, token


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_thousand_wrong_tokens_are_held_back_and_lock_nobody_out(
    guard: tuple[httpx.Client, Clock, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, clock, token = guard
    looked_at: list[str] = []
    granted = Guard._granted

    def counted(self: Guard, asked: _Asked, token: str, digest: str) -> Principal | Response:
        looked_at.append(token)
        return granted(self, asked, token, digest)

    monkeypatch.setattr(Guard, "_granted", counted)
    assert status(client, "GET", "/api/status") == 200, "this client has been here before"
    guesses = [status(client, "GET", "/api/status", Authorization=f"Bearer guess-{n}") for n in range(1_000)]
    assert guesses == [401] * 5 + [429] * 995, "not even looked at"
    assert len(looked_at) == 5
    assert status(client, "GET", "/api/status") == 200, "who was right before is not held back by others' guesses"
    phone = {"Authorization": f"Bearer {token}"}
    assert status(client, "GET", "/api/status", **phone) == 429, "a new one from the same address waits"
    stop = client.post("/api/risk/emergency-stop", headers=phone)
    assert stop.status_code not in (401, 403, 429), "the emergency stop from this machine is never held back"
    waited = []
    for number in range(8):
        answer = client.get("/api/status", headers={"Authorization": f"Bearer again-{number}"})
        assert answer.status_code == 429
        waited.append(int(answer.headers["retry-after"]))
        clock.now += waited[-1] + 1
        assert status(client, "GET", "/api/status", Authorization=f"Bearer again-{number}") == 401
    assert waited == sorted(waited) and waited[-1] > 60 * waited[0], waited
    clock.now += 301
    assert status(client, "GET", "/api/status", **phone) == 200


def test_budgets_hold_but_not_for_the_emergency_stop(guard: tuple[httpx.Client, Clock, str]) -> None:
    client, clock, token = guard
    phone = {"Authorization": f"Bearer {token}"}
    asked = [client.post("/api/orders/cancel-all", headers=phone) for _ in range(120)]
    assert [answer.status_code == 429 for answer in asked] == [False] * 100 + [True] * 20
    assert asked[-1].headers["retry-after"] == "1"
    for path in ("/api/risk/emergency-stop", "/api/risk/halt"):
        assert client.post(path, headers=phone).status_code != 429
    assert status(client, "GET", "/api/status", **phone) == 200, "reads have a budget of their own"
    clock.now += 1
    assert client.post("/api/orders/cancel-all", headers=phone).status_code != 429


# ---- what every answer says and does not say ---
def test_no_answer_tells_what_serves_it_or_sets_a_cookie(client: httpx.Client) -> None:
    for method, path in [*ACCESS, ("GET", "/"), ("GET", "/nothing"), ("OPTIONS", "/api/status")]:
        if path == "/api/stream":
            continue
        for headers in (BEARER, NOTHING):
            answer = client.request(method, path.format(order_id=1, key="k", name="grid"), headers=headers)
            assert not {"server", "x-powered-by", "set-cookie", "via"} & set(answer.headers), path
            assert answer.headers["content-security-policy"] == POLICY
            assert answer.headers["x-frame-options"] == "DENY"
            assert (
                not {"Traceback", "uvicorn", "starlette", "fastapi"} & set(answer.text.lower().split()) or path == "/"
            )
            assert TOKEN not in answer.text
    assert "unsafe" not in POLICY and "*" not in POLICY and "http" not in POLICY


# ---- the wire ---
def connected(client: httpx.Client) -> socket.socket:
    url = client.base_url
    return socket.create_connection((url.host, url.port or 80), timeout=10)


def raw(client: httpx.Client, text: str) -> bytes:
    """Send bytes as they are, and return the beginning of what is answered."""
    with closing(connected(client)) as one:
        one.sendall(text.encode("utf-8"))
        return one.recv(65_536)


def _is_ended(one: socket.socket) -> bool:
    one.settimeout(0.05)
    try:
        return one.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
