"""A text and arrays as bytes that tell when they are damaged; nothing in them could be executed."""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]

_SUM, _LENGTH = 16, 8
"""Bytes of the checksum before everything else, and of the length of the text."""


def seal(text: str, arrays: Iterable[Array]) -> bytes:
    """Return a text and what arrays hold; their shapes and types are the caller's to remember."""
    head = text.encode()
    body = len(head).to_bytes(_LENGTH, "little") + head + b"".join(array.tobytes() for array in arrays)
    return _checksum(body) + body


class Unsealed:
    """What was sealed: the text, and the arrays one after the other."""

    def __init__(self, body: bytes) -> None:
        """Read the text; the arrays follow."""
        self._body, self._at = body, _LENGTH + int.from_bytes(body[:_LENGTH], "little")
        self.text = body[_LENGTH : self._at].decode()

    def fill(self, array: Array) -> None:
        """Put the next array into one that has its shape and type."""
        array[...] = np.frombuffer(self._body, array.dtype, array.size, self._at).reshape(array.shape)
        self._at += array.nbytes

    def take(self, *shape: int) -> npt.NDArray[np.int64]:
        """Return the next array, of whole numbers, as a new one."""
        array = np.empty(shape, np.int64)
        self.fill(array)
        return array


def unseal(blob: bytes) -> Unsealed | None:
    """Return what was sealed; None when the bytes are damaged."""
    body = blob[_SUM:]
    return Unsealed(body) if len(body) >= _LENGTH and blob[:_SUM] == _checksum(body) else None


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_SUM).digest()
