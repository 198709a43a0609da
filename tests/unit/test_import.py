"""Files of candles: every format brings the same bars; what cannot be candles is refused before a byte is written."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto_bot.data.archive import Archive
from crypto_bot.data.filename import parse_name
from crypto_bot.data.importing import ImportReport, import_files
from crypto_bot.data.resample import resample
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import parse_time_ns
from tests.made_candles import (
    FORMATS,
    archive_text,
    chosen,
    csv_text,
    equal,
    json_of,
    made,
    put,
    snapshot,
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


class TestFormats:
    @pytest.mark.parametrize("name", FORMATS)
    def test_each_brings_the_same_bars(self, name: str, tmp_path: Path, archive: Archive) -> None:
        candles = made()
        report = bring(archive, put(tmp_path, name, FORMATS[name](candles)))
        assert (report.symbol, report.timeframe, report.rows, report.added) == ("TEST/USDT", "1h", 60, 60)
        assert (report.duplicates, report.out_of_order, report.gaps, report.notes) == (0, 0, (), ())
        assert equal(archive.load("TEST/USDT", "1h"), candles)

    @pytest.mark.parametrize("name", ["open_time", "datetime", "date", "time", "unix", "ts", "Timestamp"])
    def test_the_time_has_many_names(self, name: str, tmp_path: Path, archive: Archive) -> None:
        candles = made()
        text = csv_text(candles).replace("timestamp", name, 1)
        assert text.partition("\n")[0].split(",")[0] == name
        bring(archive, put(tmp_path, "T.csv", text), symbol="TEST/USDT", timeframe="1h")
        assert equal(archive.load("TEST/USDT", "1h"), candles)

    def test_filters_are_assumed_from_the_prices(self, tmp_path: Path, archive: Archive) -> None:
        rows = HEADER + "1700000000000,1.5000,1.5300,1.50,1.52,3\n"
        bring(
            archive, put(tmp_path, "X.csv", rows.replace("1700000000000", "1699999200")), symbol="X/Y", timeframe="1h"
        )
        instrument = archive.load("X/Y", "1h").instrument
        assert (instrument.price_scale, instrument.tick, instrument.quantity_scale) == (100, 1, 1_000_000)
        assert (instrument.lot, instrument.min_notional) == (1, 0)

    def test_a_real_month_agrees_with_the_samples(self, archive: Archive) -> None:
        """The archive's own hours, from one source, against the packaged five minutes, from another."""
        report = bring(archive, DATA / "BTCUSDT-1h-2023-03-cut.csv")
        assert [(gap.first_ns, gap.bars) for gap in report.gaps] == [(parse_time_ns("2023-03-24T13:00"), 1)]
        hours = archive.load("BTC/USDT", "1h")
        first, last = int(hours.times[0]), int(hours.times[-1])
        packaged = Archive(Path("nowhere")).load("BTC/USDT", "5m", start_ns=first, end_ns=last + hours.bar_ns - 1)
        assert equal(resample(packaged, "1h"), hours)

    def test_numbers_are_exact(self, tmp_path: Path, archive: Archive) -> None:
        """A number no float holds, and four ways to write one price."""
        rows = HEADER + "1699999200,00123.45,123.450,1.2345e2,+123.45,9007199254.740993\n"
        report = bring(archive, put(tmp_path, "a.csv", rows), symbol="A/B", timeframe="1h")
        assert archive.load("A/B", "1h").bar(0)[1:] == (12_345, 12_345, 12_345, 12_345, 9_007_199_254_740_993)
        assert report.notes == ()

    def test_volumes_finer_than_a_millionth_are_rounded_and_told(self, tmp_path: Path, archive: Archive) -> None:
        rows = HEADER + "1699999200,1,1,1,1,0.0000005\n1700002800,1,1,1,1,0.00000049\n"
        report = bring(archive, put(tmp_path, "a.csv", rows), symbol="A/B", timeframe="1h")
        assert archive.load("A/B", "1h").volume.tolist() == [1, 0]
        assert report.notes == ("volumes that were rounded to 0.000001: 2",)

    def test_prices_finer_than_can_be_counted_are_rounded_and_told(self, tmp_path: Path, archive: Archive) -> None:
        rows = HEADER + "1699999200,30000.300000000003,30000.4,30000.2,30000.299999999999,1\n"
        report = bring(archive, put(tmp_path, "a.csv", rows), symbol="A/B", timeframe="1h")
        candles = archive.load("A/B", "1h")
        assert candles.instrument.price_scale == 10 and candles.bar(0)[1:5] == (300_003, 300_004, 300_002, 300_003)
        assert "rounded to 0.1: 1" in report.notes[0]

    def test_volumes_beyond_64_bits_take_coarser_steps(self, tmp_path: Path, archive: Archive) -> None:
        """Coins that trade by the hundred trillion a day exist."""
        rows = HEADER + "1699999200,0.00001,0.00001,0.00001,0.00001,99000000000000.5\n"
        report = bring(archive, put(tmp_path, "a.csv", rows), symbol="A/B", timeframe="1h")
        candles = archive.load("A/B", "1h")
        assert candles.instrument.quantity_scale == 10_000 and int(candles.volume[0]) == 990_000_000_000_005_000
        assert report.notes == ()


