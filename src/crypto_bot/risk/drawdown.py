"""The highest equity so far, and how far below it the account is."""

from datetime import datetime
from decimal import Decimal

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import ATOMS, to_decimal
from crypto_bot.kernel.layout import FAR
from crypto_bot.risk import steps
from crypto_bot.risk.account import Number, RiskAccount, atoms, nanoseconds


class DrawdownTracker:
    """Watches the equity of an account: its peak, the fall from it, the loss of the day."""

    def __init__(self, account: RiskAccount) -> None:
        """Watch this account; it is up to date whenever the account was marked."""
        self._account = account

    @property
    def equity(self) -> Decimal:
        """The equity that was seen last."""
        return self._account.equity

    @property
    def peak(self) -> Decimal:
        """The highest equity so far."""
        return to_decimal(self._account.desk["peak"], ATOMS)

    @property
    def drawdown(self) -> Decimal:
        """The fall from the peak as a share of it: 0.15 is 15 % below."""
        return 1 - self.equity / self.peak

    @property
    def day_open(self) -> Decimal:
        """The equity with which the UTC day opened."""
        return to_decimal(self._account.desk["day_open"], ATOMS)

    @property
    def day_loss(self) -> Decimal:
        """What the day lost so far as a share of its opening equity; below 0 when it gained."""
        opened = self.day_open
        return 1 - self.equity / opened if opened else Decimal(0)

    @property
    def floor(self) -> Decimal | None:
        """The equity at which the next limit stops trading; None when there is none to come."""
        floor = int(self._account.desk["floor"])
        return None if floor == -FAR else to_decimal(floor, ATOMS)

    def update(self, time: datetime, equity: Number) -> Decimal:
        """See an equity that is known from elsewhere, in place of marking the account; return the drawdown.

        Raises UsageError for a time before the last one, and for an equity below 0.
        """
        steps.tell(self._account.world, _not_past(self._account, time), atoms(equity, "the equity"))
        return self.drawdown


def _not_past(account: RiskAccount, time: datetime) -> int:
    """Return a time as nanoseconds since 1970; UsageError when it lies before the last bar that was told of."""
    time_ns = nanoseconds(time)
    if time_ns < account.desk["time_ns"] - account.desk["bar_ns"]:
        raise UsageError(f"{time} lies before {account.time}, of which you told last; tell things in their order")
    return time_ns
