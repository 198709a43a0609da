"""`preflight`: what it finds is what is there."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crypto_bot.cli.checks import check_clock, check_disk, check_env_file, check_state
from crypto_bot.persistence.database import Database

ROOT = Path(__file__).resolve().parents[2]
SYNTHETIC = (
    "--set", "exchange.name=synthetic", "--set", "trading.symbols=SYN01/USDT", "--set", "trading.timeframe=1h",
    "--set", "api.port=0", "--set", "data.end=2023-10-20",
)  # fmt: skip
"""Candles that come with the program and reach over the configured dates."""


MODULE = ("-m", "crypto_bot", "preflight")
SCRIPT = (str(ROOT / "scripts/preflight.py"),)


def run(*words: str, cwd: Path, start: tuple[str, ...] = MODULE, dry_run: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *start, *words], cwd=cwd,
        env={**os.environ, "CRYPTO_BOT_CACHE_DIR": str(cwd / "cache"), "TRADING_DRY_RUN": dry_run},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def statuses(*words: str, cwd: Path, expected: int = 0, dry_run: str = "") -> dict[str, tuple[str, str]]:
    result = run(*SYNTHETIC, *words, "--json", cwd=cwd, dry_run=dry_run)
    assert (result.returncode, result.stderr) == (expected, ""), result
    document = json.loads(result.stdout)
    assert set(document) == {"ok", "checks"} and document["ok"] is (expected == 0)
    assert all(set(check) == {"name", "status", "detail"} for check in document["checks"])
    return {check["name"]: (check["status"], check["detail"]) for check in document["checks"]}


def test_a_fresh_folder_passes_and_nothing_is_made(tmp_path: Path) -> None:
    found = statuses(cwd=tmp_path)
    assert {status for status, _ in found.values()} <= {"ok", "skip"}
    assert found["archive"][1].startswith("SYN01/USDT 1h: 5160 bars, 2023-03-20T00:00:00Z to 2023-10-20T23:00:00Z")
    assert [found[name][0] for name in ("exchange", "credentials", "exchange clock")] == ["skip"] * 3
    assert {path.name for path in tmp_path.iterdir()} <= {"cache"}


def test_the_script_does_the_same(tmp_path: Path) -> None:
    result = run(*SYNTHETIC, "--config", str(ROOT / "src/crypto_bot/config/default.ini"), cwd=tmp_path, start=SCRIPT)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0].startswith("ok    python")


@pytest.mark.parametrize(
    ("flags", "name", "told"),
    [
        (("--set", "trading.symbols=NO/SUCH"), "archive", "NO/SUCH"),
        (("--set", "data.start=2035-01-01", "--set", "data.end=2036-01-01"), "archive", "2035"),
        (("--set", "trading.strategies=nonsense"), "strategies", "nonsense"),
        (("--set", "strategy.grid.num_gridz=1"), "strategies", "num_gridz"),
        (("--set", "strategy.simple_ma.fast=0"), "strategies", "fast"),
        (("--set", "trading.paper_trading=false"), "mode", "paper_trading"),
        (("--state", "/dev/null/nowhere"), "state", "/dev/null"),
        (("--set", "api.host=203.0.113.1", "--set", "api.port=9"), "port", "203.0.113.1:9"),
    ],
)
def test_one_fault_fails_one_check(tmp_path: Path, flags: tuple[str, ...], name: str, told: str) -> None:
    found = statuses(*flags, cwd=tmp_path, expected=1)
    assert found[name][0] == "fail" and told in found[name][1]
    assert {other for other, (status, _) in found.items() if status == "fail"} <= {name, "database"}


def test_a_dry_run_needs_no_candles(tmp_path: Path) -> None:
    found = statuses("--set", "trading.symbols=NO/SUCH", cwd=tmp_path, dry_run="true")
    assert found["archive"][0] == "skip" and found["mode"][1].startswith("dry_run: synthetic prices")


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = statuses("--set", f"api.port={port}", cwd=tmp_path, expected=1)
        assert found["port"][0] == "fail" and f":{port}: Address already in use" in found["port"][1]
        assert statuses("--set", f"api.port={port}", "--set", "api.enabled=false", cwd=tmp_path)["port"][0] == "skip"


def test_a_database_is_read_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "State" / "trading.db"
    Database.open(path).close()
    before = path.read_bytes()
    assert statuses(cwd=tmp_path)["database"][1].endswith("schema 0003")
    assert path.read_bytes() == before
    with closing(sqlite3.connect(path)) as strange, strange:
        strange.execute("UPDATE alembic_version SET version_num = '9999'")
    told = statuses(cwd=tmp_path, expected=1)["database"]
    assert told[0] == "fail" and "has schema 9999" in told[1]
    path.write_bytes(b"no database at all, but long enough to be looked at" * 10)
    assert statuses(cwd=tmp_path, expected=1)["database"][0] == "fail"


def test_a_grid_that_cannot_earn_its_fees_fails_before_the_run_refuses_it(tmp_path: Path) -> None:
    words = ("--set", "trading.strategies=grid", "--set", "strategy.grid.num_grids=60", "--set")
    found = statuses(*words, "execution.fee_maker_bps=100", cwd=tmp_path, expected=1)
    assert found["strategies"][0] == "fail" and "cannot earn" in found["strategies"][1]
    assert statuses(*words, "execution.fee_maker_bps=0", cwd=tmp_path)["strategies"] == ("ok", "grid")


def test_wrong_settings_are_told_like_everywhere(tmp_path: Path) -> None:
    result = run("--set", "api.port=x", "--json", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "[api] port = 'x'" in result.stderr


def test_state_folder(tmp_path: Path) -> None:
    folder = tmp_path / "State"
    assert check_state(folder).status == "ok"
    folder.mkdir()
    folder.chmod(0o755)
    assert (check_state(folder).status, "chmod 700" in check_state(folder).detail) == ("warn", True)
    folder.chmod(0o700)
    assert check_state(folder).status == "ok"
    folder.rmdir()
    folder.write_text("")
    assert check_state(folder).status == "fail"
    assert check_state(folder / "deeper").status == "fail"


def test_env_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert check_env_file(path).status == "ok"
    path.write_text("")
    path.chmod(0o644)
    assert check_env_file(path).status == "warn"
    path.chmod(0o600)
    assert check_env_file(path).status == "ok"


def test_disk_and_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_clock().status == "ok"
    monkeypatch.setattr("crypto_bot.cli.checks.time.time", lambda: 1_000_000_000.0)
    assert check_clock().status == "fail"
    usage = __import__("shutil").disk_usage(tmp_path)
    for free, status in ((50_000_000, "fail"), (500_000_000, "warn"), (5_000_000_000, "ok")):
        monkeypatch.setattr("crypto_bot.cli.checks.shutil.disk_usage", lambda _, free=free: usage._replace(free=free))
        assert check_disk(tmp_path / "not" / "yet").status == status
