"""What is remembered of one run, and the quick way to remember a backtest."""

import re
import sqlite3
from contextlib import closing
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

from crypto_bot.persistence.migrations import HEAD
from crypto_bot.persistence.sqlite_file import connect, database_path, inspect_file, is_server, translated

RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
"""How a run id is spelled: UTC start time and four hex digits."""

_INSERT = (
    "INSERT INTO runs (run_id, kind, mode, state, started_ns, ended_ns, manifest, summary)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of `runs`; the fields are the table's columns, in its order.

    `kind` is backtest or run; `mode` backtest, dry_run, forward or live; `state` running, stopped,
    finished or failed; times are UTC nanoseconds; `manifest` and `summary` are JSON text.
    """

    run_id: str
    kind: str
    mode: str
    state: str
    started_ns: int
    ended_ns: int | None = None
    manifest: str = "{}"
    summary: str = "{}"


def new_run_id(now: datetime, entropy: bytes) -> str:
    """Return an id like 20261120-233000-7f3a from an aware start time and two random bytes."""
    if now.tzinfo is None or len(entropy) != 2:
        raise ValueError("a run id needs an aware time and two random bytes")
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{entropy.hex()}"


def record_backtest(url: str | Path, record: RunRecord) -> None:
    """Add one row to `runs`, durably; makes the database when it is missing or behind.

    When the schema is current neither SQLAlchemy nor Alembic is imported. Raises what
    `Database.open` raises.
    """
    if is_server(url):
        from crypto_bot.persistence.database import Database
        from crypto_bot.persistence.runs import Runs

        with Database.open(url) as database:
            Runs(database).start(record)
        return
    path = database_path(url)
    inspect_file(path)
    if not _is_current(path):
        from crypto_bot.persistence.database import Database

        Database.open(path).close()
    with translated(path), closing(connect(path)) as connection:
        connection.execute(_INSERT, astuple(record))


def _is_current(path: Path) -> bool:
    if not path.exists():
        return False
    with translated(path), closing(connect(path, readonly=True)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                return False
            raise
    return row is not None and row[0] == HEAD
