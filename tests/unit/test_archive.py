"""The archive: what goes in comes out, together or not at all; its cache is never believed over its files."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.data import Archive, candles_digest, resample
from crypto_bot.data.archive import SAMPLES
from crypto_bot.data.decoded import identity_of
from crypto_bot.data.months import encode_month, read_month
from crypto_bot.data.synthetic import SYMBOLS
from crypto_bot.data.writing import Arrival
from crypto_bot.domain.errors import DataError, RunFailed, UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import parse_time_ns
from tests.made_candles import changed, chosen, equal, exact_rows, made, snapshot

SOURCE = "a test"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", samples=False)


def at(candles: Candles, **filters: int) -> Candles:
    """Return the same numbers under other filters."""
    instrument = candles.instrument
    kept = {name: filters.pop(name, getattr(instrument, name)) for name in ("price_scale", "quantity_scale")}
    kept |= {name: filters.pop(name, getattr(instrument, name)) for name in ("tick", "lot", "min_notional")}
    assert not filters
    return replace(candles, instrument=Instrument(instrument.symbol, instrument.exchange, **kept))


class TestStoring:
    def test_files_by_month_and_by_year(self, archive: Archive) -> None:
        report = archive.store(made(60), source=SOURCE)
        assert (report.added, report.known) == (60, 0)
        assert report.files == ("binance/TEST-USDT/1h/2024-01.parquet", "binance/TEST-USDT/1h/2024-02.parquet")
        days = archive.store(made(400, timeframe="1d", start="2022-12-30"), source=SOURCE)
        assert [Path(file).name for file in days.files] == ["2022.parquet", "2023.parquet", "2024.parquet"]
        left = sorted(path.name for path in archive.root.iterdir())
        assert left == [".lock", "binance"]

    def test_only_touched_files_change(self, archive: Archive) -> None:
        candles = made(60)
        archive.store(chosen(candles, [*range(20), *range(50, 55)]), source="one")
        january = snapshot(archive.root)["binance/TEST-USDT/1h/2024-01.parquet"]
        report = archive.store(chosen(candles, range(50, 60)), source="two")
        assert (report.added, report.known) == (5, 5)
        assert report.files == ("binance/TEST-USDT/1h/2024-02.parquet",)
        assert snapshot(archive.root)["binance/TEST-USDT/1h/2024-01.parquet"] == january
        assert archive.raw("TEST/USDT", "1h").sources == ("one", "two")

    def test_conflicting_rows_change_nothing(self, archive: Archive) -> None:
        candles = made(60)
        archive.store(candles, source=SOURCE)
        before = snapshot(archive.root)
        with pytest.raises(DataError, match=r"another says that the volume of TEST/USDT at 2024-01-30T07:00:00Z is 5,"):
            archive.store(changed(candles, 7, volume=5_000_000), source="another")
        assert snapshot(archive.root) == before

    @pytest.mark.parametrize(
        ("row", "values", "told"),
        [
            (3, {"high": 1}, "a high below its low|an open outside"),
            (3, {"low": 0}, "a price that is not positive"),
            (3, {"volume": -1}, "a negative volume"),
            (3, {"times": parse_time_ns("2024-01-30T02:00")}, "not in order of time, or repeats a bar"),
            (3, {"times": parse_time_ns("2024-01-30T03:00") + 1}, "where no bar of 1h begins"),
            (59, {"high": 9_300_000_000_000}, "too large to be added up"),
        ],
    )
    def test_what_is_no_candle(self, row: int, values: dict[str, int], told: str, archive: Archive) -> None:
        good = made(20, symbol="GOOD/USDT")
        with pytest.raises(DataError, match=told):
            archive.store_all([Arrival(good, SOURCE), Arrival(changed(made(60), row, **values), SOURCE)])
        assert snapshot(archive.root) == {} if archive.root.exists() else True

    def test_sums_of_a_whole_series_are_guarded(self, archive: Archive) -> None:
        """Each part fits, the series would not."""
        high = 9_000_000_000_000
        flat = np.full(600_000, high, dtype=np.int64)
        times = np.arange(600_000, dtype=np.int64) * 60 * 10**9 + parse_time_ns("2024-01-01")
        halves = Candles(Instrument("BIG/USDT"), "1m", times, flat, flat, flat, flat, flat // high)
        archive.store(chosen(halves, range(500_000)), source=SOURCE)
        archive.store(chosen(halves, range(500_000, 600_000)), source=SOURCE)
        assert archive.load("BIG/USDT", "1m").close.sum(dtype=np.float64) < 2**63
        more = replace(halves, times=halves.times + 600_000 * 60 * 10**9)
        with pytest.raises(DataError, match="too large to be added up"):
            archive.store(more, source=SOURCE)

    def test_an_archive_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "archive").write_text("a file")
        with pytest.raises(RunFailed, match="cannot be written"):
            Archive(tmp_path / "archive").store(made(), source=SOURCE)


class TestScales:
    def test_a_finer_price_widens_the_series(self, archive: Archive) -> None:
        candles = made(60)
        archive.store(chosen(candles, range(30)), source=SOURCE, filters_known=False)
        january = snapshot(archive.root)["binance/TEST-USDT/1h/2024-01.parquet"]
        rest = chosen(candles, range(50, 60))
        finer = replace(rest, **{name: getattr(rest, name) * 10 + 3 for name in ("open", "high", "low", "close")})
        archive.store(at(finer, price_scale=1_000), source=SOURCE, filters_known=False)
        loaded = archive.load("TEST/USDT", "1h")
        assert (loaded.instrument.price_scale, loaded.instrument.tick) == (1_000, 1)
        assert exact_rows(loaded) == exact_rows(chosen(candles, range(30))) + exact_rows(at(finer, price_scale=1_000))
        assert snapshot(archive.root)["binance/TEST-USDT/1h/2024-01.parquet"] == january, "kept at its own scale"

    def test_a_coarser_price_keeps_the_series(self, archive: Archive) -> None:
        candles = at(made(30), price_scale=1_000)
        archive.store(candles, source=SOURCE, filters_known=False)
        coarse = chosen(made(60), range(30, 60))
        archive.store(coarse, source=SOURCE, filters_known=False)
        loaded = archive.load("TEST/USDT", "1h")
        assert (loaded.instrument.price_scale, loaded.instrument.tick) == (1_000, 1)
        assert exact_rows(loaded) == exact_rows(candles) + exact_rows(coarse)

    def test_known_filters_stay_when_assumed_ones_come(self, archive: Archive) -> None:
        candles = made(60)
        known = at(chosen(candles, range(30)), tick=5, lot=10, min_notional=500_000_000)
        archive.store(known, source=SOURCE)
        archive.store(chosen(candles, range(30, 60)), source=SOURCE, filters_known=False)
        assert archive.load("TEST/USDT", "1h").instrument == known.instrument
        newer = at(chosen(candles, range(30, 60)), tick=1, lot=20, min_notional=100)
        archive.store(newer, source=SOURCE)
        assert archive.load("TEST/USDT", "1h").instrument == newer.instrument

    def test_volumes_too_large_for_the_series_make_it_coarser(self, archive: Archive) -> None:
        candles = made(60)
        archive.store(chosen(candles, range(30)), source=SOURCE, filters_known=False)
        rest = changed(chosen(candles, range(30, 60)), 0, volume=2**62)
        archive.store(at(rest, quantity_scale=1_000), source=SOURCE, filters_known=False)
        loaded = archive.load("TEST/USDT", "1h")
        assert loaded.instrument.quantity_scale == 1_000 and int(loaded.volume[30]) == 2**62
        assert loaded.volume[:30].tolist() == [(volume + 500) // 1_000 for volume in candles.volume[:30].tolist()]

    def test_timeframes_of_a_symbol_share_its_scales(self, archive: Archive) -> None:
        archive.store(made(30), source=SOURCE, filters_known=False)
        archive.store(at(made(30, timeframe="1d"), price_scale=10_000), source=SOURCE, filters_known=False)
        assert archive.load("TEST/USDT", "1h").instrument == archive.load("TEST/USDT", "1d").instrument

    def test_a_scale_that_another_timeframe_cannot_bear_is_refused(self, archive: Archive) -> None:
        """Days with eight decimals must not make the minutes of the same symbol unreadable."""
        candles = made(60)
        large = 8_000_000_000
        high = replace(candles, open=candles.open + large, high=candles.high + large, low=candles.low + large)
        archive.store(replace(high, close=candles.close + large), source=SOURCE, filters_known=False)
        before = snapshot(archive.root)
        fine = at(made(30, timeframe="1d"), price_scale=10**8)
        with pytest.raises(DataError, match="64 bits"):
            archive.store(fine, source=SOURCE, filters_known=False)
        assert snapshot(archive.root) == before and len(archive.load("TEST/USDT", "1h")) == 60


class TestLoading:
    def test_a_stretch_of_time_has_both_its_ends(self, archive: Archive) -> None:
        candles = made(60)
        archive.store(candles, source=SOURCE)
        loaded = archive.load(
            "TEST/USDT", "1h", start_ns=int(candles.times[5]), end_ns=int(candles.times[9]) + 3_599 * 10**9
        )
        assert equal(loaded, chosen(candles, range(5, 10)))

    def test_loaded_columns_are_read_only(self, archive: Archive) -> None:
        """They are one mapping of the cache, shared by every reader."""
        archive.store(made(60), source=SOURCE)
        for _ in range(2):
            with pytest.raises(ValueError, match="read-only"):
                archive.load("TEST/USDT", "1h").close[0] = 1

    def test_absent_candles_are_told_with_what_there_is(self, archive: Archive) -> None:
        with pytest.raises(DataError, match="it is empty; .* data import FILE --symbol TEST/USDT --timeframe 1h"):
            archive.load("TEST/USDT", "1h")
        archive.store(made(60), source=SOURCE)
        with pytest.raises(DataError, match=r"there are TEST/USDT on binance \(1h\)"):
            archive.load("OTHER/USDT", "1h")
        with pytest.raises(DataError, match=r"there are TEST/USDT on binance \(1h\)"):
            archive.load("TEST/USDT", "5m")
        with pytest.raises(DataError, match="they reach from 2024-01-30T00:00:00Z to 2024-02-01T11:00:00Z"):
            archive.load("TEST/USDT", "1h", start_ns=parse_time_ns("2025-01-01"))

    @pytest.mark.parametrize(
        ("symbol", "timeframe"), [("../x", "1h"), ("BTC", "1h"), ("BTC/USDT", "7x"), ("A/B", "0m")]
    )
    def test_what_is_no_name(self, symbol: str, timeframe: str, archive: Archive) -> None:
        with pytest.raises(UsageError):
            archive.load(symbol, timeframe)

    def test_strangers_in_the_folder_are_left_alone(self, archive: Archive) -> None:
        archive.store(made(60), source=SOURCE)
        folder = archive.root / "binance" / "TEST-USDT" / "1h"
        (folder / "notes.txt").write_text("mine")
        (folder / "backup.parquet").write_text("mine")
        (archive.root / "binance" / "not a pair" / "1h").mkdir(parents=True)
        (archive.root / "binance" / "TEST-USDT" / "60m").mkdir()
        assert [(each.symbol, each.rows) for each in archive.series()] == [("TEST/USDT", 60)]

    @pytest.mark.parametrize("damage", [b"", b"PAR1 nothing", b"PAR1PAR1"])
    def test_a_damaged_file_is_named(self, damage: bytes, archive: Archive) -> None:
        archive.store(made(60), source=SOURCE)
        (archive.root / "binance" / "TEST-USDT" / "1h" / "2024-02.parquet").write_bytes(damage)
        with pytest.raises(DataError, match=r"2024-02\.parquet is damaged .* delete it and import"):
            archive.load("TEST/USDT", "1h")

    def test_no_flipped_bit_changes_a_number(self, tmp_path: Path) -> None:
        candles = made(60)
        whole = encode_month(candles, [SOURCE])
        file = tmp_path / "2024-01.parquet"
        refused = 0
        for place in range(0, len(whole), 7):
            content = bytearray(whole)
            content[place] ^= 1 << place % 8
            file.write_bytes(content)
            try:
                read = read_month(file)
            except DataError:
                refused += 1
            else:
                assert all(map(np.array_equal, read.columns, candles.columns())), f"byte {place}"
        assert refused > len(whole) // 20

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"price_scale": 7}', None])
    def test_damaged_filters_are_named(self, text: str | None, archive: Archive) -> None:
        archive.store(made(60), source=SOURCE)
        file = archive.root / "binance" / "TEST-USDT" / "instrument.json"
        file.unlink() if text is None else file.write_text(text)
        with pytest.raises(DataError, match=r"instrument\.json is (damaged|missing)"):
            archive.load("TEST/USDT", "1h")


class TestCache:
    def test_a_warm_load_needs_no_heavy_library(self, archive: Archive) -> None:
        archive.store(made(60), source=SOURCE)
        archive.load("TEST/USDT", "1h")
        check = (
            "import sys; from pathlib import Path; from crypto_bot.data import Archive;"
            f"Archive(Path({str(archive.root)!r}), samples=False).load('TEST/USDT', '1h');"
            "print([name for name in ('polars', 'pyarrow', 'pandas', 'numba') if name in sys.modules])"
        )
        result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
        assert result.stdout == "[]\n"

    def test_changed_files_are_noticed(self, archive: Archive, tmp_path: Path) -> None:
        archive.store(made(60), source=SOURCE)
        other = Archive(tmp_path / "other", samples=False)
        other.store(made(60, seed=2), source=SOURCE)
        archive.load("TEST/USDT", "1h")
        for name in ("2024-01.parquet", "2024-02.parquet"):
            place = Path("binance") / "TEST-USDT" / "1h" / name
            (other.root / place).replace(archive.root / place)
        assert equal(archive.load("TEST/USDT", "1h"), made(60, seed=2))

    def test_a_file_of_the_same_size_is_another_file(self, tmp_path: Path) -> None:
        file = tmp_path / "2024-01.parquet"
        file.write_text("old")
        before = identity_of([file], "")
        file.write_text("new")
        os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))
        assert identity_of([file], "") != before

    @pytest.mark.parametrize("damage", ["cut", "flip", "empty", "text", "shape"])
    def test_a_damaged_cache_is_made_again(self, damage: str, archive: Archive, own_cache: Path) -> None:
        candles = made(60)
        archive.store(candles, source=SOURCE)
        archive.load("TEST/USDT", "1h")
        (kept,) = own_cache.rglob("*.npy")
        content = bytearray(kept.read_bytes())
        content[-1_000] ^= 1
        other = {"cut": content[:-100], "flip": content, "empty": b"", "text": b"words" * 99}
        if damage == "shape":
            np.save(kept, np.zeros((3, 4)))
        else:
            kept.write_bytes(bytes(other[damage]))
        assert equal(archive.load("TEST/USDT", "1h"), candles)
        assert equal(archive.load("TEST/USDT", "1h"), candles)

    def test_one_state_of_a_series_is_kept(self, archive: Archive, own_cache: Path) -> None:
        candles = made(60)
        for last in (20, 40, 60):
            archive.store(chosen(candles, range(last)), source=SOURCE)
            archive.load("TEST/USDT", "1h")
        assert len([file for file in own_cache.rglob("*") if file.is_file()]) == 1

    def test_without_a_place_for_the_cache_all_works(self, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crypto_bot.data.decoded.cache_folder", lambda: Path("/proc/nowhere"))
        archive.store(made(60), source=SOURCE)
        assert equal(archive.load("TEST/USDT", "1h"), made(60))


class TestWhatComesWithTheProgram:
    def test_the_samples_are_what_their_provenance_says(self) -> None:
        told = (SAMPLES / "PROVENANCE.md").read_text()
        packaged = Archive(Path("nowhere"))
        series = [each for each in packaged.series() if each.source == "sample"]
        assert [(each.symbol, each.timeframe) for each in series] == [
            ("BTC/USDT", "5m"), ("BTC/USDT", "1d"), ("ETH/USDT", "5m"), ("ETH/USDT", "1d"), ("SOL/USDT", "1d")
        ]  # fmt: skip
        for each in series:
            candles = packaged.load(each.symbol, each.timeframe)
            assert f"{each.symbol} {each.timeframe}: {each.rows} bars" in told
            assert candles_digest(candles) in told
            assert candles.instrument.min_notional == 500_000_000

    def test_two_sources_of_the_samples_agree(self) -> None:
        """Days of one project against the five minutes of another, 364 days of 2023."""
        packaged = Archive(Path("nowhere"))
        for symbol in ("BTC/USDT", "ETH/USDT"):
            joined = resample(packaged.load(symbol, "5m"), "1d")
            days = packaged.load(symbol, "1d", start_ns=int(joined.times[0]), end_ns=int(joined.times[-1]))
            assert len(days) == 364 and equal(joined, days)

    def test_the_users_own_come_first_where_they_reach(self, tmp_path: Path) -> None:
        archive = Archive(tmp_path / "archive")
        archive.store(made(48, symbol="BTC/USDT", start="2023-05-01"), source=SOURCE)
        assert archive.locate("BTC/USDT", "1h").source == "archive"
        assert len(archive.load("BTC/USDT", "1h")) == 48
        june, end = parse_time_ns("2023-06-01"), parse_time_ns("2023-06-02") - 1
        assert archive.locate("BTC/USDT", "1h", start_ns=june, end_ns=end).source == "sample"
        assert len(archive.load("BTC/USDT", "1h", start_ns=june, end_ns=end)) == 24

    def test_the_samples_are_never_written(self, tmp_path: Path) -> None:
        before = snapshot(SAMPLES)
        Archive(tmp_path / "archive").store(made(symbol="BTC/USDT"), source=SOURCE)
        assert snapshot(SAMPLES) == before and not (SAMPLES / ".lock").exists()

    def test_twenty_synthetic_coins(self) -> None:
        told = [each for each in Archive(Path("nowhere")).series() if each.source == "synthetic"]
        assert {each.symbol for each in told} == set(SYMBOLS) and len(SYMBOLS) == 20
        assert {each.exchange for each in told} == {"synthetic"}

    def test_filters_are_readable_json(self, archive: Archive) -> None:
        archive.store(made(), source=SOURCE, filters_known=False)
        told = json.loads((archive.root / "binance" / "TEST-USDT" / "instrument.json").read_text())
        assert (told["symbol"], told["tick"], told["filters_known"]) == ("TEST/USDT", 1, False)


def test_the_digest_tells_candles_apart() -> None:
    candles = made(60)
    same = chosen(candles, range(60))
    assert candles_digest(candles) == candles_digest(same) == candles_digest(replace(same))
    others = [
        chosen(candles, range(59)),
        changed(candles, 59, volume=int(candles.volume[59]) + 1),
        replace(candles, timeframe="2h"),
        at(candles, price_scale=1_000),
        replace(candles, open=candles.close, close=candles.open),
    ]
    digests = {candles_digest(other) for other in [candles, *others]}
    assert len(digests) == 6
    assert candles_digest(candles, others[0]) != candles_digest(others[0], candles)
