"""`db upgrade`, `db check` and `db export` as commands: what they print, write and end with."""

import csv
import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.lock import StateLock
from crypto_bot.persistence.models import AlertLog
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.runs import RunRecord, Runs
from crypto_bot.persistence.unit_of_work import UnitOfWork
from tests.persistence.made_rows import RUN, made_rows

EARLIER = Path(__file__).parents[1] / "data" / "databases" / "trading-r0001.db"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with one run."""
    with Database.open(tmp_path / "State" / "trading.db") as database:
        Runs(database).start(RunRecord(RUN, "run", "forward", "stopped", 1))
        with Journal(database, RUN, Projector(database, RUN)) as journal:
            journal.append(made_rows(300))
        with UnitOfWork(database) as work:
            work.alerts.add(AlertLog(timestamp=0, severity="info", channel="x", message='=cmd|"calc"', delivered=False))
            work.alerts.add(AlertLog(timestamp=0, severity="info", channel="x", message="-1 and é", delivered=True))
            work.commit()
    return tmp_path / "State"


def command(state: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "crypto_bot", "db", *words, "--state", str(state)]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, cwd=state.parent)


def test_a_sound_database_passes_and_a_spoilt_one_is_told_and_mended(state: Path) -> None:
    done = command(state, "check", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found | {"database": ""} == {
        "ok": True, "database": "", "schema": "0003", "runs": 1, "rows": 300, "audit": 2, "differences": [],
    }  # fmt: skip
    with closing(sqlite3.connect(state / "trading.db")) as connection, connection:
        connection.execute("UPDATE orders SET filled = filled + 1 WHERE id = 3")
    done = command(state, "check")
    assert done.returncode == 1 and f"run {RUN}, orders 3: filled is" in done.stdout
    assert command(state, "upgrade", "--rebuild").returncode == 0
    assert command(state, "check").returncode == 0


def test_a_broken_chain_ends_with_data(state: Path) -> None:
    with closing(sqlite3.connect(state / "trading.db")) as connection, connection:
        connection.execute("UPDATE journal SET time_ns = time_ns + 1 WHERE sequence = 8")
    done = command(state, "check")
    assert done.returncode == 3 and f"row 8 of run {RUN}" in done.stderr and done.stderr.count("\n") == 1


def test_an_upgrade_names_its_copy_and_needs_the_bot_to_rest(tmp_path: Path) -> None:
    state = tmp_path / "State"
    state.mkdir()
    shutil.copy(EARLIER, state / "trading.db")
    assert command(state, "check").returncode == 3
    with StateLock(state):
        refused = command(state, "upgrade")
    assert refused.returncode == 2 and "is already running" in refused.stderr
    done = command(state, "upgrade", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["schema"] == "0003" and found["runs"] == ["20261121-040620-3f7d"]
    assert Path(found["backup"]).name == "trading.db.before-0001.bak" and Path(found["backup"]).exists()
    assert json.loads(command(state, "upgrade", "--json").stdout)["runs"] == []
    assert command(state, "check").returncode == 0


def test_what_is_exported_is_exact_in_every_form(state: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for form in ("csv", "json", "parquet"):
        assert command(state, "export", "--out", str(out), "--format", form).returncode == 0
    with (out / "trades.csv").open(newline="") as file:
        told = list(csv.DictReader(file))
    spelled = json.loads((out / "trades.json").read_text())
    table = parquet.read_table(out / "trades.parquet")
    with Database.open(state / "trading.db", readonly=True) as database, UnitOfWork(database) as work:
        trades = work.trades.page(RUN, limit=1_000).items[::-1]
        bars = work.candles.page("binance", "DOGE/USDT", "1h", limit=1)
    assert trades and [row["price"] for row in told] == [row["price"] for row in spelled]
    for name in ("amount", "price", "cost", "fee"):
        exact = [getattr(trade, name) for trade in trades]
        assert table.schema.field(name).type == pyarrow.decimal128(38, 8)
        assert table.column(name).to_pylist() == exact
        assert [type(exact[0])(row[name]) for row in told] == exact
    assert table.column("timestamp").cast(pyarrow.int64()).to_pylist() == [trade.timestamp for trade in trades]
    volumes = parquet.read_table(out / "ohlcv_cache.parquet").to_pylist()
    doge = [row for row in volumes if row["symbol"] == "DOGE/USDT"][-1]
    assert doge["volume"] == bars[0].volume and doge["close"] * 100_000 == bars[0].close
    assert not any("double" in str(field.type) or "float" in str(field.type) for field in table.schema)
    assert stat.S_IMODE((out / "trades.csv").stat().st_mode) == 0o600 and not list(out.glob("*.part"))


def test_a_text_is_no_formula(state: Path, tmp_path: Path) -> None:
    done = command(state, "export", "--out", str(tmp_path / "out"), "--table", "alert_logs")
    assert done.returncode == 0
    with (tmp_path / "out" / "alert_logs.csv").open(newline="") as file:
        assert [row["message"] for row in csv.DictReader(file)] == ['\'=cmd|"calc"', "'-1 and é"]


def test_an_unknown_table_is_a_usage_error(state: Path) -> None:
    done = command(state, "export", "--table", "nonsense")
    assert done.returncode == 2 and "there is no table 'nonsense'" in done.stderr and "trades" in done.stderr
