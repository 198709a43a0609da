"""A symbol of which no bar comes any more: what is held is given up, when that is known, in every way to run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting import delisting
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.backtesting.sweep import sweep
from crypto_bot.backtesting.tape import make_tape
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS, DAY_NS
from crypto_bot.kernel.genesis import Costs, Gates, Limits
from tests.parity.test_drive_parity import assert_one_hash
from tests.plays import Rooms, author
from tests.small_runs import PaperJournal, Setting, walk
from tests.uncompiled import uncompiled

FREE = Simulation(limits=Limits.off(), costs=Costs(0, 0, 0))
HOLDER = """
def step(p):
    for k in range(2):
        target(k, 0.4)
    if count() > 1:
        quote(1, 0, BUY, 1.0, 1.0)
        bracket(1, 1.0, 9000.0)
"""
TRADER = """
def step(p):
    for k in range(count()):
        if minute() // 60 % 7 == k:
            target(k, 0.3)
        elif minute() // 60 % 5 == k:
            target(k, 0.0)
"""


def without(candles: Candles, first: int, last: int) -> Candles:
    """Return candles without the bars first .. last-1."""
    rows = np.r_[0:first, last : len(candles)]
    return Candles(candles.instrument, candles.timeframe, *(column[rows] for column in candles.columns()))


def two(bars: int = 30, ends: int = 10, timeframe: str = "1d") -> tuple[Candles, ...]:
    """Return two coins; the second one has so many bars only."""
    first, second = (walk(bars, symbol=f"C{k}/USDT", seed=k + 1, timeframe=timeframe) for k in range(2))
    return first, without(second, ends, bars)


def held(text: str, folder: Path, candles: tuple[Candles, ...], simulation: Simulation = FREE) -> Outcome:
    return Setting({str(author(folder, text)): {}}, candles, simulation).backtest()


def sales(outcome: Outcome, k: int = 1) -> Any:
    return outcome.fills[(outcome.fills["instrument"] == k) & (outcome.fills["side"] < 0)]


def test_it_is_sold_at_the_last_price_less_the_haircut_when_the_days_are_over(tmp_path: Path) -> None:
    candles = two()
    outcome = held(HOLDER, tmp_path, candles)
    last = int(candles[1].close[-1])
    (sale,) = sales(outcome)
    assert sale["price"] == last - -(-last * 3 // 10) and not sale["maker"]
    bought = outcome.fills[(outcome.fills["instrument"] == 1) & (outcome.fills["side"] > 0)]
    assert sale["quantity"] == bought["quantity"].sum()
    known = 9 + 3
    assert sale["time_ns"] == outcome.times[known] + DAY_NS, "at the close of the third day without a bar"
    quantity = int(sale["quantity"]) * ATOMS // 10**8
    lost = quantity * (last - int(sale["price"]))
    cash = int(outcome.fills[outcome.fills["instrument"] == 0]["quantity"].sum())
    moved = cash * int(outcome.closes[known, 0] - outcome.closes[known - 1, 0])
    assert outcome.equity[known] - outcome.equity[known - 1] == moved - lost
    assert any("given up because no bar came any more: C1/USDT (until" in each for each in outcome.warnings)


def test_it_stays_when_it_ends_shortly_before_the_run_or_for_ever_if_asked_to(tmp_path: Path) -> None:
    for candles, simulation in ((two(12), FREE), (two(30), replace(FREE, delisting_days=0))):
        outcome = held(HOLDER, tmp_path, candles, simulation)
        assert sales(outcome).size == 0
        assert any("still counted at the last price" in each for each in outcome.warnings)


def test_no_order_of_it_is_taken_any_more(tmp_path: Path) -> None:
    text = """
    def step(p):
        if minute() // 1440 % 2 == 0:
            target(1, 0.2)
        else:
            target(1, 0.0)
        target(0, 0.1)
    """
    outcome = held(text, tmp_path, two())
    said = [each for each in outcome.warnings if "given up" in each]
    assert len(said) == 2 and "refused: no bar of it has come for a long time, and it was given up" in said[1]
    assert outcome.fills[outcome.fills["instrument"] == 1]["time_ns"].max() <= outcome.times[13]


@pytest.mark.parametrize(("days", "timeframe", "at"), [(3, "1d", 12), (1, "1d", 12), (5, "1d", 14), (2, "1h", 57)])
def test_when_it_is_known(days: int, timeframe: str, at: int) -> None:
    """So many days after the open of the last bar, and at least three bars."""
    candles = two(120, timeframe=timeframe)
    simulation = replace(FREE, delisting_days=days)
    assert delisting.find_gone(make_tape(candles), candles, simulation, None) == ((at, 1),)


def test_a_pause_is_no_end_unless_it_is_long() -> None:
    whole = walk(30, symbol="C0/USDT", timeframe="1d")
    other = walk(30, symbol="C1/USDT", timeframe="1d", seed=2)
    for first, last, found in ((5, 7, ()), (5, 8, ((7, 1),)), (5, 30, ((7, 1),)), (28, 30, ())):
        candles = (whole, without(other, first, last))
        assert delisting.find_gone(make_tape(candles), candles, FREE, None) == found


def test_nothing_is_known_of_the_future(tmp_path: Path) -> None:
    """A backtest that ends before the days are over decided the same until then."""
    long = held(HOLDER, tmp_path, two())
    short = held(HOLDER, tmp_path, tuple(each.between(None, int(long.times[11])) for each in two()))
    assert np.array_equal(long.equity[:12], short.equity)
    assert sales(short).size == 0 and len(sales(long)) == 1


# ---- in every way to run

CLASS = """
class Holder:
    def __init__(self):
        self.asked, self.told = False, []

    def on_start(self, symbols, timeframe):
        self.symbols = symbols

    def on_data(self, shown):
        pass

    def generate_signals(self, account):
        from crypto_bot.plain import Signal

        if self.asked:
            return []
        self.asked = True
        return [Signal(symbol, 0.3) for symbol in self.symbols]

    def on_order_filled(self, fill):
        self.told.append((fill.symbol, fill.side))

    def on_stop(self):
        assert self.told.count(("C1/USDT", "sell")) == 1, self.told
