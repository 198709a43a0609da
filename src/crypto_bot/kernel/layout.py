"""What the world is made of: flat arrays of records of 64-bit integers. A snapshot is their bytes.

A lane is one strategy on one instrument: lane = strategy * instruments + instrument. Orders and wishes
live in lanes, positions also in the account's book; the lanes sum to the account.
"""

from typing import Any, NamedTuple

import numpy as np

from crypto_bot.domain.order import LEGAL_MOVES, OrderKind, OrderState, Side
from crypto_bot.kernel.compiled import COMPILE, from_dtype, types

SLOTS = 64
TARGET_SLOT, STOP_SLOT, TAKE_SLOT, FIRST_QUOTE = 0, 1, 2, 3
QUOTES = SLOTS - FIRST_QUOTE

BUY, SELL = int(Side.BUY), int(Side.SELL)
MARKET, LIMIT, POST_ONLY = int(OrderKind.MARKET), int(OrderKind.LIMIT), int(OrderKind.POST_ONLY)
STOP, STOP_LIMIT = int(OrderKind.STOP), int(OrderKind.STOP_LIMIT)
EMPTY, PENDING, SENT, OPEN, FILLED = (int(OrderState(n)) for n in range(5))
CANCELED, REJECTED, EXPIRED, UNKNOWN, ABSENT = (int(OrderState(n)) for n in range(5, 10))
LEGAL = np.array([[int(b in LEGAL_MOVES[a]) for b in OrderState] for a in OrderState], np.int64)

FAR = 1 << 62
"""Beyond every price, quantity and amount of money that is admitted."""
HIGHEST_WORTH = FAR // 4
"""The most that one position or one order may be worth, in atoms: several of them still fit into 64 bits."""
DAY = 86_400_000_000_000

OPENS, HIGHS, LOWS, CLOSES, SUMS, VOLUMES = range(6)
"""Planes of bars[plane, time, instrument]; SUMS are running sums of the closes before the bar."""
PLANES = 6
PRESENT = 6
"""One more plane of what strategies are shown where instruments lack bars: whether there is one."""

TARGETED, QUOTED, GUARDED = 1, 2, 4
"""Bits of wish.dirty: which part of the wish has changed; and of wish.owed: which a halt has put off."""

KEEP_TRAIL, KEEP_EVEN, KEEP_TIME, KEEP_ALARM = 1, 2, 4, 8
"""Bits of wish.keeps: what is done to a position at every close; `kept` of a strategy's first lane has all lanes'."""

HALT_DRAWDOWN, HALT_DAILY_LOSS, HALT_OPERATOR, HALT_LAW, HALT_LOSSES = 1, 2, 4, 8, 16

SUBMIT, CANCEL = 1, 2
"""Effects: what the kernel wants the venue to do."""

FILL_EVENT, ORDER_EVENT, SLICE_EVENT, COMMAND_EVENT = 1, 2, 3, 4
COMMAND_HALT, COMMAND_RESUME, COMMAND_REBASE = 1, 2, 3
"""To rebase is to resume and to count drawdown and daily loss from the present equity on."""

SIGNALED, APPROVED, REFUSED, WITHDRAWN, BOOKED, HALTED, RESUMED, TURNED_DOWN = range(1, 9)
"""Kinds of notes: every signal, risk decision, order and fill is noted, hashed and kept in the log."""

NO_REASON, BY_HALT, BY_EXPOSURE, BY_CASH, BY_FILTER, BY_POSITION, BY_OVERFLOW, BY_VENUE = range(8)
BY_RISK, BY_NO_PRICE, BY_GROUP, BY_VOLATILITY, BY_KELLY, BY_EXPECTANCY, BY_PLACES, BY_COOLDOWN, BY_LOSSES = range(8, 17)
BY_DELISTED = 17
"""Why an order was refused or cut."""

GATE_SMALLEST, GATE_BLOCK = 1, 2
"""What is bought while there is too little evidence for a strategy: the smallest order, or nothing."""


def _integers(names: str) -> list[tuple[str, str]]:
    return [(name, "i8") for name in names.split()]


