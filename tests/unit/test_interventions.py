"""What an operator orders: it happens once, between two events, and comes out of the journal again."""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.kernel.layout import BUY, EMPTY, FIRST_QUOTE, HALT_DAILY_LOSS, HALT_OPERATOR, SELL
from crypto_bot.persistence.payloads import CommandEvent
from crypto_bot.runtime.brake import Brake
from crypto_bot.runtime.compare import compare
from crypto_bot.runtime.drive import drive
from crypto_bot.runtime.inbox import Inbox
from crypto_bot.runtime.line import Answer, Request, ask_soon
from crypto_bot.runtime.receipts import Reply
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running
from crypto_bot.runtime.session import Session
from tests.small_runs import CROSS, GRID, PaperJournal, Setting, as_journal, walk

SETTING = Setting({"grid": GRID, "simple_ma": CROSS}, (walk(120),))


def begun(bars: int, setting: Setting = SETTING) -> tuple[Running, PaperJournal]:
    """Return a run that has seen so many bars, and its journal."""
    journal = PaperJournal()
    run = recover(as_journal(journal), setting.plan(), setting.history)
    go_on(run, bars, setting)
    return run, journal


def go_on(run: Running, bars: int, setting: Setting = SETTING) -> None:
    slices = list(setting.feed(Path("none")).inner.slices())  # type: ignore[attr-defined] # its own feed
    for item in [item for item in slices if run.last_ns is None or item.time_ns > run.last_ns][:bars]:
        run.play(item)
    run.recorder.flush()


def live(session: Session, strategy: int | None = None, side: int | None = None) -> int:
    orders = session.stage.world.orders
    lanes = orders if strategy is None else orders[session.stage.world.subs["strategy"] == strategy]
    wanted = lanes["state"] != EMPTY
    return int((wanted if side is None else wanted & (lanes["side"] == side)).sum())


def held(session: Session, strategy: int) -> int:
    subs = session.stage.world.subs
    return int(subs["position"][subs["strategy"] == strategy].sum())


def assert_comes_out_again(run: Running, journal: PaperJournal, setting: Setting = SETTING) -> None:
    """Play the whole journal again, from its first row and from a snapshot in its middle."""
    run.recorder.flush()
    found = compare(as_journal(journal))
    assert found.identical, found.first_difference
    again = recover(as_journal(journal.cut(len(journal.written))), setting.plan(), setting.history)
    assert again.session.decisions_hash == run.session.decisions_hash and again.session.off == run.session.off
    middle = [each for each in journal.snapshots if 0 < each.sequence < len(journal.written) - 1]
    assert middle, "a snapshot before the last rows was taken"
    np.testing.assert_array_equal(again.session.stage.world.wish, run.session.stage.world.wish)


def order(
    run: Running, command: str, **more: "str | int | bool | dict[str, bool | float | str | list[int | float]]"
) -> Reply:
    return run.answer(CommandEvent(command, "a test", "ana", **more), Path("none"))  # type: ignore[arg-type] # as told


def done(run: Running, command: str, **more: "str | int | bool") -> int:
    """Order something that can be done; return how many orders it took back."""
    reply = order(run, command, **more)
    assert reply.result == "done" and reply.receipt is not None, reply.sentence
    return reply.receipt.cancelled


def test_an_order_is_cancelled_until_its_strategy_wishes_anew() -> None:
    run, journal = begun(30)
    orders = run.session.stage.world.orders
    lane, slot = (int(each[0]) for each in np.nonzero((orders["state"] != EMPTY) & (orders["side"] == BUY)))
    number, before = int(orders[lane, slot]["id"]), live(run.session)
    assert done(run, "cancel", order=number) == 1
    assert live(run.session) == before - 1 and slot >= FIRST_QUOTE
    assert order(run, "cancel", order=number).result == "unknown", "it is gone"
    assert order(run, "cancel", order=10**9).sentence == "order 1000000000 is not open"
    run.keep()
    go_on(run, 60)
    assert live(run.session, 0) >= before - 2, "the grid is looked at again after its next fill"
    assert_comes_out_again(run, journal)


@pytest.mark.parametrize("which", [{}, {"strategy": "grid"}, {"symbol": "COIN/USDT"}])
def test_all_orders_are_cancelled(which: dict[str, str]) -> None:
    run, journal = begun(30)
    before = live(run.session)
    run.keep()
    assert done(run, "cancel_all", **which) == before > 5
    assert live(run.session) == 0 and run.session.halt == 0
    go_on(run, 20)
    assert_comes_out_again(run, journal)


