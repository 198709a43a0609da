"""What the API tells of positions, limits, runs, stories, alerts and advice, over a real database."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from crypto_bot.api.limits_view import TRIPPED
from crypto_bot.kernel import layout
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import JournalRow
from crypto_bot.persistence.models import AlertLog, Recommendation
from crypto_bot.persistence.run_record import RunRecord
from crypto_bot.persistence.runs import Runs
from crypto_bot.persistence.unit_of_work import UnitOfWork
from tests.grid_run import BAR_NS, RUN_ID, START_NS, Grid
from tests.wire.serving import client_of, until, write

LIMITS = {"limits": {"drawdown_ppm": 150_000, "daily_loss_ppm": 50_000, "exposure_ppm": 0, "symbol_exposure_ppm": 1}}
BARS = 200


def grid_rows(bars: int = BARS) -> list[JournalRow]:
    """Return a run whose first row tells its limits."""
    first, *rest = Grid(bars=bars).rows()
    payload = json.loads(first.payload)
    payload["settings"]["simulation"] = LIMITS
    return [JournalRow(0, first.time_ns, "START", json.dumps(payload), "{}", first.decisions_hash), *rest]


def halted(after: JournalRow, bits: int, reason: str) -> JournalRow:
    outcome = {"halt": bits, "decisions": [{"kind": "halt", "reason": reason}]}
    return JournalRow(after.sequence + 1, after.time_ns, "LIMIT", "{}", json.dumps(outcome), "0")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    path, rows = tmp_path_factory.mktemp("reads") / "trading.db", grid_rows()
    write(path, rows)
    with Database.open(path) as database:
        summary = {"total_return": 0.05, "sharpe": 1.2, "trades": 7, "final_equity": "10500", "unheard": [1]}
        manifest = {"strategies": ["simple_ma"], "params": {"fast": 5}, "symbols": ["BTC/USDT"], "timeframe": "1d"}
        told = json.dumps(manifest), json.dumps(summary)
        Runs(database).start(RunRecord("20230101-000000-0001", "backtest", "backtest", "finished", 5, 6, *told))
        Runs(database).start(RunRecord("20230101-000000-0002", "backtest", "backtest", "failed", 4, None, "[", "7"))
        with UnitOfWork(database) as work:
            for number, text in enumerate(("one", "two", "three")):
                work.alerts.add(
                    AlertLog(timestamp=number, severity="warning", channel="log", message=text, delivered=True)
                )
            work.recommendations.add(
                Recommendation(
                    timestamp=1, symbol="BTC/USDT", timeframe="1h", strategy="grid", status="abstains",
                    take_profit_ppm=20_000, stop_loss_ppm=None, confidence_ppm=510_000, details="{}",
                )
            )  # fmt: skip
            work.commit()
    with client_of(path) as opened:
        until(opened, rows[-1].sequence)
        yield opened


def test_what_is_held_and_earned_adds_up(client: httpx.Client) -> None:
    status, told = client.get("/api/status").json(), client.get("/api/pnl").json()
    (position,) = client.get("/api/positions").json()["items"]
    assert told["pnl"] == status["pnl"] and told["equity"] == status["equity"]
    assert Decimal(position["value"]) + Decimal(status["cash"]) == Decimal(status["equity"])
    assert position["unrealised_pnl"] == told["pnl"]["unrealised"]
    assert (position["symbol"], position["strategy"], position["side"]) == ("BTC/USDT", "grid", "long")
    (strategy,) = client.get("/api/strategies").json()["items"]
    assert strategy["pnl"] == told["pnl"]["total"] == told["strategies"][0]["total"]
    assert (strategy["trades"], strategy["open_orders"]) == (status["trades"], status["open_orders"])
    assert strategy["parameters"]["num_grids"] == 18 and strategy["state"] == "running"


@pytest.mark.parametrize("path", ["positions", "orders", "strategies"])
@pytest.mark.parametrize("words", ["symbol=ETH/USDT", "strategy=other"])
def test_a_filter_that_nothing_meets_leaves_nothing(client: httpx.Client, path: str, words: str) -> None:
    if path != "strategies":
        assert client.get(f"/api/{path}?{words}").json() == {"items": [], "next": None}
    assert client.get(f"/api/{path}?cursor=999").json() == {"items": [], "next": None}


def test_filters_narrow(client: httpx.Client) -> None:
    orders = client.get("/api/orders").json()["items"]
    buys = client.get("/api/orders", params={"side": "buy", "symbol": "BTC/USDT", "strategy": "grid"}).json()["items"]
    assert buys and buys == [order for order in orders if order["side"] == "buy"]
    trades = client.get("/api/trades?limit=1000").json()["items"]
    sells = client.get("/api/trades", params={"side": "sell", "limit": 3}).json()
    assert sells["items"] == [trade for trade in trades if trade["side"] == "sell"][:3] and sells["next"]


def test_trades_of_a_time_are_those_of_that_time_in_memory_and_in_the_table(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trades = client.get("/api/trades?limit=1000").json()["items"]
    since, until_ = trades[-3]["time"], trades[2]["time"]
    wanted = [trade["sequence"] for trade in trades if since <= trade["time"] <= until_]
    assert 0 < len(wanted) < len(trades)
    monkeypatch.setattr("crypto_bot.api.replica.TRADES_KEPT", 4)
    rows = grid_rows()
    write(tmp_path / "trading.db", rows)
    with client_of(tmp_path / "trading.db") as forgetful:
        until(forgetful, rows[-1].sequence)
        for each in (client, forgetful):
            found = each.get("/api/trades", params={"since": since, "until": until_, "limit": 1000}).json()["items"]
            assert [trade["sequence"] for trade in found] == wanted
    day = trades[0]["time"][:10]
    assert client.get("/api/trades", params={"until": day}).json()["items"][0] == trades[0], "a date is its whole day"
    wrong = client.get("/api/trades?since=yesterday")
    assert wrong.status_code == 422 and wrong.json()["detail"].startswith("since: ")


def test_filtered_trades_go_on_where_the_replica_has_forgotten_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crypto_bot.api.replica.TRADES_KEPT", 4)
    rows = grid_rows()
    write(tmp_path / "trading.db", rows)
    wanted = [row.sequence for row in reversed(rows) if row.kind == "FILL" and json.loads(row.payload)["side"] < 0]
    with client_of(tmp_path / "trading.db") as client:
        until(client, rows[-1].sequence)
        found: list[int] = []
        cursor: str | None = str(rows[-1].sequence + 1)
        while cursor is not None:
            page = client.get("/api/trades", params={"side": "sell", "limit": 3, "cursor": cursor}).json()
            found, cursor = found + [trade["sequence"] for trade in page["items"]], page["next"]
    assert found == wanted


def test_limits_tell_their_use_and_a_halt_its_limit(client: httpx.Client, tmp_path: Path) -> None:
    risk, status = client.get("/api/risk").json(), client.get("/api/status").json()
    limits = {each["id"]: each for each in risk["limits"]}
    assert set(limits) == {"daily_loss", "drawdown", "symbol_exposure"}, "a limit of 0 is none"
    assert limits["drawdown"]["used"] == pytest.approx(-status["drawdown"]["now"], abs=1e-6)
    assert limits["symbol_exposure"]["used"] == pytest.approx(status["exposure"], abs=1e-6)
    assert (limits["daily_loss"]["limit"], limits["daily_loss"]["unit"]) == (0.05, "ratio")
    assert risk["breaker"] == dict.fromkeys(risk["breaker"]) | {"state": "closed"}
    rows = grid_rows(40)
    rows.append(halted(rows[-1], layout.HALT_DAILY_LOSS, "the daily loss limit"))
    write(tmp_path / "trading.db", rows)
    with client_of(tmp_path / "trading.db") as other:
        status = until(other, rows[-1].sequence)
        breaker = other.get("/api/risk").json()["breaker"]
        told = other.get("/metrics").text
    assert (breaker["state"], breaker["tripped_by"]) == ("open", "daily_loss")
    assert breaker["reopens_at"] == status["halt"]["reopens_at"] == "2023-06-23T00:00:00Z"  # type: ignore[index] # JSON
    assert 'cryptotrader_halted{by="daily_loss"} 1' in told and status["state"] == "halted"


def test_the_bits_of_a_halt_are_the_kernels() -> None:
    names = {
        "HALT_DRAWDOWN": "drawdown",
        "HALT_DAILY_LOSS": "daily_loss",
        "HALT_OPERATOR": "operator",
        "HALT_LAW": "law",
    }
    for name, told in names.items():
        assert TRIPPED[getattr(layout, name)] == told


def test_runs_tell_backtests_and_sessions(client: httpx.Client) -> None:
    first = client.get("/api/runs", params={"limit": 1}).json()
    rest = client.get("/api/runs", params={"limit": 5, "cursor": first["next"]}).json()
    items = first["items"] + rest["items"]
    assert [item["run_id"] for item in items] == ["20230101-000000-0001", "20230101-000000-0002", RUN_ID]
    assert rest["next"] is None and client.get("/api/runs?kind=run").json()["items"] == items[2:]
    told = items[0]
    assert (told["strategy"], told["params"], told["symbol"], told["trades"]) == (
        "simple_ma",
        {"fast": 5},
        "BTC/USDT",
        7,
    )
    assert (told["total_return"], told["sharpe"], told["final_equity"], told["progress"]) == (0.05, 1.2, "10500", 1.0)
    assert items[1]["total_return"] is None and items[1]["state"] == "failed", "what cannot be read tells nothing"
    assert client.get("/api/runs?cursor=20990101-000000-0000").status_code == 404
    assert client.get("/api/runs?cursor=x").status_code == 422


def test_the_story_of_an_order_goes_from_decision_to_result(client: httpx.Client) -> None:
    filled = client.get("/api/trades?side=sell&limit=1").json()["items"][0]
    story = client.get(f"/api/why/{filled['order_id']}").json()
    kinds = [step["kind"] for step in story["steps"]]
    assert kinds[0] == "risk" and kinds[-2:] == ["fill", "result"]
    facts = dict(story["steps"][-2]["facts"])
    assert Decimal(facts["price"]) == Decimal(filled["price"]) and story["steps"][-2]["time"] == filled["time"]
    missing = client.get("/api/why/999999")
    assert missing.status_code == 404 and "no order 999999" in missing.json()["detail"]
    assert client.get("/api/why/none").status_code == 422


def test_alerts_and_advice_come_newest_first_by_pages(client: httpx.Client) -> None:
    first = client.get("/api/alerts?limit=2").json()
    rest = client.get("/api/alerts", params={"cursor": first["next"]}).json()
    assert [alert["text"] for alert in first["items"] + rest["items"]] == ["three", "two", "one"]
    assert rest["next"] is None and first["items"][0]["level"] == "warning"
    loud = client.get("/api/alerts?level=warning").json()["items"]
    assert loud == [alert for alert in first["items"] + rest["items"] if alert["level"] == "warning"]
    assert client.get("/api/alerts?level=error").json()["items"] == []
    (advice,) = client.get("/api/recommendations").json()["items"]
    assert (advice["status"], advice["confidence"], advice["tp_pct"], advice["sl_pct"]) == (
        "abstains",
        0.51,
        0.02,
        None,
    )


def test_candles_go_on_in_the_table_where_the_run_has_none(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[list[int | str]] = []
    before: str | None = None
    while True:
        answer = client.get("/api/ohlcv", params={"limit": 30} | ({"before": before} if before else {})).json()
        pages, before = answer["items"] + pages, answer["next"]
        if before is None:
            break
    assert [item[0] for item in pages] == [(START_NS + k * BAR_NS) // 10**9 for k in range(BARS)]
    monkeypatch.setattr("crypto_bot.api.series.CANDLES_KEPT", 10)
    monkeypatch.setattr("crypto_bot.api.series._TRIM", 1)
    rows = grid_rows()
    write(tmp_path / "trading.db", rows)
    with client_of(tmp_path / "trading.db") as other:
        until(other, rows[-1].sequence)
        assert other.get("/api/ohlcv?limit=1000").json()["items"] == pages
        other_symbol = other.get("/api/ohlcv?symbol=ETH/USDT")
    assert other_symbol.status_code == 404 and "no candles of it are stored" in other_symbol.json()["detail"]


def test_metrics_are_text_that_prometheus_reads(client: httpx.Client) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    line = re.compile(r'[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+-]+')
    samples = [text for text in answer.text.splitlines() if not text.startswith("#")]
    assert samples and all(line.fullmatch(text) for text in samples)
    equity = next(text for text in samples if text.startswith("cryptotrader_equity "))
    assert float(equity.split()[1]) == pytest.approx(float(client.get("/api/status").json()["equity"]))
    assert 'route="/api/status",status="200"' in client.get("/metrics").text


def test_before_the_first_run_every_list_is_empty(tmp_path: Path) -> None:
    with client_of(tmp_path / "none.db") as client:
        for path in ("orders", "positions", "strategies", "trades", "runs", "alerts", "recommendations"):
            assert client.get(f"/api/{path}").json() == {"items": [], "next": None}
        assert client.get("/api/pnl").json()["pnl"] is None and client.get("/api/risk").json()["limits"] == []
        assert client.get("/api/why/1").status_code == 404 and client.get("/metrics").status_code == 200
