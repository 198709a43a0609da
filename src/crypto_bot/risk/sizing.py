"""How much to buy by the distance of the stop."""

from decimal import Decimal

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import PPM, to_decimal
from crypto_bot.kernel.layout import HIGHEST_WORTH
from crypto_bot.risk import steps
from crypto_bot.risk.account import Number, RiskAccount, scaled


class FixedFractionalSizer:
    """Sizes a position so that its stop loses a fixed part of the equity, fees and slippage included."""

    def __init__(self, account: RiskAccount, risk: Number | None = None) -> None:
        """Take the account's own share, 2 % where nobody said otherwise, or `risk`: a share above 0 and at most 1."""
        self._account = account
        self._risk_ppm = int(account.desk["risk_ppm"]) if risk is None else scaled(risk, PPM, f"risk {risk}")
        if risk is None and self._risk_ppm == 0:
            raise UsageError("the account's limits name no risk for a trade; give one, like Decimal('0.02')")
        if not 0 < self._risk_ppm <= PPM:
            raise UsageError(f"risk is {risk}; give a share above 0 and at most 1, like Decimal('0.02')")

    @property
    def risk(self) -> Decimal:
        """The share of the equity that one position may lose at its stop."""
        return to_decimal(self._risk_ppm, PPM)

    def size(self, symbol: str, *, entry: Number, stop: Number) -> Decimal:
        """Return how much may be bought at `entry` with a stop below it; 0 when the smallest order is too much.

        Cash, exposure limits and halts are not looked at: `RiskManager.validate_trade` does that.
        """
        account, k = self._account, self._account.place(symbol)
        price, level = account.price(k, entry), account.price(k, stop)
        if level >= price:
            raise UsageError(
                f"the stop {stop} of {symbol} does not lie below the entry {entry}; long positions need that"
            )
        world = account.copy()
        desk = world.desk[0]
        desk["risk_ppm"] = self._risk_ppm
        desk["halt"] = desk["gated"] = desk["exposure_ppm"] = 0
        world.book["exposure_ppm"] = 0
        world.funds["balance"] = 2 * HIGHEST_WORTH
        found = steps.size(world, k, price, level)
        return to_decimal(found, account.instruments[k].quantity_scale)