def test_an_emergency_stop_takes_every_order_back_and_keeps_positions_until_trading_goes_on() -> None:
    run, journal = begun(30)
    before, position = live(run.session), held(run.session, 0)
    assert done(run, "emergency_stop") == before
    assert run.session.halt == HALT_OPERATOR and live(run.session) == 0 and held(run.session, 0) == position > 0
    assert done(run, "emergency_stop") == 0, "twice is once"
    run.keep()
    go_on(run, 10)
    assert live(run.session, side=BUY) == 0 and run.session.halt == HALT_OPERATOR
    done(run, "resume")
    assert run.session.halt == 0 and live(run.session, 0) >= before - 3, "the lines of the grid rest again"
    go_on(run, 20)
    assert_comes_out_again(run, journal)


@pytest.mark.parametrize("command", ["flatten", "emergency_stop"])
def test_flattening_sells_everything_with_the_next_bar_and_nothing_is_bought(command: str) -> None:
    run, journal = begun(60)
    assert held(run.session, 0) > 0
    done(run, command, **({"flatten": True} if command == "emergency_stop" else {}))
    assert live(run.session, side=BUY) == 0
    run.keep()
    go_on(run, 1)
    lot = run.session.names.instruments[0].lot
    assert held(run.session, 0) < lot and held(run.session, 1) < lot and live(run.session) == 0
    go_on(run, 10)
    assert held(run.session, 0) < lot and run.session.halt == HALT_OPERATOR
    done(run, "resume")
    assert live(run.session, 0, BUY) > 0 and live(run.session, 0, SELL) == 0
    go_on(run, 10)
    assert_comes_out_again(run, journal)


def test_a_strategy_that_is_off_sees_the_bars_and_decides_nothing() -> None:
    run, journal = begun(30)
    resting = live(run.session, 0)
    assert done(run, "strategy_off", strategy="grid") == resting > 0
    position = held(run.session, 0)
    run.keep()
    done(run, "halt")
    done(run, "resume")
    go_on(run, 30)
    assert live(run.session, 0) == 0 and held(run.session, 0) == position
    again = recover(as_journal(journal.cut(len(journal.written))), SETTING.plan(), SETTING.history)
    assert again.session.off == {0}, "a snapshot before the command, and the row"
    run.keep()
    restored = recover(as_journal(journal), SETTING.plan(), SETTING.history)
    assert restored.session.off == {0}, "a snapshot after it"
    done(run, "strategy_on", strategy="grid")
    go_on(run, 2)
    assert live(run.session, 0) > 0, "it asks for its lines with the next bar"
    go_on(run, 20)
    assert_comes_out_again(run, journal)


def test_a_new_day_that_lifts_a_halt_brings_no_orders_of_a_strategy_that_is_off() -> None:
    run, _ = begun(30)
    done(run, "strategy_off", strategy="grid")
    desk = run.session.stage.world.desk[0]
    desk["halt"], desk["day_end"] = HALT_DAILY_LOSS, 0
    go_on(run, 1)
    assert run.session.halt == 0 and live(run.session, 0) == 0
    done(run, "strategy_on", strategy="grid")
    assert live(run.session, 0) > 0


def test_another_strategy_is_not_touched_by_one_that_is_off() -> None:
    with_it, _ = begun(30)
    without, _ = begun(30)
    done(with_it, "strategy_off", strategy="grid")
    for run in (with_it, without):
        go_on(run, 60)
    wishes = [run.session.stage.world.wish[1].tobytes() for run in (with_it, without)]
    memories = [run.session.stage.bounds[1].memory.whole.tobytes() for run in (with_it, without)]
    assert wishes[0] == wishes[1] and memories[0] == memories[1]


def test_the_breaker_is_reset_by_hand_and_a_halt_by_hand_stays() -> None:
    run, journal = begun(30)
    desk = run.session.stage.world.desk[0]
    desk["floor"] = desk["equity"] + 10**12
    go_on(run, 1)
    assert run.session.halt == HALT_DAILY_LOSS
    assert order(run, "resume").result == "refused" and run.session.halt == HALT_DAILY_LOSS
    done(run, "halt")
    done(run, "reset")
    assert run.session.halt == HALT_OPERATOR and desk["peak"] == desk["equity"] == desk["day_open"]
    done(run, "resume")
    assert run.session.halt == 0
    done(run, "reset")
    assert run.session.halt == 0, "nothing to reset"
    assert [row.kind for row in journal.written].count("COMMAND") == 4, "what is refused leaves no row"


@pytest.mark.parametrize(
    ("command", "more"),
    [("fly", {}), ("strategy_off", {}), ("strategy_off", {"strategy": "x"}), ("cancel_all", {"symbol": "X/Y"})],
)
def test_what_cannot_be_is_refused_and_told(command: str, more: dict[str, str]) -> None:
    run, journal = begun(5)
    told: list[str] = []
    run.refused = lambda event, why: told.append(f"{event.by}: {why}")
    rows = len(journal.written)
    assert order(run, command, **more).result == "unknown"
    assert len(told) == 1 and told[0].startswith("ana: ") and len(journal.written) == rows


