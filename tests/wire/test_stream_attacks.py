"""The stream is as closed as every other answer, and closes with the token that opened it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest

from crypto_bot.api import lasting
from crypto_bot.api.access import READ
from crypto_bot.api.grants import TokenBook
from tests.grid_run import Grid
from tests.wire.serving import TOKEN, client_of, until, write

STREAM = "/api/stream"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[httpx.Client]:
    rows = list(Grid(bars=20).rows())
    write(tmp_path / "trading.db", rows)
    with client_of(tmp_path / "trading.db", tmp_path) as client:
        until(client, rows[-1].sequence)
        yield client


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://desk.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 400),
        ({"Authorization": ""}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": "", "Cookie": f"token={TOKEN}"}, 401),
    ],
    ids=str,
)
def test_who_may_not_look_hears_nothing(served: httpx.Client, headers: dict[str, str], status: int) -> None:
    with served.stream("GET", STREAM, params={"after": -1}, headers=headers) as answer:
        assert answer.status_code == status
        if status != 200:
            assert b"run_id" not in answer.read() and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "api_token"])
def test_a_token_in_the_address_opens_nothing(served: httpx.Client, name: str) -> None:
    """Addresses are written down by proxies and browsers; a page cannot give EventSource a header."""
    with served.stream("GET", STREAM, params={name: TOKEN}, headers={"Authorization": ""}) as answer:
        assert answer.status_code == 401


def test_a_stream_ends_when_its_token_is_revoked(
    served: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting, "LOOK_S", 0.0)
    book = TokenBook(tmp_path)
    token, _ = book.add("phone", READ)
    with served.stream("GET", STREAM, headers={"Authorization": f"Bearer {token}"}) as answer:
        pieces = answer.iter_raw()
        assert b"hello" in next(pieces) and next(pieces)
        book.revoke("phone")
        assert len(list(islice(pieces, 9))) <= 2, "it was ended by the server, and not by the client's patience"
