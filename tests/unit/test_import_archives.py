"""Packed files that mean harm, and files that exchanges and other programs wrote."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import pytest

from crypto_bot.data.archive import Archive
from crypto_bot.data.importing import ImportReport, import_files
from crypto_bot.data.readers import read_bytes, read_table
from crypto_bot.domain.errors import CryptoBotError, DataError
from tests.made_candles import (
    FORMATS,
    archive_text,
    csv_text,
    made,
    parquet_bytes,
    put,
    zipped,
)

HEADER = "timestamp,open,high,low,close,volume\n"
DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", samples=False)


def bring(archive: Archive, *files: Path, symbol: str | None = None, timeframe: str | None = None) -> ImportReport:
    """Import files and return the report of the first."""
    return import_files(files, archive=archive, symbol=symbol, timeframe=timeframe)[0]


def encrypted() -> bytes:
    """Return a zip archive whose entry says it is encrypted."""
    data = bytearray(zipped("TESTUSDT-1h.csv", archive_text(made())))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + offset
        data[place : place + 2] = struct.pack("<H", 1)
    return bytes(data)


def lying(size: int) -> bytes:
    """Return a zip archive whose entry claims to be smaller than it is."""
    data = bytearray(zipped("TESTUSDT-1h.csv", archive_text(made())))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = struct.pack("<I", size)
    return bytes(data)


def bzipped() -> bytes:
    """Return a zip archive packed by a method the exchange does not use."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("TESTUSDT-1h.csv", archive_text(made()))
    return target.getvalue()


