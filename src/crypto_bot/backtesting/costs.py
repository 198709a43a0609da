"""What trading cost beside the fees, and how much of the profit the costs took."""

from typing import NamedTuple

import numpy as np

from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.data.decoded import release
from crypto_bot.domain.units import ATOMS, PPM, PPM_PER_BPS


class Costs(NamedTuple):
    """The price of a run's trading, in the quote asset's atoms; None where a ratio has no meaning.

    `slippage` is what market orders paid beyond the open (with fill_at=close the close) of the bar they filled in;
    stops and limit orders have no such price and are left out. `share` is fees and slippage over the profit before
    both, `break_even_bps` what a side might have cost for the run to end at 0, `charged_bps` what it did cost.
    """

    traded: int
    slippage: int
    share: float | None
    break_even_bps: float | None
    charged_bps: float | None


def measure_costs(outcome: Outcome, fees: int) -> Costs:
    """Return what the fills of a run cost; `fees` are those in atoms of the quote asset."""
    traded, slippage = 0.0, 0.0
    for k, instrument in enumerate(outcome.instruments):
        fills = outcome.fills[outcome.fills["instrument"] == k]
        if fills.size == 0:
            continue
        atom = ATOMS / (instrument.price_scale * instrument.quantity_scale)
        quantity = fills["quantity"].astype(np.float64)
        traded += float(np.dot(fills["price"].astype(np.float64), quantity)) * atom
        taken = np.flatnonzero(~fills["maker"])
        candles = outcome.candles[k]
        rows = np.searchsorted(candles.times, fills["time_ns"][taken], "right") - 1
        column = candles.close if outcome.assumptions.fill_at == "close" else candles.open
        worse = fills["side"][taken] * (fills["price"][taken] - column[np.maximum(rows, 0)])
        release(column)
        slippage += float(np.dot(worse.astype(np.float64), quantity[taken])) * atom
    paid = fees + slippage
    before = int(outcome.equity[-1]) - outcome.initial_equity + paid
    bps = PPM / PPM_PER_BPS
    return Costs(
        traded=round(traded),
        slippage=round(slippage),
        share=paid / before if before > 0 else None,
        break_even_bps=before / traded * bps if traded > 0 else None,
        charged_bps=paid / traded * bps if traded > 0 else None,
    )
