"""The simulated venue at its beginning: empty books and its terms of trade."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.genesis import Costs, scale_factors
from crypto_bot.kernel.layout import FAR, SLOTS
from crypto_bot.venue.book import BY_ROOT, BY_SHARE, Venue, gate_t, resting_t, terms_t

MODELS: Mapping[str, int] = MappingProxyType({"fixed": 0, "volume_share": BY_SHARE, "square_root": BY_ROOT})
"""Ways in which orders that take get a worse price, by the name that settings have for them."""


def open_venue(
    instruments: Sequence[Instrument], strategies: int, costs: Costs, *, through: bool, legs: int = 1
) -> Venue:
    """Return a venue without orders; limits fill when traded through, or on touch if not `through`.

    Every bar comes in so many `legs`.
    """
    lanes = strategies * len(instruments)
    gate = np.zeros(lanes, gate_t)
    gate["low"], gate["high"] = -FAR, FAR
    gate["strategy"], gate["instrument"] = np.divmod(np.arange(lanes), len(instruments))
    terms = np.zeros(len(instruments), terms_t)
    for k, instrument in enumerate(instruments):
        t = terms[k]
        t["mult"], t["div"] = scale_factors(instrument)
        t["unit"] = ATOMS // instrument.quantity_scale
        t["lot"] = instrument.lot
        t["base"] = 1 + k
        t["maker_ppm"], t["taker_ppm"], t["slippage_ppm"] = costs.maker_ppm, costs.taker_ppm, costs.slippage_ppm
        t["fee_in_received"] = costs.fee_in == "received"
        t["through"] = through
        t["model"] = MODELS[costs.model]
        t["impact_ppm"], t["volume_ppm"] = costs.impact_ppm, costs.volume_ppm
        t["metered"] = costs.volume_ppm != 0 or t["model"] != 0
        t["legs"], t["room"] = legs, FAR
    return Venue(np.zeros((lanes, SLOTS), resting_t), gate, terms)
