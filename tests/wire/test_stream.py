"""The stream: every event once, in order, resumed where a client was cut off; a slow or a late one is told so."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import httpx
import msgspec
import pytest

from crypto_bot.api import frames, stream
from crypto_bot.api.follow import Follower
from crypto_bot.api.frames import PANELS, Tail
from crypto_bot.api.meter import Meter
from crypto_bot.api.replica import Replica, Trade
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.runs import RunRecord, Runs
from tests.grid_run import RUN_ID, Grid
from tests.wire.serving import TOKEN, client_of, until, write

Events = Iterator[dict[str, str]]


@pytest.fixture(scope="module")
def rows() -> list[JournalRow]:
    return list(Grid(bars=120).rows())


@contextmanager
def listening(client: httpx.Client, **asked: "str | int") -> Iterator[Events]:
    """Open the stream; give its events as they come, with comments under `beat`."""
    headers = {"Last-Event-ID": str(asked.pop("last"))} if "last" in asked else {}
    with client.stream("GET", "/api/stream", params=asked, headers=headers) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Events:
    found: dict[str, str] = {}
    for line in lines:
        if not line and found:
            yield found
            found = {}
        elif line:
            name, _, value = line.partition(": ")
            found[name or "beat"] = value


def told(found: Events, count: int) -> list[dict[str, str]]:
    """Return so many numbered events."""
    return list(islice((each for each in found if "id" in each), count))


def append(path: Path, rows: list[JournalRow]) -> None:
    with Database.open(path) as database, Journal(database, RUN_ID, Projector(database, RUN_ID)) as journal:
        journal.append(rows)


def test_everything_behind_a_number_comes_once_and_in_order(tmp_path: Path, rows: list[JournalRow]) -> None:
    write(tmp_path / "a.db", rows)
    with client_of(tmp_path / "a.db") as client:
        until(client, rows[-1].sequence)
        with listening(client, after=-1) as found:
            hello = next(found)
            everything = told(found, len(rows))
        with listening(client, last=50) as found:
            rest = told(found, 3)
        with listening(client, after=60, last=50) as found:
            assert told(found, 1)[0]["id"] == "61", "what the address says counts"
    assert hello["event"] == "hello" and json.loads(hello["data"]) == {"run_id": RUN_ID, "sequence": rows[-1].sequence}
    assert [int(event["id"]) for event in everything] == [row.sequence for row in rows]
    assert [event["event"] for event in everything] == [row.kind.lower() for row in rows]
    assert rest == everything[51:54]
    for event in everything:
        data = json.loads(event["data"])
        assert (data["sequence"], data["run_id"]) == (int(event["id"]), RUN_ID)
        assert tuple(data["panels"]) == PANELS[event["event"].upper()]


def test_an_event_tells_what_the_lists_tell(tmp_path: Path, rows: list[JournalRow]) -> None:
    write(tmp_path / "a.db", rows)
    with client_of(tmp_path / "a.db") as client:
        until(client, rows[-1].sequence)
        with listening(client, after=-1) as found:
            data = [json.loads(event["data"]) for event in told(found, len(rows))]
        trades = client.get("/api/trades?limit=1000").json()["items"]
        candles = client.get("/api/ohlcv?limit=1000").json()["items"]
        status = client.get("/api/status").json()
    assert [each["trade"] for each in data if each["kind"] == "fill"] == trades[::-1]
    assert [each["candles"]["BTC/USDT"] for each in data if each["kind"] == "slice"] == candles
    assert [each["equity"] for each in data if each["kind"] == "slice"][-1] == status["equity"]


def test_without_a_number_only_what_is_new_comes_and_at_once(tmp_path: Path, rows: list[JournalRow]) -> None:
    path = tmp_path / "a.db"
    write(path, rows[:-5])
    with client_of(path) as client:
        until(client, rows[-6].sequence)
        with listening(client) as found:
            assert next(found)["event"] == "hello"
            threading.Timer(0.1, append, (path, rows[-5:])).start()
            assert [int(event["id"]) for event in told(found, 5)] == [row.sequence for row in rows[-5:]]


def test_silence_is_told_by_a_beat(tmp_path: Path, rows: list[JournalRow]) -> None:
    write(tmp_path / "a.db", rows)
    with client_of(tmp_path / "a.db") as client:
        until(client, rows[-1].sequence)
        with listening(client) as found:
            next(found)
            assert list(islice(found, 3)) == [{"beat": "beat"}] * 3
    assert stream.BEAT_S <= 0.5, "a page that hears nothing for a second says that it is cut off"


def test_what_is_no_longer_in_memory_is_read_from_the_journal(
    tmp_path: Path, rows: list[JournalRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crypto_bot.api.frames.FRAMES_KEPT", 10)
    monkeypatch.setattr(stream, "_AT_ONCE", 7)
    write(tmp_path / "a.db", rows)
    with client_of(tmp_path / "a.db") as client:
        until(client, rows[-1].sequence)
        with listening(client, after=3) as found:
            numbers = [int(event["id"]) for event in told(found, len(rows) - 4)]
    assert numbers == [row.sequence for row in rows[4:]]


def test_who_is_too_far_behind_or_ahead_begins_anew(
    tmp_path: Path, rows: list[JournalRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEHIND_MOST", 100)
    path = tmp_path / "a.db"
    write(path, rows[:-3])
    with client_of(path) as client:
        until(client, rows[-4].sequence)
        for after in (2, 10_000_000):
            with listening(client, after=after) as found:
                assert [next(found)["event"] for _ in range(2)] == ["hello", "reset"]
        with listening(client, after=rows[-4].sequence) as found:
            assert next(found)["event"] == "hello"
            with Database.open(path) as database:
                Runs(database).start(RunRecord("20300101-000000-0001", "run", "forward", "running", 2))
                with Journal(database, "20300101-000000-0001") as journal:
                    journal.append(rows[:2])
            anew = next(event for event in found if "beat" not in event)
            assert anew["event"] == "reset" and json.loads(anew["data"])["run_id"] == "20300101-000000-0001"


def test_streams_are_counted_and_end_with_their_clients(
    tmp_path: Path, rows: list[JournalRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "STREAMS_MOST", 2)
    write(tmp_path / "a.db", rows)
    with client_of(tmp_path / "a.db") as client:
        with listening(client) as first, listening(client) as second:
            next(first), next(second)
            refused = client.get("/api/stream")
            assert refused.status_code == 503 and "cryptotrader_streams 2" in client.get("/metrics").text
        until_metric(client, "cryptotrader_streams 0")


@pytest.mark.parametrize("asked", ["after=x", "after=-2", "from=3"])
def test_a_wrong_number_is_refused(tmp_path: Path, asked: str) -> None:
    with client_of(tmp_path / "none.db") as client:
        assert client.get(f"/api/stream?{asked}").status_code == 422
        assert client.get("/api/stream", headers={"Last-Event-ID": "x"}).status_code == 422


def test_a_client_that_reads_nothing_is_let_go_and_holds_no_events(
    tmp_path: Path, rows: list[JournalRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PATIENCE_S", 0.1)
    write(tmp_path / "a.db", rows)

    async def try_it() -> bool:
        follower = Follower(tmp_path / "a.db")
        await follower.catch_up()
        answer = stream.EventStream(follower, -1, Meter())

        async def never(_: object) -> None:
            await asyncio.sleep(3600)

        async def silent() -> dict[str, str]:
            await asyncio.sleep(3600)
            return {"type": "http.disconnect"}

        calls = 0

        async def send(message: object) -> None:
            nonlocal calls
            calls += 1
            if calls > 1:
                await never(message)

        async with asyncio.timeout(60):
            await answer({"type": "http"}, silent, send)
        follower.close()
        return calls == 2

    assert asyncio.run(try_it())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 400),
        ({"Origin": "https://desk.example"}, 200),
    ],
)
def test_only_who_may_read_follows_and_no_page_of_others(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with client_of(tmp_path / "none.db") as client:
        with client.stream("GET", "/api/stream", headers=headers) as answer:
            assert answer.status_code == status
            if status == 200:
                assert answer.headers["access-control-allow-origin"] == headers["Origin"]
                assert next(answer.iter_bytes()).startswith(b"event: hello")
        with client.stream("GET", f"/api/stream?token={TOKEN}", headers={"Authorization": ""}) as answer:
            assert answer.status_code == 401, "a token in an address is written into logs"


def test_a_client_that_reads_nothing_does_not_keep_others_from_their_events(
    tmp_path: Path, rows: list[JournalRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events large enough to fill every buffer on the way; the slow client is let go, the quick one misses nothing."""
    told_as = frames.event_of

    def large(row: JournalRow, trade: Trade | None, replica: Replica) -> frames.Event:
        return msgspec.structs.replace(told_as(row, trade, replica), reason="x" * 100_000)

    monkeypatch.setattr(frames, "event_of", large)
    monkeypatch.setattr(stream, "PATIENCE_S", 0.5)
    monkeypatch.setattr(stream, "_AT_ONCE", 5)
    write(tmp_path / "a.db", rows)
    with client_of(tmp_path / "a.db") as client:
        until(client, rows[-1].sequence)
        address = (client.base_url.host, client.base_url.port or 0)
        head = f"GET /api/stream?after=-1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        with socket.create_connection(address) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            slow.sendall(head.encode())
            assert slow.recv(15) == b"HTTP/1.1 200 OK"
            with listening(client, after=-1) as found:
                assert [int(event["id"]) for event in told(found, len(rows))] == [row.sequence for row in rows]
                until_metric(client, "cryptotrader_streams 1")


def until_metric(client: httpx.Client, line: str) -> None:
    deadline = time.monotonic() + 60
    while line not in client.get("/metrics").text:
        assert time.monotonic() < deadline, f"never: {line}"
        time.sleep(0.05)


def test_a_tail_without_events_has_none() -> None:
    assert not list(Tail().after(-1)) and Tail().first > 10**15
