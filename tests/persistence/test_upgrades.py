"""Databases of every earlier schema, as an earlier program left them, brought to this one's."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text

from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.persistence.comparing import check_runs, lagging, rebuild
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.migrations import HEAD, SCRIPTS
from crypto_bot.persistence.models import Model
from crypto_bot.persistence.server import server_engine, server_url
from crypto_bot.persistence.tables import journal as journal_table
from crypto_bot.persistence.tables import runs as runs_table
from crypto_bot.persistence.tables import snapshots as snapshots_table
from crypto_bot.persistence.unit_of_work import UnitOfWork
from tests.postgres import Server

DATA = Path(__file__).parents[1] / "data" / "databases"
EARLIER = sorted(DATA.glob("trading-r*.db"))
RUN, ROWS, FILLS, LIVE = "20261121-040620-3f7d", 183, 27, 38


def revision_of(path: Path) -> str:
    return path.stem.removeprefix("trading-r")


def test_there_is_a_database_of_every_earlier_schema() -> None:
    known = [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()]
    assert sorted(map(revision_of, EARLIER)) == sorted(set(known) - {HEAD})


def assert_whole(database: Database) -> None:
    """An upgraded database has the tables of a new one, every row it had, and the tables told of them."""
    assert database.revision() == HEAD
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Model.metadata) == []
    assert Journal(database, RUN).verify() == ROWS
    assert lagging(database) == [RUN] and check_runs(database).differences[0].table == "projections"
    rebuild(database, RUN)
    assert check_runs(database).differences == ()
    with UnitOfWork(database) as work:
        assert len(work.trades.page(RUN, limit=1_000).items) == FILLS
        assert len(work.orders.live(RUN)) > 10


@pytest.mark.parametrize("earlier", EARLIER, ids=revision_of)
def test_a_file_is_copied_and_brought_forward(earlier: Path, tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    shutil.copy(earlier, path)
    with pytest.raises(DataError, match=r"older schema \(.*bring it forward with `db upgrade`"):
        Database.open(path, readonly=True)
    with Database.open(path) as database:
        assert_whole(database)
        backup = database.backup
    assert backup == path.with_name(f"trading.db.before-{revision_of(earlier)}.bak")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(backup)) as copy, closing(sqlite3.connect(earlier)) as original:
        assert list(copy.iterdump()) == list(original.iterdump())


def server_like(earlier: Path, postgres: Server) -> str:
    """Return the URL of a server's database with an earlier schema, and the rows of a file of it."""
    url = postgres.new_database()
    engine = server_engine(server_url(url), readonly=False)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as connection, closing(sqlite3.connect(earlier)) as old:
        config.attributes["connection"] = connection
        command.upgrade(config, revision_of(earlier))
        old.row_factory = sqlite3.Row
        for table in (runs_table, journal_table, snapshots_table):
            rows = [dict(row) for row in old.execute(f"SELECT * FROM {table.name}")]
            connection.execute(insert(table), rows)
    engine.dispose()
    return url


@pytest.mark.parametrize("earlier", EARLIER, ids=revision_of)
def test_a_server_is_brought_forward_when_it_is_asked_for(earlier: Path, postgres: Server) -> None:
    url = server_like(earlier, postgres)
    with pytest.raises(UsageError, match="older schema .*`db upgrade` copies it"):
        Database.open(url)
    with Database.open(url, upgrade=True) as database:
        assert_whole(database)


def test_a_newer_schema_is_refused_in_one_sentence(url: str) -> None:
    with Database.open(url) as database, database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    command_line = [sys.executable, "-m", "crypto_bot", "db", "upgrade", "--set", f"database.url={url}"]
    for readonly in (False, True):
        with pytest.raises(UsageError, match="schema 9999, made by a newer CryptoTrader"):
            Database.open(url, readonly=readonly)
    done = subprocess.run(command_line, capture_output=True, text=True, timeout=60, cwd="/tmp")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "schema 9999" in done.stderr


def test_a_database_of_another_program_is_left_alone(postgres: Server) -> None:
    url = postgres.new_database()
    engine = server_engine(server_url(url), readonly=False)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE recipes (name TEXT)"))
    engine.dispose()
    with pytest.raises(DataError, match="another program.*'recipes'"):
        Database.open(url)


def test_commands_from_before_the_audit_log_are_written_into_it(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    shutil.copy(DATA / "trading-r0002.db", path)
    payload = '{"command":"halt","reason":"a drill","by":"command line"}'
    with closing(sqlite3.connect(path)) as earlier, earlier:
        row = (RUN, 10_000, 7, "COMMAND", payload, "{}", "", "")
        earlier.execute(f"INSERT INTO journal VALUES ({', '.join('?' * len(row))})", row)
    with Database.open(path) as database, UnitOfWork(database) as work:
        assert work.audit.verify() == 1
        (deed,) = work.audit.page().items
        assert (deed.actor, deed.action, deed.details) == (
            "command line", "halt", f'{{"run":"{RUN}","row":10000,"time":7,"reason":"a drill"}}',
        )  # fmt: skip
