"""The database of one state folder, a SQLite file or a PostgreSQL server: opened, checked, brought to our schema."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from crypto_bot.domain.errors import CryptoBotError, DataError, RunFailed, UsageError
from crypto_bot.persistence import migrations, server
from crypto_bot.persistence.migrating import (
    folder_lock,
    migrate,
    refuse_unknown,
    revision_of,
    sync_folder,
)
from crypto_bot.persistence.sqlite_file import (
    BUSY_MS,
    connect,
    damaged,
    database_path,
    explain,
    inspect_file,
    is_server,
    make_private_folder,
    translated,
    wal_path,
)


class Database:
    """An open database: transactions by `read` and `write`, failures as one plain sentence.

    `path` is the file, or for a server its address without the password; `backup` is the copy that was
    made before this program brought an older file forward.
    """

    def __init__(self, path: Path | str, engine: Engine, *, readonly: bool = False) -> None:
        """Wrap an engine; use `Database.open`, which also creates and migrates."""
        self.path = path
        self.readonly = readonly
        self.engine = engine
        self.backup: Path | None = None
        self.is_file = isinstance(path, Path)
        self.begin_writing = "BEGIN IMMEDIATE" if self.is_file else server.BEGIN_WRITING

    @classmethod
    def open(
        cls,
        url_or_path: str | Path,
        *,
        readonly: bool = False,
        busy_ms: int = BUSY_MS,
        upgrade: bool = False,
        copies: Path | None = None,
    ) -> Self:
        """Open the database that a URL or path names; create it or bring it forward unless `readonly`.

        A new folder gets mode 0700, a new file 0600. Before a migration the file is copied beside
        itself; a server's tables are brought forward with `upgrade` alone, after pg_dump has copied
        them into the folder `copies`; None says that there is a backup already.

        Raises UsageError for a schema newer than this program or a place that cannot be written,
        DataError for a database that is not ours, damaged or behind, RunFailed for a full disk or a
        database that another program keeps locked.
        """
        if is_server(url_or_path):
            return cls._open_server(str(url_or_path), readonly=readonly, upgrade=upgrade, copies=copies)
        path = database_path(url_or_path)
        inspect_file(path)
        if not path.exists():
            if readonly:
                raise DataError(f"there is no database at {path}; it is made by the first `run` or `backtest`")
            make_private_folder(path.parent)
            with folder_lock(path.parent):
                if not path.exists():
                    _create(path, busy_ms)
        database = cls.attach(path, readonly=readonly, busy_ms=busy_ms)
        with database._closed_on_failure():
            database._bring_forward()
        return database

    @classmethod
    def attach(cls, path: Path, *, readonly: bool = False, busy_ms: int = BUSY_MS) -> Self:
        """Wrap an existing file, whatever its schema is."""
        engine = create_engine(
            "sqlite://", creator=lambda: connect(path, readonly=readonly, busy_ms=busy_ms), poolclass=QueuePool
        )
        event.listen(engine, "begin", _begin)
        return cls(path, engine, readonly=readonly)

    @classmethod
    def _open_server(cls, address: str, *, readonly: bool, upgrade: bool, copies: Path | None) -> Self:
        url = server.server_url(address)
        database = cls(server.place_of(url), server.server_engine(url, readonly=readonly), readonly=readonly)
        with database._closed_on_failure():
            stored = database.revision()
            if stored is None and readonly:
                raise DataError(f"{database.path} has no tables yet; they are made by the first `run` or `backtest`")
            if stored == migrations.HEAD:
                return database
            refuse_unknown(database.path, stored)
            if stored is not None and not upgrade:
                raise UsageError(
                    f"{database.path} has the older schema {stored}; `db upgrade` copies it with pg_dump and brings it"
                    f" to {migrations.HEAD}"
                )
            with database.write() as connection:
                if stored is not None and copies is not None:
                    from crypto_bot.persistence.server_copy import dump

                    database.backup = dump(url, copies, stored)
                migrate(connection, database.path, copy=False)
        return database

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database and changes nothing."""
        with self.explained(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that holds the write lock from its start; durable when the block ends."""
        if self.readonly:
            raise RunFailed(f"{self.path} was opened for reading only")
        with self.explained(), self.engine.connect() as connection:
            connection = connection.execution_options(begin=self.begin_writing)
            with connection.begin():
                if not self.is_file:
                    connection.exec_driver_sql(self.begin_writing)
                yield connection

    def revision(self) -> str | None:
        """Return the stored schema revision; None for a database without tables."""
        with self.read() as connection:
            return revision_of(connection, self.path)

    def check(self) -> None:
        """Read every page and every foreign key of a file; DataError names the first fault. A server checks itself."""
        if not isinstance(self.path, Path):
            return
        with self.read() as connection:
            verdict = connection.execute(text("PRAGMA integrity_check(1)")).scalar()
            strays = connection.execute(text("PRAGMA foreign_key_check")).first()
        if verdict != "ok":
            raise damaged(self.path, str(verdict))
        if strays is not None:
            raise damaged(self.path, f"a row of {strays[0]} belongs to no run")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what SQLAlchemy, the driver and the disk report into one sentence that names the database."""
        try:
            with translated(self.path) if isinstance(self.path, Path) else server.translated(self.path):
                yield
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.Error) and isinstance(self.path, Path):
                raise explain(error.orig, self.path) from error
            if isinstance(self.path, str):
                import psycopg

                if isinstance(error.orig, psycopg.Error):
                    raise server.explain(error.orig, self.path) from error
            raise

    @property
    def driver_error(self) -> type[Exception]:
        """The class of everything that the driver reports."""
        return self.engine.dialect.loaded_dbapi.Error

    @property
    def integrity_error(self) -> type[Exception]:
        """The class of what the driver reports when a row is there already, or its parent is not."""
        return self.engine.dialect.loaded_dbapi.IntegrityError

    def close(self) -> None:
        """Close every connection; the write-ahead log is folded in when no other program has it open."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _bring_forward(self) -> None:
        """Run missing migrations on a file, with a copy first; refuse a newer schema."""
        stored = self.revision()
        if stored == migrations.HEAD or not isinstance(self.path, Path):
            return
        refuse_unknown(self.path, stored)
        if self.readonly:
            raise DataError(f"{self.path} has an older schema ({stored}); bring it forward with `db upgrade`")
        with folder_lock(self.path.parent), self.write() as connection:
            self.backup = migrate(connection, self.path, copy=True)


def _begin(connection: Connection) -> None:
    """Begin explicitly: a writer takes its lock at once instead of failing in the middle."""
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _create(path: Path, busy_ms: int) -> None:
    """Make a complete new database under another name, then give it its own: no half-made file is ever seen."""
    draft = path.with_name(path.name + ".new")
    with translated(path):
        _clear(draft)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            database = Database.attach(draft, busy_ms=busy_ms)
            try:
                with database.write() as connection:
                    migrate(connection, draft, copy=False)
            finally:
                database.close()
            draft.replace(path)
            sync_folder(path.parent)
        except CryptoBotError:
            _clear(draft)
            raise


def _clear(draft: Path) -> None:
    """Take a half-made database away, with what SQLite keeps beside it."""
    for leftover in (draft, wal_path(draft), draft.with_name(draft.name + "-shm")):
        leftover.unlink(missing_ok=True)
