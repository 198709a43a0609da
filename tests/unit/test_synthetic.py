"""Prices nobody has paid: the same for everybody, and fair."""

import hashlib
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.data import Archive, candles_digest, resample
from crypto_bot.data.synthetic import SYMBOLS, dice, first_dice, synthetic_stream
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Bar
from crypto_bot.domain.units import parse_time_ns
from tests.made_candles import equal

PAIR = Instrument("BTC/USDT", tick=5, lot=10)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRYPTO_BOT_CACHE_DIR", str(tmp_path / "cache"))


def stream(seed: int = 1, timeframe: str = "1m", start_price: int = 3_000_000, count: int = 2_000) -> list[Bar]:
    return list(islice(synthetic_stream(seed, PAIR, timeframe, parse_time_ns("2026-01-01"), start_price), count))


class TestDemonstrationSet:
    def test_it_is_the_same_on_every_machine(self) -> None:
        archive = Archive(Path("nowhere"))
        digests = [candles_digest(archive.load(symbol, "1h")) for symbol in ("SYN01/USDT", "SYN20/USDT")]
        assert digests == ["8e8e950481a4fe55c253eab5feb16016", "f90f83e1ecb00839b6fd24b752344ae8"]
        assert candles_digest(archive.load("SYN01/USDT", "1h")) == digests[0], "from the cache too"

    def test_coins_are_sound_different_and_partly_alike(self) -> None:
        archive = Archive(Path("nowhere"))
        returns = []
        for symbol in SYMBOLS[:4]:
            candles = archive.load(symbol, "1d")
            assert candles.instrument.exchange == "synthetic" and len(candles) == 1_096
            assert candles.low.min() > 0
            assert np.array_equal(candles.open[1:], candles.close[:-1])
            returns.append(np.diff(np.log(candles.close.astype(np.float64))))
        together = np.corrcoef(returns)[np.triu_indices(4, 1)]
        assert together.min() > 0.2 and together.max() < 0.9

    def test_days_are_joined_hours(self) -> None:
        archive = Archive(Path("nowhere"))
        hours = archive.load("SYN05/USDT", "1h")
        assert equal(archive.load("SYN05/USDT", "1d"), resample(hours, "1d"))
        assert equal(archive.load("SYN05/USDT", "4h", exchange="bybit"), resample(hours, "4h"))


class TestStream:
    def test_equal_seeds_give_equal_bars(self) -> None:
        assert stream() == stream() and stream() != stream(seed=2)
        text = repr([tuple(bar) for bar in stream(count=100)])
        assert hashlib.sha256(text.encode()).hexdigest()[:16] == "e84499c69f4392c5"

    def test_bars_are_sound_whole_ticks_and_unbroken(self) -> None:
        bars = stream()
        assert bars[0].time_ns == parse_time_ns("2026-01-01") and bars[0].open == 3_000_000
        for before, bar in pairwise(bars):
            assert bar.time_ns - before.time_ns == 60 * 10**9 and bar.open == before.close
            assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
            assert not any(price % PAIR.tick for price in bar[1:5])
            assert bar.volume > 0 and bar.volume % PAIR.lot == 0

    def test_prices_are_fair(self) -> None:
        """A martingale: over many seeds the mean of the last price is the first one, within four standard errors."""
        last = np.array([stream(seed=seed, count=60)[-1].close for seed in range(300)], dtype=np.float64)
        assert abs(last.mean() - 3_000_000) < 4 * last.std() / len(last) ** 0.5
        assert last.std() > 3_000

    @pytest.mark.parametrize("start", [1, 5, 10, 50])
    def test_the_lowest_prices_stay_positive(self, start: int) -> None:
        assert min(bar.low for bar in stream(start_price=start, count=5_000)) >= PAIR.tick

    def test_longer_bars_move_further(self) -> None:
        def spread(timeframe: str) -> float:
            return float(np.std(np.diff(np.log([bar.close for bar in stream(timeframe=timeframe)]))))

        assert 6 < spread("1h") / spread("1m") < 9


def test_the_dice_are_splitmix64() -> None:
    """The published outputs for the seed 1234567."""
    published = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ]
    assert list(islice(dice(1_234_567), 5)) == published
    assert first_dice(1_234_567, 5).tolist() == published
