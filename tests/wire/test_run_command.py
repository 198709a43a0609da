"""The command `run` as a user starts it: its modes, its flags, the flag file, the page beside it, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from crypto_bot.strategies.catalogue import NAMES
from tests.bot_process import (
    DAY,
    QUICK,
    Bot,
    is_alive,
    kinds,
    processes_of,
    query,
    run_states,
    stored_rows,
    told,
    wait_for,
)
from tests.commands import environment, run

pytestmark = pytest.mark.slow

DRY = ("--dry-run", "--speed", "0", "--no-api", "--json", "--duration", "2")


def started(folder: Path) -> "dict[str, str]":
    """Return mode and feed of the newest run."""
    (payload,) = query(folder, "SELECT payload FROM journal WHERE kind = 'START'")[-1]
    start = json.loads(str(payload))
    return {"mode": start["mode"], "feed": start["settings"]["feed"], "strategy": start["strategies"][0]["name"]}


# ---- modes ---
def test_a_dry_run_is_synthetic_and_the_same_each_time(tmp_path: Path) -> None:
    hashes = set()
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        assert int(told(run("run", *DRY, cwd=folder))["fills"]) > 0
        assert started(folder) == {"mode": "dry_run", "feed": "synthetic", "strategy": "grid"}
        hashes.add(query(folder, "SELECT decisions_hash FROM journal WHERE sequence = 150")[0][0])
    assert len(hashes) == 1


def test_a_dry_run_opens_no_socket_to_anywhere(tmp_path: Path) -> None:
    bot = Bot.start(tmp_path, "--dry-run", "--no-api", EXCHANGE_API_KEY="key-of-nobody", EXCHANGE_API_SECRET="s" * 20)
    assert bot.until_rows(10)
    links = [str(link.readlink()) for link in Path(f"/proc/{bot.process.pid}/fd").iterdir() if link.is_symlink()]
    mine = {link[8:-1] for link in links if link.startswith("socket:[")}
    tables = ("tcp", "tcp6", "udp", "udp6", "raw")
    network = {line.split()[9] for t in tables for line in Path(f"/proc/net/{t}").read_text().split("\n")[1:] if line}
    assert not mine & network
    assert bot.send(signal.SIGTERM).status == 0
    assert not any(b"key-of-nobody" in f.read_bytes() for f in (tmp_path / "State").rglob("*") if f.is_file())


@pytest.mark.parametrize("flags", [("--mode", "live"), ("--mode", "live", "--set", "trading.paper_trading=false")])
def test_the_variable_for_a_dry_run_wins_over_everything(
    flags: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADING_DRY_RUN", "true")
    told(run("run", *flags, *DRY[1:], cwd=tmp_path))
    assert started(tmp_path)["mode"] == "dry_run"


def test_forward_plays_synthetic_prices_too(tmp_path: Path) -> None:
    told(run("run", "--set", "data.feed=synthetic", *DRY[1:], cwd=tmp_path))
    assert started(tmp_path) == {"mode": "forward", "feed": "synthetic", "strategy": "grid"}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--mode", "live"), "no connection to an exchange"),
        (("--set", "data.feed=exchange"), "no connection to an exchange"),
        (("--set", "trading.paper_trading=false"), "paper_trading = false needs"),
        (("--mode", "backtest"), "use the command backtest"),
        (("--strategy", "nonsense"), "there is no strategy"),
        (("--param", "num_grids=0"), "num_grids must lie between"),
        (("--duration", "-1"), "--duration: '-1' is not a length of time; give a number of seconds above 0"),
        (("--speed", "fast"), "speed"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_sentence(flags: tuple[str, ...], words: str, tmp_path: Path) -> None:
    refused = run("run", *flags, "--no-api", cwd=tmp_path)
    assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert words in refused.err
    assert not (tmp_path / "State").exists()


def test_candles_that_are_not_there_are_status_3(tmp_path: Path) -> None:
    refused = run("run", "--symbol", "DOGE/USDT", "--no-api", cwd=tmp_path)
    assert (refused.status, refused.err.count("\n")) == (3, 1) and not (tmp_path / "State").exists()


# ---- ends ---
def test_used_up_prices_end_it_with_one_object(tmp_path: Path) -> None:
    document = told(run("run", *QUICK, cwd=tmp_path))
    assert list(document) == ["run_id", "bars", "fills", "final_equity", "decisions_hash"]
    assert document["bars"] == 288 and re.fullmatch(r"[0-9a-f]{16}", str(document["decisions_hash"]))
    assert run_states(tmp_path) == [(document["run_id"], "finished")]
    summary = query(tmp_path, "SELECT summary FROM runs")[0][0]
    assert json.loads(str(summary)) == document


def test_the_time_being_up_stops_it(tmp_path: Path) -> None:
    document = told(run("run", *DAY, "--no-api", "--json", "--duration", "1.5", cwd=tmp_path))
    assert 0 < int(document["bars"]) < 20
    assert run_states(tmp_path) == [(document["run_id"], "stopped")]
    assert query(tmp_path, "SELECT payload FROM journal WHERE kind = 'STOP'") == [('{"reason":"the time is up"}',)]


# ---- asking ---
def test_interactive_asks_for_strategies_by_number(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "crypto_bot", "run", "--interactive", *DAY, "--speed", "0", "--no-api"]
    number, beyond = NAMES.index("buy_and_hold") + 1, len(NAMES) + 1
    words = f"{beyond}\n{number}\n"
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), input=words, capture_output=True, text=True, timeout=100
    )
    assert ended.returncode == 0 and f"{number:3}  buy_and_hold" in ended.stdout and "not a number" in ended.stdout
    assert started(tmp_path)["strategy"] == "buy_and_hold"
    nobody = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert nobody.returncode == 0 and nobody.stdout.endswith("nothing was started\n")


# ---- the flag file ---
def test_while_the_flag_file_is_there_nothing_is_opened(tmp_path: Path) -> None:
    (tmp_path / "State").mkdir()
    (tmp_path / "State" / "HALT").touch()
    bot = Bot.start(tmp_path, *DAY, "--speed", "30000", "--no-api")
    assert bot.until_rows(60)
    assert kinds(tmp_path)[:3] == ["START", "HISTORY", "COMMAND"] and "FILL" not in kinds(tmp_path)
    assert query(tmp_path, "SELECT count(*) FROM journal WHERE outcome LIKE '%approved%'") == [(0,)]
    assert query(tmp_path, "SELECT count(*) FROM journal WHERE outcome LIKE '%trading is halted%'") != [(0,)]
    (tmp_path / "State" / "HALT").unlink()
    assert bot.until(lambda: kinds(tmp_path).count("FILL") > 3)
    (tmp_path / "State" / "HALT").touch()
    assert bot.until(lambda: kinds(tmp_path).count("COMMAND") == 3)
    assert bot.until_rows(stored_rows(tmp_path) + 60)
    bot.send(signal.SIGTERM)
    halted = query(tmp_path, "SELECT max(sequence) FROM journal WHERE kind = 'COMMAND'")[0][0]
    opened = f"SELECT count(*) FROM journal WHERE sequence > {halted} AND outcome LIKE '%approved%buy%'"
    assert query(tmp_path, opened) == [(0,)]
    assert query(tmp_path, "SELECT payload FROM journal WHERE kind = 'COMMAND' ORDER BY sequence")[1:] == [
        ('{"command":"resume","reason":"the file HALT is gone","by":"flag file"}',),
        ('{"command":"halt","reason":"the file HALT is present","by":"flag file"}',),
    ]


def test_the_flag_file_is_seen_between_two_slow_bars(tmp_path: Path) -> None:
    bot = Bot.start(tmp_path, *DAY, "--speed", "1", "--no-api")
    assert bot.until(lambda: "SLICE" in kinds(tmp_path))
    (tmp_path / "State" / "HALT").touch()
    assert bot.until(lambda: "COMMAND" in kinds(tmp_path))
    assert kinds(tmp_path).count("SLICE") == 1
    assert bot.send(signal.SIGTERM).status == 0


# ---- the page ---
def with_page(folder: Path, *words: str) -> tuple[Bot, str, dict[str, str]]:
    """Start a bot with its API; return it, the address, and the header that opens it."""
    bot = Bot.start(folder, *DAY, *words)
    assert bot.process.stderr is not None
    line = bot.process.stderr.readline()
    found = re.fullmatch(r"dashboard: (http://127\.0\.0\.1:\d+)/#token=(\S+)\n", line)
    assert found, line
    return bot, found[1], {"Authorization": f"Bearer {found[2]}"}


def status(address: str, header: dict[str, str]) -> dict[str, str]:
    answer: dict[str, str] = httpx.get(f"{address}/api/status", headers=header, timeout=30).json()
    return answer


def test_the_page_lives_and_dies_with_the_engine(tmp_path: Path) -> None:
    bot, address, header = with_page(tmp_path, "--api-port", "0", "--speed", "3000")
    # The address is held from the start: the first caller waits until the web process answers.
    assert "CryptoTrader" in httpx.get(address, timeout=30).text
    assert httpx.get(f"{address}/api/status", timeout=30).status_code == 401
    assert bot.until(
        lambda: status(address, header)["state"] == "running" and float(status(address, header)["bars"]) > 3
    )
    (web,) = processes_of(bot.process.pid)
    os.kill(web, signal.SIGKILL)
    assert float(status(address, header)["bars"]) > 3, "the caller waits for the new process"
    (web,) = processes_of(bot.process.pid)
    bot.kill()
    wait_for(lambda: not is_alive(web))
    again, address_again, _ = with_page(tmp_path, "--api-port", address.rpartition(":")[2], "--speed", "3000")
    assert address_again == address
    assert again.send(signal.SIGTERM).status == 0
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) != 0


def test_the_page_learns_that_the_prices_are_used_up(tmp_path: Path) -> None:
    bot, address, header = with_page(tmp_path, "--api-port", "0", "--speed", "60000")
    assert bot.until(lambda: status(address, header)["state"] == "finished")
    assert bot.end().status == 0


def test_a_taken_port_is_said_before_anything_is_recorded(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("run", *DAY, "--api-port", str(port), cwd=tmp_path)
    assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert f"cannot listen on 127.0.0.1 port {port}" in refused.err and "--api-port" in refused.err
    assert run_states(tmp_path) == []
