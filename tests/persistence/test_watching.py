"""Alerts come with the rows they are about, in the same transaction; what is refused stands in the audit log."""

from pathlib import Path

import pytest

from crypto_bot.domain.errors import RunFailed
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow
from crypto_bot.persistence.payloads import CommandEvent, Decision, OrderEvent, Outcome, StopEvent, encode
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.runs import RunRecord, Runs
from crypto_bot.persistence.unit_of_work import UnitOfWork
from crypto_bot.persistence.watching import Together, Watch

RUN = "20260101-000000-0001"
DAY = 86_400_000_000_000


def row(sequence: int, kind: str, payload: str = "{}", *decisions: Decision, day: int = 0) -> JournalRow:
    outcome = encode(Outcome(decisions=list(decisions))) if decisions else "{}"
    return JournalRow(sequence, day * DAY + sequence, kind, payload, outcome, "0" * 16)


def refused(reason: str) -> Decision:
    return Decision("refused", "grid", "BTC/USDT", 7, side="buy", type="limit", reason=reason)


def written(path: Path, *rows: JournalRow) -> list[tuple[str, str]]:
    """Write rows as the engine does; return severity and text of the alerts, oldest first."""
    with Database.open(path) as database:
        Runs(database).start(RunRecord(RUN, "run", "forward", "running", 1))
        with Journal(database, RUN, Together(Projector(database, RUN), Watch(database))) as journal:
            journal.append(rows)
        with UnitOfWork(database) as work:
            return [(each.severity, each.message) for each in reversed(work.alerts.page().items)]


def test_commands_halts_and_the_end_are_told(tmp_path: Path) -> None:
    stop = CommandEvent("emergency_stop", "enough", "ana")
    alerts = written(
        tmp_path / "a.db",
        row(0, "LIMIT", "{}", Decision("halt", reason="the daily loss limit")),
        row(1, "SLICE", '{"time":0,"bars":[]}', Decision("resume", reason="the daily loss limit")),
        row(2, "COMMAND", encode(stop), Decision("halt", reason="the operator")),
        row(3, "COMMAND", encode(CommandEvent("cancel", by="ana", order=12))),
        row(4, "COMMAND", encode(CommandEvent("strategy_off", by="bo", strategy="grid"))),
        row(5, "STOP", encode(StopEvent("SIGTERM was sent"))),
    )
    assert alerts == [
        ("error", "Trading is halted by the daily loss limit; nothing is opened."),
        ("info", "Trading goes on: the halt by the daily loss limit is over."),
        ("warning", "Emergency stop by ana: enough."),
        ("info", "Order cancelled 12 by ana."),
        ("info", "Strategy stopped (grid) by bo."),
        ("info", "The run stopped: SIGTERM was sent."),
    ]


def test_refusals_that_matter_are_told_once_a_day(tmp_path: Path) -> None:
    often = [row(number, "SIGNAL", '{"wishes":[]}', refused("the cash is not enough")) for number in range(5)]
    later = row(5, "SIGNAL", '{"wishes":[]}', refused("the cash is not enough"), day=1)
    usual = row(6, "SIGNAL", '{"wishes":[]}', refused("it is below the exchange's smallest order"), day=1)
    turned = row(7, "ORDER", encode(OrderEvent(9, 0, 0, "rejected")), day=1)
    alerts = written(tmp_path / "a.db", *often, later, usual, turned)
    assert [text.split(":")[0] for _, text in alerts] == [
        "An order of grid to buy BTC/USDT was refused",
        "An order of grid to buy BTC/USDT was refused",
        "The exchange says rejected of order 9.",
    ]


def test_rows_that_are_not_kept_leave_no_alert(tmp_path: Path) -> None:
    with Database.open(tmp_path / "a.db") as database:
        Runs(database).start(RunRecord(RUN, "run", "forward", "running", 1))

        class Failing:
            def write(self, *_: object) -> None:
                raise OSError("the disk is gone")

            def forget(self) -> None:
                pass

        with (
            Journal(database, RUN, Together(Watch(database), Failing())) as journal,
            pytest.raises(RunFailed),
        ):
            journal.append([row(0, "STOP", encode(StopEvent("x")))])
        with UnitOfWork(database) as work:
            assert not work.alerts.page().items


def test_a_refused_command_stands_in_the_audit_log(tmp_path: Path) -> None:
    with Database.open(tmp_path / "a.db") as database:
        watch = Watch(database, wall=lambda: 99)
        watch.refused(CommandEvent("cancel", "late", "ana", origin="10.0.0.1", key="k", order=5), "order 5 is not open")
        watch.refused(CommandEvent("fly"), "there is no command fly")
        with UnitOfWork(database) as work:
            first, second = reversed(work.audit.page().items)
            assert work.audit.verify() == 2
    assert (first.timestamp, first.actor, first.origin, first.action) == (99, "ana", "10.0.0.1", "cancel")
    assert first.result == "refused: order 5 is not open" and first.details == '{"reason":"late","key":"k","order":5}'
    assert (second.actor, second.result) == ("", "refused: there is no command fly")
