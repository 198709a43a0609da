"""A strategy that fails among several is switched off; the others and the books go on as if nothing had been."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.kernel.genesis import Limits
from crypto_bot.kernel.layout import EMPTY
from crypto_bot.persistence.payloads import CommandEvent, fault_of
from crypto_bot.runtime.compare import compare
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running
from crypto_bot.runtime.silence import silences
from crypto_bot.runtime.standing import standing_of
from tests.commands import run_all
from tests.small_runs import CROSS, GRID, PaperJournal, Setting, as_journal, walk

CANDLES = (walk(90),)
AT = 40
"""So many bars the failing strategies see before they fail."""

WORDS = """
from crypto_bot.strategy import BUY, NamedTuple, bracket, close, quote, sqrt, target


class Params(NamedTuple):
    wrong: int = 1
    at: int = 40


def memory(p):
    return {"bars": 0}


def step(p, m):
    m.bars[0] += 1
    quote(0, 0, BUY, close(0) * 0.97, 1.0)
    bracket(0, close(0) * 0.9, close(0) * 1.2)
    target(0, 0.3 if m.bars[0] % 10 < 5 else 0.5)
    if p.wrong and m.bars[0] > p.at:
        bracket(0, close(0) * 0.99, close(0) * 1.01)
        if p.wrong == 1:
            target(0, 1.0 / (close(0) - close(0)))
        elif p.wrong == 2:
            target(0, sqrt(-close(0)))
        elif p.wrong == 3:
            target(0, 1.5)
        else:
            target(p.wrong, 0.5)
"""

CLASS = """
from crypto_bot.plain import Quote, Signal


class Failing:
    def __init__(self, wrong: int = 1, at: int = {at}):
        self.wrong, self.at, self.bars, self.close = wrong, at, 0, 0.0

    def fails(self, here):
        if self.wrong and here == "{where}" and self.bars > self.at:
            {line}

    def on_start(self, symbols, timeframe):
        self.at = -1 if "{where}" == "on_start" else self.at
        self.fails("on_start")

    def on_data(self, shown):
        self.bars += 1
        self.close = shown.bars["COIN/USDT"].close
        self.fails("on_data")

    def generate_signals(self, account):
        self.fails("generate_signals")
        share = 0.3 if self.bars % 10 < 5 else 0.5
        below = Quote("buy", round(self.close * 0.97, 2), 1.0)
        yield Signal("COIN/USDT", share=share, stop=round(self.close * 0.9, 2), quotes=(below,))

    def on_order_filled(self, filled):
        self.fails("on_order_filled")

    def get_state(self):
        self.fails("get_state")
        return vars(self)

    @classmethod
    def from_state(cls, state):
        made = cls()
        vars(made).update(state)
        return made

    def on_stop(self):
        self.fails("on_stop")
