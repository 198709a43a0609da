"""A sweep is many single runs: the same results, whatever the number of threads."""

from pathlib import Path

import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.sweep import Trial, sweep
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.kernel.genesis import Limits
from crypto_bot.strategies.catalogue import find
from tests.outcomes import random_candles

BARS = 1_500
CANDLES = [
    random_candles(Instrument(symbol, lot=10), BARS, seed=seed) for seed, symbol in enumerate(("BTC/USDT", "ETH/USDT"))
]
CROSS = Strategy(find("simple_ma"))
SETS = [CROSS.module.parameters.read({"fast": fast, "slow": slow}) for fast in (2, 5, 9) for slow in (12, 30)]
LOSING = Simulation(limits=Limits(drawdown_ppm=30_000))


def singly(candles: list[Candles], simulation: Simulation, start_ns: int | None = None) -> list[tuple[object, ...]]:
    outcomes = [simulate([Chosen(CROSS, params)], candles, simulation, start_ns=start_ns) for params in SETS]
    return [
        (params, int(each.equity[-1]), each.fills.size, each.orders, each.refused, each.decisions_hash)
        for params, each in zip(SETS, outcomes, strict=True)
    ]


def told(trials: tuple[Trial, ...]) -> list[tuple[object, ...]]:
    return [(t.params, t.final_equity, t.fills, t.orders, t.refused, t.decisions_hash) for t in trials]


@pytest.mark.parametrize("threads", [1, 2, 5, None])
@pytest.mark.parametrize(
    "simulation", [Simulation(), LOSING, Simulation(fill_at="close")], ids=["usual", "losing", "close"]
)
def test_trials_are_single_runs(simulation: Simulation, threads: int | None) -> None:
    assert told(sweep(CROSS, SETS, CANDLES[:1], simulation, threads=threads)) == singly(CANDLES[:1], simulation)


def test_several_symbols_and_a_start() -> None:
    start_ns = int(CANDLES[0].times[400])
    found = sweep(CROSS, SETS, CANDLES, Simulation(), start_ns=start_ns, threads=2)
    assert told(found) == singly(CANDLES, Simulation(), start_ns)
    assert len({trial.decisions_hash for trial in found}) == len(SETS)


def test_split_bars() -> None:
    simulation = Simulation(fills="path")
    assert told(sweep(CROSS, SETS[:2], CANDLES[:1], simulation)) == singly(CANDLES[:1], simulation)[:2]


def test_a_halt_is_told() -> None:
    assert any(trial.halt for trial in sweep(CROSS, SETS, CANDLES[:1], LOSING))
    assert not any(trial.halt for trial in sweep(CROSS, SETS, CANDLES[:1], Simulation(limits=Limits.off())))


def test_no_sets_give_no_trials() -> None:
    assert sweep(CROSS, [], CANDLES, Simulation()) == ()


def test_a_mistake_of_the_strategy_is_told_in_its_own_lines(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text(
        '"""Divide by nothing at a bar of its own."""\n'
        "from crypto_bot.strategy import NamedTuple, close, target\n\n\n"
        'class Params(NamedTuple):\n    """One number."""\n\n    level: float = 1.0\n\n\n'
        'def check(p):\n    """Take anything."""\n    assert p.level >= 0, "level must not be negative"\n\n\n'
        'def step(p):\n    """Divide."""\n    target(0, 1.0 if close(0) / p.level > 1.0 else 0.0)\n'
    )
    strategy = Strategy(file)
    sets = [strategy.module.parameters.read({"level": level}) for level in (1, 2, 0, 3)]
    with pytest.raises(CryptoBotError, match="late.py"):
        sweep(strategy, sets, CANDLES[:1], Simulation(), threads=2)
