"""Candles as the run wants them, kept between runs: one array of a series that is opened, not read.

Compressed files take tens of milliseconds to decode and a heavy library to do it. The cache keeps
the result as an .npy file, named by the identity of the files it came from, with a checksum in its
last column. Whatever is stale or damaged is forgotten without a word and made again.
"""

import contextlib
import hashlib
import mmap
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crypto_bot.cache import cache_folder

Block = npt.NDArray[np.int64]
"""Six rows: open time, open, high, low, close, volume; one column per bar."""

_FORMAT = "decoded 1"
_ROWS = 6


def identity_of(files: Iterable[Path], scales: str) -> str:
    """Name the state of some files by their names, sizes and times of change."""
    digest = hashlib.blake2b(f"{_FORMAT} {scales}".encode(), digest_size=16)
    for file in files:
        found = file.stat()
        digest.update(f"\n{file.name} {found.st_size} {found.st_mtime_ns}".encode())
    return digest.hexdigest()


def recall(slot: str, identity: str) -> Block | None:
    """Return the kept candles of a series, read-only and mapped into memory; None when there are none.

    `slot` names the series, `identity` the state of its files.
    """
    try:
        kept = np.load(_file(slot, identity), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    block = np.asarray(kept)
    sound = block.dtype == np.int64 and block.ndim == 2 and block.shape[0] == _ROWS and block.shape[1] > 0
    if not sound or not np.array_equal(_checksums(block[:, :-1]), block[:, -1]):
        return None
    release(block)
    return block[:, :-1]


def release(column: Block) -> None:
    """Give back the memory of candles that are mapped from a file; whoever looks again reads them again.

    A year of minutes is 25 MB, and the pages of a file that was read once would stay until the end.
    """
    holder: object = column
    while isinstance(holder, np.ndarray):
        holder = holder.base
    if isinstance(holder, mmap.mmap):
        holder.madvise(mmap.MADV_DONTNEED)


def remember(slot: str, identity: str, block: Block) -> None:
    """Keep the candles of a series in place of what was kept for it before; a full disk is no failure."""
    target = _file(slot, identity)
    with contextlib.suppress(OSError):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
        written = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, np.column_stack([block, _checksums(block)]))
            written.replace(target)
        except OSError:
            written.unlink()
            raise
        for other in target.parent.glob("*.npy"):
            if other.name != target.name:
                other.unlink()


def _file(slot: str, identity: str) -> Path:
    folder = hashlib.blake2b(slot.encode(), digest_size=16).hexdigest()
    return cache_folder() / "candles" / folder / f"{identity}.npy"


def _checksums(block: Block) -> npt.NDArray[np.int64]:
    """Return one number per row that changes when any one number of the row does; sums wrap, which is fine here."""
    sums: npt.NDArray[np.int64] = np.add.reduce(block, axis=1)
    return sums