GOOD = zipped("TESTUSDT-1h.csv", archive_text(made()))
HOSTILE = {
    "nested": (zipped("inner.zip", GOOD), "holds another archive, 'inner.zip'"),
    "nested beside": (zipped("TESTUSDT-1h.csv", archive_text(made()), b__zip=GOOD), "holds another archive"),
    "nested in disguise": (zipped("TESTUSDT-1h.csv", GOOD), "holds another packed file"),
    "two files": (zipped("TESTUSDT-1h.csv", archive_text(made()), b__csv=b"x"), "holds 2 files"),
    "empty": (zipped("a.csv", "")[-22:].replace(b"\1\0\1\0", b"\0\0\0\0"), "broken|holds 0 files"),
    "path": (zipped("../TESTUSDT-1h.csv", archive_text(made())), "a path for a name"),
    "absolute": (zipped("/tmp/TESTUSDT-1h.csv", archive_text(made())), "a path for a name"),
    "backslashes": (zipped("..\\TESTUSDT-1h.csv", archive_text(made())), "a path for a name"),
    "drive": (zipped("C:TESTUSDT-1h.csv", archive_text(made())), "a path for a name"),
    "no csv": (zipped("TESTUSDT-1h.exe", archive_text(made())), "must hold one CSV file"),
    "encrypted": (encrypted(), "zip is encrypted; unpack it"),
    "truncated": (GOOD[: len(GOOD) // 2], "is broken"),
    "flipped": (GOOD[:200] + bytes([GOOD[200] ^ 255]) + GOOD[201:], "is broken"),
    "lying": (lying(100), "is broken"),
    "unusual": (bzipped(), "packed in an unusual way"),
    "other candles": (zipped("ETHUSDT-1h.csv", archive_text(made())), "which are other candles"),
    "no zip": (archive_text(made()).encode(), "is not a zip file"),
}


class TestHostileArchives:
    @pytest.mark.parametrize("case", HOSTILE)
    def test_refused(self, case: str, tmp_path: Path, archive: Archive) -> None:
        content, told = HOSTILE[case]
        with pytest.raises(DataError, match=told) as refusal:
            bring(archive, put(tmp_path, "TESTUSDT-1h.zip", content))
        assert "\n" not in str(refusal.value)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["TESTUSDT-1h.zip"]

    @pytest.mark.parametrize(
        "content",
        [
            gzip.compress(csv_text(made()).encode())[:-9],
            gzip.compress(gzip.compress(csv_text(made()).encode())),
            gzip.compress(b"0" * (20 << 20), 1),
            gzip.compress(parquet_bytes(made())),
            csv_text(made()).encode(),
        ],
        ids=["truncated", "nested", "bomb", "parquet inside", "no gzip"],
    )
    def test_gzip(self, content: bytes, tmp_path: Path, archive: Archive) -> None:
        with pytest.raises(DataError):
            bring(archive, put(tmp_path, "TESTUSDT-1h.csv.gz", content))

    @pytest.mark.parametrize("name", ["TEST_USDT-1h.feather", "TEST_USDT-1h.parquet", "TESTUSDT-1h-2024-01.zip"])
    def test_every_cut_is_noticed(self, name: str, tmp_path: Path) -> None:
        whole = FORMATS[name](made(30))
        for size in range(1, len(whole), 97):
            file = put(tmp_path, name, whole[:size])
            with pytest.raises(DataError):
                read_table(read_bytes(file), file)

    def test_a_bomb_is_not_unpacked(self, tmp_path: Path, archive: Archive) -> None:
        """64 MiB of one valid row, over and over, in some hundred kilobytes."""
        line = "1699999200000,10,11,9,10,1,1700002799999,1,1,1,1,0\n"
        content = zipped("TESTUSDT-1h.csv", line * ((64 << 20) // len(line)))
        with pytest.raises(DataError, match="as a bomb does"):
            bring(archive, put(tmp_path, "TESTUSDT-1h.zip", content))

    def test_a_limit_holds_for_every_format(self, tmp_path: Path) -> None:
        candles = made(400)
        for name, write in FORMATS.items():
            file = put(tmp_path, name, write(candles))
            with pytest.raises(DataError, match="MiB"):
                read_table(read_bytes(file, limit=10_000), file, limit=10_000)

    def test_a_checksum_beside_the_file_is_believed(self, tmp_path: Path, archive: Archive) -> None:
        import hashlib

        file = put(tmp_path, "TESTUSDT-1h.zip", GOOD)
        put(tmp_path, "TESTUSDT-1h.zip.CHECKSUM", f"{'0' * 64}  TESTUSDT-1h.zip\n")
        with pytest.raises(DataError, match="does not agree with TESTUSDT-1h.zip.CHECKSUM"):
            bring(archive, file)
        put(tmp_path, "TESTUSDT-1h.zip.CHECKSUM", f"{hashlib.sha256(GOOD).hexdigest()}  TESTUSDT-1h.zip\n")
        assert bring(archive, file).added == 60


class TestRealFiles:
    """What exchanges and other programs wrote, defects and all; the files lie beside some checkouts only."""

    def test_accepted(self, reference: Path, archive: Archive) -> None:
        folder = reference / "data" / "candles"
        expected = {
            "binance_spot_archive_zip_1d/BTCUSDT-1d-2024-01.zip": (31, 0, 0),
            "binance_spot_archive_zip_1d/BTCUSDT-1d-2025-01.zip": (31, 0, 0),
            "binance_spot_archive_csv_1h/BTCUSDT-1h-2023-03.csv": (743, 0, 1),
            "binance_spot_1d_2017_2022_freqtradejson/APE_USDT-1d.json": (208, 0, 0),
            "binance_spot_2020_2025_feather/SOL_USDT-4h.feather": (10_955, 0, 0),
            "binance_um_1m_archive_csv/FILUSDT-1m-2023-02.csv.gz": (40_320, 0, 0),
        }
        for place, (rows, duplicates, missing) in expected.items():
            report = bring(archive, folder / place)
            assert (report.rows, report.duplicates) == (rows, duplicates), place
            assert sum(gap.bars for gap in report.gaps) == missing, place

    def test_a_duplicate_at_a_seam_is_left_out(self, reference: Path, archive: Archive) -> None:
        file = reference / "data" / "candles" / "bybit_linear_1d" / "ADAUSDT.csv"
        report = import_files([file], archive=archive, timeframe="1d", exchange="bybit")[0]
        assert (report.rows, report.added, report.duplicates, report.gaps) == (1_703, 1_702, 1, ())

    @pytest.mark.parametrize(
        ("place", "symbol", "timeframe", "told"),
        [
            ("binance_spot_archive_zip_1d/BTCUSDT-1d-2021-01.zip", None, None, "holds another archive"),
            ("bitfinex_1m/ETHUSD_1m_2016.csv.gz", None, None, "no header line"),
            ("cryptodatadownload_1d/Binance_BTCUSDT_d.csv", "BTC/USDT", "1d", "no header line"),
            ("gocryptotrader/binance_BTCUSDT_24h_2019_01_01_2020_01_01.csv", "BTC/USDT", "1d", "no header line"),
            ("lean/crypto/binance/hour/btcusdt_trade.zip", "BTC/USDT", "1h", "no header line"),
            ("freqtrade_testdata/XRP_ETH-trades.feather", "XRP/ETH", "1m", "has no column open, high, low"),
            ("ta4j/Coinbase-ETH-USD-PT1D-20160517_20251028.json", "ETH/USD", "1d", "not a list of candles"),
            ("ticks/nautilus_binance_btcusdt-trades.parquet", "BTC/USDT", "1m", "has no column"),
        ],
    )
    def test_refused(
        self, place: str, symbol: str | None, timeframe: str | None, told: str, reference: Path, archive: Archive
    ) -> None:
        with pytest.raises(CryptoBotError, match=told):
            bring(archive, reference / "data" / "candles" / place, symbol=symbol, timeframe=timeframe)