class TestRepairs:
    def test_order_and_duplicates(self, tmp_path: Path, archive: Archive) -> None:
        candles = made()
        rows = [*range(10, 60), *range(10), 5, 5]
        report = bring(archive, put(tmp_path, "TESTUSDT-1h.csv", csv_text(chosen(candles, rows))))
        assert (report.rows, report.added, report.duplicates, report.out_of_order) == (62, 60, 2, 12)
        assert len(report.notes) == 2
        assert equal(archive.load("TEST/USDT", "1h"), candles)

    def test_gaps_are_kept_and_told(self, tmp_path: Path, archive: Archive) -> None:
        candles = made()
        report = bring(archive, put(tmp_path, "TESTUSDT-1h.csv", csv_text(chosen(candles, [*range(7), *range(9, 60)]))))
        assert [(gap.first_ns, gap.last_ns, gap.bars) for gap in report.gaps] == [
            (int(candles.times[7]), int(candles.times[8]), 2)
        ]
        assert report.notes == ("2 bars are missing, in one gap at 2024-01-30T07:00:00Z",)
        assert len(archive.load("TEST/USDT", "1h")) == 58

    def test_importing_again_changes_nothing(self, tmp_path: Path, archive: Archive) -> None:
        file = put(tmp_path, "TESTUSDT-1h.csv", csv_text(made()))
        bring(archive, file)
        before = snapshot(archive.root)
        report = bring(archive, file)
        assert (report.added, report.known) == (0, 60) and snapshot(archive.root) == before

    def test_blank_lines_are_no_rows(self, tmp_path: Path, archive: Archive) -> None:
        text = "\n" + csv_text(made(3)).replace("\n", "\n\n") + "\n  \n"
        assert bring(archive, put(tmp_path, "TESTUSDT-1h.csv", text)).rows == 3

    def test_milliseconds_then_microseconds_in_two_files(self, tmp_path: Path, archive: Archive) -> None:
        """The exchange changed its unit at the turn of 2025."""
        candles = made(48, start="2024-12-31")
        old = put(tmp_path, "TESTUSDT-1h-2024-12.csv", archive_text(chosen(candles, range(24))))
        new = put(tmp_path, "TESTUSDT-1h-2025-01.csv", archive_text(chosen(candles, range(24, 48)), unit_ns=1_000))
        import_files([new, old], archive=archive)
        assert equal(archive.load("TEST/USDT", "1h"), candles)


def row(*cells: str, time: str = "1700006400") -> str:
    """Return CSV of two good rows and one with these cells."""
    good = "1699999200,10,11,9,10,1\n1700002800,10,11,9,10,1\n"
    return f"{HEADER}{good}{time},{','.join(cells)}\n"


