"""What guards each position: stops that stay, follow the price or wait for the entry, targets, and time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Literal

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import ATOMS, to_decimal
from crypto_bot.kernel.layout import FILL_EVENT, STOP_SLOT, TAKE_SLOT, TARGET_SLOT
from crypto_bot.risk import steps
from crypto_bot.risk.account import Number, RiskAccount, Slice

Kind = Literal["stop", "take_profit", "time"]
KIND_OF: Mapping[int, Kind] = MappingProxyType({STOP_SLOT: "stop", TAKE_SLOT: "take_profit", TARGET_SLOT: "time"})
"""What was hit, by the slot of the order that would stand at the exchange."""
_MOST_BARS = 1_000_000


@dataclass(frozen=True, slots=True)
class Guard:
    """What guards a position; 0 is none. Prices are rounded to the tick, stops down and targets up.

    `trail` keeps the stop this share below the highest price, `trail_by` this distance (so many ATR, say), from a rise
    of `trail_after` over the entry on; after a rise of `break_even` the stop moves to the entry. After so many `bars`
    the position is sold. A stop never moves down while its position lasts.
    """

    stop: Number = 0
    take_profit: Number = 0
    trail: Number = 0
    trail_by: Number = 0
    trail_after: Number = 0
    break_even: Number = 0
    bars: int = 0


@dataclass(frozen=True, slots=True)
class StopHit:
    """A guard that a bar has reached: what is sold, at which price and fee, slippage included."""

    symbol: str
    kind: Kind
    price: Decimal
    quantity: Decimal
    fee: Decimal


class StopLossHandler:
    """Keeps stop, target and time of every position, and says which of them a bar has reached."""

    def __init__(self, account: RiskAccount) -> None:
        """Guard the positions of this account; trailing stops move when it is marked."""
        self._account = account

    def place(self, symbol: str, guard: Guard) -> None:
        """Guard what is held, or bought next; UsageError for what is no price, share or number of bars."""
        stop, take, *moving = (float(part) for part in _checked(symbol, guard))
        trail, trail_by, trail_after, even = moving
        guards = steps.Guards(stop, take, trail, trail_by, trail_after, even, guard.bars)
        self._account.guard(self._account.place(symbol), guards)

    def clear(self, symbol: str) -> None:
        """Guard a position no longer."""
        steps.unguard(self._account.world, self._account.place(symbol))

    def level(self, symbol: str) -> Decimal | None:
        """Return where the stop of a position stands; None without one."""
        k = self._account.place(symbol)
        stop = int(self._account.world.wish[k]["stop"])
        return to_decimal(stop, self._account.instruments[k].price_scale) if stop else None

    def check(self, time: datetime, prices: Slice) -> tuple[StopHit, ...]:
        """Return what a slice that opened at this time has reached, in the order of the symbols; nothing is booked.

        Stops are tested before they are moved: mark the account afterwards. A stop is sold at its price or at a worse
        open, and comes before a target in the same bar, unless the bar opens beyond the target.
        """
        account = self._account
        i = account.lay(time, prices)
        hits = []
        for k, instrument in enumerate(account.instruments):
            slot = steps.find_hit(account.world, account.venue, account.market, i, k)
            event = account.world.event[0]
            if slot < 0 or event["kind"] != FILL_EVENT:
                continue
            price = to_decimal(event["price"], instrument.price_scale)
            quantity = to_decimal(event["quantity"], instrument.quantity_scale)
            hits.append(StopHit(instrument.symbol, KIND_OF[slot], price, quantity, to_decimal(event["fee"], ATOMS)))
        return tuple(hits)


def _decimal(told: Number) -> Decimal:
    """Return a number; NaN for a text that is none."""
    try:
        return Decimal(told)
    except InvalidOperation:
        return Decimal("nan")


def _checked(symbol: str, guard: Guard) -> list[Decimal]:
    """Return the decimal parts of a guard in their order."""
    found = []
    for name in ("stop", "take_profit", "trail", "trail_by", "trail_after", "break_even"):
        told: Number = getattr(guard, name)
        if isinstance(told, bool) or not isinstance(told, Decimal | int | str):
            raise UsageError(f"{name} of {symbol} is a {type(told).__name__}; give a Decimal, a whole number or a text")
        value = _decimal(told)
        is_share = name in ("trail", "trail_after", "break_even")
        if not value.is_finite() or value < 0 or (is_share and value >= 1) or value > 10**9:
            wanted = "a share from 0 to below 1, as 0.05 for 5 %" if is_share else "a price from 0 on"
            raise UsageError(f"{name} of {symbol} is {told}; give {wanted}")
        found.append(value)
    if type(guard.bars) is not int or not 0 <= guard.bars <= _MOST_BARS:
        raise UsageError(f"bars of {symbol} is {guard.bars}; give a whole number from 0 to {_MOST_BARS}")
    return found
