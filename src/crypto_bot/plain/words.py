"""What a plain Python strategy is shown, and what it answers; all of it is immutable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple


class PriceBar(NamedTuple):
    """One closed bar as plain decimals; `time_ns` is its open time (UTC)."""

    time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Shown(NamedTuple):
    """One closed slice: the bar of every symbol that has one, and the time at which they closed (UTC ns)."""

    time_ns: int
    bars: Mapping[str, PriceBar]


@dataclass(frozen=True, slots=True)
class Account:
    """What the strategy's part of the account is worth in the quote asset, and the quantities it holds, by symbol."""

    equity: float
    positions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Filled:
    """One execution of an order of this strategy; `fee` is in `fee_asset`."""

    order_id: int
    symbol: str
    side: Literal["buy", "sell"]
    price: float
    quantity: float
    fee: float
    fee_asset: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A limit order that is to rest: buys are rounded down to the tick, sells up."""

    side: Literal["buy", "sell"]
    price: float
    quantity: float


@dataclass(frozen=True, slots=True)
class Signal:
    """What shall be true of one symbol from now on; None leaves a part as it is.

    `share` is the part of the strategy's equity to hold, 0 to 1; `quantity` names an amount of the asset instead.
    `stop` and `take_profit` are prices that guard the position, 0 takes them away. `quotes` are all orders that shall
    rest. A signal that has opened nothing by `valid_until_ns` is withdrawn. `reason` is told by the command `why`.
    """

    symbol: str
    share: float | None = None
    quantity: float | None = None
    stop: float | None = None
    take_profit: float | None = None
    quotes: tuple[Quote, ...] | None = None
    reason: str = ""
    valid_until_ns: int | None = None
