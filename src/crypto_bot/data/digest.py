"""One short name for the exact candles a run has seen."""

import hashlib

import numpy as np

from crypto_bot.data.decoded import release
from crypto_bot.domain.market import Candles


def candles_digest(*candles: Candles) -> str:
    """Return 32 hex digits over symbol, timeframe, scales and every number of the given candles, in order.

    Equal candles give equal digests on every machine, wherever they were stored.
    """
    digest = hashlib.blake2b(digest_size=16)
    for each in candles:
        instrument = each.instrument
        scales = f"{instrument.price_scale} {instrument.quantity_scale}"
        digest.update(f"{instrument.symbol} {each.timeframe} {scales} {len(each)}\n".encode())
        for column in each.columns():
            digest.update(np.ascontiguousarray(column, dtype="<i8").data)
            release(column)
    return digest.hexdigest()
