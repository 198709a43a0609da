"""Risk management as bytes and back, so that a restart forgets no peak, no halt and no stop: nothing is executed."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.sealed import seal, unseal
from crypto_bot.kernel.layout import PLANES, Market
from crypto_bot.risk.account import RiskAccount


def pack(account: RiskAccount, resets: Sequence[str]) -> bytes:
    """Return the account, the bars it was told of and the reasons of its resets."""
    arrays = [*_parts(account), account.market.times[: account.count], account.market.bars[:, : account.count]]
    told = {"as": account.made_as, "laid": _layout(account), "count": account.count, "marked": account.marked}
    return seal(json.dumps({**told, "resets": list(resets)}), arrays)


def unpack(account: RiskAccount, state: bytes) -> list[str]:
    """Put a fresh account into the state that was packed; return the reasons of its resets.

    Raises UsageError, and changes nothing, for bytes that are damaged, and for an account that was made otherwise.
    """
    kept = unseal(state)
    if kept is None:
        raise UsageError("the state is damaged; begin anew, and tell what is held with record_trade_result")
    head = json.loads(kept.text)
    if (head["as"], head["laid"]) != (account.made_as, _layout(account)):
        raise UsageError(
            "the state is of other instruments, limits, costs, bars or of another version; restore it where it was made"
        )
    for part in _parts(account):
        kept.fill(part)
    count = int(head["count"])
    times, bars = kept.take(count), kept.take(PLANES, count, len(account.instruments))
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
