"""The whole bot on PostgreSQL: it trades, is killed, goes on, and its page reads the same rows."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from crypto_bot.persistence.comparing import check_runs
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.runs import Runs
from tests.postgres import Server

pytestmark = pytest.mark.slow

TRADE = (
    "--strategy", "grid", "--symbol", "BTC/USDT", "--timeframe", "1h",
    "--from", "2023-03-14", "--to", "2023-03-16", "--json",
)  # fmt: skip


def bot(state: Path, url: str, *words: str) -> "subprocess.Popen[str]":
    line = [sys.executable, "-m", "crypto_bot", *words, "--state", str(state)]
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_a_killed_run_goes_on_and_decides_as_if_it_never_was(postgres: Server, tmp_path: Path) -> None:
    url = postgres.new_database()
    slow = bot(tmp_path / "a", url, "run", "--no-api", *TRADE, "--set", "data.speed=20000")
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        time.sleep(0.3)
        with Database.open(url) as database, database.read() as connection:
            if (connection.exec_driver_sql("SELECT count(*) FROM trades").scalar() or 0) > 5:
                break
    slow.send_signal(signal.SIGKILL)
    slow.communicate()
    again = bot(tmp_path / "a", url, "run", "--no-api", *TRADE, "--set", "data.speed=0")
    told, complaint = again.communicate(timeout=180)
    assert again.returncode == 0, complaint
    straight = bot(tmp_path / "b", f"sqlite:///{tmp_path}/b.db", "run", "--no-api", *TRADE, "--set", "data.speed=0")
    expected, complaint = straight.communicate(timeout=180)
    assert straight.returncode == 0, complaint
    mine, theirs = json.loads(told), json.loads(expected)
    assert (mine["decisions_hash"], mine["final_equity"]) == (theirs["decisions_hash"], theirs["final_equity"])
    with Database.open(url) as database:
        assert [run.run_id for run in Runs(database).list()] == [mine["run_id"]]
        assert check_runs(database).differences == ()


def test_the_page_reads_from_the_server_and_no_argument_names_it(postgres: Server, tmp_path: Path) -> None:
    url = postgres.new_database().replace("bot@", "bot:canary-password@")
    run = bot(tmp_path / "State", url, "run", "--api-port", "0", *TRADE, "--set", "data.speed=2000")
    assert run.stderr is not None
    try:
        line = next(line for line in run.stderr if line.startswith("dashboard: "))
        page, _, token = line.removeprefix("dashboard: ").strip().partition("/#token=")
        request = urllib.request.Request(f"{page}/api/status", headers={"Authorization": f"Bearer {token}"})
        deadline, equity = time.monotonic() + 180, None
        while equity is None and time.monotonic() < deadline:
            time.sleep(0.3)
            with urllib.request.urlopen(request, timeout=60) as answer:
                equity = json.load(answer).get("equity")
        assert equity is not None
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        assert any(b"crypto_bot.api.serve" in words for words in lines)
        assert not any(b"canary-password" in words for words in lines)
    finally:
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=30)
    logs = "".join(path.read_text() for path in (tmp_path / "State").rglob("*") if path.suffix in (".log", ".jsonl"))
    assert "canary-password" not in logs
