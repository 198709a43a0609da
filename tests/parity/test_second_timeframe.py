"""Sources and a second timeframe decide the same in a backtest, in a run bar by bar, and in its replay."""

from pathlib import Path

import numpy as np
import pytest

from crypto_bot.domain.market import Candles
from tests.parity.test_drive_parity import assert_one_hash
from tests.plays import author
from tests.small_runs import Setting, walk

TEXT = """
class Params(NamedTuple):
    slow: Literal["15m", "1h"] = "15m"

def step(p):
    for k in symbols():
        busy = volume(k) > sma(k, 8, source=volume(k))
        up = sma(k, 3) > sma(k, 4, timeframe=p.slow) or macd(k, 3, 7) > macd_signal(k, 3, 7, 4)
        calm = ema(k, 3, source=rsi(k, 5), timeframe="15m") < 60
        target(k, 0.4 if up and (busy or calm) else 0.0)
"""


def with_gaps(candles: Candles) -> Candles:
    """Return candles that lack every seventh bar and an hour in the middle."""
    rows = np.arange(len(candles))
    kept = (rows % 7 != 3) & ((rows < 400) | (rows >= 460))
    return Candles(candles.instrument, candles.timeframe, *(column[kept] for column in candles.columns()))


@pytest.mark.parametrize("before", [0, 90])
@pytest.mark.parametrize("own", ["", 'timeframe = "5m"'])
@pytest.mark.parametrize("gaps", [False, True])
def test_one_hash(tmp_path: Path, own: str, gaps: bool, before: int) -> None:
    file = author(tmp_path, own + TEXT)
    candles = [walk(800, symbol=symbol, seed=len(symbol), timeframe="1m") for symbol in ("BTC/USDT", "DOGE/USDT")]
    shown = tuple(with_gaps(each) if gaps else each for each in candles)
    assert_one_hash(Setting({str(file): {"slow": "15m"}}, shown, before=before), tmp_path)
