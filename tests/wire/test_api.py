"""The API over a real database: who may ask, what is answered, and how the server starts and ends."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from crypto_bot.api.app import create_app
from crypto_bot.api.guard import host_name
from crypto_bot.api.problem import POLICY
from crypto_bot.api.serve import main
from crypto_bot.api.static import open_paths, static_folder
from crypto_bot.api.token import is_token, load_token
from crypto_bot.domain.errors import UsageError
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow
from crypto_bot.persistence.lock import StateLock
from crypto_bot.persistence.runs import RunRecord, Runs
from tests.grid_run import RUN_ID, Grid

TOKEN = "test-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
READS = ("/api/status", "/api/equity", "/api/orders", "/api/trades", "/api/ohlcv")


def write(path: Path, rows: list[JournalRow]) -> None:
    with Database.open(path) as database, Journal(database, RUN_ID) as journal:
        if not rows or rows[0].sequence == 0:
            Runs(database).start(RunRecord(RUN_ID, "run", "forward", "running", 1))
        journal.append(rows)


@contextmanager
def client_of(path: Path, state_folder: Path | None = None) -> Iterator[httpx.Client]:
    """Serve the application on loopback from a thread, and give a client that has the token."""
    app = create_app(path, TOKEN, static_folder(), state_folder=state_folder, hosts=["bot.example"])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            base = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=base, headers=BEARER, timeout=20) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def until(client: httpx.Client, sequence: int) -> dict[str, object]:
    for _ in range(200):
        status: dict[str, object] = client.get("/api/status").json()
        if status["sequence"] == sequence:
            return status
        time.sleep(0.02)
    raise AssertionError(f"the replica stays at {status['sequence']}: {status['problem']}")


@pytest.fixture(scope="module")
def grid_rows() -> list[JournalRow]:
    return list(Grid(bars=600).rows())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, grid_rows: list[JournalRow]) -> Path:
    path = tmp_path_factory.mktemp("api") / "trading.db"
    write(path, grid_rows)
    return path


@pytest.fixture(scope="module")
def client(database: Path, grid_rows: list[JournalRow]) -> Iterator[httpx.Client]:
    with client_of(database) as opened:
        until(opened, grid_rows[-1].sequence)
        yield opened


# ---- who may come in ---------------------------------------------------------------------------


def test_health_is_open_and_says_nothing_more(client: httpx.Client) -> None:
    answer = client.get("/health", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {"status": "up"})


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \u00e9"],
)
def test_everything_else_needs_the_token(client: httpx.Client, header: str) -> None:
    paths = client.get("/openapi.json").json()["paths"].keys() - {"/health"}
    assert paths == set(READS)
    for path in [*paths, "/openapi.json", "/metrics", "/docs", "/nothing", "/../etc/passwd", "/health/"]:
        answer = client.get(path, headers={b"authorization": header.encode("latin-1")})
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith('Bearer realm="cryptotrader"')
        assert answer.json()["status"] == 401 and answer.json()["title"] == "Unauthorized"
        assert TOKEN not in answer.text


def test_the_scheme_is_read_without_regard_to_case(client: httpx.Client) -> None:
    assert client.get("/api/status", headers={"Authorization": f"bearer  {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]:8080", "127.0.0.2"])
def test_a_foreign_host_name_is_refused_even_with_the_token(client: httpx.Client, host: str) -> None:
    for path in ("/api/status", "/health", "/"):
        answer = client.get(path, headers={"Host": host})
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:1", "[::1]:8080", "bot.example:443"])
def test_our_own_names_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/api/status", headers={"Host": host}).status_code == 200
    assert host_name(host) in ("localhost", "127.0.0.1", "::1", "bot.example")


def test_another_origin_gets_no_permission(client: httpx.Client) -> None:
    answer = client.get("/api/status", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = client.options(
        "/api/status",
        headers={"Origin": "https://evil.example", "Authorization": "", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status_code == 401 and "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize("path", ["/", "/app.js", "/health", "/api/status", "/api/none", "/api/ohlcv?limit=0"])
def test_every_answer_carries_the_safety_headers(client: httpx.Client, path: str) -> None:
    for headers in (BEARER, {"Authorization": ""}):
        answer = client.get(path, headers=headers)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == ("no-cache" if path in ("/", "/app.js") else "no-store")


def test_the_page_is_open_and_only_reading(client: httpx.Client) -> None:
    page = client.get("/", headers={"Authorization": ""})
    assert page.status_code == 200 and "<title>CryptoTrader</title>" in page.text
    assert client.get("/vendor/lightweight-charts.js", headers={"Authorization": ""}).status_code == 200
    assert client.post("/", headers={"Authorization": ""}).status_code == 401
    assert client.post("/").status_code == 405
    missing = client.get("/nothing.js")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_hidden_files_beside_the_page_are_not_open(tmp_path: Path) -> None:
    for name in ("index.html", ".secret", "sub/.git/config", "sub/a.css"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert open_paths(tmp_path) == {"/", "/index.html", "/sub/a.css"}


# ---- what is answered --------------------------------------------------------------------------


def test_status_tells_the_run_at_a_glance(client: httpx.Client, grid_rows: list[JournalRow]) -> None:
    status = client.get("/api/status").json()
    equity = json.loads(grid_rows[-1].outcome)["equity"]
    assert (status["run_id"], status["mode"], status["state"], status["problem"]) == (
        RUN_ID,
        "forward",
        "running",
        None,
    )
    assert (status["quote"], status["symbols"], status["timeframe"]) == ("USDT", ["BTC/USDT"], "15m")
    assert (status["venue"], status["environment"], status["feed"]["source"]) == ("binance", "recorded", "recorded")
    assert status["initial_equity"] == "25000" and float(status["equity"]) * 1e8 == pytest.approx(equity)
    pnl = status["pnl"]
    total = float(pnl["realised"]) + float(pnl["unrealised"]) - float(pnl["fees"])
    assert float(pnl["total"]) == pytest.approx(total) == pytest.approx(float(status["equity"]) - 25_000)
    assert status["drawdown"]["max"] <= status["drawdown"]["now"] <= 0 and status["drawdown"]["limit"] is None
    assert status["replica"]["age_ms"] < 5_000 and status["bars"] == 600


def test_equity_begins_with_the_initial_equity_and_ends_with_the_present_one(client: httpx.Client) -> None:
    points, status = client.get("/api/equity").json()["points"], client.get("/api/status").json()
    assert len(points) == 601
    assert points[0] == {"time": "2023-06-22T00:00:00Z", "equity": "25000", "buy_and_hold": "25000", "drawdown": 0.0}
    assert points[-1]["equity"] == status["equity"]
    assert float(points[-1]["buy_and_hold"]) / 25_000 - 1 == pytest.approx(status["pnl"]["buy_and_hold_pct"], abs=1e-7)
    assert client.get("/api/equity", params={"since": points[-2]["time"]}).json()["points"] == points[-1:]
    thin = client.get("/api/equity", params={"limit": 10}).json()["points"]
    assert (len(thin), thin[0], thin[-1]) == (10, points[0], points[-1])


def test_orders_come_by_pages(client: httpx.Client) -> None:
    whole = client.get("/api/orders").json()
    assert whole["next"] is None and len(whole["items"]) == 18
    first = whole["items"][0]
    assert first["price"].endswith(".00") and first["quantity"] == "0.02000" and first["filled"] == "0.00000"
    assert (first["symbol"], first["strategy"], first["type"], first["client_order_id"]) == (
        "BTC/USDT",
        "grid",
        "limit",
        None,
    )
    prices = [float(order["price"]) for order in whole["items"]]
    assert prices == sorted(prices, reverse=True)
    assert all((order["distance_pct"] > 0) == (order["side"] == "sell") for order in whole["items"])
    pages: list[dict[str, str]] = []
    cursor: str | None = "0"
    while cursor is not None:
        page = client.get("/api/orders", params={"limit": 7, "cursor": cursor}).json()
        pages, cursor = [*pages, *page["items"]], page["next"]
    assert pages == whole["items"]


def test_trades_come_by_pages_also_when_the_replica_has_forgotten_them(
    tmp_path: Path, grid_rows: list[JournalRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crypto_bot.api.replica.TRADES_KEPT", 20)
    write(tmp_path / "trading.db", grid_rows)
    fills = [json.loads(row.payload) for row in grid_rows if row.kind == "FILL"]
    with client_of(tmp_path / "trading.db") as client:
        until(client, grid_rows[-1].sequence)
        found, parameters = [], {"limit": "7"}
        while True:
            page = client.get("/api/trades", params=parameters).json()
            assert len(page["items"]) <= 7
            found += page["items"]
            if page["next"] is None:
                break
            parameters["cursor"] = page["next"]
    assert [trade["venue_trade_id"] for trade in found] == [str(fill["trade"]) for fill in reversed(fills)]
    assert found[-1]["side"] == "buy" and found[-1]["quantity"] == "0.18000" and found[-1]["realised_pnl"] is None
    newest = fills[-1]
    assert found[0]["price"] == f"{newest['price'] / 100:.2f}" and found[0]["fee"] == f"{newest['fee'] / 1e8:g}"
    assert [trade for trade in found[:20] if trade["side"] == "sell" and trade["realised_pnl"] is not None]


def test_candles_are_the_journals(client: httpx.Client, grid_rows: list[JournalRow]) -> None:
    answer = client.get("/api/ohlcv", params={"symbol": "BTC/USDT", "timeframe": "15m", "limit": 5}).json()
    slices = [json.loads(row.payload) for row in grid_rows if row.kind == "SLICE"][-5:]
    assert [item[0] for item in answer["items"]] == [one["time"] // 1_000_000_000 for one in slices]
    assert [[round(float(text) * 100) for text in item[1:5]] for item in answer["items"]] == [
        one["bars"][0][:4] for one in slices
    ]
    assert all(isinstance(text, str) for item in answer["items"] for text in item[1:])
    hours = client.get("/api/ohlcv", params={"timeframe": "1h"}).json()["items"]
    assert len(hours) == 150 and all(item[0] % 3_600 == 0 for item in hours)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/ohlcv?limit=0", 422, "limit"),
        ("/api/trades?limit=1001", 422, "limit"),
        ("/api/orders?limit=x", 422, "limit"),
        ("/api/orders?cursor=-1", 422, "cursor"),
        ("/api/equity?since=yesterday", 422, "since"),
        ("/api/ohlcv?symbol=DOGE/USDT", 404, "BTC/USDT, not DOGE/USDT"),
        ("/api/ohlcv?timeframe=7x", 422, "7x"),
        ("/api/ohlcv?timeframe=5m", 422, "not a multiple of the run's 15m"),
        ("/api/unknown", 404, "nothing here"),
    ],
)
def test_a_wrong_question_is_answered_by_a_problem(client: httpx.Client, path: str, status: int, words: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"] and set(answer.json()) == {"type", "title", "status", "detail"}


def test_a_failure_of_ours_tells_nothing_of_its_inside(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the inside")

    with client_of(database) as client:
        monkeypatch.setattr("crypto_bot.api.app.status_of", fail)
        answer = client.get("/api/status")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "inside" not in answer.text and answer.headers["content-security-policy"] == POLICY


def test_openapi_tells_every_read_with_its_shape_and_the_token(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert set(READS) | {"/health"} == set(document["paths"])
    for path in READS:
        operation = document["paths"][path]["get"]
        assert operation["security"] == [{"HTTPBearer": []}]
        assert "$ref" in operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert "401" in operation["responses"]


# ---- following ---------------------------------------------------------------------------------


def test_it_waits_for_a_database_and_then_follows_it(tmp_path: Path, grid_rows: list[JournalRow]) -> None:
    path = tmp_path / "State" / "trading.db"
    with client_of(path) as client:
        status = client.get("/api/status").json()
        assert (status["state"], status["run_id"], status["equity"]) == ("starting", None, None)
        assert client.get("/api/ohlcv").status_code == 404
        assert client.get("/api/trades").json() == {"items": [], "next": None}
        write(path, grid_rows[:50])
        assert until(client, 49)["state"] == "running"
        write(path, grid_rows[50:90])
        assert until(client, 89)["problem"] is None


def test_it_turns_to_a_new_run_and_to_a_new_file(tmp_path: Path, grid_rows: list[JournalRow]) -> None:
    path = tmp_path / "trading.db"
    write(path, grid_rows[:50])
    with client_of(path) as client:
        until(client, 49)
        with Database.open(path) as database:
            Runs(database).start(RunRecord("20270101-000000-0001", "run", "forward", "running", 2))
            Runs(database).start(RunRecord("20270101-000000-0002", "backtest", "backtest", "finished", 3))
        assert until(client, -1)["run_id"] == "20270101-000000-0001"
        for file in tmp_path.iterdir():
            file.unlink()
        write(path, grid_rows[:60])
        assert until(client, 59)["run_id"] == RUN_ID


def test_a_broken_row_is_told_and_what_came_before_stays(tmp_path: Path, grid_rows: list[JournalRow]) -> None:
    path = tmp_path / "trading.db"
    write(path, grid_rows[:50])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE journal SET payload = substr(payload, 1, 20) WHERE sequence = 40")
    connection.close()
    with client_of(path) as client:
        until(client, 39)
        time.sleep(0.5)
        status = client.get("/api/status").json()
        assert status["sequence"] == 39 and "row 40 (" in status["problem"]


def test_it_tells_a_dead_engine_from_a_living_one(tmp_path: Path, grid_rows: list[JournalRow]) -> None:
    path = tmp_path / "trading.db"
    write(path, grid_rows[:50])
    with client_of(path, tmp_path) as client:
        with StateLock(tmp_path):
            status = until(client, 49)
            assert (status["state"], status["problem"]) == ("running", None)
        status = client.get("/api/status").json()
        assert status["state"] == "stopped" and "ended without a word" in status["problem"]
        with Database.open(path) as database:
            Runs(database).finish(RUN_ID, "finished", "{}")
        for _ in range(100):
            status = client.get("/api/status").json()
            if status["state"] == "finished":
                break
            time.sleep(0.02)
        assert (status["state"], status["problem"], status["feed"]["state"]) == ("finished", None, "ended")


def test_readers_see_whole_rows_while_a_writer_writes(tmp_path: Path, grid_rows: list[JournalRow]) -> None:
    path = tmp_path / "trading.db"
    write(path, grid_rows[:1])

    def keep_writing() -> None:
        with Database.open(path) as database, Journal(database, RUN_ID) as journal:
            for row in grid_rows[1:]:
                journal.append([row])

    writer = threading.Thread(target=keep_writing)
    with client_of(path) as client:
        writer.start()
        seen: set[int] = set()
        while writer.is_alive() or max(seen) < grid_rows[-1].sequence:
            status, points = client.get("/api/status").json(), client.get("/api/equity?limit=1").json()["points"]
            assert status["problem"] is None
            assert not points or len(points) == 1
            seen.add(status["sequence"])
        writer.join()
    assert max(seen) == grid_rows[-1].sequence


# ---- the token ---------------------------------------------------------------------------------


def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "State"
    token = load_token(folder, {})
    assert len(token) >= 43 and load_token(folder, {"API_TOKEN": ""}) == token
    assert stat.S_IMODE((folder / "api_token").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["api_token"]
    assert load_token(folder, {"API_TOKEN": " given "}) == "given"
    (folder / "api_token").chmod(0o644)
    with pytest.raises(UsageError, match="can be read by others"):
        load_token(folder, {})


@pytest.mark.parametrize("content", ["", "two words", "t\u00f6ken", "line\nbreak"])
def test_a_token_that_no_header_can_carry_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "api_token").touch(mode=0o600)
    (tmp_path / "api_token").write_text(content)
    with pytest.raises(UsageError, match="no usable token"):
        load_token(tmp_path, {})
    assert not is_token(content, "other")


# ---- the process -------------------------------------------------------------------------------


def serve(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "crypto_bot.api.serve", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **environment})


def address(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line, child.communicate()[1]
    url: str = json.loads(line)["url"]
    return url


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_on_a_free_port_and_ends_in_order(database: Path, tmp_path: Path, number: int) -> None:
    child = serve("--state", str(tmp_path / "State"), "--database", f"sqlite+aiosqlite:///{database}", "--port", "0")
    url = address(child)
    token = (tmp_path / "State" / "api_token").read_text().strip()
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/health").headers.get("server") is None
        assert client.get("/api/status").status_code == 200
        child.send_signal(number)
        told, complaint = child.communicate(timeout=10)
    assert (child.returncode, told, complaint) == (0, "", "")


def test_it_ends_when_the_process_that_started_it_is_gone(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'crypto_bot.api.serve', '--state', sys.argv[1], '--port', '0',"
        " '--exit-with-parent'], stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url = json.loads(parent.stdout.readline())["url"]
    assert httpx.get(f"{url}health").status_code == 200
    parent.kill()
    parent.communicate()
    for _ in range(100):
        try:
            httpx.get(f"{url}health")
        except httpx.TransportError:
            return
        time.sleep(0.05)
    raise AssertionError("the server outlived its parent")


def test_a_taken_port_and_an_open_address_are_usage_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--state", str(tmp_path), "--port", port]) == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err
    assert main(["--state", str(tmp_path), "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "--behind-proxy" in capsys.readouterr().err
    assert main(["--state", str(tmp_path), "--port", "70000"]) == 2


def test_the_web_process_carries_neither_compiler_nor_exchange() -> None:
    names = ("numba", "ccxt", "polars", "pyarrow", "alembic", "numpy")
    code = f"import crypto_bot.api.serve, sys; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_event_loop_is_not_held_while_a_long_journal_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    write(path, list(Grid(bars=6_000).rows()))
    app = create_app(path, TOKEN, static_folder())
    follower = app.state.follower

    async def longest_pause() -> float:
        following = asyncio.create_task(follower.follow())
        worst, before = 0.0, time.perf_counter()
        while follower.replica is None or follower.replica.slices < 6_000:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            worst, before = max(worst, now - before), now
        following.cancel()
        return worst

    assert asyncio.run(longest_pause()) < 0.25
