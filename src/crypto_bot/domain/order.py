"""Orders and fills: sides, kinds, states and the moves between states that are legal."""

from dataclasses import dataclass
from enum import IntEnum


class Side(IntEnum):
    """Which way; the sign of the position change."""

    SELL = -1
    BUY = 1


class OrderKind(IntEnum):
    """How an order wants to be filled."""

    MARKET = 0
    LIMIT = 1
    POST_ONLY = 2
    STOP = 3
    STOP_LIMIT = 4


class OrderState(IntEnum):
    """Where an order stands between the wish and the exchange's last word."""

    EMPTY = 0
    PENDING = 1
    SENT = 2
    OPEN = 3
    FILLED = 4
    CANCELED = 5
    REJECTED = 6
    EXPIRED = 7
    UNKNOWN = 8
    ABSENT = 9


S = OrderState
LEGAL_MOVES: dict[OrderState, tuple[OrderState, ...]] = {
    S.EMPTY: (S.PENDING,),
    S.PENDING: (S.SENT, S.REJECTED, S.CANCELED),
    S.SENT: (S.OPEN, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.UNKNOWN),
    S.OPEN: (S.FILLED, S.CANCELED, S.EXPIRED, S.UNKNOWN),
    S.UNKNOWN: (S.OPEN, S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.ABSENT),
    S.ABSENT: (S.OPEN, S.FILLED, S.CANCELED, S.EMPTY),
    S.FILLED: (S.EMPTY,),
    S.CANCELED: (S.EMPTY,),
    S.REJECTED: (S.EMPTY,),
    S.EXPIRED: (S.EMPTY,),
}
"""From each state, where an order may go next; a slot is EMPTY again once its order is done."""
del S


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, as it was booked: integers at the instrument's scales, money in atoms."""

    time_ns: int
    symbol: str
    strategy: str
    order_id: int
    side: Side
    price: int
    quantity: int
    fee: int
    fee_asset: str
    maker: bool
