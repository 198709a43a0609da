"""Whose address counts, which names and pages are known: forged headers are believed from listed proxies only."""

import pytest
from starlette.datastructures import Headers

from crypto_bot.api.origin import Surroundings

PROXIED = Surroundings(["bot.example"], ["https://desk.example"], ["127.0.0.1", "10.0.0.2"], https=True)
OWN = Surroundings(["bot.example"])


def address(around: Surroundings, peer: str, *forwarded: str) -> str:
    headers = Headers(raw=[(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded])
    return around.address_of({"type": "http", "client": (peer, 1)}, headers)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", ["127.0.0.1"], "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["127.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["127.0.0.1", "203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("127.0.0.1", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("::ffff:127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("127.0.0.1", ["2001:DB8::1"], "2001:db8::1"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.9, nonsense"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
    ],
)
def test_the_nearest_address_that_is_no_proxy_counts(peer: str, forwarded: list[str], expected: str) -> None:
    assert address(PROXIED, peer, *forwarded) == expected
    assert address(OWN, peer, *forwarded) == peer.removeprefix("::ffff:"), "nobody is believed where no proxy is named"


def test_a_server_without_a_peer_has_no_address() -> None:
    assert PROXIED.address_of({"type": "http", "client": None}, Headers({"x-forwarded-for": "127.0.0.1"})) == ""


@pytest.mark.parametrize(
    ("peer", "allowed"), [("127.0.0.1", True), ("10.0.0.2", True), ("::1", True), ("203.0.113.9", False), ("", False)]
)
def test_behind_a_proxy_nobody_comes_past_it(peer: str, allowed: bool) -> None:
    assert PROXIED.came_by_proxy({"type": "http", "client": (peer, 1) if peer else None}) is allowed
    assert OWN.came_by_proxy({"type": "http", "client": (peer, 1) if peer else None})


def may_ask(around: Surroundings, **headers: str) -> bool:
    return around.may_ask(Headers({name.replace("_", "-"): value for name, value in headers.items()}))


def test_pages_that_may_ask() -> None:
    assert may_ask(OWN, host="127.0.0.1:8080") and may_ask(OWN, host="x", sec_fetch_site="none")
    assert may_ask(OWN, host="127.0.0.1:8080", origin="http://127.0.0.1:8080")
    assert not may_ask(OWN, host="127.0.0.1:8080", origin="http://127.0.0.1:8081")
    assert not may_ask(OWN, host="127.0.0.1:8080", origin="http://localhost:8080")
    assert not may_ask(OWN, host="127.0.0.1:8080", origin="https://desk.example")
    assert may_ask(PROXIED, host="bot.example", origin="https://bot.example")
    assert may_ask(PROXIED, host="bot.example", origin="https://desk.example")
    assert not may_ask(PROXIED, host="bot.example", origin="http://bot.example"), "behind TLS a plain page is foreign"
    assert not may_ask(PROXIED, host="bot.example", origin="null")
    assert not may_ask(PROXIED, host="bot.example", origin="")
