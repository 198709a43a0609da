"""One strategy's part of the account, told by its fills and its signals: what it holds, earned and guards."""

from dataclasses import dataclass, field

import msgspec

from crypto_bot.api.account import Account
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.persistence.payloads import FillEvent


class GuardWish(msgspec.Struct, frozen=True):
    """SIGNAL: as much of a wish as guards a position; `stop` and `take` at the price scale, 0 for none."""

    strategy: int
    instrument: int
    stop: int = 0
    take: int = 0


class WishesEvent(msgspec.Struct, frozen=True):
    """SIGNAL: the wishes that have changed."""

    wishes: list[GuardWish] = []


@dataclass
class Part:
    """What one strategy bought and sold; `stops`, `takes` and `opened_ns` by number of the instrument."""

    account: Account = field(default_factory=lambda: Account(0))
    trades: int = 0
    stops: dict[int, int] = field(default_factory=dict)
    takes: dict[int, int] = field(default_factory=dict)
    opened_ns: dict[int, int] = field(default_factory=dict)

    def book(self, fill: FillEvent, instrument: Instrument) -> None:
        """Book one of its fills."""
        self.account.book(fill, instrument)
        self.trades += 1
        if not self.holds(fill.instrument, instrument):
            self.opened_ns.pop(fill.instrument, None)
            self.stops.pop(fill.instrument, None)
            self.takes.pop(fill.instrument, None)
        else:
            self.opened_ns.setdefault(fill.instrument, fill.time)

    def guard(self, wish: GuardWish) -> None:
        """Remember the stop and the take-profit that it wants."""
        for told, price in ((self.stops, wish.stop), (self.takes, wish.take)):
            if price > 0:
                told[wish.instrument] = price
            else:
                told.pop(wish.instrument, None)

    def holds(self, number: int, instrument: Instrument) -> bool:
        """Tell whether it holds a lot or more of an instrument."""
        holding = self.account.holdings.get(number)
        return holding is not None and holding.quantity * instrument.quantity_scale >= instrument.lot * ATOMS
