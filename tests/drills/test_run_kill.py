"""The bot killed, stopped, starved of disk, given damaged files: the run goes on, or one sentence says why not."""

import os
import random
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.bot_process import (
    DAY,
    QUICK,
    Bot,
    assert_replays,
    database,
    kinds,
    query,
    run_states,
    stored_rows,
    told,
    without_id,
)
from tests.commands import run

pytestmark = pytest.mark.slow

PACED = (*DAY, "--speed", "30000", "--no-api", "--json")
"""The same day with 10 ms between two bars."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | int]:
    """Return what the day's run comes to when nobody disturbs it; the backtest says the same."""
    folder = tmp_path_factory.mktemp("undisturbed")
    document = without_id(told(run("run", *QUICK, cwd=folder)))
    backtest = told(run("backtest", *DAY, "--json", cwd=folder))
    assert {name: backtest[name] for name in ("bars", "fills", "final_equity", "decisions_hash")} == document
    return document


def test_killed_ten_times_it_is_the_run_that_was_never_killed(
    tmp_path: Path, undisturbed: dict[str, str | int]
) -> None:
    dice, kills, ids = random.Random(5), 0, set()
    while True:
        bot = Bot.start(tmp_path, *PACED)
        if kills == 10 or not bot.until_rows(stored_rows(tmp_path) + dice.randint(1, 60)):
            break
        assert bot.kill().status == -signal.SIGKILL
        kills += 1
        ids |= set(run_states(tmp_path))
    document = told(bot.end())
    assert kills >= 7
    assert without_id(document) == undisturbed
    assert ids == {(document["run_id"], "running")}
    assert run_states(tmp_path) == [(document["run_id"], "finished")]
    assert kinds(tmp_path).count("START") == 1 and kinds(tmp_path).count("SLICE") == 288
    assert_replays(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_it_ends_in_order_and_goes_on(
    number: signal.Signals, tmp_path: Path, undisturbed: dict[str, str | int]
) -> None:
    bot = Bot.start(tmp_path, *PACED)
    assert bot.until_rows(120)
    stopped = told(bot.send(number))
    assert 0 < int(stopped["bars"]) < 288
    assert run_states(tmp_path) == [(stopped["run_id"], "stopped")]
    assert kinds(tmp_path)[-1] == "STOP"
    assert query(tmp_path, "SELECT payload FROM journal WHERE kind = 'STOP'") == [
        (f'{{"reason":"{number.name} was sent"}}',)
    ]
    finished = told(run("run", *QUICK, cwd=tmp_path))
    assert finished["run_id"] == stopped["run_id"] and without_id(finished) == undisturbed
    assert kinds(tmp_path).count("STOP") == 2
    assert_replays(tmp_path)
    assert told(run("run", *QUICK, cwd=tmp_path))["run_id"] != stopped["run_id"], "a finished run is not gone on with"


def test_a_signal_before_the_first_bar_ends_it_in_order_too(tmp_path: Path) -> None:
    bot = Bot.start(tmp_path, *PACED)
    assert bot.until(lambda: (tmp_path / "State" / "lock").exists())
    assert bot.send(signal.SIGTERM).status == 0


def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    bot = Bot.start(tmp_path, *DAY, "--speed", "600", "--no-api")
    assert bot.until_rows(2)
    before = run_states(tmp_path)
    second = run("run", *QUICK, cwd=tmp_path)
    assert second.status == 2 and second.out == ""
    assert f"process {bot.process.pid} is already running on State" in second.err and second.err.count("\n") == 1
    assert run_states(tmp_path) == before
    assert bot.send(signal.SIGTERM).status == 0


def killed(folder: Path, rows: int) -> Path:
    """Kill a bot after so many rows and return its database, the log beside it."""
    bot = Bot.start(folder, *PACED)
    assert bot.until_rows(rows)
    bot.kill()
    return database(folder)


def test_a_journal_cut_inside_a_record_loses_that_record_and_nothing_else(
    tmp_path: Path, undisturbed: dict[str, str | int]
) -> None:
    path = killed(tmp_path, 150)
    log = path.with_name("trading.db-wal")
    rows = stored_rows(tmp_path)
    shutil.copytree(tmp_path / "State", tmp_path / "kept", ignore=shutil.ignore_patterns("*.sock"))
    for cut in (1, 5_000):
        shutil.rmtree(tmp_path / "State")
        shutil.copytree(tmp_path / "kept", tmp_path / "State")
        os.truncate(log, log.stat().st_size - cut)
        assert stored_rows(tmp_path) < rows
        assert without_id(told(run("run", *QUICK, cwd=tmp_path))) == undisturbed
    assert_replays(tmp_path)


def test_damaged_files_are_named_and_left_alone(tmp_path: Path) -> None:
    path = killed(tmp_path, 150)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])
    refused = run("run", *QUICK, cwd=tmp_path)
    assert (refused.status, refused.err.count("\n")) == (3, 1) and "is damaged (it has been cut short)" in refused.err
    assert path.read_bytes() == whole[: len(whole) // 2]

    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE journal SET payload = replace(payload, '\"maker\":true', '\"maker\":false')")
    state, count = run_states(tmp_path), stored_rows(tmp_path)
    refused = run("run", *QUICK, cwd=tmp_path)
    assert (refused.status, refused.err.count("\n")) == (3, 1)
    assert "(FILL) of run" in refused.err and "is not as it was written" in refused.err
    assert (run_states(tmp_path), stored_rows(tmp_path)) == (state, count)


def test_a_full_disk_stops_it_and_room_lets_it_go_on(tmp_path: Path, undisturbed: dict[str, str | int]) -> None:
    run("data", "list", cwd=tmp_path)
    full = Bot.start(tmp_path, *PACED, most_bytes=150_000).end()
    assert (full.status, full.out, full.err.count("\n")) == (1, "", 1)
    assert "is full" in full.err or "disk" in full.err
    rows = stored_rows(tmp_path)
    assert 0 < rows < 500
    finished = told(run("run", *QUICK, cwd=tmp_path))
    assert without_id(finished) == undisturbed
    assert len(run_states(tmp_path)) == 1
    assert_replays(tmp_path)
