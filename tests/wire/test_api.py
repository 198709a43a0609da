"""The API over a real database: who may ask, and what is answered."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from crypto_bot.api.origin import host_name
from crypto_bot.api.problem import POLICY
from crypto_bot.api.static import open_paths
from crypto_bot.persistence.journal import JournalRow
from tests.grid_run import RUN_ID, Grid
from tests.wire.serving import BEARER, TOKEN, client_of, until, write

READS = (
    "/api/status", "/api/pnl", "/api/equity", "/api/orders", "/api/positions", "/api/strategies", "/api/trades",
    "/api/ohlcv", "/api/risk", "/api/alerts", "/api/runs", "/api/recommendations", "/api/why/{order_id}",
)  # fmt: skip


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


# ---- who may come in ---
def test_health_is_open_and_says_nothing_more(client: httpx.Client) -> None:
    answer = client.get("/health", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {"status": "up"})


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \u00e9"],
)
def test_everything_else_needs_the_token(client: httpx.Client, header: str) -> None:
    paths = client.get("/openapi.json").json()["paths"].keys() - {"/health"}
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
    assert answer.status_code == 403 and not [name for name in answer.headers if name.startswith("access-control")]
    preflight = client.options(
        "/api/status",
        headers={"Origin": "https://evil.example", "Authorization": "", "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status_code == 403 and "access-control-allow-origin" not in preflight.headers


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


# ---- what is answered ---
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
        ("/api/ohlcv?timeframe=7x", 422, "timeframe"),
        ("/api/ohlcv?timeframe=5m", 404, "not a multiple of the run's 15m"),
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
        monkeypatch.setattr("crypto_bot.api.desk_routes.status_of", fail)
        answer = client.get("/api/status")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "inside" not in answer.text and answer.headers["content-security-policy"] == POLICY


def test_openapi_tells_every_read_with_its_shape_and_the_token(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert set(READS) | {"/health", "/metrics"} <= set(document["paths"])
    for path in READS:
        operation = document["paths"][path]["get"]
        assert operation["security"] == [{"HTTPBearer": []}]
        assert "$ref" in operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert "401" in operation["responses"]