desk_t = np.dtype(
    _integers(
        "time_ns sequence decisions next_order_id bar_ns cash_asset equity reserved peak floor"
        " day_end day_open day_index ahead_peak halt drawdown_ppm daily_loss_ppm exposure_ppm risk_ppm laws"
        " signals approved refused cancels fills effects_done effects_made log_count log_lost"
        " gated ruled_by group_ppm kelly_ppm volatility_ppm volatility_days expectancy places cooldown_ns"
        " most_losses losses probation pause_ns pause_end_ns alarm_ns"
    )
)
purse_t = np.dtype(_integers("balance initial traded fees funding"))
book_t = np.dtype(
    _integers(
        "position worth_per_price worth_rest mult div unit base cost realised fees base_fees dust funding margin"
        " contract reserved price_scale quantity_scale tick lot min_notional most highest exposure_ppm maker_ppm"
        " taker_ppm slippage_ppm group mark calm_ppm"
    )
)
fund_t = np.dtype(_integers("balance initial reserved expected"))
sub_t = np.dtype(_integers("position cost realised fees funding strategy instrument trip_paid trip_realised trip_fees"))
quote_t = np.dtype(_integers("side price quantity post_only"))
wish_t = np.dtype(
    [
        *_integers("weight hold stop take dirty owed waiting quotes bought sold news any"),
        *_integers("keeps kept trail_ppm trail_by trail_after even_ppm life_ns trailed peak since_ns ending"),
        *_integers("cool_ns trip_paid trip_realised trip_fees trips wins won_ppm lost_ppm"),
        ("quote", quote_t, (QUOTES,)),
    ]
)
order_t = np.dtype(_integers("id state kind side price trigger quantity left asked budget reserved leaving cut"))
effect_t = np.dtype(_integers("kind lane slot"))
event_t = np.dtype(
    _integers("kind lane slot order_id state side price quantity fee fee_asset maker final time_ns code")
)
note_t = np.dtype(_integers("time_ns kind lane order_id side type price quantity money fee_asset code"))


class World(NamedTuple):
    """Everything that `advance` may change."""

    desk: Any
    purse: Any
    book: Any
    funds: Any
    subs: Any
    wish: Any
    orders: Any
    effects: Any
    event: Any
    log: Any


class Market(NamedTuple):
    """What is known of the prices: bars[plane, time, instrument], their open times, a strategy's own bars."""

    bars: Any
    times: Any
    own: Any
    due: Any


class Account(NamedTuple):
    """What one strategy sees and may write: its own part of the world."""

    equity: Any
    book: Any
    subs: Any
    wish: Any


class Memory(NamedTuple):
    """A strategy's memory, one block seen as integers and as floats, and its parameters."""

    whole: Any
    real: Any
    params: Any


class Draft(NamedTuple):
    """An order that is wanted; nothing is sent before it is approved."""

    side: int
    kind: int
    price: int
    trigger: int
    quantity: int
    budget: int


if COMPILE:

    def array_type(dtype: np.dtype[Any], dimensions: int = 1) -> Any:
        """Return numba's type of a C-contiguous array of records."""
        return types.Array(from_dtype(dtype), dimensions, "C")

    INTEGER = types.int64
    INTEGERS = types.Array(types.int64, 1, "C")
    FLOATS = types.Array(types.float64, 1, "C")
    BARS = types.Array(types.int64, 3, "C")
    WORLD = types.NamedTuple(
        [array_type(t) for t in (desk_t, purse_t, book_t, fund_t, sub_t, wish_t)]
        + [array_type(order_t, 2)]
        + [array_type(t) for t in (effect_t, event_t, note_t)],
        World,
    )
    MARKET_VIEW = types.NamedTuple([BARS, INTEGERS, BARS, INTEGERS], Market)
    ACCOUNT = types.NamedTuple([INTEGERS, array_type(book_t), array_type(sub_t), array_type(wish_t)], Account)
    MEMORY = types.NamedTuple([INTEGERS, FLOATS, FLOATS], Memory)
    WALK_SIGNATURE = INTEGER(MARKET_VIEW, INTEGER, INTEGER, ACCOUNT, MEMORY)
else:
    WALK_SIGNATURE = None
