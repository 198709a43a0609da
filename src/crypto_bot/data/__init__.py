"""WHERE CANDLES LIE: the archive, what goes into it and what comes out.

Importing this room loads no heavy library; reading files of candles does.
"""

from crypto_bot.data.archive import Archive, Series
from crypto_bot.data.digest import candles_digest
from crypto_bot.data.resample import resample

__all__ = ["Archive", "Series", "candles_digest", "resample"]
