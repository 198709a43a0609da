"""Laws of the archive: what is imported is what was exported, exactly, in whatever order and however often."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.data import Archive, resample
from crypto_bot.data.address import SeriesAddress
from crypto_bot.data.importing import check_file, import_files
from crypto_bot.data.merge import rescale
from crypto_bot.data.months import encode_month, read_month
from crypto_bot.data.numbers import take_apart
from crypto_bot.data.timeline import count_out_of_order, count_repeated, find_gaps
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import parse_scaled, parse_time_ns
from tests.made_candles import FORMATS, archive_text, chosen, csv_text, equal, exact_rows, made, put

FIRST_NS = parse_time_ns("2024-01-30")
HOUR_NS = 3_600 * 10**9


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@st.composite
def candles(draw: st.DrawFn, most: int = 40) -> Candles:
    """Draw hourly candles with gaps, at a drawn price scale, with every kind of bar in them."""
    hours = draw(st.lists(st.integers(0, 2_000), min_size=2, max_size=most, unique=True).map(sorted))
    hours = [*hours, hours[-1] + 1]  # two neighbours, or the timeframe could not be seen
    count = len(hours)
    price = st.integers(1, 10**9)
    corners = [sorted(draw(st.tuples(price, price, price, price))) for _ in range(count)]
    up = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    volume = draw(st.lists(st.integers(0, 10**15), min_size=count, max_size=count))
    low, inner, outer, high = (np.array(column, dtype=np.int64) for column in zip(*corners, strict=True))
    instrument = Instrument("TEST/USDT", price_scale=10 ** draw(st.integers(0, 5)))
    rising = np.array(up)
    return Candles(
        instrument,
        "1h",
        FIRST_NS + np.array(hours, dtype=np.int64) * HOUR_NS,
        np.where(rising, inner, outer),
        high,
        low,
        np.where(rising, outer, inner),
        np.array(volume, dtype=np.int64),
    )


@settings(max_examples=50)
@given(candles(), st.sampled_from(sorted(FORMATS)))
def test_import_of_an_export_is_the_same(exported: Candles, name: str) -> None:
    """In every format, prices and volumes to the last digit; floats hold 15 of them, so those are kept shorter."""
    if "feather" in name or "parquet" in name:
        exported = replace(exported, volume=exported.volume % 10**13)
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "archive", samples=False)
        import_files([put(Path(folder), name, FORMATS[name](exported))], archive=archive)
        assert equal(archive.load("TEST/USDT", "1h"), exported)


@settings(max_examples=25)
@given(candles(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_repetition_and_division_do_not_matter(exported: Candles, random: object, parts: int) -> None:
    """Any split into files, in any order, with any rows told again."""
    shuffle, choice = random.shuffle, random.choice  # type: ignore[attr-defined]  # hypothesis types it as object
    rows = list(range(len(exported)))
    rows += [choice(rows) for _ in range(5)]
    shuffle(rows)
    size = -(-len(rows) // parts)
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "archive", samples=False)
        pieces = [chosen(exported, rows[i : i + size]) for i in range(0, len(rows), size)]
        for number, piece in enumerate(pieces):
            times = np.unique(piece.times)
            if times.size > 1 and np.diff(times).min() > HOUR_NS:  # would look like longer bars: store it directly
                archive.store(chosen(piece, np.unique(piece.times, return_index=True)[1].tolist()), source="part")
                continue
            file = put(Path(folder), f"TESTUSDT-1h-{number}.csv", csv_text(piece))
            report = import_files([file], archive=archive)[0]
            assert report.duplicates == len(piece) - times.size
        assert equal(archive.load("TEST/USDT", "1h"), exported)


@settings(max_examples=300)
@given(st.from_regex(r"[+-]?[0-9]{0,12}\.?[0-9]{0,6}([eE][+-]?[0-9])?", fullmatch=True), st.integers(0, 8))
def test_text_is_read_as_decimal_reads_it(text: str, decimals: int) -> None:
    """The vectorised reader against the exact one of the domain, digit by digit."""
    digits = take_apart(pl.Series([text]))
    scaled = digits.scaled(decimals)
    try:
        expected = parse_scaled(text, 10**decimals)
    except ValueError as problem:
        marks = {
            "is not a number": digits.unreadable,
            "has more decimals": scaled.rounded,
            "too large": scaled.too_large,
        }
        assert any(mark[0] for told, mark in marks.items() if told in str(problem))
    else:
        assert not digits.unreadable[0] and not scaled.rounded[0] and not scaled.too_large[0]
        assert int(scaled.numbers[0]) == expected
        assert digits.decimals <= decimals


@given(st.integers(-(2**70), 2**70), st.integers(0, 6))
def test_what_does_not_fit_is_marked(number: int, decimals: int) -> None:
    scaled = take_apart(pl.Series([str(number)])).scaled(decimals)
    fits = abs(number) * 10**decimals < 2**63
    assert bool(scaled.too_large[0]) is not fits
    if fits:
        assert int(scaled.numbers[0]) == number * 10**decimals


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=20), st.integers(0, 6), st.integers(0, 6))
def test_a_finer_scale_and_back_is_the_same(values: list[int], coarse: int, more: int) -> None:
    column = np.array(values, dtype=np.int64)
    assert (
        rescale(rescale(column, 10**coarse, 10 ** (coarse + more)), 10 ** (coarse + more), 10**coarse).tolist()
        == values
    )


@given(candles())
def test_a_file_holds_what_it_was_given(written: Candles) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = put(Path(folder), "2024-01.parquet", encode_month(written, ["a", "b"]))
        read = read_month(file)
    assert all(map(np.array_equal, read.columns, written.columns()))
    assert read.description["sources"] == ["a", "b"]


@given(candles(most=60), st.sampled_from(["2h", "4h", "6h", "12h", "1d", "3d", "1w"]))
def test_resampling_agrees_with_the_slow_way(short: Candles, timeframe: str) -> None:
    long = resample(short, timeframe)
    reached = int(short.times[-1]) + short.bar_ns
    expected = []
    start = (int(short.times[0]) - 4 * 24 * HOUR_NS) // long.bar_ns * long.bar_ns
    start += 4 * 24 * HOUR_NS if timeframe == "1w" else 0
    while start + long.bar_ns <= reached:
        inside = exact_rows(short.between(start, start + long.bar_ns - 1))
        if inside and start >= int(short.times[0]):
            _, opens, highs, lows, closes, volumes = zip(*inside, strict=True)
            expected.append((start, opens[0], max(highs), min(lows), closes[-1], sum(volumes)))
        start += long.bar_ns
    assert exact_rows(long) == expected


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40))
def test_a_timeline_is_counted_as_by_hand(hours: list[int]) -> None:
    times = np.array(hours, dtype=np.int64) * HOUR_NS
    assert count_repeated(times) == len(hours) - len(set(hours))
    assert count_out_of_order(times) == sum(hour < max(hours[: i + 1]) for i, hour in enumerate(hours))
    missing = [hour for hour in range(min(hours), max(hours)) if hour not in hours]
    gaps = find_gaps(np.sort(times), HOUR_NS)
    told = [hour for gap in gaps for hour in range(gap.first_ns // HOUR_NS, gap.last_ns // HOUR_NS + 1)]
    assert told == missing and sum(gap.bars for gap in gaps) == len(missing)


FUZZED = (
    "TESTUSDT-1h.csv",
    "TESTUSDT-1h-2024-01.zip",
    "TESTUSDT-1h.csv.gz",
    "TEST_USDT-1h.json",
    "TEST_USDT-1h.feather",
    "TEST_USDT-1h.parquet",
)
WHOLE = {name: FORMATS[name](made(40)) for name in FUZZED}


@settings(max_examples=300)
@given(st.data(), st.sampled_from(sorted(WHOLE)))
def test_no_file_brings_the_importer_down(data: st.DataObject, name: str) -> None:
    """Bytes changed, cut, doubled: the file is read, or refused in one sentence."""
    content = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["byte", "sign", "cut", "double"]))
        if kind == "byte":
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "sign":
            content[place] = data.draw(st.sampled_from(list(b'0123456789.,-+eENan" \n\r\t[]{}')))
        elif kind == "cut" and place > 8:
            del content[place:]
        else:
            content[place:place] = content[place : place + 50]
    with tempfile.TemporaryDirectory() as folder:
        file = put(Path(folder), name, bytes(content))
        try:
            check_file(file, SeriesAddress.of("binance", "TEST/USDT", "1h"))
        except CryptoBotError as refusal:
            assert name in str(refusal) and "\n" not in str(refusal)


@given(st.integers(1, 200))
def test_a_cut_archive_row_is_noticed(cut: int) -> None:
    """Of twelve columns the last is always there, so that a line cut anywhere but at its end is seen."""
    text = archive_text(made(6)).rstrip("\n")
    rest = text[:-cut]
    with tempfile.TemporaryDirectory() as folder:
        file = put(Path(folder), "TESTUSDT-1h.csv", rest)
        address = SeriesAddress.of("binance", "TEST/USDT", "1h")
        if rest.split("\n")[-1].count(",") == 11:  # nothing is missing but a part of the last column
            assert len(check_file(file, address).arrival.candles) == rest.count("\n") + 1
        elif rest.endswith("\n"):
            assert len(check_file(file, address).arrival.candles) == rest.count("\n")
        else:
            with pytest.raises(CryptoBotError, match="cells in line"):
                check_file(file, address)
