"""Writing a user's file whole or not at all."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from crypto_bot.domain.errors import CryptoBotError, RunFailed, UsageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Give a text file that takes the place of `path` when the block ends well, and vanishes when it does not.

    Lines end as written. UsageError names the folder or file that cannot be written; RunFailed tells of a full disk.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise _refusal(path, error, ": name a folder that exists and is yours") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _refusal(path, error) from None
        raise


def _refusal(path: Path, error: OSError, advice: str = "") -> CryptoBotError:
    """Return what a failed write means: a full disk is no mistake of the user's."""
    if error.errno in _FULL:
        return RunFailed(f"{path} cannot be written ({error.strerror}): make room and start again")
    return UsageError(f"{path} cannot be written ({error.strerror}){advice}")
