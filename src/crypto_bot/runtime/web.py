"""The web process beside the engine: started, told where to listen, started again when it dies.

It holds no keys and never trades; the engine goes on without it. The engine keeps the listening
socket, so that the address stays the same and callers wait instead of being turned away.
"""

import asyncio
import logging
import os
import re
import subprocess  # nosec B404: the web process is our own module
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Self

from crypto_bot.persistence.sqlite_file import is_server

_LOOK_S = 0.5
_PAUSES_S = (0.5, 2.0, 5.0, 15.0, 60.0)
_PATIENCE_S = 3.0

_HARMLESS = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|LD_LIBRARY_PATH|PG\w+"
    r"|PYTHON\w+|XDG_\w+|CRYPTO_BOT_\w+|COVERAGE_\w+"
)
"""Variables that the web process gets, the database's among them; a key under another name is not."""

log = logging.getLogger(__name__)


def harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say how a process runs; whatever could be a key stays with the engine."""
    return {name: text for name, text in environment.items() if _HARMLESS.fullmatch(name)}


@dataclass(frozen=True)
class WebPlace:
    """Where the web process reads, what it may know, and where it tells its troubles."""

    state: Path
    database: str
    host: str
    environment: Mapping[str, str]
    log_file: Path
    origins: Sequence[str] = ()
    log_level: str = "INFO"


class Web:
    """A child process with the API and the page, over a socket that this process holds."""

    def __init__(self, place: WebPlace, listener: socket) -> None:
        """Name the place; nothing is started yet."""
        self._place = place
        self._listener = listener
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; nobody waits for it."""
        place, listener = self._place, self._listener.fileno()
        words = ["--state", str(place.state), "--host", place.host, "--log-level", place.log_level]
        words += ["--logs", str(place.log_file.parent)]
        environment = dict(place.environment)
        if is_server(place.database):  # its password is for no list of processes
            environment["DATABASE_URL"] = place.database
        else:
            words += ["--database", place.database]
        words += [word for origin in place.origins for word in ("--allow-origin", origin)]
        words += ["--listener", str(listener), "--exit-with-parent", str(os.getpid())]
        with os.fdopen(os.open(place.log_file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "wb") as troubles:
            self._process = subprocess.Popen(  # noqa: S603  # nosec B603: our own module, no shell
                [sys.executable, "-m", "crypto_bot.api.serve", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=troubles,
                pass_fds=(listener,),
                env=environment,
            )

    async def keep_alive(self) -> None:
        """Start the process again whenever it dies, ever less eagerly."""
        deaths = 0
        while self._process is not None:
            while (status := self._process.poll()) is None:
                await asyncio.sleep(_LOOK_S)
            pause_s = _PAUSES_S[min(deaths, len(_PAUSES_S) - 1)]
            log.warning(
                "the web process ended with status %d and is started again in %g s; see %s",
                status, pause_s, self._place.log_file,
            )  # fmt: skip
            await asyncio.sleep(pause_s)
            deaths += 1
            self.start()

    def stop(self) -> None:
        """End the process in order, and give the address back."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._listener.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
