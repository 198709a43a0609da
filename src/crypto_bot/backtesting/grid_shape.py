"""The lines and cells of a grid, worked out from its parameters without a market.

Lines are numbered from 0 at lower_price; a cell has the number of its lower line. The formulas are those of the
strategy's own file, and a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import Self

from crypto_bot.backtesting.outcome import ParamValue

FARTHEST = 1000
"""The last line near which a grid without an upper line can begin."""

_ASKED = ("lower_price", "upper_price", "num_grids", "total_investment", "quantity", "spacing_type", "sizing", "top")


@dataclass(frozen=True)
class GridShape:
    """Where the lines lie and how the cells are sized.

    `by_money` cells each cost the same, others trade the same quantity; an `endless` grid has no uppermost line.
    `quantity` is that of a line, 0 when the money decides.
    """

    lower: float
    upper: float
    cells: int
    investment: float
    quantity: float = 0.0
    geometric: bool = False
    by_money: bool = False
    endless: bool = False

    @classmethod
    def of(cls, params: Mapping[str, ParamValue]) -> Self:
        """Read the parameters of the strategy `grid`; KeyError when they are another's."""
        lower, upper, cells, investment, quantity, spacing, sizing, top = (params[name] for name in _ASKED)
        numbers = (lower, upper, investment, quantity)
        assert isinstance(cells, int) and all(isinstance(number, int | float) for number in numbers)
        lower, upper, investment, quantity = (float(str(number)) for number in numbers)
        return cls(
            lower, upper, cells, investment, quantity, spacing == "geometric", sizing == "quote", top == "infinity"
        )

    @property
    def least_ratio(self) -> float:
        """The least ratio between two neighbouring lines."""
        return self.line(self.cells) / self.line(self.cells - 1)

    def line(self, number: int) -> float:
        """Return the price of a line; beyond the uppermost they go on in the same spacing."""
        if self.geometric:
            return float(self.lower * (self.upper / self.lower) ** (number / self.cells))
        return self.lower + number * (self.upper - self.lower) / self.cells

    def nearest(self, price: float, *, beyond: bool = False) -> int:
        """Return the line nearest to a price, on a tie the lower; with `beyond` also above the uppermost."""
        last = FARTHEST if self.endless or beyond else self.cells
        return min(range(last + 1), key=lambda number: (abs(self.line(number) - price), number))

    def number_of(self, price: float) -> int:
        """Return the line that an order of this price was for; above the uppermost they go on."""
        if self.geometric:
            return max(0, round(log(price / self.lower) / log(self.line(1) / self.lower)))
        return max(0, round((price - self.lower) * self.cells / (self.upper - self.lower)))

    def weight(self, cell: int) -> float:
        """Return the quantity of a cell for each unit: of quantity, or of money."""
        return 1 / self.line(cell) if self.by_money else 1.0

    def stock(self, empty: int) -> float:
        """Return what all cells above the empty line hold for each unit."""
        if self.endless:
            return 1 / (self.line(empty) * (1 - self.line(0) / self.line(1)))
        return sum((self.weight(cell) for cell in range(empty, self.cells)), 0.0)

    def unit(self, price: float, empty: int, taker: float) -> float:
        """Return what a cell trades: its quantity, or with `by_money` what its buy costs."""
        if self.quantity > 0:
            return self.quantity
        resting = sum(self.line(cell) * self.weight(cell) for cell in range(empty))
        return self.investment / ((resting + price * self.stock(empty)) * (1 + taker))
