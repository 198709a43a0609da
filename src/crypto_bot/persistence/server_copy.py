"""A copy of a server's database, made by the server's own pg_dump before its schema is brought forward."""

import os
import re
import shutil
import subprocess  # nosec B404: pg_dump alone is started, without a shell
from pathlib import Path

from sqlalchemy import URL

from crypto_bot.domain.errors import RunFailed, UsageError
from crypto_bot.persistence.migrating import free_name, sync_folder
from crypto_bot.persistence.server import place_of
from crypto_bot.persistence.sqlite_file import make_private_folder, translated

_PASSED_ON = re.compile(r"PATH|HOME|LANG|LC_\w+|PG\w+")
"""What pg_dump is told of the environment: where it finds things, and nothing that opens an exchange."""


def dump(url: URL, folder: Path, revision: str) -> Path:
    """Write a server's database to a new file of mode 0600, whole or not at all; `pg_restore` reads it.

    Raises UsageError without pg_dump, RunFailed when it fails.
    """
    program = shutil.which("pg_dump")
    if program is None:
        raise UsageError(
            f"{place_of(url)} must be copied before it is brought forward, and pg_dump is not on the PATH; install it"
            " (Debian: postgresql-client), or make a backup yourself and say --backed-up"
        )
    make_private_folder(folder)
    target = free_name(folder / re.sub(r"[^\w.-]", "_", url.database or "database"), revision)
    draft = target.with_name(target.name + ".part")
    with translated(target):
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _call(program, url, draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(target)
            sync_folder(folder)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    return target


def _call(program: str, url: URL, draft: Path) -> None:
    """Run pg_dump; the password goes through the environment, never through an argument that others can read."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    where = conninfo_to_dict(plain)
    environment = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    password, _ = where.pop("password", None), where.pop("sslpassword", None)
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    words = [program, "--format=custom", "--no-password", f"--file={draft}", f"--dbname={make_conninfo('', **where)}"]
    done = subprocess.run(  # noqa: S603  # nosec B603: found on the PATH, no shell
        words, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise RunFailed(
            f"{place_of(url)} was not copied, and so nothing was changed there: {said[0]}; mend that, or make a backup"
            " yourself and say --backed-up"
        )
