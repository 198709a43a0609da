"""Longer bars out of shorter ones, by hand and by the archive."""

from pathlib import Path

import pytest

from crypto_bot.data import Archive, resample
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.units import DAY_NS, parse_time_ns
from tests.made_candles import changed, chosen, equal, made


def test_days_and_weeks() -> None:
    hours = made(24 * 16, start="2024-01-04T05:00")
    days = resample(hours, "1d")
    assert int(days.times[0]) == parse_time_ns("2024-01-05") and len(days) == 15
    inside = hours.between(int(days.times[3]), int(days.times[3]) + DAY_NS - 1)
    assert days.bar(3)[1:] == (
        inside.open[0], inside.high.max(), inside.low.min(), inside.close[-1], inside.volume.sum()
    )  # fmt: skip
    weeks = resample(hours, "1w")
    assert [int(time) for time in weeks.times] == [parse_time_ns("2024-01-08")], "from Monday to Sunday"


def test_a_bar_that_is_still_open_is_none() -> None:
    hours = made(24 * 2, start="2024-01-04")
    assert len(resample(chosen(hours, range(47)), "1d")) == 1
    assert len(resample(hours, "1d")) == 2


def test_missing_bars_inside_are_tolerated() -> None:
    hours = made(24 * 2, start="2024-01-04")
    days = resample(chosen(hours, [0, *range(5, 20), *range(30, 48)]), "1d")
    assert len(days) == 2 and int(days.open[1]) == int(hours.open[30])


def test_lengths_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="cannot be made of whole bars"):
        resample(made(timeframe="45m"), "1h")


def test_volumes_that_add_up_to_too_much() -> None:
    huge = changed(changed(made(48, start="2024-01-04"), 1, volume=2**62), 2, volume=2**62)
    with pytest.raises(DataError, match="2024-01-04"):
        resample(huge, "1d")


def test_load_joins_the_longest_bars_that_divide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))
    archive = Archive(tmp_path / "archive", samples=False)
    minutes = made(24 * 60, timeframe="1m", start="2024-01-04")
    archive.store(minutes, source="a test")
    archive.store(resample(minutes, "15m"), source="a test")
    assert equal(archive.load("TEST/USDT", "1h"), resample(minutes, "1h"))
    assert archive.locate("TEST/USDT", "1h").timeframe == "15m"
    assert archive.locate("TEST/USDT", "20m").timeframe == "1m"
