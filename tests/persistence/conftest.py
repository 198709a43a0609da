"""Each test of this folder that asks for `url` runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_bot.persistence.database import Database
from crypto_bot.persistence.runs import RunRecord, Runs
from tests.persistence.made_rows import RUN
from tests.postgres import ABSENT, Server, serving


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for the whole session; skips where the machine has none."""
    with serving() as server:
        if server is None:
            pytest.skip(ABSENT)
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that does not exist yet, or is empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/State/trading.db"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An open database with one run that has no rows yet."""
    with Database.open(url) as opened:
        Runs(opened).start(RunRecord(RUN, "run", "forward", "running", 1))
        yield opened
