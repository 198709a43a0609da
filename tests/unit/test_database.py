"""Opening: what is made, with which rights, what is brought forward, what is refused and in which words."""

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from crypto_bot.domain.errors import DataError, RunFailed, UsageError
from crypto_bot.persistence import migrations
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.migrations import HEAD, SCRIPTS
from crypto_bot.persistence.models import Model
from crypto_bot.persistence.run_record import RunRecord, record_backtest
from crypto_bot.persistence.runs import Runs
from crypto_bot.persistence.sqlite_file import database_path

NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0417", "0003", None, None
def upgrade() -> None:
    op.add_column("runs", sa.Column("note", sa.Text))
    {more}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "State" / "trading.db"


def fill(path: Path) -> None:
    with Database.open(path) as opened:
        for number in range(40):
            Runs(opened).start(RunRecord(f"20260101-000000-{number:04x}", "run", "forward", "stopped", number))


CHILD = """
import sys
from crypto_bot.domain.errors import CryptoBotError
try:
    exec(sys.argv.pop())
except CryptoBotError as error:
    print(error)
    sys.exit(error.exit_status)
"""


def run_child(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, which tells an error by its status and its sentence."""
    command = [sys.executable, "-c", CHILD, *arguments, dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///State/trading.db", "State/trading.db"),
        ("sqlite+aiosqlite:///State/trading.db", "State/trading.db"),
        ("sqlite:////var/lib/bot.db", "/var/lib/bot.db"),
        ("sqlite:///a.db?timeout=3", "a.db"),
        ("State/trading.db", "State/trading.db"),
        (Path("/x/y.db"), "/x/y.db"),
    ],
)
def test_urls_name_files(url: str | Path, expected: str) -> None:
    assert database_path(url) == Path(expected)


@pytest.mark.parametrize("url", ["oracle://localhost/bot", "sqlite:///", "sqlite:///:memory:", "mysql://h/d"])
def test_urls_that_name_no_file_are_usage_errors(url: str) -> None:
    with pytest.raises(UsageError, match="sqlite:///State/trading.db"):
        database_path(url)


def test_a_new_database_is_private_durable_and_whole(path: Path) -> None:
    with Database.open(path) as opened:
        opened.check()
        with opened.read() as connection:
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        assert settings == ["wal", 2, 1]
        Runs(opened).start(RunRecord("a", "run", "forward", "running", 1))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"trading.db": 0o600, "trading.db-wal": 0o600, "trading.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["trading.db"]


def test_the_head_is_the_newest_script_and_the_scripts_make_the_tables(path: Path) -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_current_head() == HEAD
    with Database.open(path) as opened, opened.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Model.metadata) == []
        script = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master ORDER BY 1").all()
        wanted = create_engine("sqlite://")
        Model.metadata.create_all(wanted)
        with wanted.connect() as memory:
            model = memory.exec_driver_sql("SELECT name, sql FROM sqlite_master ORDER BY 1").all()
    kept = [row for row in script if "alembic" not in row[0]]
    assert [row for row in kept if not (row[1] or "").startswith("CREATE TRIGGER")] == list(model)
    assert [row[0] for row in kept if row not in model] == ["audit_log_no_DELETE", "audit_log_no_UPDATE"]


def test_a_current_schema_is_opened_without_alembic_and_a_backtest_recorded_without_sqlalchemy(path: Path) -> None:
    fill(path)
    done = run_child(
        """
        from crypto_bot.persistence.run_record import RunRecord, record_backtest
        done = RunRecord("b", "backtest", "backtest", "finished", 99, 100, "{}", '{"bars":1}')
        record_backtest("sqlite:///" + sys.argv[1], done)
        print("sqlalchemy" in sys.modules)
        from crypto_bot.persistence.database import Database
        from crypto_bot.persistence.runs import Runs
        print(Runs(Database.open(sys.argv[1])).get("b").summary)
        print("alembic" in sys.modules)
        """,
        str(path),
    )
    assert done.stdout.split("\n")[:3] == ["False", '{"bars":1}', "False"], done.stderr


def test_a_backtest_makes_the_database_it_needs(path: Path) -> None:
    record = RunRecord("b", "backtest", "backtest", "finished", 1, 2, '{"é":1}', "{}")
    record_backtest(f"sqlite+aiosqlite:///{path}", record)
    with Database.open(path, readonly=True) as opened:
        assert Runs(opened).get("b") == record
    with pytest.raises(RunFailed, match="UNIQUE"):
        record_backtest(path, record)


def test_a_reader_needs_a_database_and_cannot_write(path: Path) -> None:
    with pytest.raises(DataError, match="there is no database at"):
        Database.open(path, readonly=True)
    assert not path.parent.exists()
    fill(path)
    with Database.open(path, readonly=True) as reader, Database.open(path) as writer:
        with pytest.raises(RunFailed, match="reading only"):
            Runs(reader).start(RunRecord("x", "run", "forward", "running", 1))
        Runs(writer).start(RunRecord("x", "run", "forward", "running", 99))
        newest = Runs(reader).latest()
    assert newest is not None and newest.run_id == "x"


def next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str = "") -> None:
    """Let the program know a second step of the schema."""
    scripts = tmp_path / "scripts"
    (scripts / "versions").mkdir(parents=True)
    for name in ("env.py", *(f"versions/{path.name}" for path in (SCRIPTS / "versions").glob("r*.py"))):
        (scripts / name).write_text((SCRIPTS / name).read_text())
    (scripts / "versions" / "r0417.py").write_text(NEXT.format(more=more))
    monkeypatch.setattr(migrations, "SCRIPTS", scripts)
    monkeypatch.setattr(migrations, "HEAD", "0417")


def test_an_older_schema_is_copied_then_brought_forward(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path)
    next_revision(tmp_path, monkeypatch)
    with pytest.raises(DataError, match=r"older schema \(0003\)"):
        Database.open(path, readonly=True)
    with Database.open(path) as opened:
        assert opened.revision() == "0417"
        with opened.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*), max(note) FROM runs").one() == (40, None)
    copy = path.with_name("trading.db.before-0003.bak")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        assert connection.execute("SELECT count(*) FROM runs").fetchall() == [(40,)]


def test_a_migration_that_fails_leaves_everything_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path)
    next_revision(tmp_path, monkeypatch, more="raise RuntimeError('in the middle')")
    with pytest.raises(RuntimeError, match="in the middle"):
        Database.open(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        assert "note" not in str(connection.execute("SELECT sql FROM sqlite_master").fetchall())


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    fill(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9041'")
    connection.close()
    before = path.read_bytes()
    for readonly in (False, True):
        with pytest.raises(UsageError, match=r"schema 9041, made by a newer CryptoTrader.*install the newer version"):
            Database.open(path, readonly=readonly)
    with pytest.raises(UsageError, match="schema 9041"):
        record_backtest(path, RunRecord("b", "backtest", "backtest", "finished", 1))
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    with pytest.raises(DataError, match="another program.*'recipes'"):
        Database.open(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PNG not a database at all" * 50, "not a SQLite database"),
        (b"SQLite format 3\x00", "cut short"),
    ],
)
def test_a_file_that_is_no_database_is_named_and_kept(path: Path, content: bytes, words: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        Database.open(path)
    assert str(path) in str(caught.value) and "backup" in str(caught.value)
    assert path.read_bytes() == content


def test_a_log_without_its_database_is_not_played_into_a_new_one(path: Path) -> None:
    fill(path)
    with Database.open(path) as opened:
        Runs(opened).start(RunRecord("last", "run", "forward", "running", 100))
        path.unlink()
        with pytest.raises(DataError, match="trading.db-wal is left of a database that is gone"):
            Database.open(path)


def test_a_lock_held_by_another_program_is_told(path: Path) -> None:
    fill(path)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    with Database.open(path, busy_ms=50) as opened, pytest.raises(RunFailed, match="locked by another program"):
        Runs(opened).start(RunRecord("x", "run", "forward", "running", 1))
    holder.close()


def test_a_folder_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    """As an ordinary user: root may write everywhere."""
    folder = tmp_path / "readonly"
    fill(folder / "trading.db")
    for file in (tmp_path, *tmp_path.parents[:3]):
        file.chmod(0o755)
    (folder / "trading.db").chmod(0o444)
    folder.chmod(0o555)
    code = """
        import os
        if os.getuid() == 0:
            from crypto_bot.persistence import database, runs
            import crypto_bot.persistence.migrations.upgrade
            os.setuid(65534)
        from crypto_bot.persistence.database import Database
        from crypto_bot.persistence.runs import RunRecord, Runs
        with Database.open(sys.argv[1]) as opened:
            Runs(opened).start(RunRecord("x", "run", "forward", "running", 1))
    """
    for name in ("trading.db", "other.db", "deeper/trading.db"):
        done = run_child(code, str(folder / name))
        assert done.returncode == 2, done.stderr
        assert "cannot be opened or written" in done.stdout and str(folder) in done.stdout


def test_two_processes_that_start_together_make_one_database(path: Path) -> None:
    code = """
    import sys
    from crypto_bot.persistence.run_record import RunRecord, record_backtest
    record_backtest(sys.argv[1], RunRecord(sys.argv[2], "backtest", "backtest", "finished", 1))
    """
    children = [
        subprocess.Popen([sys.executable, "-c", dedent(code), str(path), f"run-{number}"], stderr=subprocess.PIPE)
        for number in range(4)
    ]
    errors = [child.communicate(timeout=60)[1] for child in children]
    assert [child.returncode for child in children] == [0] * 4, errors
    with Database.open(path) as opened:
        assert len(Runs(opened).list()) == 4


def test_a_folder_that_cannot_be_looked_into_is_a_matter_of_settings(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path.exists

    def locked(asked: Path) -> bool:
        if asked.parent == path.parent:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(asked))
        return there(asked)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "exists", locked)
        for readonly in (False, True):
            with pytest.raises(UsageError, match="cannot be opened or written; check its rights and its folder's"):
                Database.open(path, readonly=readonly)


def test_damage_inside_the_file_is_a_data_error_with_the_file_kept(path: Path) -> None:
    fill(path)
    whole = path.read_bytes()
    for offset in range(4_096, len(whole), 4_096):
        path.write_bytes(whole[:offset] + b"\xff" * 512 + whole[offset + 512 :])
        with pytest.raises(DataError, match="backup") as caught, Database.open(path) as opened:
            opened.check()
        assert str(path) in str(caught.value)
