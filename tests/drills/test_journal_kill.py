"""The journal under real violence: kill -9, cut files, full disks.

What was acknowledged is there, or one sentence says why not.
"""

import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from crypto_bot.domain.errors import DataError
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow
from crypto_bot.persistence.runs import RunRecord, Runs

pytestmark = pytest.mark.slow

RUN = "20261120-233000-7f3a"
WRITER = dedent("""
    import os, resource, sys
    from crypto_bot.domain.errors import CryptoBotError
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.journal import Journal, JournalRow

    database = Database.open(sys.argv[1])
    journal = Journal(database, "20261120-233000-7f3a")
    last = journal.last()
    sequence = -1 if last is None else last.sequence
    limit = int(sys.argv[2])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        while True:
            batch = 1 + sequence % 7
            rows = [JournalRow(sequence + 1 + n, 0, "SLICE", "x" * 300) for n in range(batch)]
            journal.append(rows)
            sequence += batch
            os.write(1, b"%d\\n" % sequence)
    except CryptoBotError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_status)
""")


def start(path: Path) -> None:
    with Database.open(path) as database:
        Runs(database).start(RunRecord(RUN, "run", "forward", "running", 1))


def writer(path: Path, limit: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(limit)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def stored(path: Path) -> int:
    """Return the newest stored sequence after the whole file, and the whole chain, were checked."""
    with Database.open(path) as database, Journal(database, RUN) as journal:
        database.check()
        return journal.verify() - 1


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    path, dice = tmp_path / "trading.db", random.Random(20)
    start(path)
    reached = -1
    for _ in range(20):
        child = writer(path)
        assert child.stdout is not None and child.stderr is not None
        ready, _, _ = select.select([child.stdout], [], [], 30)
        assert ready, "the writer did not begin"
        time.sleep(dice.uniform(0, 0.12))
        os.kill(child.pid, signal.SIGKILL)
        told, complaint = child.communicate()
        acknowledged = [int(line) for line in told.split("\n")[:-1]]
        assert acknowledged and not complaint
        assert acknowledged[0] > reached
        reached = stored(path)
        assert reached >= acknowledged[-1]
    assert reached > 200


def make_files(folder: Path) -> tuple[Path, bytes, bytes, int]:
    """Return a database caught open: the bytes of file and log, and the newest sequence inside the file alone."""
    path = folder / "trading.db"
    start(path)
    with Database.open(path) as database, Journal(database, RUN) as journal:
        for first in range(0, 600, 20):
            journal.append(
                JournalRow(n, 0, "SLICE", f'{{"n":{n},"x":"{"y" * 200}"}}') for n in range(first, first + 20)
            )
    with Database.open(path) as database, Journal(database, RUN) as journal:
        for n in range(600, 700):
            journal.append([JournalRow(n, 0, "SLICE", f'{{"n":{n}}}')])
        return path, path.read_bytes(), path.with_name("trading.db-wal").read_bytes(), 599


def read_back(path: Path) -> int:
    """Return the newest sequence of an unbroken beginning; DataError when the files refuse."""
    with Database.open(path) as database, Journal(database, RUN) as journal:
        last = journal.last()
        newest = -1 if last is None else last.sequence
        assert journal.verify() == newest + 1
        journal.append([JournalRow(newest + 1, 0, "SLICE", "{}")])
        assert journal.verify() == newest + 2
        return newest


def test_a_log_cut_anywhere_leaves_a_beginning_of_the_rows(tmp_path: Path) -> None:
    _, main, log, base = make_files(tmp_path / "made")
    reached = set()
    for offset in [*range(0, 200, 23), *range(200, len(log), len(log) // 60), len(log) - 1, len(log)]:
        folder = tmp_path / f"cut-{offset}"
        folder.mkdir()
        (folder / "trading.db").write_bytes(main)
        (folder / "trading.db-wal").write_bytes(log[:offset])
        newest = read_back(folder / "trading.db")
        assert base <= newest <= 699
        reached.add(newest)
        shutil.rmtree(folder)
    assert max(reached) == 699 and min(reached) == base and len(reached) > 20


@pytest.mark.parametrize("with_log", [True, False], ids=["with its log", "alone"])
def test_a_file_cut_anywhere_gives_a_beginning_or_one_sentence(tmp_path: Path, with_log: bool) -> None:
    _, main, log, base = make_files(tmp_path / "made")
    refused = 0
    offsets = [0, 1, 15, 99, 100, 511, *range(4_096, len(main), 4_096), *range(5_000, len(main), len(main) // 40)]
    for offset in offsets:
        folder = tmp_path / f"cut-{offset}"
        folder.mkdir()
        path = folder / "trading.db"
        path.write_bytes(main[:offset])
        if with_log:
            path.with_name("trading.db-wal").write_bytes(log)
        try:
            newest = read_back(path)
        except DataError as error:
            refused += 1
            assert "backup" in str(error) and "\n" not in str(error)
            assert path.read_bytes()[:offset] == main[:offset], "the damaged file was written to"
            assert not with_log or path.with_name("trading.db-wal").read_bytes() == log
        else:
            assert -1 <= newest <= 699 if with_log else newest == base
        shutil.rmtree(folder)
    assert refused > len(offsets) // 2


def test_the_row_that_finds_no_room_is_refused_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    start(path)
    child = writer(path, limit=300_000)
    told, complaint = child.communicate(timeout=60)
    assert child.returncode == 1, complaint
    assert complaint.count("\n") == 1 and str(path) in complaint
    assert "committed before is kept" in complaint and "space" in complaint
    acknowledged = int(told.split("\n")[-2])
    assert stored(path) >= acknowledged > 50


def test_a_full_disk_is_told_and_room_made_later_is_used(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root on a machine that lets it mount can make a small disk")
    try:
        path = mount / "trading.db"
        start(path)
        ballast = mount / "ballast"
        ballast.write_bytes(b"x" * 300_000)
        child = writer(path)
        told, complaint = child.communicate(timeout=60)
        assert child.returncode == 1
        assert complaint == (
            f"the disk that holds {path} is full: everything committed before is kept, this write is not;"
            " free some space and start again\n"
        )
        acknowledged = int(told.split("\n")[-2])
        ballast.unlink()
        reached = stored(path)
        assert reached >= acknowledged > 100
        with Database.open(path) as database, Journal(database, RUN) as journal:
            journal.append([JournalRow(reached + 1, 0, "STOP", "{}")])
            assert journal.verify() == reached + 2
    finally:
        subprocess.run(["umount", str(mount)], check=True)
