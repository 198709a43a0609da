"""The state of a session as bytes: plain arrays with their shapes, nothing that could be executed."""

import json

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.several import state_of
from crypto_bot.domain.sealed import seal, unseal
from crypto_bot.plain.meeting import players
from crypto_bot.runtime.session import Session


def pack(session: Session) -> bytes:
    """Return the world, the venue, every memory and the last equity as bytes; the bars are in the journal."""
    arrays = _arrays(session)
    states = [_state(session, s) for s in players(session.stage.bounds)]
    return seal(json.dumps({"shapes": _shapes(arrays), "states": states}), arrays)


def unpack(session: Session, blob: bytes) -> bool:
    """Put a session that has recalled its bars into the state that was packed.

    Returns False, and changes nothing, when the bytes are damaged or were laid out otherwise, or when a plain class
    gave no state: then the journal is played again from its first row.
    """
    kept, arrays = unseal(blob), _arrays(session)
    if kept is None:
        return False
    head = json.loads(kept.text)
    if head["shapes"] != _shapes(arrays) or None in head["states"]:
        return False
    for (s, player), state in zip(players(session.stage.bounds).items(), head["states"], strict=True):
        if s not in session.stage.failed and not player.restore(state):
            return False
    for array in arrays:
        kept.fill(array)
    return True


def _state(session: Session, s: int) -> str | None:
    """Return what a plain class keeps; one that failed keeps nothing, and needs nothing to stay off."""
    return "" if s in session.stage.failed else state_of(session.stage, s)


def _shapes(arrays: list[npt.NDArray[np.void]]) -> list[list[int | list[int]]]:
    return [[array.dtype.itemsize, list(array.shape)] for array in arrays]


def _arrays(session: Session) -> list[npt.NDArray[np.void]]:
    """Return everything that a run changes, in a fixed order; the log is emptied after every event."""
    stage = session.stage
    world = [part for name, part in zip(stage.world._fields, stage.world, strict=True) if name != "log"]
    memories = [bound.memory.whole for bound in stage.bounds]
    return [*world, stage.venue.resting, stage.venue.gate, *memories, session.last_equity()]