IMPOSSIBLE = {
    "high below low": (row("10", "9", "11", "10", "1"), "a high below its low in line 4 (2023-11-15T00:00:00Z)"),
    "open above": (row("12", "11", "9", "10", "1"), "an open outside of low and high in line 4"),
    "open below": (row("8", "11", "9", "10", "1"), "an open outside of low and high in line 4"),
    "close above": (row("10", "11", "9", "12", "1"), "a close outside of low and high in line 4"),
    "close below": (row("10", "11", "9", "8.99", "1"), "a close outside of low and high in line 4"),
    "zero": (row("0", "11", "0", "10", "1"), "a price that is not positive in line 4"),
    "negative": (row("10", "11", "-9", "10", "1"), "a price that is not positive in line 4"),
    "negative volume": (row("10", "11", "9", "10", "-0.00000001"), "a negative volume in line 4"),
    "nan": (row("10", "nan", "9", "10", "1"), "a high that is no number ('nan') in line 4"),
    "inf": (row("10", "inf", "9", "10", "1"), "a high that is no number ('inf') in line 4"),
    "empty cell": (row("10", "11", "", "10", "1"), "no low in line 4"),
    "empty volume": (row("10", "11", "9", "10", " "), "no volume in line 4"),
    "words": (row("10", "11", "9", "ten", "1"), "a close that is no number ('ten') in line 4"),
    "grouped": (row("10", "11", "9", '"1,000"', "1"), "a close that is no number ('1,000') in line 4"),
    "overflowing": (
        row("10", "99999999999999999999", "9", "10", "1"),
        "a high that does not fit into 64 bits in line 4",
    ),
    "overflowing exponent": (row("10", "1e30", "9", "10", "1"), "a high that does not fit into 64 bits in line 4"),
    "too large to add up": (
        row("10", "9999999999999", "9", "10", "1"),
        "too large to be added up in 64 bits, with 9999999999999 at 2023-11-15T00:00:00Z",
    ),
    "too small": (row("10", "11", "0.0000000000012345", "10", "1"), "a low too small to be counted"),
    "overflowing volume": (row("10", "11", "9", "10", "1e19"), "a volume that does not fit into 64 bits"),
    "too few cells": (row("10", "11", "9", "10"), "5 cells in line 4 where 6 belong"),
    "too many cells": (row("10", "11", "9", "10", "1", "1"), "7 cells in line 4 where 6 belong"),
    "off the grid": (row("10", "11", "9", "10", "1", time="1700006401"), "a bar at 2023-11-15T00:00:01Z in line 4"),
    "milliseconds among seconds": (
        row("10", "11", "9", "10", "1", time="1700006400000"),
        "the times change from seconds to milliseconds in line 4",
    ),
    "microseconds among seconds": (
        row("10", "11", "9", "10", "1", time="1700006400000000"),
        "the times change from seconds to microseconds in line 4",
    ),
    "a date among epochs": (row("10", "11", "9", "10", "1", time="2023-11-15"), "'2023-11-15' is not a time like"),
    "no time": (row("10", "11", "9", "10", "1", time=""), "the time is missing in line 4"),
    "a time of no unit": (row("10", "11", "9", "10", "1", time="20231115"), "20231115 is no time since 1970"),
    "conflict": (row("10", "11", "9", "10.5", "1", time="1700002800"), "twice and differently, in line 3 and line 4"),
    "conflicting volume": (row("10", "11", "9", "10", "2", time="1700002800"), "twice and differently"),
    "no rows": (HEADER, "has a header but no candles"),
    "nothing": ("", "is empty"),
    "blank": (" \n\n", "is empty"),
    "no volume": ("timestamp,open,high,low,close\n1699999200,1,1,1,1\n", "has no column volume"),
    "no time column": ("open,high,low,close,volume\n1,1,1,1,1\n", "has no column timestamp"),
    "two closes": ("timestamp,open,high,low,close,close,volume\n1,1,1,1,1,1,1\n", "two columns called close"),
    "no header": ("1699999200000,10,10,11,9,1\n", "has no header line"),
    "semicolons": (HEADER.replace(",", ";") + "1;1;1;1;1;1\n", "has no header line"),
    "not text": (HEADER + "\xff\0", "is not UTF-8 text"),
    "an open quotation": (HEADER + '1699999200,10,11,9,"10,1\n', "cells in line 2"),
}


