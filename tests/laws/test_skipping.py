"""The fast path is the plain loop: it skips bars in which nothing but the mark can happen, and changes nothing."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.strategies.catalogue import NAMES
from tests.plays import SHIPPED, Rooms, Terms, author, play
from tests.shipped import busy
from tests.small_worlds import MINUTE, T0, candles_of

PUPPET = Path(__file__).parents[1] / "parity" / "strategies" / "puppet.py"
GATES = {
    "groups": (("AAA/USDT", "CCC/USDT"),),
    "group_ppm": 300_000,
    "volatility_ppm": 5_000_000,
    "kelly_ppm": 500_000,
    "expectancy": "smallest",
    "cooldown_ns": 3 * MINUTE,
    "losses": 2,
    "pause_ns": 40 * MINUTE,
}
COINS = (
    Instrument("AAA/USDT", price_scale=100, quantity_scale=1_000_000, lot=10, min_notional=5 * ATOMS),
    Instrument("BBB/USDT", price_scale=100_000_000, quantity_scale=1_000),
    Instrument("CCC/USDT", price_scale=10_000, quantity_scale=1_000_000, lot=1_000, tick=100),
)


def made_up_candles(dice: random.Random, coins: int, bars: int) -> list[Candles]:
    """Return calm and wild stretches, with gaps up to days."""
    gaps = [1] * 40 + [2, 3, 90, 1_500, 3_000]
    times = T0 + np.cumsum(np.array([dice.choice(gaps) for _ in range(bars)], np.int64)) * MINUTE
    found = []
    for coin in COINS[:coins]:
        price = coin.price_scale * 100
        wild = 1
        rows = []
        for _ in range(bars):
            if dice.random() < 0.05:
                wild = dice.choice([1, 1, 4, 30])
            points = [price]
            for _ in range(3):
                points.append(max(coin.price_scale, points[-1] + dice.randint(-wild, wild) * coin.price_scale // 10))
            rows.append((points[0], max(points), min(points), points[-1]))
            price = points[-1]
        found.append(candles_of(rows, coin, times=times))
    return found


def made_up_terms(dice: random.Random) -> Terms:
    return Terms(
        limits=dice.choice(
            [(0, 0, 0, 0), (20_000, 10_000, 500_000, 800_000), (150_000, 50_000, 0, 900_000), (0, 5_000, 0, 0)]
        ),
        costs=dice.choice([(0, 0, 0), (1_000, 1_000, 500), (100, 2_000, 0)]),
        gates=dice.choice([(), (("cooldown_ns", 20 * MINUTE), ("places", 2)), tuple(GATES.items())]),
        fee_in=dice.choice(["quote", "received"]),
        volume=dice.choice([("fixed", 1_000_000, 0), ("volume_share", 500_000, 30_000), ("square_root", 2_000_000, 0)]),
        fills=dice.choice(["pessimistic", "touch", "path", "ohlc", "olhc", "adaptive"]),
        fill_at=dice.choice(["next_open", "next_open", "close"]),
    )


def both_ways(file: Path, candles: list[Candles], terms: Terms, **params: Any) -> Any:
    rooms = Rooms.plain()
    strategy = rooms.binding.Strategy(file)
    plain = play(rooms, [(strategy, params)], candles, terms, skip=False)
    plain.assert_same(play(rooms, [(strategy, params)], candles, terms, skip=True))
    assert plain.world_of.desk[0]["laws"] == 0
    return plain


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=40)
def test_senseless_wishes(seed: int) -> None:
    dice = random.Random(seed)
    candles = made_up_candles(dice, dice.randint(1, 3), 200)
    both_ways(PUPPET, candles, made_up_terms(dice), seed=seed, often=dice.choice([2, 10, 60]))


@pytest.mark.parametrize("timeframe", ["3m", "15m", "1h", "1d"])
@pytest.mark.parametrize("seed", range(4))
def test_senseless_wishes_on_bars_of_their_own(tmp_path: Path, seed: int, timeframe: str) -> None:
    """Over gaps, two longer bars may become known with one bar of the run."""
    dice = random.Random(seed)
    text = PUPPET.read_text().replace("\nclass Params", f'\ntimeframe = "{timeframe}"\n\n\nclass Params', 1)
    file = tmp_path / "puppet.py"
    file.write_text(text)
    both_ways(file, made_up_candles(dice, 2, 300), made_up_terms(dice), seed=seed, often=70)


def test_two_bars_known_together_are_one_decision(tmp_path: Path) -> None:
    """The minutes from 3 to 8 are missing: with the minute that closes at 10, two bars of five minutes are known."""
    text = """
    timeframe = "5m"

    def memory(p):
        return dict(n=0)

    def step(p, m):
        m.n[0] += 1
        target(0, m.n[0] / 10)
    """
    times = T0 + np.array([0, 1, 2, *range(9, 30)], np.int64) * MINUTE
    candles = candles_of([(10_000, 10_000, 10_000, 10_000)] * times.size, times=times)
    played = both_ways(author(tmp_path, text), [candles], Terms(costs=(0, 0, 0)))
    fills = played.fills()
    assert [(int(f["time_ns"]) - T0) // MINUTE for f in fills] == [10, 15, 20, 25]
    assert int(fills[0]["quantity"]) == 20 * 1_000_000, "the second of the two decided"


PARAMS: dict[str, dict[str, float]] = {
    "grid": {"lower_price": 95.0, "upper_price": 105.0, "num_grids": 20, "total_investment": 9_000.0},
    "buy_and_hold": {"fraction": 0.9},
    "simple_ma": {"fast": 3, "slow": 9},
}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["grid", "buy_and_hold", "simple_ma"])
def test_shipped_strategies_over_made_up_markets(name: str, seed: int) -> None:
    dice = random.Random(seed)
    params = PARAMS[name]
    candles = made_up_candles(dice, 1 if name == "grid" else 3, 400)
    both_ways(SHIPPED / f"{name}.py", candles, made_up_terms(dice), **params)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PARAMS])
def test_other_strategies_over_made_up_markets(name: str) -> None:
    dice = random.Random(11)
    params = {**busy(name).given, **({"timeframe": "1h"} if "timeframe" in busy(name).given else {})}
    both_ways(SHIPPED / f"{name}.py", made_up_candles(dice, 3, 600), made_up_terms(dice), **params)


def test_a_log_that_fills_up_in_between_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is interrupted to empty the log, at other bars on each way, and goes on as if it had not been."""
    rooms = Rooms.plain()
    strategy = rooms.binding.Strategy(PUPPET)
    candles = made_up_candles(random.Random(3), 2, 500)
    whole = play(rooms, [(strategy, {"often": 90})], candles)
    monkeypatch.setattr(rooms.stage, "_LEAST_LOG", 1)
    for skip in (True, False):
        parts = play(rooms, [(strategy, {"often": 90})], candles, skip=skip)
        assert len(parts.notes._parts) > 1
        whole.assert_same(parts)
