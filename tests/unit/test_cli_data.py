"""`data import|audit|list|download` as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wire.serving import client_of

HEADER = "timestamp,open,high,low,close,volume\n"
ROWS = [f"{1_700_000_100 + 300 * i},100,101.5,99.25,100.5,{i + 1}.25\n" for i in range(20)]


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crypto_bot", "data", *words], cwd=cwd,
        env={**os.environ, "CRYPTO_BOT_CACHE_DIR": str(cwd / "cache")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def write(folder: Path, rows: list[str], name: str = "candles.csv") -> str:
    (folder / name).write_text(HEADER + "".join(rows))
    return name


def test_import_then_list_then_audit(tmp_path: Path) -> None:
    gappy = ROWS[:5] + ROWS[7:] + [ROWS[3]]
    name = write(tmp_path, gappy)
    words = ("--symbol", "ABC/USDT", "--timeframe", "5m", "--data", "mine")
    told = run("import", name, *words, "--json", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    (report,) = json.loads(told.stdout)["files"]
    assert (report["symbol"], report["rows"], report["added"], report["duplicates"]) == ("ABC/USDT", 19, 18, 1)
    assert [gap["bars"] for gap in report["gaps"]] == [2]
    again = run("import", name, *words, cwd=tmp_path)
    assert again.returncode == 0 and "18 were there already" in again.stdout and "2 bars are missing" in again.stdout

    listed = json.loads(run("list", "--data", "mine", "--json", cwd=tmp_path).stdout)["series"]
    (mine,) = [each for each in listed if each["symbol"] == "ABC/USDT"]
    assert (mine["rows"], mine["source"], mine["timeframe"]) == (18, "archive", "5m")
    assert "ABC/USDT" in run("list", "--data", "mine", cwd=tmp_path).stdout

    audited = run("audit", *words, "--json", cwd=tmp_path)
    assert audited.returncode == 0
    found = json.loads(audited.stdout)
    promised = ["rows", "gaps", "duplicates", "out_of_order", "bad_ohlc", "first", "last", "sources"]
    assert list(found) == promised
    assert (found["rows"], found["duplicates"], found["gaps"][0]["bars"]) == (18, 0, 2)
    plain = run("audit", *words, cwd=tmp_path).stdout
    assert "1, 2 bars are missing" in plain


def test_what_was_imported_is_where_the_page_reads_it(tmp_path: Path) -> None:
    name = write(tmp_path, ROWS)
    words = ("--symbol", "ABC/USDT", "--timeframe", "5m", "--exchange", "bybit")
    assert run("import", name, *words, cwd=tmp_path).returncode == 0
    with client_of(tmp_path / "State" / "trading.db", tmp_path / "State") as client:
        asked = {"symbol": "ABC/USDT", "timeframe": "5m", "exchange": "bybit"}
        told = client.get("/api/ohlcv", params={**asked, "limit": 15}).json()
        rest = client.get("/api/ohlcv", params={**asked, "before": told["next"]}).json()
        elsewhere = client.get("/api/ohlcv", params={**asked, "exchange": "binance"})
    found = rest["items"] + told["items"]
    assert [item[0] for item in found] == [1_700_000_100 + 300 * i for i in range(20)]
    assert found[3][1:] == ["100.00", "101.50", "99.25", "100.50", "4.250000"] and rest["next"] is None
    assert elsewhere.status_code == 404 and "no candles of ABC/USDT 5m of binance" in elsewhere.json()["detail"]


def test_a_database_that_cannot_be_written_keeps_nothing_from_the_archive(tmp_path: Path) -> None:
    (tmp_path / "State").mkdir()
    (tmp_path / "State" / "trading.db").write_text("not a database")
    ended = run("import", write(tmp_path, ROWS), "--symbol", "ABC/USDT", "--timeframe", "5m", cwd=tmp_path)
    assert ended.returncode == 0 and "20 bars of ABC/USDT 5m added" in ended.stdout
    assert "note: the archive has the candles" in ended.stderr


def test_audit_of_a_broken_file_fails_and_changes_nothing(tmp_path: Path) -> None:
    broken = [*ROWS[:3], ROWS[2], ROWS[4], ROWS[3], ROWS[5].replace("101.5", "1.5")]
    name = write(tmp_path, broken)
    result = run("audit", name, "--timeframe", "5m", "--json", cwd=tmp_path)
    found = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (1, "")
    assert (found["duplicates"], found["out_of_order"], found["bad_ohlc"]) == (1, 1, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("import", "none.csv", "--symbol", "A/B", "--timeframe", "5m"), 3, "none.csv"),
        (("import", "candles.csv", "--timeframe", "5m"), 2, "--symbol"),
        (("import", "candles.csv", "--symbol", "A/B", "--timeframe", "1h"), 3, "5m"),
        (("audit", "--symbol", "NO/SUCH", "--timeframe", "5m"), 3, "NO/SUCH"),
        (("audit", "--set", "trading.symbols=BTC/USDT,ETH/USDT"), 2, "--symbol"),
        (("download",), 2, "use `data import FILE...`"),
    ],
)
def test_refusals(tmp_path: Path, words: tuple[str, ...], status: int, told: str) -> None:
    write(tmp_path, ROWS)
    result = run(*words, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (status, ""), result.stderr
    assert told in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()
