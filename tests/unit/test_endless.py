"""A step whose loops would not return is ended with a sentence, compiled as interpreted."""

from pathlib import Path

import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from tests.outcomes import random_candles

CANDLES = random_candles(Instrument("BTC/USDT", lot=10), 50, seed=5, timeframe="1h")
TEXT = """
from crypto_bot.strategy import NamedTuple, close, target


class Params(NamedTuple):
    n: int = 9_000_000
    m: int = 2


def three(p):
    return 1, 2, 3


def step(p):
    turns = range(p.n)
    total = 0.0
    for i in range(p.m):
        for j in turns:
            for k in three(p):
                total = total * 0.5 + close(0) * (i + j + k)
    target(0, 1.0 if total > 0 else 0.0)
"""


def play(folder: Path, **given: int) -> Outcome:
    file = folder / "mine.py"
    file.write_text(TEXT)
    strategy = Strategy(file)
    return simulate([Chosen(strategy, strategy.module.parameters.read(given))], [CANDLES], Simulation())


def test_loops_that_lie_in_one_another_are_counted_together(tmp_path: Path) -> None:
    """However deep, and by whatever name they go over a range."""
    assert play(tmp_path, n=50, m=3).fills.size > 0
    for given in ({"m": 4_000_000_000}, {"n": 1_000_000_000_000, "m": 1}, {"n": 20, "m": 500_000}):
        with pytest.raises(CryptoBotError, match="^mine.py.*: the loops of this step go through .* turns, more than"):
            play(tmp_path, **given)


def test_the_turns_of_a_step_are_not_those_of_the_next(tmp_path: Path) -> None:
    """Fifty steps of two hundred thousand turns each come to as many as one step may have."""
    assert play(tmp_path, n=250, m=260).fills.size > 0