"""


def file_of(folder: Path, text: str, name: str = "failing") -> str:
    file = folder / f"{name}.py"
    file.write_text(text)
    return str(file)


WAYS: dict[str, tuple[str, int]] = {
    "a division": (WORDS, 1),
    "not a number": (WORDS, 2),
    "too much": (WORDS, 3),
    "an index": (WORDS, 4),
} | {
    where: (CLASS.format(at=AT, where=where, line='raise ValueError("gone wrong")'), 1)
    for where in ("on_start", "on_data", "generate_signals", "on_order_filled")
}


def setting(failing: str, *, wrong: int = 1, before: int = 0) -> Setting:
    chosen = {"grid": GRID, failing: {"wrong": wrong}, "simple_ma": CROSS}
    return Setting(chosen, CANDLES, Simulation(limits=Limits.off()), before=before)


def fills_of(outcome: Outcome, strategy: int) -> list[tuple[int, ...]]:
    rows = outcome.fills[outcome.fills["strategy"] == strategy]
    return [tuple(int(row[name]) for name in ("time_ns", "side", "price", "quantity", "fee")) for row in rows]


@pytest.mark.parametrize("way", WAYS)
def test_the_others_do_what_they_would_have_done(tmp_path: Path, way: str) -> None:
    """In a backtest and in a run, which agree; the fault is told, and the failing one does nothing more."""
    text, wrong = WAYS[way]
    failing = file_of(tmp_path, text)
    calm, broken = setting(failing, wrong=0).backtest(), setting(failing, wrong=wrong).backtest()
    assert not calm.faults and len(broken.faults) == 1
    (told,) = broken.faults
    assert told.startswith("failing is switched off: ")
    assert "its orders are taken back, and what it holds keeps its stops" in told and broken.warnings[0] == told
    for untouched in (0, 2):
        assert fills_of(broken, untouched) == fills_of(calm, untouched) != []
    mine = fills_of(broken, 1)
    assert mine == fills_of(calm, 1)[: len(mine)] and len(mine) < len(fills_of(calm, 1))

    journal = PaperJournal()
    run = setting(failing, wrong=wrong).run(journal, tmp_path)
    assert run.session.decisions_hash == broken.decisions_hash
    assert [fault.name for fault in map(fault_of, journal.written) if fault] == ["failing"]
    assert standing_of(run).strategies == {"grid": "on", "failing": "failed", "simple_ma": "on"}
    orders = run.session.stage.world.orders[run.session.stage.world.subs["strategy"] == 1]
    assert not (orders["state"][:, 3:] != EMPTY).any(), "its lines were taken back"
    assert silences(journal.written, "COIN/USDT")[1].cause == "failed"


@pytest.mark.parametrize(
    ("way", "kept_at"), [("not a number", None), ("not a number", 60), ("generate_signals", 30), ("on_start", 60)]
)
def test_it_stays_off_wherever_the_run_is_cut(tmp_path: Path, way: str, kept_at: int | None) -> None:
    """Brought back from rows all over it, with and without a snapshot, and played again."""
    failing = file_of(tmp_path, WAYS[way][0])
    whole = PaperJournal()
    there = setting(failing, before=12)
    run = there.run(whole, tmp_path) if kept_at is None else kept(there, whole, kept_at)
    assert compare(as_journal(whole)).identical
    for count in range(1, len(whole.written), 29):
        cut = whole.cut(count)
        again = there.run(cut, tmp_path)
        assert again.session.decisions_hash == run.session.decisions_hash, count
        assert again.session.stage.failed == run.session.stage.failed
        assert [(row.kind, row.payload) for row in cut.written if row.kind != "STOP"] == [
            (row.kind, row.payload) for row in whole.written if row.kind != "STOP"
        ], count


def kept(there: Setting, journal: PaperJournal, at: int) -> Running:
    """Play a run to its end with a snapshot in its middle."""
    run = recover(as_journal(journal), there.plan(), there.history)
    slices = list(there.feed(Path("none")).inner.slices())  # type: ignore[attr-defined] # its own feed
    for number, item in enumerate(slices):
        run.play(item)
        if number == at:
            run.keep()
    run.stop("the test is over")
    return run


def test_what_happened_once_is_what_happened(tmp_path: Path) -> None:
    """A class that fails in one process and not in the next has failed: the journal says so."""
    scar = tmp_path / "scar"
    line = f'__import__("pathlib").Path("{scar}").open("x").close(); raise ValueError("once")'
    failing = file_of(tmp_path, CLASS.format(at=AT, where="on_data", line=line))
    there, journal = setting(failing), PaperJournal()
    there.run(journal, tmp_path)
    faults = [fault for fault in map(fault_of, journal.written) if fault]
    assert len(faults) == 1 and faults[0].reason.endswith("ValueError: once")
    assert scar.exists(), "from now on it fails otherwise: the file is there"
    assert compare(as_journal(journal)).identical
    for count in range(1, len(journal.written), 53):
        again = there.run(journal.cut(count), tmp_path)
        assert again.session.stage.failed.keys() == {1}


@pytest.mark.parametrize("where", ["get_state", "on_stop"])
def test_what_fails_beside_the_steps_ends_no_other(tmp_path: Path, where: str) -> None:
    failing = file_of(tmp_path, CLASS.format(at=10, where=where, line='raise ValueError("gone wrong")'))
    journal, there = PaperJournal(), setting(failing)
    run = kept(there, journal, 30)
    stage = run.session.stage
    assert run.bars == len(CANDLES[0])
    if where == "get_state":
        assert stage.failed.keys() == {1} and "get_state failed" in stage.failed[1]
    else:
        assert stage.ailing.keys() == {1} and "on_stop failed" in stage.ailing[1]
    again = recover(as_journal(journal), there.plan(), there.history)
    assert again.session.decisions_hash == run.session.decisions_hash
    assert compare(as_journal(journal)).identical


def test_the_last_one_ends_the_run(tmp_path: Path) -> None:
    names = [file_of(tmp_path, WAYS[way][0], name) for name, way in (("one", "on_start"), ("two", "on_data"))]
    there = Setting({name: {} for name in names}, CANDLES)
    with pytest.raises(CryptoBotError, match="gone wrong"):
        there.backtest()
    journal = PaperJournal()
    with pytest.raises(CryptoBotError, match="gone wrong"):
        there.run(journal, tmp_path)


def test_who_failed_is_not_switched_on_again(tmp_path: Path) -> None:
    run = setting(file_of(tmp_path, WAYS["on_data"][0])).run(PaperJournal(), tmp_path)
    for command in ("strategy_on", "parameters"):
        reply = run.answer(CommandEvent(command, "a test", "ana", strategy="failing", params={"at": 3}), Path("none"))
        assert reply.result == "refused" and "failing failed and stays off in this run" in reply.sentence


TIMED = """
from crypto_bot.strategy import NamedTuple, close, sqrt, target, time_stop


