"""The web process: it follows what is written, keeps its token, starts and ends in order."""

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
from pathlib import Path

import httpx
import pytest

from crypto_bot.api.app import create_app
from crypto_bot.api.follow import Follower
from crypto_bot.api.serve import main, run
from crypto_bot.api.static import static_folder
from crypto_bot.api.token import is_token, load_token
from crypto_bot.domain.errors import UsageError
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow
from crypto_bot.persistence.lock import StateLock
from crypto_bot.persistence.runs import RunRecord, Runs
from tests.grid_run import RUN_ID, Grid
from tests.wire.serving import TOKEN, client_of, until, write


@pytest.fixture(scope="module")
def grid_rows() -> list[JournalRow]:
    return list(Grid(bars=600).rows())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, grid_rows: list[JournalRow]) -> Path:
    path = tmp_path_factory.mktemp("serve") / "trading.db"
    write(path, grid_rows)
    return path


# ---- following ---
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


def test_a_file_that_goes_while_it_is_read_is_told_and_the_next_one_followed(
    tmp_path: Path, grid_rows: list[JournalRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trading.db"
    write(path, grid_rows[:50])
    read = Journal.read

    def read_and_remove(journal: Journal, after: int, most: int) -> list[JournalRow]:
        rows = read(journal, after, most)
        for file in tmp_path.iterdir():
            file.unlink()
        return rows

    def problem() -> str | None:
        asyncio.run(follower.poll())
        return follower.problem

    follower = Follower(path)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "read", read_and_remove)
        assert problem() == f"{path} could not be used: No such file or directory"
    write(path, grid_rows[:60])
    assert problem() is None
    assert follower.replica is not None and follower.replica.sequence == 59
    follower.close()


def test_nothing_is_served_that_is_not_followed_any_more(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever supervises the process starts it again; a page that stands still would look like a quiet market."""
    app, failing = create_app(database, TOKEN, static_folder()), "something that nobody has thought of"

    async def serve_and_break() -> None:
        serving = asyncio.create_task(run(app, listener))
        while not hasattr(app.state, "following"):
            await asyncio.sleep(0.01)
        monkeypatch.setattr(app.state.follower, "_fetch", lambda: int(failing))
        await asyncio.wait_for(serving, 60)

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ValueError, match=failing):
        asyncio.run(serve_and_break())


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


# ---- the token ---
def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "State"
    token = load_token(folder, {})
    assert len(token) >= 43 and load_token(folder, {"API_TOKEN": ""}) == token
    assert stat.S_IMODE((folder / "api_token").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["api_token"]
    assert load_token(folder, {"API_TOKEN": " Nh7-given-by-us-2 "}) == "Nh7-given-by-us-2"
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


# ---- the process ---
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
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        assert client.get("/health").headers.get("server") is None
        seconds = []
        for _ in range(20):
            before = time.perf_counter()
            assert client.get("/api/status").status_code == 200
            seconds.append(time.perf_counter() - before)
        assert min(seconds) < 0.03, "an answer waits for the network's delayed acknowledgement"
        child.send_signal(number)
        told, complaint = child.communicate(timeout=60)
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
    assert httpx.get(f"{url}/health").status_code == 200
    parent.kill()
    parent.communicate()
    for _ in range(1_200):
        try:
            httpx.get(f"{url}/health", timeout=60)
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


def test_the_first_answer_already_knows_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    write(path, list(Grid(bars=1_200).rows()))
    app = create_app(path, TOKEN, static_folder())

    async def first_answer() -> int:
        async with app.router.lifespan_context(app):
            replica = app.state.follower.replica
            return replica.slices if replica else 0

    assert asyncio.run(first_answer()) == 1_200


def test_the_event_loop_is_not_held_while_a_long_journal_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    write(path, list(Grid(bars=2_500).rows()))
    app = create_app(path, TOKEN, static_folder())
    follower = app.state.follower

    async def most_at_once() -> int:
        """Return how many rows were applied between two turns of everybody else."""
        following = asyncio.create_task(follower.follow())
        most, before = 0, -1
        while follower.replica is None or follower.replica.slices < 2_500:
            await asyncio.sleep(0)
            now = -1 if follower.replica is None else follower.replica.sequence
            most, before = max(most, now - before), now
        following.cancel()
        return most

    assert 0 < asyncio.run(most_at_once()) <= 500
