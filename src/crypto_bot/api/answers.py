"""The shapes of the API's answers.

Money, prices and quantities are exact decimal text; ratios are numbers; times are ISO 8601 UTC.
"""

from typing import Annotated, Any

from pydantic import BaseModel, WithJsonSchema


def row_of(count: int, *kinds: str) -> dict[str, Any]:
    """Return the schema of a row of `count` cells, told without `prefixItems`, which few clients read."""
    return {"type": "array", "items": {"type": list(kinds)}, "minItems": count, "maxItems": count}


CandleRow = Annotated[tuple[int, str, str, str, str, str], WithJsonSchema(row_of(6, "integer", "string"))]
"""Open time in epoch seconds, open, high, low, close, volume."""


class Health(BaseModel):
    """Whether the server is up; it tells nothing else."""

    status: str = "up"


class HaltAnswer(BaseModel):
    """Why no opening orders are sent."""

    reason: str
    by: str | None
    at: str
    reopens_at: str | None = None


class Feed(BaseModel):
    """The prices: `state` is waiting, ok, stale or ended; `age_ms` since the newest bar arrived."""

    state: str
    age_ms: int | None
    source: str | None


class ReplicaAge(BaseModel):
    """How long ago the journal was last looked at."""

    age_ms: int | None


class Amount(BaseModel):
    """So much of one asset."""

    asset: str
    amount: str


class Pnl(BaseModel):
    """Gains in the quote asset: total = realised + unrealised - fees (fees valued at their fills)."""

    day: str
    day_pct: float
    total: str
    total_pct: float
    realised: str
    unrealised: str
    fees: str
    other_fees: list[Amount]
    buy_and_hold_pct: float


class Drawdown(BaseModel):
    """Ratios <= 0; `limit` where one is in force."""

    now: float
    max: float
    limit: float | None
    peak_equity: str


class Status(BaseModel):
    """The bot at a glance; what is not known yet is null.

    `time` is this server's clock, `event_time` that of the newest event. `problem` is the sentence of
    what keeps the page from being up to date, `failed` names strategies that are switched off, and says why.
    """

    run_id: str | None
    mode: str | None
    state: str
    halt: HaltAnswer | None
    venue: str | None
    environment: str | None
    quote: str | None
    version: str
    symbols: list[str]
    strategies: list[str]
    timeframe: str | None
    started_at: str | None
    time: str
    event_time: str | None
    sequence: int
    bars: int
    equity: str | None
    initial_equity: str | None
    cash: str | None
    exposure: float | None
    pnl: Pnl | None
    drawdown: Drawdown | None
    open_orders: int
    trades: int
    feed: Feed
    replica: ReplicaAge
    failed: list[str]
    problem: str | None


class EquityPoint(BaseModel):
    """The equity after a bar's close; the first point is the initial equity at the first bar's open."""

    time: str
    equity: str
    buy_and_hold: str
    drawdown: float


class Equity(BaseModel):
    """The equity curve, oldest first."""

    points: list[EquityPoint]


class StrategyPnl(BaseModel):
    """What one strategy earned."""

    strategy: str
    total: str
    realised: str
    unrealised: str
    fees: str


class PnlAnswer(BaseModel):
    """What was earned, in all and by strategy; `pnl` and `equity` are null before the first event."""

    run_id: str | None
    quote: str | None
    time: str | None
    equity: str | None
    initial_equity: str | None
    pnl: Pnl | None
    drawdown: Drawdown | None
    strategies: list[StrategyPnl]


class OrderAnswer(BaseModel):
    """An order that may still fill; `distance_pct` is its price against the last one, as a ratio."""

    order_id: str
    client_order_id: str | None
    symbol: str
    strategy: str
    side: str
    type: str
    price: str | None
    quantity: str
    filled: str
    distance_pct: float | None
    status: str
    created_at: str


class Orders(BaseModel):
    """Open orders by symbol, highest price first."""

    items: list[OrderAnswer]
    next: str | None


class PositionAnswer(BaseModel):
    """What a strategy holds of a symbol; prices are null where there is none, `unrealised_pct` is a ratio."""

    symbol: str
    strategy: str
    side: str
    quantity: str
    entry_price: str
    mark_price: str | None
    value: str | None
    unrealised_pnl: str | None
    unrealised_pct: float | None
    stop_price: str | None
    take_profit_price: str | None
    opened_at: str | None


class Positions(BaseModel):
    """Open positions in the order of strategies and symbols."""

    items: list[PositionAnswer]
    next: str | None


class StrategyAnswer(BaseModel):
    """One strategy of the run; `state` is running, halted, off, failed, stopped or as the run's; `note` says why."""

    name: str
    symbol: str
    symbols: list[str]
    state: str
    pnl: str | None
    trades: int
    open_orders: int
    parameters: dict[str, bool | int | float | str | list[int | float]]
    note: str | None


class Strategies(BaseModel):
    """The strategies of the run, in its order."""

    items: list[StrategyAnswer]
    next: str | None


class TradeAnswer(BaseModel):
    """One fill, with the number of its row in the journal.

    `realised_pnl` is the gain before fees, null for an entry and where it is not known any more.
    """

    sequence: int
    venue_trade_id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    strategy: str
    side: str
    price: str
    quantity: str
    fee: str
    fee_asset: str
    maker: bool
    realised_pnl: str | None
    time: str


class Trades(BaseModel):
    """Fills, newest first."""

    items: list[TradeAnswer]
    next: str | None


class Ohlcv(BaseModel):
    """Candles, oldest first: [open time in epoch seconds, open, high, low, close, volume]."""

    symbol: str
    timeframe: str
    items: list[CandleRow]
    next: str | None
