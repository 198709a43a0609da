"""Risk management as bytes and back, so that a restart forgets no peak, no halt and no stop: nothing is executed."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.errors import UsageError
from crypto_bot.kernel.layout import PLANES, Market
from crypto_bot.risk.account import RiskAccount

_SUM, _LENGTH = 16, 8
"""Bytes of the checksum before everything else, and of the length of the head."""


def pack(account: RiskAccount, resets: Sequence[str]) -> bytes:
    """Return the account, the bars it was told of and the reasons of its resets."""
    arrays = [*_parts(account), account.market.times[: account.count], account.market.bars[:, : account.count]]
    told = {"as": account.made_as, "laid": _layout(account), "count": account.count, "marked": account.marked}
    head = json.dumps({**told, "resets": list(resets)}).encode()
    body = len(head).to_bytes(_LENGTH, "little") + head + b"".join(array.tobytes() for array in arrays)
    return _checksum(body) + body


def unpack(account: RiskAccount, state: bytes) -> list[str]:
    """Put a fresh account into the state that was packed; return the reasons of its resets.

    Raises UsageError, and changes nothing, for bytes that are damaged, and for an account that was made otherwise.
    """
    body = state[_SUM:]
    if len(body) < _LENGTH or state[:_SUM] != _checksum(body):
        raise UsageError("the state is damaged; begin anew, and tell what is held with record_trade_result")
    at = _LENGTH + int.from_bytes(body[:_LENGTH], "little")
    head = json.loads(body[_LENGTH:at])
    if (head["as"], head["laid"]) != (account.made_as, _layout(account)):
        raise UsageError(
            "the state is of other instruments, limits, costs, bars or of another version; restore it where it was made"
        )
    for part in _parts(account):
        part[...] = np.frombuffer(body, part.dtype, part.size, at).reshape(part.shape)
        at += part.nbytes
    count, width = int(head["count"]), len(account.instruments)
    times = np.frombuffer(body, np.int64, count, at).copy()
    bars = np.frombuffer(body, np.int64, PLANES * count * width, at + times.nbytes).reshape(PLANES, count, width).copy()
    account.market = Market(bars, times, bars, account.market.due)
    account.count, account.marked = count, int(head["marked"])
    return [str(reason) for reason in head["resets"]]


def _parts(account: RiskAccount) -> list[npt.NDArray[np.void]]:
    """Return everything that changes and keeps its size, in a fixed order."""
    return [*account.world, account.venue.resting, account.venue.gate]


def _layout(account: RiskAccount) -> str:
    """Return how the parts are laid out, as one number."""
    told = repr([(part.shape, str(part.dtype)) for part in _parts(account)])
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_SUM).digest()