def test_a_key_makes_a_command_happen_once_also_after_a_restart() -> None:
    run, journal = begun(30)
    first = order(run, "emergency_stop", key="k1")
    rows = len(journal.written)
    assert order(run, "emergency_stop", key="k1") == first and len(journal.written) == rows
    assert order(run, "resume", key="k1").result == "reused" and run.session.halt
    for kept in (False, True):
        if kept:
            run.keep()
        again = recover(as_journal(journal), SETTING.plan(), SETTING.history)
        assert order(again, "emergency_stop", key="k1") == first
    assert len(journal.written) == rows


@pytest.mark.parametrize("command", ["emergency_stop", "flatten", "strategy_off", "cancel_all"])
def test_cut_anywhere_after_a_command_it_goes_on_as_if_never_cut(command: str, tmp_path: Path) -> None:
    run, journal = begun(40)
    at = len(journal.written)
    done(run, command, key="k", **({"strategy": "grid"} if command == "strategy_off" else {}))
    go_on(run, 12)
    whole, hash_ = journal.written, run.session.decisions_hash
    rows = next(n for n in count(at) if whole[n].kind == "SLICE") + 4
    for length in [*range(at, at + 5), *range(at + 5, min(rows, len(whole)), 7)]:
        cut = journal.cut(length)
        again = recover(as_journal(cut), SETTING.plan(), SETTING.history)
        if length == at:
            continue  # not written, not carried out
        done(again, command, key="k", **({"strategy": "grid"} if command == "strategy_off" else {}))
        go_on(again, 52 - again.bars)
        assert again.session.decisions_hash == hash_, f"cut after row {length}"
        assert [row.digest for row in cut.written] == [row.digest for row in whole[: len(cut.written)]]


# ---- the line ---
async def asked(
    folder: Path, conversation: "Callable[[Running], object]", bars: int = 30
) -> tuple[Running, PaperJournal]:
    """Let a run wait for its next bar while somebody talks to it over the line."""
    run, journal = begun(bars)
    brake, inbox = Brake(folder / "HALT"), Inbox()
    async with inbox.open_at(folder):
        from crypto_bot.runtime.feed import RecordedFeed

        driving = asyncio.create_task(drive(run, RecordedFeed(SETTING.candles, 1.0), brake, None, inbox))
        talking = conversation(run)
        assert asyncio.iscoroutine(talking)
        await talking
        brake.pull("seen")
        await driving
    return run, journal


def test_the_line_answers_when_the_row_is_durable(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    answers: list[Answer] = []

    async def talk(run: Running) -> None:
        stop = CommandEvent("emergency_stop", "enough", "ana", origin="here", key="1")
        both = await asyncio.gather(*(ask_soon(folder, Request("command", stop)) for _ in range(5)))
        answers.extend(both)
        answers.append(await ask_soon(folder, Request("standing")))
        assert (folder / "engine.sock").stat().st_mode & 0o777 == 0o600

    _, journal = asyncio.run(asked(folder, talk))
    *same, standing = answers
    assert len({id(each) for each in same}) == 5 and all(each == same[0] for each in same)
    (row,) = [row for row in journal.written if row.kind == "COMMAND"]
    receipt = same[0].reply.receipt if same[0].reply else None
    assert receipt is not None and (receipt.sequence, receipt.run_id) == (row.sequence, journal.run_id)
    told = standing.standing
    assert told is not None and told.state == "halted" and told.halted_by == ["the operator"] and told.open_orders == 0
    assert not (folder / "engine.sock").exists()


def test_to_resume_takes_the_flag_file_away(tmp_path: Path) -> None:
    async def talk(run: Running) -> None:
        flag = tmp_path / "HALT"
        flag.touch()
        while not run.session.halt:
            await asyncio.sleep(0.01)
        answer = await ask_soon(tmp_path, Request("command", CommandEvent("resume", "go on", "ana")))
        assert answer.reply is not None and answer.reply.result == "done"
        await asyncio.sleep(0.2)
        assert not flag.exists() and not run.session.halt and not run.flagged

    _, journal = asyncio.run(asked(tmp_path, talk))
    assert [row.kind for row in journal.written].count("COMMAND") == 2


def test_nonsense_on_the_line_is_answered_and_hurts_nobody(tmp_path: Path) -> None:
    async def talk(run: Running) -> None:
        for line in (b"{", b"[]", b'{"ask":"fly"}', b'{"ask":"command","command":{"command":3}}', b"\xff"):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "engine.sock"))
            writer.write(line + b"\n")
            assert b"that is no request" in await reader.readline()
            writer.close()
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "engine.sock"))
        writer.write(b"x" * 200_000)
        assert await reader.read() == b""
        answer = await ask_soon(tmp_path, Request("standing"))
        assert answer.standing is not None and answer.standing.state == "running"

    asyncio.run(asked(tmp_path, talk))
