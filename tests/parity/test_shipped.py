"""Every strategy that ships: the same decisions compiled, interpreted and driven live; none of them sees the future."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.market import Candles
from crypto_bot.kernel.compiled import COMPILE
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.strategies.catalogue import NAMES
from tests.plays import SHIPPED, Played, Rooms, Terms, play
from tests.shipped import BUSY, busy
from tests.small_runs import PaperJournal, Setting

BARS, SHORT = 1_500, 500
LIMITS = (300_000, 100_000, 900_000, 900_000)
TERMS = {
    "as usual": Terms(limits=LIMITS),
    "touch, fee in the coin": Terms(fills="touch", fee_in="received"),
    "zero delay": Terms(fill_at="close", limits=LIMITS),
}
CASES = [(name, terms) for name in NAMES for terms in TERMS]


@pytest.fixture(scope="module")
def compiled() -> Rooms:
    if not COMPILE:
        pytest.skip("nothing is compiled in this process")
    return Rooms.of_this_process()


@pytest.fixture(scope="module")
def interpreted() -> Rooms:
    return Rooms.plain()


def bars_of(name: str, bars: int) -> tuple[Candles, ...]:
    """Return walks; a strategy that is not listed may need some hundred bars before its first decision."""
    return busy(name).candles(bars if name in BUSY else bars + 500, seed=3)


def played(rooms: Rooms, name: str, candles: tuple[Candles, ...], terms: Terms, *, skip: bool = True) -> Played:
    return play(rooms, [(strategy_of(rooms, name), busy(name).given)], candles, terms, skip=skip)


@cache
def strategy_of(rooms: Rooms, name: str) -> Any:
    return rooms.binding.Strategy(SHIPPED / f"{name}.py")


@pytest.mark.parametrize(("name", "terms"), CASES)
def test_compiled_is_interpreted(name: str, terms: str, compiled: Rooms, interpreted: Rooms) -> None:
    whole, part = bars_of(name, BARS), bars_of(name, SHORT)
    fast = played(compiled, name, whole, TERMS[terms])
    assert fast.fills().size > 0, f"{name} does not trade here: give it parameters in tests/shipped.py"
    assert fast.world_of.desk[0]["laws"] == 0
    fast.assert_same(played(compiled, name, whole, TERMS[terms], skip=False))
    played(compiled, name, part, TERMS[terms]).assert_same(played(interpreted, name, part, TERMS[terms]))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_decides_as_a_backtest_does(name: str, tmp_path: Path, interpreted: Rooms) -> None:
    terms = TERMS["as usual"]
    candles = bars_of(name, 400)
    limits, costs = Limits(*terms.limits), Costs(*terms.costs)
    setting = Setting({name: busy(name).given}, candles, Simulation(limits=limits, costs=costs))
    outcome, session = setting.backtest(), setting.run(PaperJournal(), tmp_path).session
    assert outcome.fills.size > 0
    assert session.decisions_hash == outcome.decisions_hash
    assert (session.fills, session.equity) == (len(outcome.fills), int(outcome.equity[-1]))
    assert played(interpreted, name, candles, terms).decisions == outcome.decisions_hash


@pytest.mark.parametrize("name", NAMES)
def test_what_was_decided_does_not_hang_on_what_came_later(name: str) -> None:
    """Cut off anywhere, and with other prices after the cut, a run is the beginning of the whole one."""
    rooms, terms = Rooms.of_this_process(), TERMS["as usual"]
    candles = bars_of(name, BARS)
    whole = played(rooms, name, candles, terms)
    begun = np.flatnonzero(np.isin(candles[0].times, whole.fills()["time_ns"]))
    first = int(begun[0])
    cuts = {first, *(int(cut) for cut in begun[1::7][:8]), *range(first + 5, len(candles[0]) - 1, len(candles[0]) // 5)}
    for cut in sorted(cuts):
        prefix = played(rooms, name, tuple(each.between(None, int(each.times[cut])) for each in candles), terms)
        assert prefix.equity == whole.curve[: cut + 1].tobytes()
        assert known(prefix, candles, cut) == known(whole, candles, cut)
        other = played(rooms, name, tuple(risen_after(each, cut) for each in candles), terms)
        assert other.curve[: cut + 1].tobytes() == prefix.equity
        assert known(other, candles, cut) == known(whole, candles, cut)


def known(run: Played, candles: tuple[Candles, ...], cut: int) -> list[tuple[int, ...]]:
    fills = run.fills()
    return [tuple(fill) for fill in fills[fills["time_ns"] <= candles[0].times[cut]].tolist()]


def risen_after(candles: Candles, cut: int) -> Candles:
    """Return the candles with higher prices after a bar."""
    columns = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
    for column in columns.values():
        column[cut + 1 :] += 500
    return replace(candles, **columns)
