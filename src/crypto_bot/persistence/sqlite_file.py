"""One SQLite file: opened so that a commit is durable, its failures told in one sentence.

Standard library only: a backtest that writes a single row must not pay for anything more.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto_bot.domain.errors import CryptoBotError, DataError, RunFailed, UsageError

BUSY_MS = 5_000
"""How long a writer waits for another writer, in milliseconds."""

_MAGIC = b"SQLite format 3\x00"
_SCHEMES = ("sqlite:///", "sqlite+aiosqlite:///", "sqlite+pysqlite:///")


SERVERS = ("postgresql://", "postgres://", "postgresql+asyncpg://", "postgresql+psycopg://")
"""How the address of a PostgreSQL server begins."""


def is_server(address: str | Path) -> bool:
    """Tell whether an address names a PostgreSQL server instead of a file."""
    return str(address).startswith(SERVERS)


def address_of(url_or_path: str | Path) -> Path | str:
    """Return the file that a URL or path names, or the URL of a server as it is; UsageError for anything else."""
    return str(url_or_path) if is_server(url_or_path) else database_path(url_or_path)


def database_path(url_or_path: str | Path) -> Path:
    """Return the file that `sqlite:///State/trading.db`, its aiosqlite form or a plain path names.

    Raises UsageError for another kind of database and for a URL that names no file.
    """
    text = str(url_or_path)
    for scheme in _SCHEMES:
        if text.startswith(scheme):
            text = text.removeprefix(scheme).partition("?")[0]
            break
    else:
        if "://" in text:
            kind = text.partition("://")[0]
            raise UsageError(
                f"the database URL begins with {kind}://, but state is kept in SQLite or PostgreSQL;"
                " write sqlite:///State/trading.db"
            )
    if text in ("", ":memory:"):
        raise UsageError("the database URL names no file; write sqlite:///State/trading.db")
    return Path(text)


def connect(path: Path, *, readonly: bool = False, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """Open an existing database: WAL, synchronous FULL, foreign keys, no implicit transactions.

    Raises sqlite3.Error; wrap the call in `translated`.
    """
    uri = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=busy_ms / 1_000)
    try:
        if readonly:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def wal_path(path: Path) -> Path:
    """Return the write-ahead log that belongs to a database file."""
    return path.with_name(path.name + "-wal")


def inspect_file(path: Path) -> None:
    """Refuse a file that SQLite would misread or silently replace; DataError names it.

    An empty file beside a write-ahead log would make SQLite delete the log, and a log beside no
    file would be played into whatever is created next. UsageError for a folder that cannot be looked into.
    """
    with translated(path):
        _inspect(path)


def _inspect(path: Path) -> None:
    wal = wal_path(path)
    wal_size = wal.stat().st_size if wal.exists() else 0
    if not path.exists():
        if wal_size:
            raise DataError(
                f"{wal} is left of a database that is gone; move it away, or put {path.name} back, and start again"
            )
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a database file")
    with path.open("rb") as file:
        header = file.read(100)
    if not header:
        raise DataError(f"{path} is empty; put a backup in its place, or delete it to begin anew")
    if not header.startswith(_MAGIC):
        raise DataError(f"{path} is not a SQLite database; put a backup in its place, or name another file")
    if all(_lacks_pages(path, wait_s) for wait_s in (0.0, 0.02, 0.1)):
        raise damaged(path, "it has been cut short")


def _lacks_pages(path: Path, wait_s: float) -> bool:
    """Tell whether a page that should be there is neither in the file nor in its log.

    Asked before SQLite opens the file, because closing it would fold the log into the damaged rest.
    A writer may be at work between two of the reads, so that only a lasting lack counts.
    """
    time.sleep(wait_s)
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100:
        return True
    stored = int.from_bytes(header[16:18], "big")
    page_size = 65_536 if stored == 1 else stored
    if page_size < 512:
        return True
    page_count, logged = _logged_pages(wal_path(path), page_size)
    if page_count == 0 and header[24:28] == header[92:96]:
        page_count = int.from_bytes(header[28:32], "big")
    return not logged.issuperset(range(path.stat().st_size // page_size + 1, page_count + 1))


def _logged_pages(wal: Path, page_size: int) -> tuple[int, set[int]]:
    """Return the database's size in pages after the log's last commit (0: no commit), and the pages it holds."""
    page_count, committed, pending = 0, set[int](), set[int]()
    if wal.exists():
        with wal.open("rb") as file:
            salts = file.read(32)[16:24]
            while len(frame := file.read(24)) == 24 and frame[8:16] == salts:
                pending.add(int.from_bytes(frame[:4], "big"))
                if after_commit := int.from_bytes(frame[4:8], "big"):
                    page_count = after_commit
                    committed |= pending
                file.seek(page_size, os.SEEK_CUR)
    return page_count, committed


def damaged(path: Path, why: str) -> DataError:
    """Return the error for a database that cannot be trusted any more."""
    return DataError(f"{path} is damaged ({why}); keep a copy of it, and put a backup in its place")


def make_private_folder(folder: Path) -> None:
    """Create the folder, readable by its owner only; a folder that exists keeps its rights."""
    with translated(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn failures of the disk and of SQLite into one sentence that names the file."""
    try:
        yield
    except OSError as error:
        raise _explain_os(error, path) from error
    except sqlite3.Error as error:
        raise explain(error, path) from error


def explain(error: sqlite3.Error, path: Path) -> CryptoBotError:
    """Return the plain words for what SQLite reports."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return full_disk(path)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RunFailed(f"{path} is locked by another program; close what holds it open for writing and try again")
    if code == sqlite3.SQLITE_CORRUPT:
        return damaged(path, str(error))
    if code == sqlite3.SQLITE_NOTADB:
        return DataError(f"{path} is not a SQLite database; put a backup in its place, or name another file")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH):
        return unwritable(path)
    if code == sqlite3.SQLITE_IOERR:
        return RunFailed(
            f"reading or writing {path} failed ({getattr(error, 'sqlite_errorname', 'I/O error')}): what was committed"
            " before is kept, this write is not; look at the disk and its free space, then start again"
        )
    return RunFailed(f"{path} refused a statement: {error}")


def _explain_os(error: OSError, path: Path) -> CryptoBotError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return full_disk(path)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return unwritable(path)
    return RunFailed(f"{path} could not be used: {os.strerror(error.errno or 0)}")


def full_disk(path: Path) -> RunFailed:
    """Return the error for a write that found no room."""
    return RunFailed(
        f"the disk that holds {path} is full: everything committed before is kept, this write is not;"
        " free some space and start again"
    )


def unwritable(path: Path) -> UsageError:
    """Return the error for a file or folder whose rights forbid what is needed."""
    return UsageError(
        f"{path} cannot be opened or written; check its rights and its folder's, or name another state folder"
    )
