"""A strategy that goes wrong is named among others; a step whose loops would not return is ended."""

from pathlib import Path
from typing import Any

import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from tests.outcomes import random_candles
from tests.plays import Rooms, play

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


def played(folder: Path, **given: int) -> Outcome:
    file = folder / "mine.py"
    file.write_text(TEXT)
    strategy = Strategy(file)
    return simulate([Chosen(strategy, strategy.module.parameters.read(given))], [CANDLES], Simulation())


def test_loops_that_lie_in_one_another_are_counted_together(tmp_path: Path) -> None:
    """However deep, and by whatever name they go over a range."""
    assert played(tmp_path, n=50, m=3).fills.size > 0
    for given in ({"m": 4_000_000_000}, {"n": 1_000_000_000_000, "m": 1}, {"n": 20, "m": 500_000}):
        with pytest.raises(CryptoBotError, match="^mine.py.*: the loops of this step go through .* turns, more than"):
            played(tmp_path, **given)


def test_the_turns_of_a_step_are_not_those_of_the_next(tmp_path: Path) -> None:
    """Fifty steps of two hundred thousand turns each come to as many as one step may have."""
    assert played(tmp_path, n=250, m=260).fills.size > 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("target(0, 1.0 / (close(0) - close(0)))", "a division by zero; guard it with if"),
        ("target(0, close(9))", "an index lies outside of the symbols, a tuple or memory"),
        ("target(0, 1.5)", "it must lie between 0 and 1 of the equity"),
        ("target(0, sqrt(-close(0)))", "is not a number"),
    ],
)
def test_of_several_the_one_that_is_wrong_is_named(tmp_path: Path, wrong: str, said: str) -> None:
    """Before the others and behind them."""
    files = {}
    for name, line in (("wrong", wrong), ("right", "target(0, 0.5 if close(0) > sma(0, 5) else 0.0)")):
        files[name] = tmp_path / f"{name}.py"
        words = "from crypto_bot.strategy import close, sma, sqrt, target"
        files[name].write_text(f"{words}\n\n\ndef step(p):\n    {line}\n")
    rooms = Rooms.plain()
    for names in (("wrong", "right"), ("right", "wrong")):
        strategies: list[tuple[Any, dict[str, Any]]] = [(rooms.binding.Strategy(files[name]), {}) for name in names]
        (why,) = play(rooms, strategies, [CANDLES]).stage.failed.values()
        assert why.startswith("wrong.py, line") and said in why