class TestRefusals:
    @pytest.mark.parametrize("case", IMPOSSIBLE)
    def test_what_cannot_be_candles(self, case: str, tmp_path: Path, archive: Archive) -> None:
        text, told = IMPOSSIBLE[case]
        with pytest.raises(DataError) as refusal:
            bring(archive, put(tmp_path, "bad.csv", text), symbol="A/B", timeframe="1h")
        assert told in str(refusal.value) and str(refusal.value).startswith("bad.csv" if text else str(tmp_path))
        assert "\n" not in str(refusal.value)
        assert not archive.root.exists() or snapshot(archive.root) == {}

    @pytest.mark.parametrize("case", ["nan", "conflict", "off the grid", "no header", "too large to add up"])
    def test_nothing_is_written_when_the_third_of_five_is_bad(
        self, case: str, tmp_path: Path, archive: Archive
    ) -> None:
        good = [
            put(tmp_path, f"TESTUSDT-1h-{i}.csv", csv_text(chosen(made(), range(9 * i, 9 * i + 9)))) for i in range(4)
        ]
        bring(archive, good[0])
        before = snapshot(archive.root)
        bad = put(tmp_path, "TESTUSDT-1h-bad.csv", IMPOSSIBLE[case][0])
        with pytest.raises(DataError):
            import_files([good[0], good[1], bad, good[2], good[3]], archive=archive)
        assert snapshot(archive.root) == before

    def test_two_files_that_contradict_each_other(self, tmp_path: Path, archive: Archive) -> None:
        one = put(tmp_path, "TESTUSDT-1h.csv", csv_text(made(20)))
        other = put(tmp_path, "TESTUSDT-1h-b.csv", csv_text(made(20, seed=2)))
        with pytest.raises(DataError, match=r"TESTUSDT-1h-b\.csv .* 2024-01-30T00:00:00Z"):
            bring(archive, one, other)
        assert snapshot(archive.root) == {}

    @pytest.mark.parametrize("claimed", ["5m", "30m", "4h", "1d"])
    def test_another_timeframe(self, claimed: str, tmp_path: Path, archive: Archive) -> None:
        with pytest.raises(DataError, match=f"lie 1h apart, not {claimed}"):
            bring(archive, put(tmp_path, "a.csv", csv_text(made())), symbol="A/B", timeframe=claimed)

    @pytest.mark.parametrize("rows", [[1, 2, "3", 4, 5], [[1, 2]], [[1, 2, 3, 4, 5, [6]]], [[1, 2, 3, 4, 5, True]], []])
    def test_json_that_is_no_list_of_candles(self, rows: list[list[object]], tmp_path: Path, archive: Archive) -> None:
        with pytest.raises(DataError):
            bring(archive, put(tmp_path, "TEST_USDT-1h.json", json_of(rows)))

    @pytest.mark.parametrize("text", ['{"a": 1}', "[[1, 2", "[" * 100_000, "[[1699999200000, NaN, 1, 1, 1, 1]]"])
    def test_json_that_is_broken(self, text: str, tmp_path: Path, archive: Archive) -> None:
        with pytest.raises(DataError):
            bring(archive, put(tmp_path, "TEST_USDT-1h.json", text))

    def test_a_file_of_an_archive_is_not_imported(self, tmp_path: Path, archive: Archive) -> None:
        """Its integers would be taken for prices a hundred times too high."""
        bring(archive, put(tmp_path, "TESTUSDT-1h.csv", csv_text(made())))
        inside = archive.root / "binance" / "TEST-USDT" / "1h" / "2024-01.parquet"
        with pytest.raises(DataError, match="part of an archive already"):
            bring(archive, inside, symbol="A/B", timeframe="1h")

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
    def test_what_is_no_file(self, make: Callable[[Path], None], tmp_path: Path, archive: Archive) -> None:
        make(tmp_path / "TESTUSDT-1h.csv")
        with pytest.raises(DataError, match="is not a file"):
            bring(archive, tmp_path / "TESTUSDT-1h.csv")

    def test_what_is_absent(self, tmp_path: Path, archive: Archive) -> None:
        with pytest.raises(DataError, match="No such file"):
            bring(archive, tmp_path / "TESTUSDT-1h.csv")


