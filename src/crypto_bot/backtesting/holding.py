"""What doing nothing would have brought: the capital in equal parts in the run's instruments, bought once and held."""

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.units import PPM, PPM_PER_BPS

FloatArray = npt.NDArray[np.float64]


def first_purchase(outcome: Outcome, k: int) -> tuple[int, float] | None:
    """Return when, and at what price with costs, somebody who only holds buys instrument k; None when never.

    That is the open of the first bar after the run's first slice, the first price a bot can trade at, worsened by
    the taker's slippage and fee. The price is a float at the instrument's scale.
    """
    candles: Candles = outcome.candles[k]
    row = int(np.searchsorted(candles.times, outcome.times[0], "right"))
    if row >= len(candles) or candles.times[row] > outcome.times[-1]:
        return None
    costs = outcome.assumptions
    slipped = 1 + costs.slippage_bps * PPM_PER_BPS / PPM
    return int(candles.times[row]), int(candles.open[row]) * slipped * (1 + costs.fee_taker_bps * PPM_PER_BPS / PPM)


def buy_and_hold_curve(outcome: Outcome, rows: IntArray | None = None) -> FloatArray | None:
    """Return the worth of holding at the close of each bar, or of these, as a multiple of the start.

    The capital is split evenly over the run's instruments at the start and never touched again; the part of an
    instrument without bars yet is cash. None when nothing could be bought.
    """
    times = outcome.times if rows is None else outcome.times[rows]
    worth, bought = np.zeros(times.size), False
    for k in range(len(outcome.instruments)):
        purchase = first_purchase(outcome, k)
        if purchase is None:
            worth += 1.0
            continue
        since, price = purchase
        bought = True
        closes = outcome.closes[:, k] if rows is None else outcome.closes[rows, k]
        worth += np.where(times >= since, closes / price, 1.0)
    return worth / len(outcome.instruments) if bought else None


def buy_and_hold_return(outcome: Outcome) -> float | None:
    """Return what the same capital would have made by holding the run's instruments in equal parts."""
    curve = buy_and_hold_curve(outcome, np.array([outcome.times.size - 1]))
    return None if curve is None else float(curve[0]) - 1
