"""The table of runs."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from crypto_bot.domain.errors import RunFailed, UsageError
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.run_record import RUN_ID
from crypto_bot.persistence.runs import RunRecord, Runs, new_run_id
from crypto_bot.persistence.tables import runs as table


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    with Database.open(tmp_path / "trading.db") as opened:
        yield Runs(opened)


def test_a_run_id_is_its_start_in_utc_and_four_digits() -> None:
    start = datetime(2026, 11, 21, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert new_run_id(start, b"\x7f\x3a") == "20261120-233000-7f3a"
    assert RUN_ID.fullmatch(new_run_id(start, b"\x00\x01"))
    with pytest.raises(ValueError, match="aware"):
        new_run_id(datetime(2026, 11, 21), b"\x7f\x3a")  # noqa: DTZ001 - the naive time is the fault
    with pytest.raises(ValueError, match="two random bytes"):
        new_run_id(datetime(2026, 11, 21, tzinfo=UTC), b"\x7f")


def test_the_record_and_the_table_have_the_same_columns() -> None:
    assert [field.name for field in fields(RunRecord)] == list(table.c.keys())


def test_a_run_goes_from_its_start_to_its_summary(runs: Runs) -> None:
    runs.start(RunRecord("a", "run", "forward", "running", 5, manifest='{"x":1}'))
    with pytest.raises(RunFailed, match="run a stands in"):
        runs.start(RunRecord("a", "run", "forward", "running", 5))
    runs.finish("a", "finished", '{"equity":"1"}', ended_ns=9)
    assert runs.get("a") == RunRecord("a", "run", "forward", "finished", 5, 9, '{"x":1}', '{"equity":"1"}')
    with pytest.raises(UsageError, match="there is no run b in"):
        runs.get("b")
    with pytest.raises(UsageError, match="there is no run b in"):
        runs.finish("b", "finished", "{}")


def test_runs_are_listed_newest_first_page_by_page(runs: Runs) -> None:
    for number in range(7):
        runs.start(RunRecord(f"r{number}", "backtest", "backtest", "finished", number // 2))
    first = runs.list(limit=3)
    assert [run.run_id for run in first] == ["r6", "r5", "r4"]
    assert [run.run_id for run in runs.list(limit=3, before="r4")] == ["r3", "r2", "r1"]
    assert [run.run_id for run in runs.list(before="r0")] == []


def test_what_can_go_on_is_the_newest_session_that_is_not_finished(runs: Runs) -> None:
    assert runs.resumable() is None and runs.latest() is None
    runs.start(RunRecord("old", "run", "forward", "running", 1, manifest='{"s":"grid"}'))
    runs.finish("old", "stopped", "{}")
    runs.start(RunRecord("failed", "run", "live", "failed", 2))
    runs.start(RunRecord("done", "run", "forward", "finished", 3))
    runs.start(RunRecord("test", "backtest", "backtest", "running", 4))
    newest, session = runs.latest(), runs.latest(kind="run")
    assert newest is not None and newest.run_id == "test"
    assert session is not None and session.run_id == "done"
    assert [found.run_id if found else None for found in (
        runs.resumable(), runs.resumable(mode="forward"), runs.resumable(manifest='{"s":"grid"}'),
        runs.resumable(mode="dry_run"),
    )] == ["failed", "old", "old", None]  # fmt: skip
    runs.go_on("old")
    assert runs.get("old").state == "running"
