"""Plain classes: the same decisions as the strategy language, in every drive; faults named in one sentence."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from threading import Thread

import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.domain.errors import CryptoBotError, UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.plain import opening
from crypto_bot.plain.guard import PlainFault
from crypto_bot.plain.opening import ClassStrategy, open_strategy
from crypto_bot.plain.player import Made
from crypto_bot.strategies.catalogue import find
from tests.outcomes import random_candles
from tests.plain_classes import CROSS, MAKING, MAKING_IN_WORDS, QUOTING, SIMPLE, failing, write

COINS = [Instrument("BTC/USDT", lot=10), Instrument("ETH/USDT", lot=10)]
CANDLES = [random_candles(coin, 600, seed=5 + k, timeframe="1h") for k, coin in enumerate(COINS)]
LENGTHS = {"fast": 5, "slow": 20}


def chosen(strategy: Strategy, given: Mapping[str, Given]) -> Chosen:
    return Chosen(strategy, strategy.module.parameters.read(given))


def played(path: Path, symbols: int = 1, simulation: Simulation | None = None, **given: int) -> Outcome:
    made = chosen(open_strategy(str(path)), dict(given))
    return simulate([made], CANDLES[:symbols], simulation or Simulation())


def compiled(symbols: int = 1, simulation: Simulation | None = None) -> Outcome:
    made = chosen(Strategy(find("simple_ma")), LENGTHS)
    return simulate([made], CANDLES[:symbols], simulation or Simulation())


@pytest.mark.parametrize("simulation", [Simulation(), Simulation(fill_at="close"), Simulation(fills="path")])
@pytest.mark.parametrize("symbols", [1, 2])
def test_a_class_decides_as_the_same_rule_in_the_language(tmp_path: Path, symbols: int, simulation: Simulation) -> None:
    own, shipped = played(write(tmp_path, "cross", CROSS), symbols, simulation, fast=5, slow=20), compiled(
        symbols, simulation
    )
    assert own.fills.size > 10
    assert (own.decisions_hash, own.ledger_hash) == (shipped.decisions_hash, shipped.ledger_hash)
    assert own.equity.tolist() == shipped.equity.tolist()


def test_quotes_and_guards_are_put_on_the_grid_as_words_put_them(tmp_path: Path) -> None:
    own = played(write(tmp_path, "making", MAKING), 2)
    words = played(write(tmp_path, "words", MAKING_IN_WORDS), 2)
    assert own.fills.size > 50 and own.fills["maker"].any() and not own.fills["maker"].all()
    assert (own.decisions_hash, own.ledger_hash) == (words.decisions_hash, words.ledger_hash)


def test_a_share_is_rounded_as_target_rounds_it(tmp_path: Path) -> None:
    strategy = open_strategy(str(write(tmp_path, "cross", CROSS)))
    given = {**LENGTHS, "fraction": 0.3333337}
    own, shipped = (
        simulate([chosen(each, given)], CANDLES[:1], Simulation()) for each in (strategy, Strategy(find("simple_ma")))
    )
    assert own.decisions_hash == shipped.decisions_hash


def test_a_class_that_answers_with_a_share_needs_nothing_else(tmp_path: Path) -> None:
    assert played(write(tmp_path, "simple", SIMPLE), fast=5, slow=20).decisions_hash == compiled().decisions_hash
    with pytest.raises(PlainFault, match="give the class generate_signals for more"):
        played(write(tmp_path, "simple", SIMPLE), 2, fast=5, slow=20)


def test_a_class_and_a_compiled_strategy_share_an_account(tmp_path: Path) -> None:
    file = write(tmp_path, "cross", CROSS)
    both = simulate(
        [chosen(Strategy(find("simple_ma")), LENGTHS), chosen(open_strategy(str(file)), LENGTHS)], CANDLES, Simulation()
    )
    counts = [int((both.fills["strategy"] == s).sum()) for s in range(2)]
    assert counts[0] == counts[1] > 10


def test_fills_are_told_to_the_class_that_they_belong_to(tmp_path: Path) -> None:
    strategy = open_strategy(str(write(tmp_path, "cross", CROSS)))
    assert isinstance(strategy, ClassStrategy)
    kept: list[object] = []
    made_of = strategy._made_of

    def make(**given: int) -> Made:
        made = made_of(**given)
        kept.append(made)
        return made

    strategy._made_of = make
    outcome = simulate([chosen(strategy, LENGTHS)], CANDLES[:1], replace(Simulation(), fill_at="close"))
    (made,) = kept
    scale, lot = COINS[0].price_scale, COINS[0].quantity_scale
    told = [
        ["BTC/USDT", "buy" if fill["side"] > 0 else "sell", fill["price"] / scale, fill["quantity"] / lot]
        for fill in outcome.fills
    ]
    assert made.told == told[: len(made.told)]  # type: ignore[attr-defined] # the class of the test
    assert len(told) - 1 <= len(made.told) <= len(told)  # type: ignore[attr-defined] # the class of the test


def test_quotes_stops_and_an_end_of_validity(tmp_path: Path) -> None:
    outcome = played(write(tmp_path, "quoting", QUOTING), every=24)
    assert outcome.fills["maker"].any() and outcome.fills.size > 4
    assert outcome.refused < outcome.orders


FAULTS = {
    "on_data failed, line 13: ZeroDivisionError: division by zero": ("self.n / 0", "on_data", ""),
    "generate_signals failed, line 17: KeyError: 'rsi'": ("{}['rsi']", "generate_signals", ""),
    "which is not a number": ("return [Signal('BTC/USDT', share=float('nan'))]", "generate_signals", ""),
    "a share lies between 0 and 1": ("return [Signal('BTC/USDT', share=1.5)]", "generate_signals", ""),
    "which is below 0": ("return [Signal('BTC/USDT', quantity=-1)]", "generate_signals", ""),
    "which is not in this run": ("return [Signal('XRP/USDT', share=0.5)]", "generate_signals", ""),
    "61 are possible": ("return [Signal('BTC/USDT', quotes=(Quote('buy', 1, 1),) * 62)]", "generate_signals", ""),
    "return a list of crypto_bot.plain.Signal": ("return ['buy']", "generate_signals", ""),
    "on_data has not returned after 0.3 s": ("while True: pass", "on_data", "time_limit_s = 0.3"),
    "generate_signals has not returned after 0.3 s": ("time.sleep(60)", "generate_signals", "time_limit_s = 0.3"),
    "200 MiB of memory; keep": ("self.kept.append(bytearray(30_000_000))", "on_data", "memory_limit_mib = 200"),
    "generate_signals took more than 200 MiB of memory": (
        "bytes(900_000_000)", "generate_signals", "memory_limit_mib = 200"
    ),
    "on_data ended the program, line 13; return from it": ("sys.exit(0)", "on_data", ""),
    "on_data has not returned after 0.4 s": (
        "import re; re.match('(a+)+$', 'a' * 60 + 'b')", "on_data", "time_limit_s = 0.4"
    ),
    "on_data failed, line 13: GeneratorExit": ("raise GeneratorExit", "on_data", ""),
    "on_data failed, line 13: Mute": (
        "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})", "on_data", ""
    ),
    f"ValueError: {'long' * 75}": ("raise ValueError('long' * 1_000_000)", "on_data", ""),
    "generate_signals returned 5; return a list": ("return 5", "generate_signals", ""),
    "generate_signals returned {'BTC/USDT': 1}": ("return {'BTC/USDT': 1}", "generate_signals", ""),
    "a signal at 2023-01-02T": ("return [Signal('BTC/USDT', share=None, stop=-1)]", "generate_signals", ""),
    "'0.5' as share of BTC/USDT, which is not a number": (
        "return [Signal('BTC/USDT', share='0.5')]", "generate_signals", ""
    ),
    "is for ['BTC/USDT'], which is not in this run": ("return [Signal(['BTC/USDT'])]", "generate_signals", ""),
    "with a comma behind a single one": (
        "return [Signal('BTC/USDT', quotes=(Quote('buy', 1, 1)))]", "generate_signals", ""
    ),
    "('buy', 1, 1),) as quotes of BTC/USDT": (
        "return [Signal('BTC/USDT', quotes=(('buy', 1, 1),))]", "generate_signals", ""
    ),
    "1.5 as valid_until_ns of BTC/USDT; give whole nanoseconds": (
        "return [Signal('BTC/USDT', share=1, valid_until_ns=1.5)]", "generate_signals", ""
    ),
    "'2024' as valid_until_ns": ("return [Signal('BTC/USDT', valid_until_ns='2024')]", "generate_signals", ""),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FAULTS)
def test_what_a_class_does_wrong_is_one_sentence_that_names_it(tmp_path: Path, sentence: str) -> None:
    body, where, top = FAULTS[sentence]
    with pytest.raises(PlainFault, match="^mine: ") as caught:
        played(write(tmp_path, "mine", failing(body, where, top)))
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
    assert compiled().fills.size > 10  # nothing is left behind of it


def test_of_two_classes_the_one_that_never_returns_is_ended(tmp_path: Path) -> None:
    """Each has a guard, and the system's one signal has to reach the right one."""
    first = write(tmp_path, "first", failing("while self.bars > 5: pass", "on_data", "time_limit_s = 0.3"))
    second = write(tmp_path, "second", CROSS)
    both = [chosen(open_strategy(str(each)), {}) for each in (first, second)]
    outcome = simulate(both, CANDLES[:1], Simulation())
    assert any("first" in each and "on_data has not returned" in each for each in outcome.warnings), outcome.warnings
    assert set(outcome.fills["strategy"]) == {1}


