"""The database of one state folder: opened, checked, brought to this program's schema."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from crypto_bot.domain.errors import CryptoBotError, DataError, RunFailed, UsageError
from crypto_bot.persistence.migrations import HEAD, SCRIPTS
from crypto_bot.persistence.sqlite_file import (
    BUSY_MS,
    connect,
    damaged,
    database_path,
    explain,
    inspect_file,
    make_private_folder,
    translated,
    wal_path,
)


class Database:
    """An open database: transactions by `read` and `write`, failures as one plain sentence."""

    def __init__(self, path: Path, *, readonly: bool = False, busy_ms: int = BUSY_MS) -> None:
        """Wrap an existing file; use `Database.open`, which also creates and migrates."""
        self.path = path
        self.readonly = readonly
        self.engine = create_engine(
            "sqlite://", creator=lambda: connect(path, readonly=readonly, busy_ms=busy_ms), poolclass=QueuePool
        )
        event.listen(self.engine, "begin", _begin)

    @classmethod
    def open(cls, url_or_path: str | Path, *, readonly: bool = False, busy_ms: int = BUSY_MS) -> Self:
        """Open the database that a URL or path names; create it or bring it forward unless `readonly`.

        A new folder gets mode 0700, a new file 0600. Before a migration the file is copied beside
        itself. Raises UsageError for a schema newer than this program or a place that cannot be
        written, DataError for a file that is no database of ours or damaged, RunFailed for a full
        disk or a database that another program keeps locked.
        """
        path = database_path(url_or_path)
        inspect_file(path)
        if not path.exists():
            if readonly:
                raise DataError(f"there is no database at {path}; it is made by the first `run` or `backtest`")
            make_private_folder(path.parent)
            with _folder_lock(path.parent):
                if not path.exists():
                    _create(path, busy_ms)
        database = cls(path, readonly=readonly, busy_ms=busy_ms)
        try:
            database._bring_forward()
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database and changes nothing."""
        with explained(self.path), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its start; durable when the block ends."""
        if self.readonly:
            raise RunFailed(f"{self.path} was opened for reading only")
        with explained(self.path), self.engine.connect() as connection:
            connection = connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def revision(self) -> str | None:
        """Return the stored schema revision; None for a file without tables."""
        with self.read() as connection:
            return _revision(connection, self.path)

    def check(self) -> None:
        """Read every page and every foreign key; DataError names the first fault."""
        with self.read() as connection:
            verdict = connection.execute(text("PRAGMA integrity_check(1)")).scalar()
            strays = connection.execute(text("PRAGMA foreign_key_check")).first()
        if verdict != "ok":
            raise damaged(self.path, str(verdict))
        if strays is not None:
            raise damaged(self.path, f"a row of {strays[0]} belongs to no run")

    def close(self) -> None:
        """Close every connection; the write-ahead log is folded in when no other program has it open."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _bring_forward(self) -> None:
        """Run missing migrations, with a copy first; refuse a newer schema."""
        stored = self.revision()
        if stored == HEAD:
            return
        _refuse_unknown(self.path, stored)
        if self.readonly:
            raise DataError(f"{self.path} has an older schema ({stored}); open it once with `run` to bring it forward")
        with _folder_lock(self.path.parent):
            _migrate(self, copy=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLAlchemy, SQLite and the disk report into one sentence that names the file."""
    try:
        with translated(path):
            yield
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise explain(error.orig, path) from error
        raise


def _begin(connection: Connection) -> None:
    """Begin explicitly: a writer takes its lock at once instead of failing in the middle."""
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _revision(connection: Connection, path: Path) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise DataError(
                f"{path} is a database of another program (it has a table {tables[0]!r}); name another file"
            )
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _refuse_unknown(path: Path, stored: str | None) -> None:
    """Raise UsageError when the schema was made by a program newer than this one."""
    from crypto_bot.persistence.migrations.upgrade import known_revisions

    if stored is not None and stored not in known_revisions(SCRIPTS):
        raise UsageError(
            f"{path} has schema {stored}, made by a newer CryptoTrader than this one, which knows schemas up to {HEAD};"
            " install the newer version, or name another state folder"
        )


def _migrate(database: Database, *, copy: bool) -> None:
    """Bring the schema to HEAD in one transaction: killed at any point, the file is as before."""
    from crypto_bot.persistence.migrations.upgrade import upgrade

    with database.write() as connection:
        stored = _revision(connection, database.path)
        if stored == HEAD:
            return
        if copy and stored is not None:
            back_up(database.path, _free_name(database.path, stored))
        upgrade(connection, SCRIPTS)


def _create(path: Path, busy_ms: int) -> None:
    """Make a complete new database under another name, then give it its own: no half-made file is ever seen."""
    draft = path.with_name(path.name + ".new")
    with translated(path):
        for leftover in (draft, wal_path(draft), draft.with_name(draft.name + "-shm")):
            leftover.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            database = Database(draft, busy_ms=busy_ms)
            try:
                _migrate(database, copy=False)
            finally:
                database.close()
            draft.replace(path)
            _sync_folder(path.parent)
        except CryptoBotError:
            draft.unlink(missing_ok=True)
            raise


def back_up(source: Path, target: Path) -> None:
    """Copy a database, open or not, to a new file of mode 0600, whole or not at all."""
    draft = target.with_name(target.name + ".part")
    with translated(target):
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(connect(source, readonly=True)) as reader, closing(sqlite3.connect(draft)) as writer:
                reader.backup(writer)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(target)
            _sync_folder(target.parent)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def _free_name(path: Path, revision: str) -> Path:
    """Return the first name for a copy that no file has yet."""
    name = f"{path.name}.before-{revision}"
    candidate, number = path.with_name(f"{name}.bak"), 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{name}-{number}.bak")
    return candidate


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _folder_lock(folder: Path) -> Iterator[None]:
    """Let one process at a time create or migrate here; the kernel releases it when the process dies."""
    with translated(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
