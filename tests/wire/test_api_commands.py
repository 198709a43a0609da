"""What is ordered over HTTP: it reaches the engine once, with who and from where, or the answer says why not."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from crypto_bot.api.ordering import EMERGENCY_S
from crypto_bot.runtime.line import SOCKET
from tests.grid_run import Grid
from tests.small_runs import CROSS, Setting, walk
from tests.wire.engines import Engine, engine_at
from tests.wire.serving import client_of, until, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "trading.db", list(Grid(bars=30).rows()))
    return tmp_path


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    with engine_at(folder) as engine:
        yield engine


@pytest.fixture
def client(folder: Path) -> Iterator[httpx.Client]:
    with client_of(folder / "trading.db", folder) as opened:
        yield opened


def orders(engine: Engine) -> list[int]:
    assert engine.run is not None
    table = engine.run.session.stage.world.orders
    return [int(number) for number in table["id"][table["state"] != 0]]


def test_a_command_is_in_the_journal_with_who_why_and_from_where(engine: Engine, client: httpx.Client) -> None:
    told = client.post("/api/risk/halt", json={"reason": "news"}, headers={"Idempotency-Key": "n-1"})
    assert told.status_code == 200
    done = told.json()
    (row,) = [row for row in engine.journal.written if row.kind == "COMMAND"]
    assert json.loads(row.payload) == {
        "command": "halt", "reason": "news", "by": "local", "origin": "127.0.0.1", "key": "n-1",
    }  # fmt: skip
    assert (done["sequence"], done["run_id"], done["halted"], done["by"]) == (
        row.sequence, engine.journal.run_id, True, "local",
    )  # fmt: skip
    assert done["cancelled"] > 0 and done["result"] == "done"


@pytest.mark.parametrize(
    ("path", "body", "command"),
    [
        ("orders/cancel-all", None, "cancel_all"),
        ("orders/cancel-all", {"symbol": "COIN/USDT", "strategy": "grid", "reason": "x"}, "cancel_all"),
        ("risk/emergency-stop", None, "emergency_stop"),
        ("risk/emergency-stop", {}, "emergency_stop"),
        ("risk/emergency-stop", {"reason": "r", "flatten": True}, "emergency_stop"),
        ("risk/flatten", None, "flatten"),
        ("risk/resume", None, "resume"),
        ("risk/reset-circuit-breaker", {"reason": "checked"}, "reset"),
        ("strategies/grid/stop", None, "strategy_off"),
        ("strategies/grid/start", {"reason": "again"}, "strategy_on"),
    ],
)
def test_each_command_reaches_the_engine_once_for_its_key(
    engine: Engine, client: httpx.Client, path: str, body: dict[str, str] | None, command: str
) -> None:
    answers = [client.post(f"/api/{path}", json=body, headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200], answers[0].text
    assert answers[0].json() == answers[2].json() and len(engine.commands) == 1
    assert json.loads(engine.commands[0])["command"] == command
    other = client.post("/api/risk/halt", json={"reason": "other"}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 409 and "belongs to another command" in other.json()["detail"]
    client.post(f"/api/{path}", json=body)
    assert len(engine.commands) == 2, "without a key of its own each is another one"


def test_an_order_is_cancelled_by_its_number(engine: Engine, client: httpx.Client) -> None:
    number = orders(engine)[0]
    done = client.post("/api/orders/cancel", json={"order_id": str(number)})
    assert done.status_code == 200 and done.json()["cancelled"] == 1 and number not in orders(engine)
    again = client.post("/api/orders/cancel", json={"order_id": str(number)})
    assert again.status_code == 404 and again.json()["detail"] == f"order {number} is not open"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("orders/cancel", None, 422),
        ("orders/cancel", {"order_id": 7}, 422),
        ("orders/cancel", {"order_id": "7", "more": 1}, 422),
        ("risk/reset-circuit-breaker", None, 422),
        ("risk/reset-circuit-breaker", {"reason": ""}, 422),
        ("risk/emergency-stop", {"flatten": "yes"}, 422),
        ("orders/cancel-all", {"symbol": "X/Y"}, 404),
        ("strategies/none/stop", None, 404),
        ("strategies/none/parameters", {"parameters": {"fraction": 0.5}}, 404),
        ("strategies/grid/parameters", None, 422),
        ("strategies/grid/parameters", {"parameters": {}}, 422),
        ("strategies/grid/parameters", {"parameters": {"lower price": 1}}, 422),
        ("strategies/grid/parameters", {"parameters": {"lower_price": {"deep": 1}}}, 422),
        ("strategies/grid/parameters", {"parameters": {"lower_price": 1.5}}, 409),
    ],
)
def test_what_is_wrong_is_refused_and_leaves_no_row(
    engine: Engine, client: httpx.Client, path: str, body: dict[str, object] | None, status: int
) -> None:
    answer = client.post(f"/api/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert not engine.commands


def test_many_at_once_are_carried_out_one_after_the_other(engine: Engine, client: httpx.Client) -> None:
    answers: list[int] = []

    def send(key: str) -> None:
        answers.append(client.post("/api/risk/emergency-stop", headers={"Idempotency-Key": key}).json()["sequence"])

    threads = [threading.Thread(target=send, args=(f"key-{number % 5}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(engine.commands) == 5 and len(set(answers)) == 5


def test_without_an_engine_nothing_is_accepted_but_the_stop_which_leaves_the_flag_file(
    client: httpx.Client, folder: Path
) -> None:
    for path, body in (("risk/resume", None), ("orders/cancel", {"order_id": "1"}), ("risk/flatten", None)):
        answer = client.post(f"/api/{path}", json=body)
        assert answer.status_code == 503 and "no bot runs on" in answer.json()["detail"]
    assert not (folder / "HALT").exists()
    for path in ("risk/emergency-stop", "risk/emergency-stop", "risk/halt"):
        answer = client.post(f"/api/{path}")
        assert answer.status_code == 202 and answer.json()["result"] == "accepted" and answer.json()["halted"]
    assert (folder / "HALT").stat().st_mode & 0o777 == 0o600


def test_an_engine_that_hangs_is_stopped_by_the_flag_file_within_a_second(client: httpx.Client, folder: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(str(folder / SOCKET))
        deaf.listen()
        answer = client.post("/api/risk/emergency-stop", json={"reason": "now"})
        assert answer.status_code == 202 and answer.json()["result"] == "accepted"
    assert (folder / "HALT").exists()
    assert EMERGENCY_S < 1, "it is waited for the engine so long and no longer"


def test_what_became_of_a_command_is_found_by_its_key(folder: Path) -> None:
    rows = list(Grid(bars=30).rows())
    payload = {"command": "halt", "reason": "r", "by": "ana", "origin": "10.0.0.1", "key": "a.b"}
    outcome = {"halt": 4, "decisions": [{"kind": "halt", "reason": "the operator"}, {"kind": "cancel", "order_id": 3}]}
    last = rows[-1]
    rows.append(type(last)(last.sequence + 1, last.time_ns, "COMMAND", json.dumps(payload), json.dumps(outcome), "0"))
    other = folder / "other"
    other.mkdir()
    write(other / "trading.db", rows)
    with client_of(other / "trading.db", other) as client:
        status = until(client, rows[-1].sequence)
        told = client.get("/api/commands/a.b").json()
        assert client.get("/api/commands/none").status_code == 404
    assert (told["cancelled"], told["halted"], told["by"], told["origin"]) == (1, True, "ana", "10.0.0.1")
    assert status["halt"] == {"reason": "r", "by": "ana", "at": told["time"], "reopens_at": None}


def test_a_strategy_that_is_off_is_told_with_who_stopped_it(folder: Path) -> None:
    rows = list(Grid(bars=30).rows())
    last, texts = rows[-1], []
    for number, name in enumerate(("strategy_off", "strategy_on"), start=1):
        payload = json.dumps({"command": name, "reason": "late", "by": "ana", "strategy": "grid"})
        rows.append(type(last)(last.sequence + number, last.time_ns, "COMMAND", payload, "{}", "0"))
        write(folder / f"{number}.db", rows)
        with client_of(folder / f"{number}.db") as client:
            until(client, rows[-1].sequence)
            (strategy,) = client.get("/api/strategies").json()["items"]
            texts.append((strategy["state"], strategy["note"]))
    assert texts[0][0] == "off" and texts[0][1].startswith("stopped by ana at 2023-") and "late" in texts[0][1]
    assert texts[1] == ("running", None)


def test_a_changed_parameter_is_told_and_reaches_the_engine_once(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("cross")
    setting = Setting({"simple_ma": CROSS}, (walk(60),))
    write(place / "trading.db", list(Grid(bars=30).rows()))
    body = {"parameters": {"fraction": 0.25, "fast": 4}, "reason": "calmer"}
    with engine_at(place, setting=setting) as engine, client_of(place / "trading.db", place) as client:
        path, header = "/api/strategies/simple_ma/parameters", {"Idempotency-Key": "p-1"}
        answers = [client.post(path, json=body, headers=header) for _ in range(2)]
        wrong = client.post(path, json={"parameters": {"fraction": 2}})
    assert [each.status_code for each in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json() and answers[0].json()["reason"] == "calmer"
    (payload,) = [json.loads(each) for each in engine.commands]
    assert payload["params"] == body["parameters"] and payload["strategy"] == "simple_ma"
    assert wrong.status_code == 422 and "fraction must lie between 0 and 1" in wrong.json()["detail"]
    rows = list(Grid(bars=30).rows())
    last = rows[-1]
    told = json.dumps({"command": "parameters", "by": "ana", "strategy": "grid", "params": {"lower_price": 1.5}})
    rows.append(type(last)(last.sequence + 1, last.time_ns, "COMMAND", told, "{}", "0"))
    write(folder / "told.db", rows)
    with client_of(folder / "told.db") as client:
        until(client, rows[-1].sequence)
        (strategy,) = client.get("/api/strategies").json()["items"]
    assert strategy["parameters"]["lower_price"] == 1.5 and strategy["parameters"]["num_grids"] > 1
