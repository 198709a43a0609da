"""A plain class in a real run: killed and started again, it goes on with the same decisions as a backtest's."""

import json
import signal
from pathlib import Path

import pytest

from tests.bot_process import DAY, QUICK, Bot, query, stored_rows
from tests.commands import run
from tests.plain_classes import CROSS, failing, write

pytestmark = pytest.mark.slow

WORDS = ("--strategy", "cross.py", "--timeframe", "5m", "--param", "fast=5", "--param", "slow=20")


def backtest_hash(folder: Path) -> str:
    ended = run("backtest", *WORDS, *DAY, "--json", cwd=folder)
    assert ended.status == 0, ended.err
    return str(json.loads(ended.out)["decisions_hash"])


def test_a_class_goes_on_where_it_was(tmp_path: Path) -> None:
    write(tmp_path, "cross", CROSS)
    slow = (*DAY, "--speed", "60000", "--no-api", "--json")
    bot = Bot.start(tmp_path, *WORDS, *slow)
    assert bot.until_rows(60)
    bot.kill()
    before = stored_rows(tmp_path)
    stopped = Bot.start(tmp_path, *WORDS, *slow)
    assert stopped.until_rows(before + 40)
    assert stopped.send(signal.SIGTERM).status == 0  # leaves a snapshot with the state of the class in it
    assert int(query(tmp_path, "SELECT count(*) FROM snapshots")[0][0]) > 0
    ended = run("run", *WORDS, *slow[:-2], "--no-api", "--json", cwd=tmp_path)
    assert ended.status == 0, ended.err
    told = json.loads(ended.out)
    assert told["decisions_hash"] == backtest_hash(tmp_path)
    assert len(query(tmp_path, "SELECT run_id FROM runs WHERE kind = 'run'")) == 1
    again = run("replay", "last", "--json", cwd=tmp_path)
    assert again.status == 0 and json.loads(again.out)["identical"]


def test_a_run_says_what_a_class_did_wrong_and_keeps_its_books(tmp_path: Path) -> None:
    write(tmp_path, "mine", failing("self.bars == 30 and self.n / 0"))
    ended = run("run", "--strategy", "mine.py", "--timeframe", "5m", *QUICK, cwd=tmp_path)
    assert ended.status == 1
    assert "error: mine: on_data failed, line 13: ZeroDivisionError: division by zero" in ended.err
    assert "Traceback" not in ended.err
    assert 20 < int(query(tmp_path, "SELECT count(*) FROM journal WHERE kind = 'SLICE'")[0][0]) <= 30
    assert query(tmp_path, "SELECT state FROM runs")[0][0] == "failed"
