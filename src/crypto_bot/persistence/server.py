"""PostgreSQL in place of the file: how its address is spelled, how it is opened, how its failures are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from crypto_bot.domain.errors import CryptoBotError, DataError, RunFailed, UsageError

if TYPE_CHECKING:
    import psycopg

WRITE_LOCK = 0x43727970746F
"""The advisory lock of whoever writes: one writer at a time, as with a file."""

BEGIN_WRITING = f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"

_CONNECT_S = 5


def server_url(address: str, *, driver: str = "psycopg") -> URL:
    """Return the address for a driver; UsageError when it cannot be read, without showing its password."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise UsageError(
            "the database URL cannot be read; write it as postgresql://user:password@host:5432/database"
        ) from None
    return url.set(drivername=f"postgresql+{driver}")


def place_of(url: URL) -> str:
    """Return the address as it may be shown: without driver, password and parameters."""
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    user = f"{url.username}@" if url.username else ""
    return f"postgresql://{user}{host}{port}/{url.database or ''}"


def server_engine(url: URL, *, readonly: bool) -> Engine:
    """Make the engine: commits wait for the disk, a reader sees one state and cannot write.

    Raises UsageError when the driver is not installed.
    """
    try:
        import psycopg  # noqa: F401 - the driver is an extra; its absence is told here
    except ModuleNotFoundError:
        raise UsageError("PostgreSQL needs the extra postgres; run pip install 'cryptotrader[postgres]'") from None
    options = "-c synchronous_commit=on -c timezone=UTC"
    return create_engine(
        url,
        connect_args={"connect_timeout": _CONNECT_S, "options": options, "application_name": "cryptotrader"},
        isolation_level="REPEATABLE READ" if readonly else "READ COMMITTED",
        execution_options={"postgresql_readonly": readonly},
        pool_pre_ping=True,
    )


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn the driver's failures into one sentence that names the server."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise explain(error, place) from error


def explain(error: "psycopg.Error", place: str) -> CryptoBotError:
    """Return the plain words for what the server reports, by the class of its SQLSTATE."""
    state = error.sqlstate or ""
    if state.startswith("53"):
        return RunFailed(
            f"the server of {place} has no room left: everything committed before is kept, this write is not;"
            " free some space there and start again"
        )
    if state in ("28000", "28P01"):
        return UsageError(f"{place} refuses the user or the password; correct DATABASE_URL")
    if state == "3D000":
        return UsageError(f"{place} does not exist; make it with createdb, or correct DATABASE_URL")
    if state in ("42501", "25006"):
        return UsageError(f"{place} may not be written by this user; grant it the rights, or name another database")
    if state in ("XX001", "XX002"):
        return DataError(f"{place} is damaged; put a backup in its place")
    if state.startswith(("08", "57")) or not state:
        return RunFailed(
            f"{place} does not answer: what was committed before is kept, what was being written may or may not be;"
            " see that the server runs and start again, the journal is read anew"
        )
    return RunFailed(f"{place} refused a statement ({state}): {_first_line(error)}")


def _first_line(error: "psycopg.Error") -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
