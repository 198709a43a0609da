"""What a grid earned, told apart: closed cells, the first coins, what a stop sold, and what is still held.

The profit of closed cells only ever goes up, so it says nothing by itself: beside it stand the coins that lost, and
what the same money would have made by holding. The buckets add up to the change of the equity, to the atom.

A cell is closed when what it bought is sold a line higher; its profit is that sale less that purchase, both fees paid.
A sale of coins of the first purchase closes none: it goes into a bucket of its own, at the price of that purchase.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from crypto_bot.backtesting.grid_shape import GridShape
from crypto_bot.backtesting.outcome import Outcome, ParamValue, RunLabel
from crypto_bot.domain.units import ATOMS, DAY_NS

NAME = "grid"
_BPS = 10_000


@dataclass(frozen=True)
class GridAccount:
    """Money in atoms of the quote asset. `hold_pnl` is what holding for the same investment made.

    `realised_apr` is the profit of closed cells alone, over the investment, for a year of 365 days: what is held and
    what it has lost is not in it.
    """

    cells_closed: int
    investment: int
    grid_profit: int
    initial_inventory_pnl: int
    stop_pnl: int
    floating_pnl: int
    hold_pnl: int
    realised_apr: float | None

    @property
    def total_pnl(self) -> int:
        """Everything that the grid made."""
        return self.grid_profit + self.initial_inventory_pnl + self.stop_pnl + self.floating_pnl

    @property
    def alpha(self) -> int:
        """What it made beyond holding."""
        return self.total_pnl - self.hold_pnl


@dataclass
class _Lot:
    """Coins that were bought for a cost, fees included."""

    quantity: int = 0
    cost: int = 0

    def add(self, quantity: int, cost: int) -> None:
        self.quantity += quantity
        self.cost += cost

    def take(self, quantity: int) -> tuple[int, int]:
        """Take up to so many coins out; return how many, and what they cost."""
        taken = min(quantity, self.quantity)
        cost = self.cost if taken == self.quantity else self.cost * taken // self.quantity
        self.quantity -= taken
        self.cost -= cost
        return taken, cost


@dataclass
class _Books:
    """The lots of a grid while its fills are gone through."""

    shape: GridShape
    first: _Lot = field(default_factory=_Lot)
    cells: dict[int, _Lot] = field(default_factory=dict)
    closed: int = 0
    earned: int = 0
    from_first: int = 0
    at_stop: int = 0

    def buy(self, price: float, quantity: int, cost: int) -> None:
        """Open the cell whose lower line this is."""
        self.cells.setdefault(self.shape.number_of(price), _Lot()).add(quantity, cost)

    def sell(self, price: float, quantity: int, proceeds: int) -> None:
        """Close the cell whose upper line this is; without it sell first coins, and then those of other cells."""
        own = self.shape.number_of(price) - 1
        others = sorted((cell for cell in self.cells if cell != own), reverse=True)
        left, money = quantity, proceeds
        for cell in (own, None, *others):
            lot = self.first if cell is None else self.cells.get(cell)
            if lot is None or lot.quantity == 0 or left == 0:
                continue
            taken, cost = lot.take(left)
            part = money * taken // left
            left, money = left - taken, money - part
            if cell is None:
                self.from_first += part - cost
            else:
                self.earned += part - cost
                self.closed += int(lot.quantity == 0)

    def sell_all(self, proceeds: int) -> None:
        """Sell what is held, at a stop."""
        for lot in (self.first, *self.cells.values()):
            self.at_stop -= lot.take(lot.quantity)[1]
        self.at_stop += proceeds

    @property
    def held(self) -> _Lot:
        """All that is left."""
        lots = (self.first, *self.cells.values())
        return _Lot(sum(lot.quantity for lot in lots), sum(lot.cost for lot in lots))


def account_of_run(outcome: Outcome, label: RunLabel) -> GridAccount | None:
    """Return the account of the run's grid; None when no grid took part, or when it never traded."""
    if NAME not in outcome.strategies:
        return None
    prefix = f"{NAME}." if len(outcome.strategies) > 1 else ""
    params = {name.removeprefix(prefix): value for name, value in label.params.items() if name.startswith(prefix)}
    try:
        return grid_account(outcome, params, outcome.strategies.index(NAME))
    except KeyError:
        return None  # a file of the user's own that bears the same name


def grid_account(outcome: Outcome, params: Mapping[str, ParamValue], strategy: int = 0) -> GridAccount | None:
    """Return the account of a grid with these parameters; None when it never traded."""
    shape = GridShape.of(params)
    fills = outcome.fills[(outcome.fills["strategy"] == strategy) & (outcome.fills["instrument"] == 0)]
    if not fills.size:
        return None
    instrument, books = outcome.instruments[0], _Books(shape)
    scale = instrument.price_scale * instrument.quantity_scale
    stops = bool(params.get("sell_all_on_stop")) and (params.get("stop_lower") or params.get("stop_upper"))
    opening = int(fills[0]["order_id"]) if fills[0]["side"] > 0 and not fills[0]["maker"] else -1
    for fill in fills:
        side, price, quantity, fee = (int(fill[name]) for name in ("side", "price", "quantity", "fee"))
        exact = price * quantity * ATOMS
        in_money = outcome.assets[int(fill["fee_asset"])] == outcome.quote
        if side < 0:
            proceeds = exact // scale - (fee if in_money else 0)
            if stops and not fill["maker"] and quantity + instrument.lot > books.held.quantity:
                books.sell_all(proceeds)
            else:
                books.sell(price / instrument.price_scale, quantity, proceeds)
            continue
        cost = -(-exact // scale) + (fee if in_money else 0)
        quantity -= 0 if in_money else -(-fee * instrument.quantity_scale // ATOMS)
        if int(fill["order_id"]) == opening:
            books.first.add(quantity, cost)
        else:
            books.buy(price / instrument.price_scale, quantity, cost)
    began = int(fills[0]["price"]) if opening >= 0 else int(outcome.closes[0, 0])
    return _account(outcome, books, (int(fills[0]["time_ns"]), began / instrument.price_scale))


def _account(outcome: Outcome, books: _Books, begun: tuple[int, float]) -> GridAccount:
    """Return the account at the run's last close."""
    instrument, held, (since_ns, price) = outcome.instruments[0], books.held, begun
    last = int(outcome.closes[-1, 0])
    worth = held.quantity * last * ATOMS // (instrument.price_scale * instrument.quantity_scale)
    investment = _investment(books.shape, price, outcome)
    taker = outcome.assumptions.fee_taker_bps / _BPS
    days = (int(outcome.times[-1]) - since_ns) / DAY_NS
    return GridAccount(
        cells_closed=books.closed,
        investment=round(investment * ATOMS),
        grid_profit=books.earned,
        initial_inventory_pnl=books.from_first,
        stop_pnl=books.at_stop,
        floating_pnl=worth - held.cost,
        hold_pnl=round((investment / (1 + taker) / price * last / instrument.price_scale - investment) * ATOMS),
        realised_apr=books.earned / ATOMS / investment * 365 / days if days > 0 else None,
    )


def _investment(shape: GridShape, price: float, outcome: Outcome) -> float:
    """Return the money that was put to work: what was asked for, or what lines of one quantity take."""
    if shape.quantity == 0:
        return shape.investment
    empty, fees = shape.nearest(price), outcome.assumptions
    resting = sum(shape.line(cell) for cell in range(empty)) * (1 + fees.fee_maker_bps / _BPS)
    return shape.quantity * (resting + price * shape.stock(empty) * (1 + fees.fee_taker_bps / _BPS))
