"""A strategy whose own bars are a parameter decides as one that has them written at its top."""

from pathlib import Path

import numpy as np
import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.reader import read_text
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.sweep import sweep
from crypto_bot.kernel.genesis import Limits
from tests.plays import FREE, Played, author, plain
from tests.small_runs import walk

RULE = """
{top}
class Params(NamedTuple):
    n: int = 3
{parameter}

def step(p):
    for k in symbols():
        target(k, 1.0 if close(k) > ema(k, p.n) else 0.0)
"""
CHOSEN = RULE.format(top="", parameter='    timeframe: Literal["1h", "4h", "1d"] = "1d"\n')
CANDLES = walk(900)


def fixed(timeframe: str) -> str:
    return RULE.format(top=f'timeframe = "{timeframe}"\n', parameter="")


def same(one: Played, other: Played) -> None:
    assert one.decisions == other.decisions and one.equity == other.equity
    assert np.array_equal(one.fills(), other.fills()) and one.fills().size > 10


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d"])
def test_it_decides_on_the_bars_that_are_chosen(timeframe: str, tmp_path: Path) -> None:
    chosen = plain(author(tmp_path, CHOSEN, "chosen"), [CANDLES], FREE, timeframe=timeframe)
    same(chosen, plain(author(tmp_path, fixed(timeframe), "fixed"), [CANDLES], FREE))


def test_left_out_it_is_the_default(tmp_path: Path) -> None:
    file = author(tmp_path, CHOSEN)
    assert Strategy(file).module.timeframe == "1d"
    same(plain(file, [CANDLES], FREE), plain(file, [CANDLES], FREE, timeframe="1d"))


def test_a_sweep_may_try_several(tmp_path: Path) -> None:
    strategy, simulation = Strategy(author(tmp_path, CHOSEN)), Simulation(limits=Limits.off())
    sets = [strategy.module.parameters.read({"timeframe": each, "n": n}) for each in ("1h", "1d", "4h") for n in (3, 5)]
    trials = sweep(strategy, sets, [CANDLES], simulation)
    for trial, params in zip(trials, sets, strict=True):
        outcome = simulate([Chosen(strategy, params)], [CANDLES], simulation)
        assert (trial.decisions_hash, trial.fills) == (outcome.decisions_hash, outcome.fills.size)
    assert len({trial.decisions_hash for trial in trials}) == len(sets)


def test_bars_that_cannot_be_made_are_named(tmp_path: Path) -> None:
    strategy = Strategy(author(tmp_path, CHOSEN))
    params = strategy.module.parameters.read({"timeframe": "4h"})
    with pytest.raises(Mistake, match="decides on 4h bars, which cannot be made of the run's bars"):
        strategy.bind(params, 1, 86_400 * 10**9)


def test_a_plain_strategy_without_one_has_none() -> None:
    module = read_text("def step(p):\n    pass\n", Path("mine.py"))
    assert module.timeframe is None and module.timeframe_of(module.parameters.defaults) is None
