"""What a run is: told in its first row, read back from there, and its name to itself."""

from dataclasses import replace

import msgspec
import pytest

from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.errors import DataError
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.persistence.payloads import Start, encode
from crypto_bot.runtime.plan import Plan, Prices, program_of
from tests.small_runs import CROSS, GRID, Setting, walk

SIMULATION = Simulation(123_456_789, Limits(1, 2, 3, 4), Costs(5, 6, 7, "received"), "path", "close", 9)
PLAN = replace(
    Setting({"grid": GRID, "simple_ma": CROSS}, (walk(9), walk(9, symbol="ABC/USDT")), SIMULATION).plan(),
    prices=Prices("recorded", "2024-03-04", ""),
    speed=600.0,
    data_hash="ab" * 16,
)


def through_the_journal(plan: Plan) -> Plan:
    return Plan.from_start(msgspec.json.decode(encode(plan.start()), type=Start))


def test_it_is_read_back_as_it_was() -> None:
    assert through_the_journal(PLAN) == PLAN
    assert [each.values() for each in through_the_journal(PLAN).chosen()] == list(PLAN.params)


def test_the_first_row_tells_readers_what_the_page_shows() -> None:
    start = PLAN.start()
    assert (start.setting("feed"), start.setting("speed"), start.setting("fills")) == ("recorded", 600.0, "path")
    assert start.setting("max_drawdown") == 0.000001 and start.quote == "USDT" and start.cash == 123_456_789
    assert start.code_version.startswith("0.1.0+") and start.data_hash == "ab" * 16


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAN, mode="dry_run"),
        replace(PLAN, timeframe="2h"),
        replace(PLAN, simulation=Simulation()),
        replace(PLAN, prices=Prices("recorded", "2024-03-05", "")),
        replace(PLAN, params=(PLAN.params[0], {**PLAN.params[1], "fast": 4})),
        replace(PLAN, instruments=PLAN.instruments[:1]),
        replace(PLAN, strategies=PLAN.strategies[::-1]),
    ],
)
def test_whatever_decides_makes_another_run(other: Plan) -> None:
    assert other.manifest() != PLAN.manifest()


def test_what_does_not_decide_makes_no_other_run() -> None:
    same = replace(PLAN, speed=1.0, data_hash="", begin_ns=5, highest_prices=(7, 7))
    assert same.manifest() == PLAN.manifest()
    assert through_the_journal(PLAN).manifest() == PLAN.manifest()


@pytest.mark.parametrize("missing", ["simulation", "prices", "begin_ns", "highest_prices", "speed"])
def test_a_first_row_that_lacks_something_is_refused(missing: str) -> None:
    start = PLAN.start()
    without = {name: raw for name, raw in start.settings.items() if name != missing}
    spoilt = {**without, missing: msgspec.Raw(b'"x"')}
    for settings in (without, spoilt):
        with pytest.raises(DataError, match="the first row of the run lacks"):
            Plan.from_start(msgspec.structs.replace(start, settings=settings))


def test_the_program_is_its_sources_and_those_of_the_strategies() -> None:
    chosen = PLAN.chosen()
    assert program_of(chosen) == program_of(PLAN.chosen())
    assert program_of(chosen) != program_of(chosen[:1])
    edited = replace(chosen[0].strategy.module, source=chosen[0].strategy.module.source + "\n")
    chosen[0].strategy.module = edited
    assert program_of(chosen) != program_of(PLAN.chosen())
