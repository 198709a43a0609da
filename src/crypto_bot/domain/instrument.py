"""What can be traded, with the steps in which its price and its quantity are counted."""

from dataclasses import dataclass

from crypto_bot.domain.units import ATOMS, format_scaled, parse_scaled


@dataclass(frozen=True, slots=True)
class Instrument:
    """One spot pair of one exchange; prices and quantities are integers at its own scales.

    `tick` and `lot` are the smallest steps an order may use, in units of 1/price_scale and
    1/quantity_scale; `min_notional` is the least worth of an order, in atoms of the quote asset.
    The scales stay when the exchange changes its tick or lot.
    """

    symbol: str
    exchange: str = "binance"
    price_scale: int = 100
    quantity_scale: int = 1_000_000
    tick: int = 1
    lot: int = 1
    min_notional: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be traded or cannot be counted exactly."""
        base, slash, quote = self.symbol.partition("/")
        if not (base and slash and quote and "/" not in quote):
            raise ValueError(f"{self.symbol!r} is not a symbol; write it as BTC/USDT")
        for name in ("price_scale", "quantity_scale"):
            scale = getattr(self, name)
            if not 1 <= scale <= ATOMS or str(scale).strip("0") != "1":
                raise ValueError(f"{name} of {self.symbol} is {scale}; it must be a power of ten up to {ATOMS}")
        if self.tick < 1 or self.lot < 1 or self.min_notional < 0:
            raise ValueError(f"tick and lot of {self.symbol} must be positive, its minimum notional not negative")

    @property
    def base(self) -> str:
        """The asset that is bought and sold."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """The asset in which the price is told."""
        return self.symbol.partition("/")[2]

    def price_text(self, price: int) -> str:
        """Print a price exactly."""
        return format_scaled(price, self.price_scale)

    def quantity_text(self, quantity: int) -> str:
        """Print a quantity exactly."""
        return format_scaled(quantity, self.quantity_scale)

    def parse_price(self, text: str) -> int:
        """Read a price exactly; ValueError when the scale cannot hold it."""
        return parse_scaled(text, self.price_scale)

    def parse_quantity(self, text: str) -> int:
        """Read a quantity exactly; ValueError when the scale cannot hold it."""
        return parse_scaled(text, self.quantity_scale)
