"""A grid on paper: its lines and orders, what it invests, and what every cell earns after fees.

The same arithmetic refuses a grid that cannot earn its fees before it trades, and shows a plan that can. A cell is
bought at its lower line and sold at its upper one. With fees in the quote asset it earns U (1 - f) - L (1 + f) a coin;
with fees in what is received a buy brings only 1 - f of it, and it earns (1 - f) U (1 - f) - L.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from crypto_bot.backtesting.grid_shape import GridShape
from crypto_bot.backtesting.outcome import ParamValue
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, PPM, PPM_PER_BPS
from crypto_bot.kernel.genesis import Costs

_SLACK = 1e-6
"""The part of a step that is forgiven when it is rounded down, as the words of a strategy do."""


def gain_of_cell(ratio: float, costs: Costs) -> float:
    """Return what a cell earns after fees as a share of what its buy costs; `ratio` is its upper line / its lower."""
    fee = costs.maker_ppm / PPM
    return ratio * (1 - fee) ** 2 - 1 if costs.fee_in == "received" else ratio * (1 - fee) - 1 - fee


def even_ratio(costs: Costs) -> Fraction:
    """Return how far apart two lines must lie at least, as a ratio: a cell of exactly this earns nothing."""
    fee = Fraction(costs.maker_ppm, PPM)
    return 1 / (1 - fee) ** 2 if costs.fee_in == "received" else (1 + fee) / (1 - fee)


def most_cells(shape: GridShape, costs: Costs) -> int:
    """Return the most cells up to those that are wanted with which every one of them earns its fees; exact.

    Of an arithmetic grid the uppermost cell earns least: U / (U - d) must exceed the even ratio e, so N has to stay
    below (U - L) / (U (1 - 1 / e)). All cells of a geometric one are the same: U / L must exceed e^N.
    """
    lower, upper, even = Fraction(shape.lower), Fraction(shape.upper), even_ratio(costs)
    if even == 1:
        return shape.cells
    if not shape.geometric:
        return min(shape.cells, ceil((upper - lower) / (upper * (1 - 1 / even))) - 1)
    cells, reached = 0, even
    while cells < shape.cells and reached < upper / lower:
        cells, reached = cells + 1, reached * even
    return cells


def refuse_losing_grid(params: Mapping[str, ParamValue], costs: Costs) -> None:
    """Raise UsageError when the least that a cell earns is not above 0."""
    shape = GridShape.of(params)
    most = most_cells(shape, costs)
    if most == shape.cells:
        return
    gain = gain_of_cell(shape.least_ratio, costs)
    apart = f"{100 * (shape.least_ratio - 1):.4g} %" if shape.geometric else f"{shape.line(1) - shape.lower:.6g}"
    where = "" if shape.geometric else " at the upper end"
    advice = f"take num_grids={most} or less, or a wider range" if most else "take a wider range"
    raise UsageError(
        f"grid: a cell between lines {apart} apart brings {100 * gain:.3f} %{where} "
        f"after fees of {costs.maker_ppm / PPM_PER_BPS:g} bps a side, so the grid cannot earn them: {advice}"
    )


@dataclass(frozen=True)
class Cell:
    """One cell: its lines, what it trades and earns; `profit` is money, `gain` its share of what the buy costs.

    `rests` is the order that a grid which begins now keeps for it: a buy on its lower line or a sell on its upper one.
    """

    lower: float
    upper: float
    quantity: float
    profit: float
    gain: float
    rests: str


@dataclass(frozen=True)
class GridPlan:
    """A grid that begins at a price: money in the quote asset, quantities in the base asset, lines as they trade."""

    price: float
    lines: tuple[float, ...]
    empty: int
    cells: tuple[Cell, ...]
    first_quantity: float
    first_cost: float
    resting_cost: float
    break_even: float
    remarks: tuple[str, ...]

    @property
    def invested(self) -> float:
        """The money that the first purchase and all resting buys take, fees included."""
        return self.first_cost + self.resting_cost

    @property
    def least_gain(self) -> float:
        """What the worst cell earns."""
        return min(cell.gain for cell in self.cells)

    @property
    def most_gain(self) -> float:
        """What the best cell earns."""
        return max(cell.gain for cell in self.cells)


@dataclass(frozen=True)
class _Steps:
    """How prices and quantities are rounded: to the instrument's steps, or not at all."""

    instrument: Instrument | None

    def price(self, price: float, *, up: bool) -> float:
        """Round a buy down, a sell up."""
        if self.instrument is None:
            return price
        steps = price * self.instrument.price_scale / self.instrument.tick
        whole = int(steps + 1 - _SLACK) if up else int(steps + _SLACK)
        return whole * self.instrument.tick / self.instrument.price_scale

    def quantity(self, quantity: float) -> float:
        """Round down to the lot."""
        if self.instrument is None:
            return quantity
        lots = int(quantity * self.instrument.quantity_scale / self.instrument.lot + _SLACK)
        return lots * self.instrument.lot / self.instrument.quantity_scale


