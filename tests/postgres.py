"""A PostgreSQL server of the tests' own: made in a temporary folder from the machine's package, as an ordinary user."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

WHERE = "/usr/lib/postgresql"
ABSENT = "PostgreSQL is not installed (Debian: apt-get install postgresql), or there is no user to run it as"
_USERS = ("postgres", "nobody")
_NAMES = count(1)


@dataclass(frozen=True)
class Server:
    """A running server, reached over a socket in its folder."""

    folder: Path
    programs: Path
    user: tuple[str, ...]

    def new_database(self, like: str = "template1") -> str:
        """Make a database like another, an empty one when none is named, and return its URL."""
        name = f"bot{next(_NAMES)}"
        self.command(f"CREATE DATABASE {name} TEMPLATE {like}")
        return f"postgresql://bot@/{name}?host={self.folder}"

    def command(self, sql: str) -> None:
        """Run a statement that belongs to no database."""
        self.run("psql", "-h", str(self.folder), "-U", "bot", "-d", "postgres", "-qc", sql)

    def run(self, program: str, *words: str) -> None:
        """Run one of the server's programs as its user."""
        command = [*self.user, str(self.programs / program), *words]
        subprocess.run(command, check=True, capture_output=True, timeout=60, cwd="/", env=_environment())


@contextmanager
def serving() -> Iterator[Server | None]:
    """Serve as long as the block lasts; None where there is no PostgreSQL."""
    programs, user = _programs(), _as_user()
    if programs is None or user is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path has to be short
    server, data = Server(folder, programs, user), str(folder / "data")
    try:
        folder.chmod(0o755)
        if os.getuid() == 0:
            shutil.chown(folder, user[2])
        server.run("initdb", "-D", data, "-A", "trust", "-U", "bot", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=50"
        server.run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield server
        finally:
            server.run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _programs() -> Path | None:
    """Return the folder of the newest installed server."""
    found = [path for path in Path(WHERE).glob("*/bin") if (path / "initdb").exists() and (path / "pg_ctl").exists()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@cache
def _account() -> tuple[str, str] | None:
    """Return a user and a group that root may run the server as."""
    import grp
    import pwd

    for name in _USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return name, grp.getgrgid(user.pw_gid).gr_name
    return None


@cache
def _as_user() -> tuple[str, ...] | None:
    """Return the words that make a command an ordinary user's: the server refuses to be root."""
    if os.getuid() != 0:
        return ()
    account, runuser = _account(), shutil.which("runuser") or shutil.which("runuser", path="/usr/sbin:/sbin")
    return None if account is None or runuser is None else (runuser, "-u", account[0], "--")


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}
