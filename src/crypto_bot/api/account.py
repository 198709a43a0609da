"""What the fills add up to: cash, holdings at average cost, realised gains and fees."""

from dataclasses import dataclass, field

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.persistence.payloads import FillEvent


@dataclass
class Holding:
    """What is held of one base asset, in atoms, and what it cost, in atoms of the quote asset."""

    quantity: int = 0
    cost: int = 0


@dataclass
class Account:
    """The ledger as far as fills tell it; `equity - initial = realised + unrealised - fees`.

    Money is in atoms of the quote asset. Fees in the base asset are valued at the fill's price;
    fees in a third asset are counted apart, in atoms of that asset.
    """

    cash: int
    realised: int = 0
    fees: int = 0
    other_fees: dict[str, int] = field(default_factory=dict)
    holdings: dict[int, Holding] = field(default_factory=dict)

    def book(self, fill: FillEvent, instrument: Instrument) -> int | None:
        """Book one fill; return the gain it realised before fees, None when it only added to the holding."""
        holding = self.holdings.setdefault(fill.instrument, Holding())
        quantity = fill.quantity * ATOMS // instrument.quantity_scale
        worth = notional(fill, instrument)
        realised = None
        if fill.side > 0:
            self.cash -= worth
            holding.quantity += quantity
            holding.cost += worth
        else:
            self.cash += worth
            realised = self._take(holding, quantity, worth)
        self._pay(fill, instrument, holding)
        return realised

    def value(self, marks: dict[int, int], instruments: list[Instrument]) -> int:
        """Return what the holdings are worth at the given prices, by number of the instrument."""
        return sum(
            holding.quantity * marks[number] // instruments[number].price_scale
            for number, holding in self.holdings.items()
            if number in marks
        )

    def cost(self) -> int:
        """Return what the present holdings cost."""
        return sum(holding.cost for holding in self.holdings.values())

    def _take(self, holding: Holding, quantity: int, worth: int) -> int:
        """Take a quantity out at average cost; return the gain against `worth`."""
        whole = quantity >= holding.quantity or holding.quantity <= 0
        out = holding.cost if whole else holding.cost * quantity // holding.quantity
        holding.quantity -= quantity
        holding.cost -= out
        self.realised += worth - out
        return worth - out

    def _pay(self, fill: FillEvent, instrument: Instrument, holding: Holding) -> None:
        if fill.fee_asset == instrument.quote:
            self.cash -= fill.fee
            self.fees += fill.fee
        elif fill.fee_asset == instrument.base:
            worth = fill.fee * fill.price // instrument.price_scale
            self._take(holding, fill.fee, worth)
            self.fees += worth
        else:
            self.other_fees[fill.fee_asset] = self.other_fees.get(fill.fee_asset, 0) + fill.fee


def notional(fill: FillEvent, instrument: Instrument) -> int:
    """Return price x quantity in atoms; what does not divide evenly is rounded against us."""
    numerator = fill.price * fill.quantity * ATOMS
    denominator = instrument.price_scale * instrument.quantity_scale
    return -(-numerator // denominator) if fill.side > 0 else numerator // denominator
