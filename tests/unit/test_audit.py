"""The audit counts what is wrong and changes nothing."""

from pathlib import Path

import numpy as np
import pytest

from crypto_bot.data import Archive
from crypto_bot.data.audit import audit, audit_file
from crypto_bot.data.months import encode_month
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.units import parse_time_ns
from tests.made_candles import changed, chosen, csv_text, feather_bytes, made, put, snapshot

DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", samples=False)


def test_a_stored_series(archive: Archive) -> None:
    candles = made(60)
    archive.store(chosen(candles, [*range(10), *range(13, 60)]), source="one")
    before = snapshot(archive.root)
    report = audit(archive, "TEST/USDT", "1h")
    assert report.as_json() == {
        "rows": 57,
        "gaps": [{"first": "2024-01-30T10:00:00Z", "last": "2024-01-30T12:00:00Z", "bars": 3}],
        "duplicates": 0,
        "out_of_order": 0,
        "bad_ohlc": 0,
        "first": "2024-01-30T00:00:00Z",
        "last": "2024-02-01T11:00:00Z",
        "sources": ["one"],
    }
    assert report.sound and snapshot(archive.root) == before


def test_a_stored_series_somebody_meddled_with(archive: Archive) -> None:
    """The files are read as they are: the audit does not believe what the archive once checked."""
    candles = made(60)
    archive.store(candles, source="one")
    meddled = chosen(changed(changed(candles, 50, high=1), 52, volume=-1), [55, *range(48, 60), 59])
    file = archive.root / "binance" / "TEST-USDT" / "1h" / "2024-02.parquet"
    file.write_bytes(encode_month(meddled, ["two"]))
    report = audit(archive, "TEST/USDT", "1h")
    assert (report.rows, report.duplicates, report.out_of_order, report.bad_ohlc) == (62, 2, 7, 2)
    assert report.gaps == () and report.sources == ("one", "two") and not report.sound


@pytest.mark.parametrize("damage", [None, "nan", "inf", "", "ten", "-1", "0", "1e30"])
def test_a_raw_file(damage: str | None, tmp_path: Path) -> None:
    lines = csv_text(chosen(made(60), [*range(5, 30), 3, 4, *range(33, 60), 33])).splitlines()
    if damage is not None:
        cells = lines[7].split(",")
        lines[7] = ",".join([*cells[:2], damage, *cells[3:]])
    report = audit_file(put(tmp_path, "TESTUSDT-1h.csv", "\n".join(lines)))
    assert (report.rows, report.duplicates, report.out_of_order) == (55, 1, 3)
    assert report.bad_ohlc == (damage is not None)
    assert [(gap.bars, gap.first_ns) for gap in report.gaps] == [(3, parse_time_ns("2024-01-31T06:00"))]
    assert report.sources == (str(tmp_path / "TESTUSDT-1h.csv"),)


def test_a_raw_file_of_floats(tmp_path: Path) -> None:
    broken = changed(made(60), 4, low=10**9)
    assert audit_file(put(tmp_path, "TEST_USDT-1h.feather", feather_bytes(broken))).bad_ohlc == 1


def test_a_real_gap() -> None:
    report = audit_file(DATA / "BTCUSDT-1h-2023-03-cut.csv")
    assert (report.rows, [gap.bars for gap in report.gaps]) == (71, [1])


def test_samples_and_synthetic_candles() -> None:
    packaged = Archive(Path("nowhere"))
    report = audit(packaged, "BTC/USDT", "5m")
    assert (report.rows, sum(gap.bars for gap in report.gaps)) == (104_816, 16) and report.sound
    assert audit(packaged, "SYN03/USDT", "1d").sources == ("synthetic, seed 20240101",)


def test_what_cannot_be_looked_over(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is empty"):
        audit(archive, "TEST/USDT", "1h")
    with pytest.raises(UsageError, match="--timeframe"):
        audit_file(put(tmp_path, "TESTUSDT.csv", csv_text(made())))
    with pytest.raises(UsageError, match="7x"):
        audit_file(put(tmp_path, "TESTUSDT.csv", csv_text(made())), timeframe="7x")
    with pytest.raises(DataError, match="cells in line 3"):
        audit_file(put(tmp_path, "TESTUSDT-1h.csv", csv_text(made())[:100]))


def test_counts_do_not_overflow(archive: Archive) -> None:
    candles = made(3)
    largest = np.full(3, 2**62, dtype=np.int64)
    archive.store(chosen(candles, range(3)), source="one")
    file = archive.root / "binance" / "TEST-USDT" / "1h" / "2024-01.parquet"
    huge = type(candles)(candles.instrument, "1h", candles.times, largest, largest, largest, largest, largest)
    file.write_bytes(encode_month(huge, ["two"]))
    assert audit(archive, "TEST/USDT", "1h").bad_ohlc == 0