def test_a_generator_of_signals_that_is_async_is_told(tmp_path: Path) -> None:
    text = failing("pass", "generate_signals").replace("def generate", "async def generate")
    with pytest.raises(PlainFault, match="generate_signals is async; write it as def generate_signals"):
        played(write(tmp_path, "mine", text))


def test_a_call_that_swallows_everything_is_still_ended(tmp_path: Path) -> None:
    lines = ("", "while True:", "    try:", "        time.sleep(1)", "    except Exception:", "        pass")
    stubborn = "\n        ".join(lines)
    with pytest.raises(PlainFault, match="has not returned"):
        played(write(tmp_path, "mine", failing(stubborn, "on_data", "time_limit_s = 0.3")))


def test_the_guard_holds_outside_of_the_main_thread_too(tmp_path: Path) -> None:
    file = write(tmp_path, "mine", failing("while True: pass", "on_data", "time_limit_s = 0.3"))
    found: list[str] = []

    def play() -> None:
        try:
            played(file)
        except PlainFault as fault:
            found.append(str(fault))

    thread = Thread(target=play)
    thread.start()
    thread.join(20)
    assert len(found) == 1 and "has not returned" in found[0]


WRONG = {
    "several strategies: A, B": "class A:\n    def on_data(self, x): ...\nclass B:\n    def on_data(self, x): ...\n",
    "has no default": "class A:\n    def __init__(self, n): ...\n    def on_data(self, x): ...\n",
    "a parameter is a number": "class A:\n    def __init__(self, n={}): ...\n    def on_data(self, x): ...\n",
    "this is not Python": "class A:\n    def on_data(self x): ...\n",
    "it must be a number above 0": "class A:\n    warmup = -1\n    def on_data(self, x): ...\n",
    "warmup is inf; it": "class A:\n    warmup = float('inf')\n    def on_data(self, x): ...\n",
    "__init__ takes *many; name": "class A:\n    def __init__(self, *many): ...\n    def on_data(self, x): ...\n",
    "__init__ takes **more; name": "class A:\n    def __init__(self, **more): ...\n    def on_data(self, x): ...\n",
    "line 3: the file holds a step and a class": "class A:\n    def on_data(self, x): ...\ndef step(p): ...\n",
    "the program, line 1; return from it": "raise SystemExit\nclass A:\n    def on_data(self, x): ...\n",
    "ModuleNotFoundError": "import nothing_of_that_name\nclass A:\n    def on_data(self, x): ...\n",
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_file_that_cannot_be_a_strategy_is_refused(tmp_path: Path, sentence: str) -> None:
    with pytest.raises(CryptoBotError) as caught:
        open_strategy(str(write(tmp_path, "mine", WRONG[sentence])))
    assert sentence in str(caught.value)


def test_a_package_offers_its_class_as_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "offered_by_a_package", CROSS)
    monkeypatch.syspath_prepend(str(tmp_path))
    offered = EntryPoints([EntryPoint("their_cross", "offered_by_a_package:Cross", opening.GROUP)])
    monkeypatch.setattr(opening, "entry_points", lambda group: offered.select(group=group))
    found = open_strategy("their_cross")
    assert found.name == "their_cross"
    assert simulate([chosen(found, LENGTHS)], CANDLES[:1], Simulation()).decisions_hash == compiled().decisions_hash
    with pytest.raises(UsageError, match="installed packages offer their_cross"):
        open_strategy("nobodys")


def test_money_counts_from_the_class_as_from_the_language(tmp_path: Path) -> None:
    simulation = replace(Simulation(), cash=12_345 * ATOMS)
    own = played(write(tmp_path, "cross", CROSS), 1, simulation, fast=5, slow=20)
    assert own.ledger_hash == compiled(1, simulation).ledger_hash


AT_NOTHING = """
from crypto_bot.plain import Signal


class AtNothing:
    bars = 0

    def on_data(self, shown):
        self.bars += 1

    def generate_signals(self, account):
        if self.bars % 10 == 5 and account.positions["BTC/USDT"] == 0:
            return [Signal("BTC/USDT", share=0.3)]
        return [Signal("BTC/USDT", share=0.0)] if self.bars % 10 == 9 else []
"""


def test_what_cannot_be_sold_is_not_held(tmp_path: Path) -> None:
    """A fee paid in coins leaves less than a lot after the sale; a class that waits for nothing must see it."""
    simulation = replace(Simulation(limits=Limits.off()), costs=Costs(fee_in="received"))
    outcome = played(write(tmp_path, "mine", AT_NOTHING), 1, simulation)
    assert outcome.fills.size > 100
