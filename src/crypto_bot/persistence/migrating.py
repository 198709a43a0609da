"""Bringing a database to this program's schema: a copy first, then every missing step in one transaction."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.persistence import migrations
from crypto_bot.persistence.sqlite_file import connect, translated

Place = Path | str
"""A file, or a server's address as it may be shown."""


def revision_of(connection: Connection, place: Place) -> str | None:
    """Return the stored revision, None for a database without tables; DataError when the tables are not ours."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise DataError(
                f"{place} is a database of another program (it has a table {tables[0]!r}); name another one"
            )
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def refuse_unknown(place: Place, stored: str | None) -> None:
    """Raise UsageError when the schema was made by a program newer than this one."""
    from crypto_bot.persistence.migrations.upgrade import known_revisions

    if stored is not None and stored not in known_revisions(migrations.SCRIPTS):
        raise UsageError(
            f"{place} has schema {stored}, made by a newer CryptoTrader than this one, which knows schemas up to"
            f" {migrations.HEAD}; install the newer version, or name another state folder or database"
        )


def migrate(connection: Connection, place: Place, *, copy: bool) -> Path | None:
    """Bring the schema to HEAD inside the open transaction; return the copy that a file was given before."""
    from crypto_bot.persistence.migrations.upgrade import upgrade

    stored = revision_of(connection, place)
    if stored == migrations.HEAD:
        return None
    kept = None
    if copy and stored is not None and isinstance(place, Path):
        kept = free_name(place, stored)
        back_up(place, kept)
    upgrade(connection, migrations.SCRIPTS)
    return kept


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
            sync_folder(target.parent)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def free_name(path: Path, revision: str) -> Path:
    """Return the first name for a copy that no file has yet."""
    name = f"{path.name}.before-{revision}"
    candidate, number = path.with_name(f"{name}.bak"), 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{name}-{number}.bak")
    return candidate


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Let one process at a time create or migrate here; the kernel releases it when the process dies."""
    with translated(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
