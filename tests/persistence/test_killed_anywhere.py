"""A writer killed by SIGKILL between any two of its statements: no row is half there, and the next start goes on.

The writer is a process of its own that kills itself before its n-th statement, for each n that there is.
"""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import select, text

from crypto_bot.persistence.comparing import check_runs
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.models import Projection
from crypto_bot.persistence.projecting import Projector
from tests.persistence.made_rows import RUN, made_rows

pytestmark = pytest.mark.slow

ROWS, BATCH = 24, 8
WRITER = dedent("""
    import os, signal, sys
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.journal import Journal
    from crypto_bot.persistence.projecting import Projector
    from tests.persistence.made_rows import RUN, made_rows

    rows = list(made_rows(%(rows)d))
    url, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

    class Deadly:
        '''A connection that counts statements and commits, and dies before the one that it is told.'''
        def __init__(self, inner, left):
            self.inner, self.left = inner, left
        def cursor(self):
            return DeadlyCursor(self, self.inner.cursor())
        def commit(self):
            self.count()
            self.inner.commit()
            self.count()
        def count(self):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        def __getattr__(self, name):
            return getattr(self.inner, name)

    class DeadlyCursor:
        def __init__(self, connection, inner):
            self.connection, self.inner = connection, inner
        def execute(self, *words):
            self.connection.count()
            return self.inner.execute(*words)
        def executemany(self, sql, many):
            for values in many:
                self.connection.count()
                self.inner.execute(sql, values)
        def __getattr__(self, name):
            return getattr(self.inner, name)

    Database.open(url).close()  # what is imported once need not be imported by each child
    for kill in range(first, last):
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            print(kill, status, flush=True)
            sys.stdin.readline()
            continue
        database = Database.open(url)
        raw = database.engine.raw_connection
        database.engine.raw_connection = lambda: Deadly(raw(), kill)
        journal = Journal(database, RUN, Projector(database, RUN))
        begin = last_row.sequence + 1 if (last_row := journal.last()) else 0
        for start in range(begin, %(rows)d, %(batch)d):
            journal.append(rows[start : start + %(batch)d])
        os._exit(0)
""") % {"rows": ROWS, "batch": BATCH}


def committed(database: Database) -> int:
    """Return how many rows there are, after journal and tables were found whole and in agreement."""
    with Journal(database, RUN) as journal:
        count = journal.verify()
    assert count % BATCH == 0, "a batch is half there"
    with database.read() as connection:
        told = connection.scalar(select(Projection.sequence).where(Projection.run_id == RUN))
    assert told == (count - 1 if count else None)
    return count


def begin_anew(database: Database) -> None:
    with database.write() as connection:
        for name in ("trades", "orders", "signals", "risk_decisions", "intents", "balance_snapshots", "projections"):
            connection.execute(text(f"DELETE FROM {name}"))
        connection.execute(text("DELETE FROM ohlcv_cache"))
        connection.execute(text("DELETE FROM journal"))


def test_killed_before_any_statement_nothing_is_half_there(url: str, database: Database) -> None:
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, url, "1", "100000"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}"},
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None and child.stderr is not None
    killed, reached = 0, set[int]()
    try:
        while line := child.stdout.readline():
            _, status = map(int, line.split())
            count = committed(database)
            if status == 0:
                assert count == ROWS
                break
            assert status == 9
            killed, reached = killed + 1, reached | {count}
            if killed % 20 == 0:
                with Journal(database, RUN, Projector(database, RUN)) as journal:
                    journal.append(list(made_rows(ROWS))[count:])
                assert check_runs(database).differences == ()
            begin_anew(database)
            child.stdin.write("\n")
            child.stdin.flush()
        else:
            raise AssertionError(child.stderr.read())
    finally:
        child.kill()
        child.communicate()
    assert killed > 100 and reached == {0, BATCH, 2 * BATCH, ROWS}
