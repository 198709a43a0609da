"""The short ways of a plain class through a backtest end as the plain loop does, and as the strategy language does."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting import bridge, stage
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.genesis import Limits
from crypto_bot.plain.guard import PlainFault
from crypto_bot.plain.opening import open_strategy
from crypto_bot.strategies.catalogue import find
from tests.outcomes import random_candles
from tests.plain_classes import CROSS, MAKING, QUOTING, SIMPLE, write

BARS = 2_500
COINS = [Instrument("BTC/USDT", lot=10), Instrument("ETH/USDT", lot=10)]
CANDLES = [random_candles(coin, BARS, seed=5 + k, timeframe="1h") for k, coin in enumerate(COINS)]
LENGTHS = {"fast": 5, "slow": 20}

HEARING = f"""{SIMPLE}
    def on_order_filled(self, fill):
        self.closes.append(round(fill.price * 100))
"""
GUARDED = '''
from crypto_bot.plain import Signal


class Guarded:
    """Buys every 30th bar, with a stop that follows the price, and watches what it is worth."""

    warmup = 7

    def __init__(self):
        self.bars, self.worth = 0, []

    def on_data(self, shown):
        self.bars += 1
        self.closes = {symbol: bar.close for symbol, bar in shown.bars.items()}

    def generate_signals(self, account):
        self.worth.append(account.equity)
        for symbol, close in self.closes.items():
            if self.bars % 30 == 0:
                yield Signal(symbol, share=0.4 if self.worth[-1] >= max(self.worth[-100:]) * 0.97 else 0.2)
            if account.positions[symbol] > 0:
                yield Signal(symbol, stop=close * 0.98)
'''
CLASSES = {
    "simple": (SIMPLE, LENGTHS, 1),
    "hearing": (HEARING, LENGTHS, 1),
    "cross": (CROSS, LENGTHS, 2),
    "making": (MAKING, {}, 2),
    "quoting": (QUOTING, {"every": 24}, 1),
    "guarded": (GUARDED, {}, 2),
}
SIMULATIONS = {
    "unlimited": Simulation(limits=Limits.off()),
    "limited": Simulation(),
    "halted": Simulation(limits=Limits(drawdown_ppm=60_000, daily_loss_ppm=12_000)),
    "at the close": Simulation(limits=Limits.off(), fill_at="close"),
    "touch": Simulation(fills="touch", cash=250 * ATOMS),
    "path": Simulation(fills="path"),
}


def chosen(folder: Path, name: str) -> tuple[Chosen, int]:
    text, given, symbols = CLASSES[name]
    strategy = open_strategy(str(write(folder, name, text)))
    values: Mapping[str, Given] = dict(given)
    return Chosen(strategy, strategy.module.parameters.read(values)), symbols


def assert_same(one: Outcome, other: Outcome) -> None:
    assert (one.decisions_hash, one.ledger_hash) == (other.decisions_hash, other.ledger_hash)
    assert (one.orders, one.refused, one.warnings) == (other.orders, other.refused, other.warnings)
    assert np.array_equal(one.equity, other.equity)
    assert np.array_equal(one.fills, other.fills)


@pytest.mark.parametrize("simulation", SIMULATIONS)
@pytest.mark.parametrize("name", CLASSES)
def test_the_short_way_is_the_plain_loop(tmp_path: Path, name: str, simulation: str) -> None:
    made, symbols = chosen(tmp_path, name)
    candles, start_ns = CANDLES[:symbols], int(CANDLES[0].times[200])
    quick, slow = (
        simulate([made], candles, SIMULATIONS[simulation], start_ns=start_ns, skip=skip) for skip in (True, False)
    )
    assert_same(quick, slow)
    assert quick.fills.size >= 4


@pytest.mark.parametrize("name", SIMULATIONS)
def test_a_class_decides_as_the_language_does(tmp_path: Path, name: str) -> None:
    made, _ = chosen(tmp_path, "simple")
    strategy = Strategy(find("simple_ma"))
    compiled = Chosen(strategy, strategy.module.parameters.read(dict(LENGTHS)))
    assert_same(*(simulate([each], CANDLES[:1], SIMULATIONS[name]) for each in (made, compiled)))


def test_the_halts_of_the_limited_run_are_real(tmp_path: Path) -> None:
    warnings = simulate([chosen(tmp_path, "simple")[0]], CANDLES[:1], SIMULATIONS["halted"]).warnings
    assert any("drawdown" in said for said in warnings)
    assert any("daily loss" in said for said in warnings)


@pytest.mark.parametrize("name", ["simple", "cross", "making"])
def test_a_log_that_fills_up_and_a_run_in_pieces_change_nothing(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, symbols = chosen(tmp_path, name)
    expected = simulate([made], CANDLES[:symbols], SIMULATIONS["unlimited"])
    monkeypatch.setattr("crypto_bot.backtesting.engine._SLOW_CHUNK", 333)
    monkeypatch.setattr("crypto_bot.backtesting.engine._CHUNK", 333)
    monkeypatch.setattr(stage, "_LEAST_LOG", 1)
    monkeypatch.setattr(bridge, "_BLOCK", 100)
    monkeypatch.setattr(bridge, "_LONGEST_SPAN", 100)
    steps: list[int] = []
    pieces = simulate([made], CANDLES[:symbols], SIMULATIONS["unlimited"], progress=lambda at, _: steps.append(at))
    assert_same(pieces, expected)
    assert len(steps) >= BARS // 333


def test_the_bars_that_run_ahead_are_those_of_the_plain_loop(tmp_path: Path) -> None:
    text = "class Seeing:\n    seen = []\n    def on_data(self, bar):\n        self.seen.append(bar)\n"
    shown = []
    for skip in (True, False):
        strategy = open_strategy(str(write(tmp_path, "seeing", text)))
        made = Chosen(strategy, strategy.module.parameters.defaults)
        simulate([made], CANDLES[:1], Simulation(), skip=skip)
        shown.append(strategy._made_of.seen)  # type: ignore[attr-defined] # the class of the test
    assert shown[0] == shown[1]
    assert [bar.time_ns for bar in shown[0]] == CANDLES[0].times.tolist()


@pytest.mark.parametrize(
    ("answer", "said"),
    [("1.01", "a share lies between"), ("float('nan')", "not a number"), ("'much'", "which is not a number")],
)
def test_what_is_no_share_is_refused_in_the_same_words(tmp_path: Path, answer: str, said: str) -> None:
    body = f"        self.n += 1\n        if self.n == 50:\n            return {answer}\n"
    text = f"class Wrong:\n    n = 0\n    def on_data(self, bar):\n{body}"
    told = []
    for skip in (True, False):
        strategy = open_strategy(str(write(tmp_path, "wrong", text)))
        with pytest.raises(PlainFault, match=said) as caught:
            made = Chosen(strategy, strategy.module.parameters.defaults)
            simulate([made], CANDLES[:1], Simulation(), skip=skip)
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_a_bar_that_never_ends_is_found_among_many_that_do(tmp_path: Path) -> None:
    """The time is that of one call, not of all calls that lie between two of the kernel's."""
    slow = "class Slow:\n    time_limit_s = 1.0\n    n = 0\n    def on_data(self, bar):\n        self.n += 1\n"
    patient = f"import time\n{slow}        if self.n < 30: time.sleep(0.05)\n"
    hanging = f"{slow}        while self.n == 300: pass\n"
    for text, said in ((patient, ""), (hanging, "on_data has not returned after 1 s")):
        strategy = open_strategy(str(write(tmp_path, "slow", text)))
        made = Chosen(strategy, strategy.module.parameters.defaults)
        if said:
            with pytest.raises(PlainFault, match=said):
                simulate([made], CANDLES[:1], Simulation())
        else:
            assert simulate([made], CANDLES[:1], replace(Simulation(), fills="touch")).fills.size == 0