class Params(NamedTuple):
    at: int = 20


def memory(p):
    return {"bars": 0}


def step(p, m):
    m.bars[0] += 1
    if m.bars[0] == 5:
        target(0, 0.5)
        time_stop(0, 40)
    if m.bars[0] > p.at:
        target(0, sqrt(-close(0)))
"""


def test_a_position_is_sold_when_its_time_is_over(tmp_path: Path) -> None:
    """A strategy that is off keeps the guards of what it holds, and one that sells by time is one of them."""
    failing = file_of(tmp_path, TIMED)
    there = Setting({failing: {}, "simple_ma": CROSS}, CANDLES)
    outcome = simulate(there.chosen(), CANDLES, there.simulation)
    mine = outcome.fills[outcome.fills["strategy"] == 0]
    assert mine["side"].tolist() == [1, -1] and outcome.faults
    assert np.searchsorted(CANDLES[0].times, mine["time_ns"]).tolist() == [5, 45]
    assert there.run(PaperJournal(), tmp_path).session.decisions_hash == outcome.decisions_hash


def test_both_commands_tell_of_it_and_end_with_one(tmp_path: Path) -> None:
    """The result is there, the sentence stands in it and on stderr, and the status is that of a failure."""
    text = CLASS.format(at=AT, where="on_data", line='raise ValueError("gone wrong")')
    file_of(tmp_path, text.replace("COIN", "BTC"))
    window = shlex.split(
        "--strategy simple_ma --strategy failing.py --symbol BTC/USDT --timeframe 1h --from 2023-06-01"
    )
    where = ("--to", "2023-06-10", "--json")
    backtest, played, told, asked = run_all(
        [
            ["backtest", *window, *where],
            ["run", *window, *where, "--speed", "0", "--no-api"],
            ["backtest", *window, *where[:2]],
            ["why", "--not", "BTC/USDT"],
        ],
        tmp_path,
    )
    said = "failing is switched off: on_data failed, line 11: ValueError: gone wrong; its orders are taken back"
    for end in (backtest, played, told):
        assert end.status == 1 and end.err.rstrip().splitlines()[-1].startswith(f"error: {said}"), end
    found, run = json.loads(backtest.out), json.loads(played.out)
    assert found["warnings"][0].startswith(said) and said in told.out
    assert run["decisions_hash"] == found["decisions_hash"]
    assert "failing was switched off: on_data failed" in asked.out


HOG = """
class Hog:
    memory_limit_mib = 100

    def __init__(self, wrong: int = 1):
        self.bars, self.kept = 0, []

    def on_data(self, bar):
        self.bars += 1
        if self.bars > 40:
            self.kept.append(bytearray(b"x" * 9_000_000))
        return 0.5
"""
CALM = """
class Calm:
    memory_limit_mib = 100

    def on_data(self, bar):
        return 0.5
"""


def test_who_hoards_is_blamed_and_nobody_else(tmp_path: Path) -> None:
    """Memory is counted for the class whose call it was taken in, though it belongs to the process."""
    names = [file_of(tmp_path, CALM, "calm"), file_of(tmp_path, HOG, "hog"), file_of(tmp_path, CALM, "quiet")]
    there = Setting({name: {} for name in names}, CANDLES)
    (told,) = there.backtest().faults
    assert told.startswith("hog is switched off: on_data took more than 100 MiB of memory")
    run = there.run(PaperJournal(), tmp_path)
    assert run.session.stage.failed.keys() == {1}
