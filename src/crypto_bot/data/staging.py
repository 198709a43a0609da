"""Several files changed together: after a crash at any instant all are old, or all are new.

The new files are written beside the old ones and made durable. Then one small file, COMMIT, appears
by a rename: that is the instant of the change. What is left is renaming, which whoever comes next
completes when the process died in the middle of it.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from crypto_bot.domain.errors import RunFailed

_STAGING = ".staging"
_COMMIT = "COMMIT"
_LOCK = ".lock"
_UNCHANGED = "was left as it was"
_AGREED = "the change is completed as soon as it can be"


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Be the only one who changes files under this root, with everything begun before completed."""
    with _told(root, _UNCHANGED):
        root.mkdir(parents=True, exist_ok=True)
        lock = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with _told(root, _AGREED):
            _complete(root)
        yield
    finally:
        os.close(lock)


def is_half_done(root: Path) -> bool:
    """Tell whether a change is agreed but not all of its files are in place yet."""
    return (root / _STAGING / _COMMIT).exists()


def replace_files(root: Path, files: Mapping[PurePosixPath, bytes]) -> None:
    """Give these files under the root their new contents, all or none; the caller holds the lock.

    RunFailed when the disk refuses, and then nothing has changed.
    """
    if not files:
        return
    staging = root / _STAGING
    with _told(root, _UNCHANGED):
        try:
            staging.mkdir()
            moves: dict[str, str] = {}
            for number, (place, content) in enumerate(files.items()):
                _write_durably(staging / str(number), content)
                (root / place).parent.mkdir(parents=True, exist_ok=True)
                moves[str(number)] = str(place)
            _write_durably(staging / "plan", json.dumps(moves).encode())
            _sync_folder(staging)
            (staging / "plan").rename(staging / _COMMIT)
            _sync_folder(staging)
        except OSError:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    with _told(root, _AGREED):
        _complete(root)


def _complete(root: Path) -> None:
    """Carry out an agreed change, or clear away one that was not agreed."""
    staging = root / _STAGING
    if not staging.exists():
        return
    if is_half_done(root):
        moves: dict[str, str] = json.loads((staging / _COMMIT).read_bytes())
        for name, place in moves.items():
            if (staging / name).exists():  # the others were moved before the crash
                (root / place).parent.mkdir(parents=True, exist_ok=True)
                (staging / name).replace(root / place)
        for folder in {folder for place in moves.values() for folder in PurePosixPath(place).parents}:
            _sync_folder(root / folder)
        (staging / _COMMIT).unlink()
    shutil.rmtree(staging)


def _write_durably(file: Path, content: bytes) -> None:
    with file.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told(root: Path, outcome: str) -> Iterator[None]:
    """Turn a refusal of the disk into one sentence."""
    try:
        yield
    except OSError as problem:
        raise RunFailed(
            f"The archive {root} cannot be written ({problem.strerror or problem}), and {outcome}; "
            "make room or give another folder with --data."
        ) from None
