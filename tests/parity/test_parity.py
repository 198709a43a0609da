"""One strategy, one market, one hash: compiled, skipping, bar by bar, interpreted, in this process and in another."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.compiled import COMPILE
from tests.parity.markets import cut, market
from tests.plays import SHIPPED, Played, Rooms, Terms, play

HERE = Path(__file__).parent
SLICE = 5_000

CONFIG, TIGHT = (150_000, 50_000, 500_000, 800_000), (20_000, 10_000, 500_000, 800_000)
TERMS = {
    "as configured": Terms(limits=CONFIG),
    "no limits": Terms(),
    "tight limits": Terms(limits=TIGHT),
    "touch": Terms(limits=CONFIG, fills="touch"),
    "path": Terms(limits=CONFIG, fills="path"),
    "gates": Terms(
        limits=CONFIG,
        gates=(
            ("places", 2),
            ("cooldown_ns", 3_600_000_000_000),
            ("volatility_ppm", 600_000),
            ("kelly_ppm", 250_000),
            ("expectancy", "smallest"),
            ("losses", 3),
            ("pause_ns", 7_200_000_000_000),
        ),
    ),
    "parts": Terms(limits=CONFIG, volume=("square_root", 3_000_000, 100_000)),
    "parts, high first": Terms(fills="ohlc", volume=("volume_share", 1_000_000, 25_000)),
    "path, tight": Terms(limits=TIGHT, fills="path", costs=(200, 1_000, 0)),
    "zero delay": Terms(fill_at="close"),
    "zero delay, tight, touch": Terms(limits=TIGHT, fills="touch", fill_at="close"),
    "fee in the coin": Terms(fee_in="received", costs=(1_000, 2_000, 300)),
}

GRID = {"lower_price": 15_000.0, "upper_price": 45_000.0, "num_grids": 58, "total_investment": 9_000.0}
INFINITY = {"num_grids": 24, "spacing_type": "geometric", "sizing": "quote", "top": "infinity", "upper_price": 20_000.0}
FEW = {"parts": 3, "universe": 3, "min_days": 30, "max_weight": 0.7, "band": 0.05}
TRAILING = {
    "lower_price": 19_000.0,
    "upper_price": 24_000.0,
    "num_grids": 15,
    "top": "trailing",
    "stop_lower": 17_000.0,
}
STOPPED = {
    "lower_price": 24_000.0,
    "upper_price": 29_000.0,
    "num_grids": 20,
    "trigger_price": 26_500.0,
    "stop_upper": 29_900.0,
    "out_of_range": "pause",
    "spacing_type": "geometric",
}
STRATEGIES: dict[str, tuple[Path, Mapping[str, Any]]] = {
    "simple_ma": (SHIPPED / "simple_ma.py", {}),
    "quick_ma": (SHIPPED / "simple_ma.py", {"fast": 3, "slow": 11, "fraction": 0.7}),
    "grid": (SHIPPED / "grid.py", GRID),
    "eth_grid": (SHIPPED / "grid.py", GRID | {"lower_price": 1_400.0, "upper_price": 2_300.0, "num_grids": 40}),
    "quote_grid": (SHIPPED / "grid.py", GRID | {"spacing_type": "geometric", "sizing": "quote"}),
    "infinity_grid": (SHIPPED / "grid.py", GRID | INFINITY),
    "trailing_grid": (SHIPPED / "grid.py", GRID | TRAILING),
    "stopped_grid": (SHIPPED / "grid.py", GRID | STOPPED),
    "buy_and_hold": (SHIPPED / "buy_and_hold.py", {}),
    "puppet": (HERE / "strategies" / "puppet.py", {"seed": 5, "often": 4}),
    "donchian_trend": (SHIPPED / "donchian_trend.py", {}),
    "cross_section_momentum": (SHIPPED / "cross_section_momentum.py", FEW),
    "donchian_partial": (SHIPPED / "donchian_trend.py", {"partial": True, "band": 0.0}),
    "rsi_reversion": (SHIPPED / "rsi_reversion.py", {"timeframe": "15m", "trend": 50}),
    "mean_reversion": (SHIPPED / "mean_reversion.py", {"gate": "half_life"}),
    **{name: (SHIPPED / f"{name}.py", {}) for name in ("momentum", "dca")},
}

CASES = [
    *[("simple_ma", "BTC 5m", terms) for terms in TERMS],
    *[("grid", "BTC 5m", terms) for terms in TERMS],
    *[("puppet", "two 5m", terms) for terms in TERMS],
    *[("puppet", "three 1d", terms) for terms in ("tight limits", "path, tight", "fee in the coin")],
    *[("buy_and_hold", name, "no limits") for name in ("BTC 5m", "ETH 5m", "three 1d")],
    *[("buy_and_hold", "three 1d", terms) for terms in ("tight limits", "zero delay, tight, touch")],
    *[("quick_ma", name, "as configured") for name in ("ETH 5m", "two 5m", "three 1d")],
    *[("quick_ma", name, "path, tight") for name in ("ETH 5m", "two 5m", "three 1d")],
    *[("eth_grid", "ETH 5m", terms) for terms in ("no limits", "path", "fee in the coin")],
    *[("quote_grid", "BTC 5m", terms) for terms in ("path", "fee in the coin")],
    *[("trailing_grid", "BTC 5m", terms) for terms in ("path", "no limits")],
    *[("stopped_grid", "BTC 5m", terms) for terms in ("as configured", "fee in the coin")],
    *[("infinity_grid", "BTC 5m", terms) for terms in ("touch", "tight limits")],
    *[(name, "BTC 5m", "no limits") for name in ("rsi_reversion", "mean_reversion")],
    *[(name, "BTC 5m", "path, tight") for name in ("rsi_reversion", "mean_reversion")],
    *[(name, "two 5m", "zero delay, tight, touch") for name in ("rsi_reversion", "mean_reversion", "dca")],
    *[(name, "three 1d", "as configured") for name in ("donchian_trend", "momentum", "dca", "cross_section_momentum")],
    *[(name, "three 1d", "path") for name in ("donchian_trend", "donchian_partial", "cross_section_momentum")],
    *[("puppet", "three 1d with gaps", terms) for terms in TERMS],
    *[("puppet", "two 5m with gaps", terms) for terms in ("as configured", "path, tight")],
    *[("quick_ma", "three 1d with gaps", terms) for terms in ("no limits", "path", "zero delay")],
    *[(name, "three 1d with gaps", "as configured") for name in ("donchian_trend", "momentum", "buy_and_hold")],
    *[("cross_section_momentum", "three 1d with gaps", terms) for terms in ("touch", "path")],
    *[("grid", "two 5m with gaps", terms) for terms in ("no limits", "path")],
]  # fmt: skip


@pytest.fixture(scope="module")
def compiled() -> Rooms:
    if not COMPILE:
        pytest.skip("nothing is compiled in this process")
    return Rooms.of_this_process()


class Loaded:
    """Strategies, each read and compiled once for all tests."""

    def __init__(self, rooms: Rooms) -> None:
        """Begin with none."""
        self._rooms = rooms
        self._known: dict[Path, Any] = {}

    def run(self, names: list[str], candles: list[Candles], terms: Terms, **more: Any) -> Played:
        """Play strategies over candles."""
        chosen = []
        for name in names:
            file, params = STRATEGIES[name]
            if file not in self._known:
                self._known[file] = self._rooms.binding.Strategy(file)
            chosen.append((self._known[file], params))
        return play(self._rooms, chosen, candles, terms, **more)


@pytest.fixture(scope="module")
def fast(compiled: Rooms) -> Loaded:
    return Loaded(compiled)


@pytest.fixture(scope="module")
def slow() -> Loaded:
    return Loaded(Rooms.plain())


@pytest.mark.parametrize(("name", "where", "terms"), CASES)
def test_one_strategy(name: str, where: str, terms: str, fast: Loaded, slow: Loaded) -> None:
    candles = market(where)
    whole = fast.run([name], candles, TERMS[terms])
    whole.assert_same(fast.run([name], candles, TERMS[terms], skip=False))
    assert whole.world_of.desk[0]["laws"] == 0
    part = cut(candles, SLICE)
    interpreted = slow.run([name], part, TERMS[terms], skip=False)
    interpreted.assert_same(fast.run([name], part, TERMS[terms]))


def test_the_cases_trade(fast: Loaded) -> None:
    """Hashes of runs in which nothing happens agree always: there are fills of every kind, halts and refusals."""
    fills = halts = refused = 0
    for name, where, terms in CASES:
        played = fast.run([name], market(where), TERMS[terms])
        desk = played.world_of.desk[0]
        assert desk["fills"] > 0 and desk["approved"] > 0, (name, where, terms)
        fills += int(desk["fills"])
        refused += int(desk["refused"])
        halts += int((played.notes.all()["kind"] == 6).sum())
    assert fills > 20_000 and refused > 500 and halts > 20, (fills, refused, halts)


PAIRS = [
    (["simple_ma", "grid"], "BTC 5m", "as configured"),
    (["grid", "puppet"], "two 5m", "path, tight"),
    (["puppet", "quick_ma"], "three 1d", "tight limits"),
    (["rsi_reversion", "puppet"], "BTC 5m", "zero delay, tight, touch"),
]


@pytest.mark.parametrize(("names", "where", "terms"), PAIRS)
def test_two_strategies(names: list[str], where: str, terms: str, fast: Loaded, slow: Loaded) -> None:
    part = cut(market(where), SLICE // 2)
    slow.run(names, part, TERMS[terms]).assert_same(fast.run(names, part, TERMS[terms]))


@pytest.mark.parametrize(("name", "where", "terms"), CASES[::5])
def test_the_drive_for_several_is_the_drive_for_one(name: str, where: str, terms: str, fast: Loaded) -> None:
    part = cut(market(where), SLICE)
    fast.run([name], part, TERMS[terms]).assert_same(fast.run([name], part, TERMS[terms], several=True))


@pytest.mark.parametrize("where", ["BTC 5m", "two 5m"])
def test_a_second_strategy_changes_no_decision_of_the_first(where: str, fast: Loaded) -> None:
    """Each has its own part of the account: with half of it, the first trades as it does alone with that half."""
    candles = cut(market(where), SLICE)
    alone = fast.run(["quick_ma"], candles, Terms(cash=5_000 * ATOMS))
    for others in (["quick_ma", "puppet"], ["puppet", "quick_ma"]):
        both = fast.run(others, candles, Terms(cash=10_000 * ATOMS))
        at = others.index("quick_ma")
        fills = both.fills()
        mine = fills[fills["strategy"] == at]
        assert len(mine) < len(fills)
        for name in ("time_ns", "instrument", "side", "price", "quantity", "fee", "maker"):
            assert list(mine[name]) == list(alone.fills()[name])
        fund = both.world_of.funds[at]
        assert fund["balance"] == alone.world_of.funds[0]["balance"]


def test_another_process_that_compiles_nothing(fast: Loaded, tmp_path: Path) -> None:
    """CRYPTO_BOT_COMPILE=0 is the same program: one real process, its hash against ours."""
    script = (
        "from tests.parity.test_parity import *\n"
        "assert not COMPILE\n"
        "loaded = Loaded(Rooms.of_this_process())\n"
        "for name in ('simple_ma', 'grid', 'puppet'):\n"
        f"    print(loaded.run([name], cut(market('BTC 5m'), {SLICE}), TERMS['tight limits']).decisions)\n"
    )
    environment = {**os.environ, "CRYPTO_BOT_COMPILE": "0"}
    root = Path(__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    part = cut(market("BTC 5m"), SLICE)
    ours = [fast.run([name], part, TERMS["tight limits"]).decisions for name in ("simple_ma", "grid", "puppet")]
    assert told.stdout.split() == ours


def test_a_wrong_hash_would_be_seen(fast: Loaded) -> None:
    """Another fee, another price, another seed: each gives another hash."""
    part = cut(market("BTC 5m"), 1_000)
    hashes = {
        fast.run(["puppet"], part, terms).decisions
        for terms in (
            Terms(),
            Terms(costs=(1_000, 1_000, 501)),
            Terms(costs=(1_001, 1_000, 500)),
            Terms(cash=10_000 * ATOMS + 1),
        )
    }
    assert len(hashes) == 4