"""


def three() -> tuple[Candles, ...]:
    """Return three coins: one is there, one ends, one is gone for a while."""
    return (*two(200, 70, "1h"), without(walk(200, symbol="C2/USDT", seed=9), 60, 150))


@pytest.mark.parametrize(
    ("fills", "fill_at", "before", "volume_ppm"),
    [
        ("pessimistic", "next_open", 0, 0),
        ("pessimistic", "close", 4, 0),
        ("path", "next_open", 4, 9_000),
        ("path", "close", 0, 9_000),
    ],
)
def test_one_hash(fills: str, fill_at: str, before: int, volume_ppm: int, tmp_path: Path) -> None:
    """Backtest, asynchronous run and its replay; one strategy and two."""
    costs, limits = Costs(volume_ppm=volume_ppm), Limits(0, 0, 0, 0, 0, Gates(losses=1, pause_ns=DAY_NS))
    simulation = Simulation(fills=fills, fill_at=fill_at, limits=limits, costs=costs, delisting_days=2)
    files: dict[str, dict[str, Given]] = {
        str(author(tmp_path, text, name)): {} for name, text in (("trader", TRADER), ("holder", HOLDER))
    }
    for strategies in (dict(list(files.items())[:1]), files):
        setting = Setting(strategies, three(), simulation, before=before)
        assert_one_hash(setting, tmp_path)
        assert sum("given up because" in each for each in setting.backtest().warnings) == 1


def test_a_class_is_told_and_decides_alike(tmp_path: Path) -> None:
    file = tmp_path / "holder_class.py"
    file.write_text(CLASS)
    assert_one_hash(Setting({str(file): {}}, two(), FREE), tmp_path)


def test_killed_anywhere_it_ends_the_same(tmp_path: Path) -> None:
    setting = Setting({str(author(tmp_path, HOLDER)): {}}, two(18, 8))
    whole = PaperJournal()
    wanted = setting.run(whole, tmp_path).session.decisions_hash
    kinds = [row.kind for row in whole.written]
    sale = len(kinds) - 1 - kinds[::-1].index("FILL")
    for count in range(sale - 6, sale + 5):
        assert setting.run(whole.cut(count), tmp_path).session.decisions_hash == wanted, count


def test_stopped_while_a_coin_is_missing_it_goes_on_counting_the_days(tmp_path: Path) -> None:
    """A snapshot stands between the last bar and the day on which it is known."""
    file: dict[str, dict[str, Given]] = {str(author(tmp_path, HOLDER)): {}}
    candles, journal = two(18, 8), PaperJournal()
    until = int(candles[0].times[9])
    Setting(file, tuple(each.between(None, until) for each in candles), FREE).run(journal, tmp_path)
    assert journal.snapshots
    outcome = Setting(file, candles, FREE).backtest()
    assert Setting(file, candles, FREE).run(journal, tmp_path).session.decisions_hash == outcome.decisions_hash
    assert len(sales(outcome)) == 1


@pytest.mark.parametrize("skip", [True, False])
def test_compiled_is_interpreted_and_skipping_is_not_seen(skip: bool, tmp_path: Path) -> None:
    file, candles = author(tmp_path, TRADER), three()
    compiled = Setting({str(file): {}}, candles, FREE)
    outcome = simulate(compiled.chosen(), candles, FREE, skip=skip)
    rooms = Rooms.plain()
    setup, genesis = rooms.setup, rooms.genesis
    strategy = rooms.binding.Strategy(file)
    terms = setup.Simulation(limits=genesis.Limits.off(), costs=genesis.Costs(0, 0, 0))
    with rooms.loading():
        chosen = [setup.Chosen(strategy, strategy.module.parameters.read({}))]
        plain = uncompiled("backtesting.engine").simulate(chosen, candles, terms)
    assert (plain.decisions_hash, plain.ledger_hash) == (outcome.decisions_hash, outcome.ledger_hash)
    assert np.array_equal(plain.equity, outcome.equity)


def test_a_sweep_gives_up_too(tmp_path: Path) -> None:
    setting = Setting({str(author(tmp_path, TRADER)): {}}, three(), FREE)
    (chosen,) = setting.chosen()
    (trial,) = sweep(chosen.strategy, [chosen.params], list(three()), FREE)
    outcome = setting.backtest()
    assert (trial.decisions_hash, trial.final_equity) == (outcome.decisions_hash, int(outcome.equity[-1]))