class TestNames:
    @pytest.mark.parametrize(
        ("name", "symbol", "timeframe"),
        [
            ("BTCUSDT-1d-2021-01.zip", "BTC/USDT", "1d"),
            ("BTCUSDT-1m-2024-01-02.csv", "BTC/USDT", "1m"),
            ("BTC_USDT-5m.feather", "BTC/USDT", "5m"),
            ("XRP_ETH-1h.json.gz", "XRP/ETH", "1h"),
            ("btc-usdt-1h.csv", "BTC/USDT", "1h"),
            ("1000PEPEUSDT-60m.csv", "1000PEPE/USDT", "1h"),
            ("USDCUSDT-7d.zip", "USDC/USDT", "1w"),
            ("ADAUSDT.csv", "ADA/USDT", None),
            ("btcusdt_trade.zip", None, None),
            ("20221213_quote.zip", None, None),
            ("candles.csv", None, None),
            ("USDT-1h.csv", None, "1h"),
        ],
    )
    def test_what_they_tell(self, name: str, symbol: str | None, timeframe: str | None) -> None:
        assert parse_name(name) == (symbol, timeframe)

    @pytest.mark.parametrize(("name", "flag"), [("candles.csv", "--symbol"), ("ADAUSDT.csv", "--timeframe")])
    def test_what_they_do_not_tell_is_asked_for(self, name: str, flag: str, tmp_path: Path, archive: Archive) -> None:
        with pytest.raises(UsageError, match=flag):
            bring(archive, put(tmp_path, name, csv_text(made())))

    def test_flags_win(self, tmp_path: Path, archive: Archive) -> None:
        bring(archive, put(tmp_path, "BTCUSDT-1d.csv", csv_text(made())), symbol="abc/usdt", timeframe="60m")
        assert len(archive.load("ABC/USDT", "1h")) == 60

    @pytest.mark.parametrize("symbol", ["../../etc", "A/../B", "A", "A/B/C", "", "A/", "/B", "a b/c", "A/B\0", ".."])
    def test_names_that_would_leave_the_archive(self, symbol: str, tmp_path: Path, archive: Archive) -> None:
        with pytest.raises(UsageError, match="is not a symbol|does not say which symbol"):
            bring(archive, put(tmp_path, "x.csv", csv_text(made())), symbol=symbol, timeframe="1h")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv"]

    @pytest.mark.parametrize("exchange", ["../x", "", "a/b", "."])
    def test_exchanges_that_would_leave_the_archive(self, exchange: str, tmp_path: Path, archive: Archive) -> None:
        file = put(tmp_path, "TESTUSDT-1h.csv", csv_text(made()))
        with pytest.raises(UsageError, match="is not the name of an exchange"):
            import_files([file], archive=archive, exchange=exchange)


def test_a_column_too_many_is_tolerated_in_any_order(tmp_path: Path, archive: Archive) -> None:
    candles: Candles = made(3)
    lines = csv_text(candles).splitlines()
    turned = "\n".join(",".join(["x", *reversed(line.split(","))]) for line in lines)
    bring(archive, put(tmp_path, "TESTUSDT-1h.csv", turned))
    assert equal(archive.load("TEST/USDT", "1h"), candles)
