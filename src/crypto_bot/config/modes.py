"""What a run is: who supplies its prices, who fills its orders, and whose keys it holds."""

from dataclasses import dataclass
from typing import Literal

from crypto_bot.config.settings import Settings
from crypto_bot.domain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One row of the table of modes; everything behind it is the same path."""

    mode: Literal["dry_run", "forward", "live"]
    prices: Literal["recorded", "synthetic", "exchange"]
    fills: Literal["simulated", "exchange"]
    keys: Literal["none", "demo", "live"]


DRY_RUN = Arrangement("dry_run", "synthetic", "simulated", "none")


def arrange(settings: Settings) -> Arrangement:
    """Return the row that the settings ask for; UsageError when they contradict each other.

    A dry run wins over everything else. A backtest is no run: its command needs no row.
    """
    trading, exchange = settings.trading, settings.exchange
    if trading.dry_run:
        return DRY_RUN
    if settings.general.mode == "backtest":
        raise UsageError("[general] mode = backtest does not trade; use the command backtest, or set mode to forward.")
    if settings.general.mode == "forward":
        if not trading.paper_trading:
            raise UsageError(
                "[trading] paper_trading = false needs [general] mode = live, and the mode is forward; "
                "set paper_trading to true."
            )
        return Arrangement("forward", settings.data.feed, "simulated", "none")
    if trading.paper_trading and exchange.environment == "live":
        raise UsageError(
            "[exchange] environment = live cannot hold demo money; with [trading] paper_trading = true it must be "
            "testnet, demo or practice."
        )
    if not trading.paper_trading and exchange.environment != "live":
        raise UsageError(
            f"[exchange] environment = {exchange.environment} cannot hold real money; with [trading] paper_trading "
            f"= false it must be live."
        )
    if exchange.environment == "practice" and not exchange.url:
        raise UsageError(
            "[exchange] url is empty, and environment = practice needs it; `exchange serve` prints the address."
        )
    return Arrangement("live", "exchange", "exchange", "demo" if trading.paper_trading else "live")
