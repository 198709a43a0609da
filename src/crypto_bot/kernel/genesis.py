"""The world at its beginning: balances, instruments, limits, empty orders and wishes.

Ordinary Python, run once before a run. Here, and once per order, overflow is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.compiled import Record
from crypto_bot.kernel.layout import (
    FAR,
    GATE_BLOCK,
    GATE_SMALLEST,
    HIGHEST_WORTH,
    SLOTS,
    World,
    book_t,
    desk_t,
    effect_t,
    event_t,
    fund_t,
    note_t,
    order_t,
    purse_t,
    sub_t,
    wish_t,
)


@dataclass(frozen=True, slots=True)
class Gates:
    """What else stands before an order that opens; 0 and empty is not asked for. Shares are in parts per million.

    `groups` are symbols that move together, which may make up `group_ppm` of the equity. `kelly_ppm` is the fraction
    of Kelly's share, by the trips so far, that a symbol may be worth; `volatility_ppm` a year's volatility, by the last
    `volatility_days`, above which less is held. `expectancy` is off, smallest or block: what is bought before there
    are thirty trips; then nothing is, while they do not earn. `places` are symbols held at once, `cooldown_ns` the
    time without buys after a stop. So many losses in a row pause what opens for `pause_ns`.
    """

    groups: tuple[tuple[str, ...], ...] = ()
    group_ppm: int = 0
    kelly_ppm: int = 0
    volatility_ppm: int = 0
    volatility_days: int = 90
    expectancy: str = "off"
    places: int = 0
    cooldown_ns: int = 0
    losses: int = 0
    pause_ns: int = 0

    def asked_for(self) -> bool:
        """Tell whether any gate stands."""
        numbers = (self.kelly_ppm, self.volatility_ppm, self.places, self.cooldown_ns, self.losses)
        return bool(self.groups) or self.expectancy != "off" or any(numbers)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the account may lose and hold, in parts per million of its equity; 0 is not limited.

    `risk_ppm` is what one position may lose when its stop is hit: it sizes what is bought with a stop.
    """

    drawdown_ppm: int = 150_000
    daily_loss_ppm: int = 50_000
    symbol_exposure_ppm: int = 500_000
    exposure_ppm: int = 800_000
    risk_ppm: int = 20_000
    gates: Gates = field(default_factory=Gates)

    @classmethod
    def off(cls) -> "Limits":
        """Return no limits: cash, filters and overflow still hold."""
        return cls(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs, in parts per million of an order's worth.

    `fee_in` is 'quote' (all fees in the quote asset) or 'received' (a buy pays in the asset it buys). `model` says how
    an order moves its own price beyond the slippage: 'fixed' (not at all), 'volume_share' or 'square_root', so many
    times the usual as `impact_ppm` says. `volume_ppm` is what all orders may take of a bar's volume; 0 is all.
    """

    maker_ppm: int = 1_000
    taker_ppm: int = 1_000
    slippage_ppm: int = 500
    fee_in: str = "quote"
    model: str = "fixed"
    impact_ppm: int = 1_000_000
    volume_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Stake:
    """What a run begins with: cash in atoms of the quote asset, and how many strategies share it."""

    cash: int
    strategies: int = 1


LARGEST_CASH = FAR // 32


def scale_factors(instrument: Instrument) -> tuple[int, int]:
    """Return (mult, div), one of them 1: atoms in one unit of price times one unit of quantity."""
    product = instrument.price_scale * instrument.quantity_scale
    return (ATOMS // product, 1) if product <= ATOMS else (1, product // ATOMS)


def largest_quantity(instrument: Instrument, highest_price: int) -> int:
    """Return the quantity above which an order's worth, or its atoms of the base asset, might not fit into 64 bits."""
    mult, div = scale_factors(instrument)
    atoms = FAR // (ATOMS // instrument.quantity_scale)
    return min(HIGHEST_WORTH, atoms, HIGHEST_WORTH * div // (max(1, highest_price) * mult))


def new_world(
    instruments: Sequence[Instrument],
    stake: Stake,
    limits: Limits,
    costs: Costs,
    *,
    bar_ns: int,
    highest_prices: Sequence[int],
    log_capacity: int = 0,
) -> World:
    """Return a world in which nothing has happened yet.

    `highest_prices` are the highest prices each instrument may reach (for the overflow guard);
    the log holds `log_capacity` notes and loses, but counts, what comes after.
    Raises UsageError for cash that is not positive or cannot be counted, or for mixed quote assets.
    """
    _check_stake(instruments, stake)
    count = len(instruments)
    lanes = stake.strategies * count
    desk = np.zeros(1, desk_t)
    purse = np.zeros(1 + count, purse_t)
    book = np.zeros(count, book_t)
    funds = np.zeros(stake.strategies, fund_t)
    wish = np.zeros(lanes, wish_t)
    subs = np.zeros(lanes, sub_t)
    subs["strategy"], subs["instrument"] = np.divmod(np.arange(lanes), count)
    wish["hold"] = -1
    d = desk[0]
    d["decisions"] = 1
    d["bar_ns"] = bar_ns
    d["equity"] = d["peak"] = d["day_open"] = stake.cash
    d["floor"] = -FAR
    d["drawdown_ppm"] = limits.drawdown_ppm
    d["daily_loss_ppm"] = limits.daily_loss_ppm
    d["exposure_ppm"] = limits.exposure_ppm
    d["risk_ppm"] = limits.risk_ppm
    _set_gates(d, limits.gates)
    purse[0]["balance"] = purse[0]["initial"] = stake.cash
    parts = [stake.cash // stake.strategies] * stake.strategies
    parts[0] += stake.cash - sum(parts)
    funds["balance"] = funds["initial"] = parts
    for k, instrument in enumerate(instruments):
        b = book[k]
        b["mult"], b["div"] = scale_factors(instrument)
        b["unit"] = ATOMS // instrument.quantity_scale
        b["base"] = 1 + k
        for name in ("price_scale", "quantity_scale", "tick", "lot", "min_notional"):
            b[name] = getattr(instrument, name)
        b["highest"] = highest_prices[k]
        b["most"] = largest_quantity(instrument, highest_prices[k])
        b["exposure_ppm"] = limits.symbol_exposure_ppm
        b["group"] = next((n for n, group in enumerate(limits.gates.groups, 1) if instrument.symbol in group), 0)
        b["maker_ppm"], b["taker_ppm"], b["slippage_ppm"] = costs.maker_ppm, costs.taker_ppm, costs.slippage_ppm
    return World(
        desk,
        purse,
        book,
        funds,
        subs,
        wish,
        np.zeros((lanes, SLOTS), order_t),
        np.zeros(4 * SLOTS * lanes, effect_t),
        np.zeros(1, event_t),
        np.zeros(log_capacity, note_t),
    )


_EXPECTANCY: Mapping[str, int] = MappingProxyType({"off": 0, "smallest": GATE_SMALLEST, "block": GATE_BLOCK})


def _set_gates(desk: Record, gates: Gates) -> None:
    """Note the gates of a run."""
    desk["gated"] = gates.asked_for()
    desk["group_ppm"] = gates.group_ppm
    desk["kelly_ppm"] = gates.kelly_ppm
    desk["volatility_ppm"], desk["volatility_days"] = gates.volatility_ppm, gates.volatility_days
    desk["expectancy"] = _EXPECTANCY[gates.expectancy]
    desk["places"] = gates.places
    desk["cooldown_ns"] = gates.cooldown_ns
    desk["most_losses"], desk["pause_ns"] = gates.losses, gates.pause_ns


def _check_stake(instruments: Sequence[Instrument], stake: Stake) -> None:
    """Refuse cash that cannot be traded with and instruments that cannot share it."""
    if stake.cash <= 0:
        raise UsageError("cash must be positive: give the amount to begin with, as in --cash 10000")
    if stake.cash > LARGEST_CASH:
        raise UsageError(f"cash is too large to be counted exactly: the most is {LARGEST_CASH // ATOMS}")
    quotes = {instrument.quote for instrument in instruments}
    if len(quotes) != 1:
        raise UsageError(f"one account has one quote asset, not {' and '.join(sorted(quotes))}: choose symbols of one")
    if len({instrument.symbol for instrument in instruments}) != len(instruments):
        raise UsageError("a symbol is named twice: name each symbol once")
