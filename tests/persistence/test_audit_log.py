"""The audit log on both databases: only added to, and whatever was done to it all the same is found."""

import json

import pytest
from sqlalchemy import Connection

from crypto_bot.domain.errors import DataError, RunFailed
from crypto_bot.persistence.audit import Deed
from crypto_bot.persistence.comparing import rebuild
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.unit_of_work import UnitOfWork
from tests.persistence.made_rows import BEGIN_NS, RUN, made_rows

SPOILING = ("UPDATE audit_log SET actor = 'x' WHERE id = 3", "DELETE FROM audit_log WHERE id = 3")


def unlocked(work: UnitOfWork) -> Connection:
    """Do as somebody would who may change the database itself: take away what guards the log."""
    connection = work.session.connection()
    on = "" if connection.dialect.name == "sqlite" else " ON audit_log"
    for verb in ("update", "delete"):
        connection.exec_driver_sql(f"DROP TRIGGER audit_log_no_{verb}{on}")
    return connection


def test_the_audit_log_is_a_chain(database: Database) -> None:
    with UnitOfWork(database) as work:
        for number in range(5):
            work.audit.add(Deed(number, "admin", "127.0.0.1", "halt", "done", '{"reason":"a drill"}'))
        work.commit()
    with UnitOfWork(database) as work:
        assert work.audit.verify() == 5
        assert [each.id for each in work.audit.page(before=3).items] == [2, 1, 0]
    for spoil in SPOILING:
        with pytest.raises(RunFailed, match="only added to"), UnitOfWork(database) as work:
            work.session.connection().exec_driver_sql(spoil)
        with pytest.raises(DataError, match="row 3 of the audit log"), UnitOfWork(database) as work:
            unlocked(work).exec_driver_sql(spoil)
            work.audit.verify()


@pytest.mark.parametrize("column", ["timestamp", "actor", "origin", "action", "details", "result", "digest"])
def test_no_field_of_the_audit_log_can_be_changed_unseen(database: Database, column: str) -> None:
    with UnitOfWork(database) as work:
        for number in range(3):
            work.audit.add(Deed(number, "admin", "127.0.0.1", "halt", "done"))
        work.commit()
    other = "timestamp + 1" if column == "timestamp" else "'x'"
    change = f"UPDATE audit_log SET {column} = {other} WHERE id = 1"
    with pytest.raises(DataError, match="row 1 of the audit log"), UnitOfWork(database) as work:
        unlocked(work).exec_driver_sql(change)
        work.audit.verify()


def test_a_command_is_in_the_journal_and_in_the_audit_log_or_in_neither(database: Database, url: str) -> None:
    rows, asked = made_rows(20), {"command": "emergency_stop", "reason": "smoke", "by": "phone", "origin": "192.0.2.7"}
    command = JournalRow(20, BEGIN_NS, "COMMAND", json.dumps(asked))
    with Journal(database, RUN, Projector(database, RUN)) as journal:
        journal.append(rows)
        with pytest.raises(ValueError, match="cannot follow"):
            journal.append([command, command])
        with UnitOfWork(database) as work:
            assert work.audit.verify() == 0
            work.audit.add(Deed(1, "root", "command line", "token add", "done"))
            work.commit()
        journal.append([command, JournalRow(21, BEGIN_NS, "COMMAND", json.dumps({**asked, "command": "resume"}))])
    with UnitOfWork(database) as work:
        assert work.audit.verify() == 3
        deeds = work.audit.page().items
        assert [(each.actor, each.origin, each.action, each.result) for each in reversed(deeds)] == [
            ("root", "command line", "token add", "done"),
            ("phone", "192.0.2.7", "emergency_stop", "done"),
            ("phone", "192.0.2.7", "resume", "done"),
        ]
        assert json.loads(deeds[1].details) == {"run": RUN, "row": 20, "time": BEGIN_NS, "reason": "smoke"}
    rebuild(database, RUN)
    with UnitOfWork(database) as work:
        assert work.audit.verify() == 3, "what is made again from the journal leaves the log alone"
    with pytest.raises(DataError, match=f"lacks the command in row 21 of run {RUN}"), UnitOfWork(database) as work:
        unlocked(work).exec_driver_sql("DELETE FROM audit_log WHERE id = 2")
        work.audit.verify()
