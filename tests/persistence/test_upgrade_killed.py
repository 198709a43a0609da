"""An upgrade killed by SIGKILL before any of its statements: the database is the old one or the new one, whole.

A process of its own forks a child for each n; the child kills itself before its n-th statement or commit.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest

from crypto_bot.domain.errors import DataError
from crypto_bot.persistence.comparing import check_runs, lagging, rebuild
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.migrations import HEAD
from crypto_bot.persistence.server import server_engine, server_url
from tests.persistence.test_upgrades import EARLIER, ROWS, RUN, revision_of, server_like
from tests.postgres import Server

pytestmark = pytest.mark.slow

UPGRADER = dedent("""
    import os, signal, sys
    import psycopg, psycopg.pq
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from crypto_bot.persistence import migrating
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.migrations import upgrade

    for line in sys.stdin:
        number, url = line.split()
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            print(status, flush=True)
            continue
        left = int(number)

        def count(*_):
            global left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)
        replace = os.replace
        migrating.Path.replace = lambda one, other: (count(), replace(one, other), count())
        Database.open(url, upgrade=True).close()
        os._exit(0)
""")


@pytest.fixture(scope="module")
def upgrader() -> Iterator[Callable[[int, str], int]]:
    """Give what upgrades a database in a child that dies before its n-th statement; it returns the child's status."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", UPGRADER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}"},
    ) as child:  # fmt: skip
        assert child.stdin is not None and child.stdout is not None
        to, back = child.stdin, child.stdout

        def upgrade(number: int, url: str) -> int:
            to.write(f"{number} {url}\n")
            to.flush()
            return int(back.readline())

        yield upgrade
        child.kill()


def dumped(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def assert_goes_on(url: str | Path) -> None:
    """The next start brings it forward, with every row."""
    with Database.open(url, upgrade=True) as database:
        assert database.revision() == HEAD and Journal(database, RUN).verify() == ROWS
        for run_id in lagging(database):
            rebuild(database, run_id)
        assert check_runs(database).differences == ()


@pytest.mark.parametrize("earlier", EARLIER, ids=revision_of)
def test_a_file_is_old_or_new_and_copied_before(
    earlier: Path, tmp_path: Path, upgrader: Callable[[int, str], int]
) -> None:
    before, killed = dumped(earlier), 0
    for number in range(1, 1_000):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "trading.db"
        shutil.copy(earlier, path)
        status = upgrader(number, str(path))
        copies = list(folder.glob("*.bak"))
        assert [dumped(copy) for copy in copies] == [before] * len(copies), "a copy is whole or not there"
        with closing(sqlite3.connect(path)) as connection:
            (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if revision == HEAD:
            assert len(copies) == 1, "brought forward without a copy"
        else:
            assert (revision, dumped(path)) == (revision_of(earlier), before), "half of an upgrade"
            with pytest.raises(DataError, match="older schema"):
                Database.open(path, readonly=True)
        if status == 0 or number % 5 == 0:
            assert_goes_on(path)
        if status == 0:
            break
        assert status == 9
        killed += 1
    assert killed > 10


@pytest.mark.parametrize("earlier", EARLIER, ids=revision_of)
def test_a_server_is_old_or_new(earlier: Path, postgres: Server, upgrader: Callable[[int, str], int]) -> None:
    model = server_like(earlier, postgres).partition("?")[0].rpartition("/")[2]
    killed = 0
    for number in range(1, 1_000):
        url = postgres.new_database(like=model)
        status = upgrader(number, url)
        engine = server_engine(server_url(url), readonly=True)
        with engine.connect() as connection:
            revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            tables = connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE tablename = 'audit_log'").scalar()
        engine.dispose()
        assert revision == HEAD or (revision == revision_of(earlier) and tables == (revision >= "0002"))
        if status == 0 or number % 5 == 0:
            assert_goes_on(url)
        postgres.command(f"DROP DATABASE {url.partition('?')[0].rpartition('/')[2]} WITH (FORCE)")
        if status == 0:
            break
        assert status == 9
        killed += 1
    assert killed > 10
