"""One process per state folder: a lock that the kernel releases when its holder dies."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from crypto_bot.domain.errors import UsageError
from crypto_bot.persistence.sqlite_file import make_private_folder, translated

_TRIES = 10
_PAUSE_S = 0.02
"""`is_held` touches the lock for some microseconds; a second try tells that from a second process."""


class StateLock:
    """The right to write in one state folder, held from `acquire` to `release` or to the process's end."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is touched yet."""
        self.folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock and write our pid into it; UsageError names the process that has it."""
        make_private_folder(self.folder)
        with translated(self.folder / "lock"):
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if not _seize(descriptor):
                    pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                    raise UsageError(
                        f"process {pid} is already running on {self.folder}; stop it first,"
                        " or give this one a folder of its own with --state"
                    )
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            except BaseException:
                os.close(descriptor)
                raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; the file stays, because removing it would let two processes in."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_held(folder: Path) -> bool:
    """Tell whether a living process holds the folder's lock; readers use it and never need the lock."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _seize(descriptor: int) -> bool:
    for attempt in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt < _TRIES - 1:
                time.sleep(_PAUSE_S)
        else:
            return True
    return False
