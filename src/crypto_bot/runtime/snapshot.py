"""The state of a session as bytes: plain arrays with their shapes, nothing that could be executed."""

import json

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.errors import DataError
from crypto_bot.runtime.session import Session

_LENGTH = 8


def pack(session: Session) -> bytes:
    """Return the world, the venue and every memory as bytes."""
    arrays = _arrays(session)
    head = json.dumps([[array.dtype.itemsize, list(array.shape)] for array in arrays]).encode()
    return len(head).to_bytes(_LENGTH, "little") + head + b"".join(array.tobytes() for array in arrays)


def unpack(session: Session, blob: bytes) -> None:
    """Put a session into the state that was packed; DataError when it was laid out otherwise."""
    size = int.from_bytes(blob[:_LENGTH], "little")
    arrays = _arrays(session)
    at = _LENGTH + size
    try:
        head = json.loads(blob[_LENGTH:at])
    except ValueError:
        raise DataError(
            "the snapshot of the run is damaged; remove it and the run is rebuilt from its journal"
        ) from None
    if head != [[array.dtype.itemsize, list(array.shape)] for array in arrays] or len(blob) - at != sum(
        array.nbytes for array in arrays
    ):
        raise DataError("the snapshot of the run was written by another version of the program")
    for array in arrays:
        array[...] = np.frombuffer(blob, array.dtype, array.size, at).reshape(array.shape)
        at += array.nbytes


def _arrays(session: Session) -> list[npt.NDArray[np.void]]:
    """Return everything that a run changes, in a fixed order; the log is emptied after every event."""
    stage = session.stage
    world = [part for name, part in zip(stage.world._fields, stage.world, strict=True) if name != "log"]
    memories = [bound.memory.whole for bound in stage.bounds]
    return [*world, stage.venue.resting, stage.venue.gate, *memories, session.last_marks()]
