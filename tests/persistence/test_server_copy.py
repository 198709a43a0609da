"""A server's database is copied by pg_dump before it is brought forward: whole, private, its password nowhere."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from crypto_bot.persistence.database import Database
from crypto_bot.persistence.migrations import HEAD
from crypto_bot.persistence.server import server_engine, server_url
from tests.persistence.test_upgrades import EARLIER, ROWS, revision_of, server_like
from tests.postgres import Server

OLDER = EARLIER[-1]
WORD = "canary-of-the-database"


@pytest.fixture
def older(postgres: Server) -> str:
    """The URL, with a password, of a database with the schema before this one."""
    return server_like(OLDER, postgres).replace("bot@", f"bot:{WORD}@")


def upgrade(state: Path, url: str, path: Path | str, *words: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "crypto_bot", "db", "upgrade", "--state", str(state), "--json", *words]
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "PATH": str(path),
        "EXCHANGE_API_SECRET": "canary-of-the-exchange",
    }
    return subprocess.run(line, capture_output=True, text=True, timeout=120, cwd=state.parent, env=environment)


def stored(url: str) -> tuple[str, int]:
    """Return the schema and the number of journal rows."""
    engine = server_engine(server_url(url), readonly=True)
    with engine.connect() as connection:
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        count = connection.scalar(text("SELECT count(*) FROM journal"))
    engine.dispose()
    return revision, count


def fake(folder: Path, script: str) -> Path:
    """Put a pg_dump of the test's own into a folder."""
    folder.mkdir()
    (folder / "pg_dump").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "pg_dump").chmod(0o755)
    return folder


def test_the_copy_is_private_and_gives_the_older_database_back(older: str, postgres: Server, tmp_path: Path) -> None:
    done = upgrade(tmp_path / "State", older, f"{postgres.programs}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    copy = Path(json.loads(done.stdout)["backup"])
    assert copy.parent == tmp_path / "State" and copy.name.endswith(f".before-{revision_of(OLDER)}.bak")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600 and not list(copy.parent.glob("*.part"))
    assert stored(older) == (HEAD, ROWS) and WORD not in done.stdout + done.stderr
    again = postgres.new_database()
    readable = postgres.folder / copy.name
    readable.write_bytes(copy.read_bytes())
    readable.chmod(0o644)
    postgres.run("pg_restore", f"--dbname={again}", str(readable))
    assert stored(again) == (revision_of(OLDER), ROWS)
    with Database.open(again, upgrade=True) as database:
        assert database.revision() == HEAD and database.backup is None


def test_pg_dump_is_given_the_password_alone_and_never_in_an_argument(older: str, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    path = fake(tmp_path / "bin", f'echo "$@" > {seen}.arguments; env > {seen}.environment')
    assert upgrade(tmp_path / "State", older, f"{path}:{os.environ['PATH']}").returncode == 0
    arguments, environment = (seen.with_suffix(f".{kind}").read_text() for kind in ("arguments", "environment"))
    assert "--dbname=" in arguments and WORD not in arguments
    assert f"PGPASSWORD={WORD}" in environment and "canary-of-the-exchange" not in environment


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [(None, 2, "pg_dump is not on the PATH"), ("echo 'pg_dump: error: no room' >&2; exit 1", 1, "no room")],
)
def test_without_a_copy_nothing_is_changed(
    older: str, tmp_path: Path, script: str | None, status: int, words: str
) -> None:
    path = tmp_path / "empty" if script is None else fake(tmp_path / "bin", script)
    refused = upgrade(tmp_path / "State", older, path)
    assert refused.returncode == status and words in refused.stderr and refused.stderr.count("\n") == 1
    assert "--backed-up" in refused.stderr and WORD not in refused.stderr
    assert stored(older) == (revision_of(OLDER), ROWS) and not list((tmp_path / "State").glob("bot*"))
    allowed = upgrade(tmp_path / "State", older, path, "--backed-up")
    assert allowed.returncode == 0 and json.loads(allowed.stdout)["backup"] is None
    assert stored(older) == (HEAD, ROWS)