def plan_grid(shape: GridShape, price: float, costs: Costs, instrument: Instrument | None = None) -> GridPlan:
    """Return the grid as it begins at a price; with an instrument, in its ticks and lots."""
    steps, taker = _Steps(instrument), costs.taker_ppm / PPM
    empty = shape.nearest(price)
    unit = shape.unit(price, empty, taker)
    unit = unit if shape.by_money else steps.quantity(unit)
    first, count = (max(0, empty - shape.cells // 2) if shape.endless else 0), shape.cells
    cells = tuple(_cell(shape, number, unit, (costs, steps, empty)) for number in range(first, first + count))
    held = sum(cell.quantity for cell in cells if cell.rests == "sell")
    held = steps.quantity(unit * shape.stock(empty)) if shape.endless else held
    bought = held * price * (1 + taker)
    resting = sum(shape.line(j) * steps.quantity(unit * shape.weight(j)) for j in range(empty))
    lines = tuple(steps.price(shape.line(j), up=j > empty) for j in range(first, first + count + 1))
    plan = GridPlan(
        price,
        lines,
        empty,
        cells,
        held,
        bought,
        resting * (1 + costs.maker_ppm / PPM),
        float(even_ratio(costs)) - 1,
        _remarks(shape, price, cells, instrument),
    )
    return plan


def _cell(shape: GridShape, number: int, unit: float, begun: tuple[Costs, _Steps, int]) -> Cell:
    """Return a cell as it trades after the start; `begun` is at what costs, in which steps and at which empty line."""
    costs, steps, empty = begun
    lower, upper = (steps.price(shape.line(number + n), up=n > 0) for n in range(2))
    quantity = steps.quantity(unit * shape.weight(number))
    fee = costs.maker_ppm / PPM
    if costs.fee_in == "received":
        profit = steps.quantity(quantity * (1 - fee)) * upper * (1 - fee) - quantity * lower
    else:
        profit = quantity * (upper * (1 - fee) - lower * (1 + fee))
    gain = profit / (quantity * lower) if quantity > 0 else gain_of_cell(upper / lower, costs)
    return Cell(lower, upper, quantity, profit, gain, "buy" if number < empty else "sell")


def _remarks(shape: GridShape, price: float, cells: tuple[Cell, ...], instrument: Instrument | None) -> tuple[str, ...]:
    """Return what a user should know before he trades this."""
    found = []
    if price < shape.lower or (price > shape.upper and not shape.endless):
        side = "below" if price < shape.lower else "above"
        found.append(
            f"the price lies {side} all lines: the grid begins with {'coins' if side == 'below' else 'money'} only"
        )
    if any(cell.quantity <= 0 for cell in cells):
        found.append("a cell trades less than a lot: put in more money, or take fewer cells")
    elif instrument is not None and instrument.min_notional:
        least = min(cell.quantity * cell.lower for cell in cells)
        if least * ATOMS < instrument.min_notional:
            floor = instrument.min_notional / ATOMS
            found.append(f"the smallest order is worth {least:.8g}, below the {floor:g} that the exchange asks for")
    return tuple(found)
