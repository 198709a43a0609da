"""One slice after the other: every event is told before its effects leave."""

import json
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.market import Slice
from crypto_bot.kernel.genesis import Limits
from crypto_bot.kernel.layout import HALT_OPERATOR
from crypto_bot.persistence.payloads import CommandEvent
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.feed import RecordedFeed
from crypto_bot.runtime.session import Session
from tests.small_runs import CROSS, GRID, Setting, walk


def slices_of(setting: Setting) -> list[Slice]:
    return list(RecordedFeed([each.between(setting.start_ns) for each in setting.candles], 0).slices())


def decisions(entry: Entry) -> list[dict[str, str | int]]:
    found: list[dict[str, str | int]] = json.loads(entry.outcome).get("decisions", [])
    return found


@pytest.mark.parametrize("fills", ["pessimistic", "path", "olhc"])
def test_no_order_reaches_the_venue_before_its_decision_was_told(fills: str) -> None:
    setting = Setting({"grid": GRID, "simple_ma": CROSS}, (walk(60),), Simulation(fills=fills))
    session = Session(setting.plan())
    told: set[int] = set()
    waiting = 0
    for item in slices_of(setting):
        for entry in session.play(item):
            resting = session.stage.venue.resting
            at_venue = set(resting["id"][resting["live"] != 0].tolist())
            assert at_venue <= told
            approved = {int(each["order_id"]) for each in decisions(entry) if each["kind"] == "approved"}
            assert not approved or entry.binding, "what is to be sent has to be durable first"
            assert not approved & at_venue
            told |= approved
            waiting += bool(approved)
    assert waiting > 10 and len(told) > 40


def test_an_event_that_sends_nothing_binds_nothing() -> None:
    setting = Setting({"grid": GRID}, (walk(60),))
    session = Session(setting.plan())
    entries = [entry for item in slices_of(setting) for entry in session.play(item)]
    assert not any(entry.binding for entry in entries if entry.kind in ("SLICE", "FILL"))
    orders = [entry for entry in entries if entry.kind == "ORDER"]
    assert len(orders) > 20 and not any(entry.binding for entry in orders)


def test_the_rows_of_a_slice_tell_its_story() -> None:
    setting = Setting({"grid": GRID}, (walk(60),))
    session = Session(setting.plan())
    first, second, third = ([*session.play(item)] for item in slices_of(setting)[:3])
    assert [entry.kind for entry in first] == ["SLICE", "SIGNAL", "ORDER"]
    assert [entry.kind for entry in second][:3] == ["FILL", "SLICE", "SIGNAL"]
    assert {entry.kind for entry in second[3:]} == {"ORDER"} and len(second) == 3 + 20
    assert third
    closed = slices_of(setting)[0].time_ns + 3_600 * 10**9
    assert {entry.time_ns for entry in first} == {closed}
    assert json.loads(first[0].outcome) == {"equity": session.cash, "halt": 0}
    signal, approved = decisions(first[1])
    assert signal["kind"] == "signal" and str(signal["reason"]).startswith("hold ")
    assert (approved["kind"], approved["side"], approved["type"]) == ("approved", "buy", "market")
    assert first[0].decisions_hash != first[1].decisions_hash == first[2].decisions_hash


def test_a_limit_that_strikes_inside_a_bar_is_a_row_of_its_own() -> None:
    simulation = Simulation(fills="path", limits=Limits(9_000, 2_500))
    setting = Setting({"grid": GRID}, (walk(60),), simulation)
    session = Session(setting.plan())
    entries = [entry for item in slices_of(setting) for entry in session.play(item)]
    halts = [entry for entry in entries if any(each["kind"] == "halt" for each in decisions(entry))]
    assert halts[0].kind == "LIMIT" and halts[0].binding
    assert json.loads(halts[0].outcome)["halt"] != 0


def test_a_command_is_carried_out_and_told() -> None:
    setting = Setting({"grid": GRID}, (walk(60),))
    session = Session(setting.plan())
    items = slices_of(setting)
    for item in items[:3]:
        list(session.play(item))
    halted = list(session.obey(CommandEvent("halt", "a test", "me")))
    assert halted[0].kind == "COMMAND" and session.halt == HALT_OPERATOR
    assert json.loads(halted[0].payload) == {"command": "halt", "reason": "a test", "by": "me"}
    cancelled = [each["order_id"] for each in decisions(halted[0]) if each["kind"] == "cancel"]
    assert cancelled and {entry.kind for entry in halted[1:]} == {"ORDER"} and len(halted) == 1 + len(cancelled)
    assert (session.stage.world.orders["side"][session.stage.world.orders["state"] != 0] < 0).all()
    resumed = list(session.obey(CommandEvent("resume")))
    assert session.halt == 0 and [entry.kind for entry in resumed[:2]] == ["COMMAND", "SIGNAL"]
    assert len([entry for entry in resumed if entry.kind == "ORDER"]) == len(cancelled), "what was withdrawn comes back"
    assert next(session.obey(CommandEvent("resume"))).decisions == 0, "nothing to lift"


def test_what_a_strategy_does_wrong_is_told_about_its_own_lines(tmp_path: Path) -> None:
    file = tmp_path / "fragile.py"
    file.write_text(
        '"""Divide by what is left of ten bars."""\n'
        "from crypto_bot.strategy import Memory, NamedTuple, target\n\n\n"
        'class Params(NamedTuple):\n    """None."""\n\n    bars: int = 10\n\n\n'
        'def memory(p):\n    """Count."""\n    return dict(seen=0)\n\n\n'
        'def step(p: Params, m: Memory) -> None:\n    """Fail on the tenth bar."""\n    m.seen[0] += 1\n'
        "    target(0, 1 / (p.bars - m.seen[0]) / 20)\n"
    )
    setting = Setting({str(file): {}}, (walk(20),))
    session = Session(setting.plan())
    with pytest.raises(Mistake, match=r"fragile.*COIN/USDT|fragile"):
        for item in slices_of(setting):
            list(session.play(item))
    assert session.reel.base.count == 10


def test_the_first_closes_are_those_of_the_run_and_not_of_the_warm_up() -> None:
    setting = Setting({"simple_ma": CROSS}, (walk(60), walk(60, symbol="ABC/USDT", seed=3)), before=12)
    session = Session(setting.plan())
    session.see(setting.history())
    items = slices_of(setting)
    list(session.play(items[0]))
    list(session.play(items[1]))
    assert session.first_closes() == [bar.close for bar in items[0].bars if bar]
    assert np.array_equal(session.last_equity(), [session.equity])
