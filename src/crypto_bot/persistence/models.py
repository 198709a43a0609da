"""The tables beside the journal as SQLAlchemy models: what a run did, its candles, alerts, advice and audit.

Money is `Decimal` in Python and atoms of 1e-8 in the database; times are UTC nanoseconds. `trades`,
`orders`, `signals`, `risk_decisions`, `intents` and `balance_snapshots` are the journal told another
way: they are written in its transactions and can be made again from it.
"""

from decimal import Decimal
from typing import ClassVar

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from crypto_bot.persistence import tables
from crypto_bot.persistence.columns import AT_PRICE_SCALE, AT_QUANTITY_SCALE, TIME, Atoms, ColumnNotes

LIVE_STATUSES = ("pending", "open", "unknown", "absent")
"""Statuses of an order that may still fill."""

BY_LIVE = "INDEXED BY orders_live"
"""Said to SQLite, which would read every order of a run: it does not count rows before it chooses an index.

It needs the statuses in the query's text: of bound values it cannot tell that they are the index's.
"""


class Model(DeclarativeBase):
    """What every table here shares."""

    metadata = tables.metadata
    type_annotation_map: ClassVar = {str: Text, int: BigInteger, Decimal: Atoms, bool: Boolean}


def _of_run() -> Mapped[str]:
    return mapped_column(Text, ForeignKey("runs.run_id"), primary_key=True)


def _number() -> Mapped[int]:
    return mapped_column(BigInteger, primary_key=True, autoincrement=False)


def _time() -> Mapped[int]:
    return mapped_column(BigInteger, info=dict(TIME))


def _counted(scale: ColumnNotes) -> Mapped[int]:
    return mapped_column(BigInteger, info=dict(scale))


def _serial() -> Mapped[int]:
    """Return a key that the database counts up; SQLite does so for INTEGER alone."""
    return mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


class Run(Model):
    """One backtest or one session; its fields are told at `RunRecord`."""

    __table__ = tables.runs

    run_id: Mapped[str]
    kind: Mapped[str]
    mode: Mapped[str]
    state: Mapped[str]
    started_ns: Mapped[int]
    ended_ns: Mapped[int | None]
    manifest: Mapped[str]
    summary: Mapped[str]


class Trade(Model):
    """One fill. `id` is the number of its row in the journal; `cost` is price x amount, `fee` is in `fee_asset`.

    `account` is empty for simulated money; of a real account a venue's trade id is booked once.
    """

    __tablename__ = "trades"
    __table_args__ = (
        Index(
            "trades_once",
            "exchange",
            "account",
            "symbol",
            "venue_trade_id",
            unique=True,
            sqlite_where=text("account <> ''"),
            postgresql_where=text("account <> ''"),
        ),
        {"sqlite_with_rowid": False},
    )

    run_id: Mapped[str] = _of_run()
    id: Mapped[int] = _number()
    order_id: Mapped[int]
    strategy: Mapped[str]
    exchange: Mapped[str]
    account: Mapped[str]
    venue_trade_id: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[str]
    amount: Mapped[Decimal]
    price: Mapped[Decimal]
    cost: Mapped[Decimal]
    fee: Mapped[Decimal]
    fee_asset: Mapped[str]
    maker: Mapped[bool]
    timestamp: Mapped[int] = _time()


class Order(Model):
    """One order as it stands. `id` is the engine's number of it; a market buy has a `budget` instead of an amount.

    `status` is pending, open, filled, canceled, rejected, expired, unknown or absent; `filled` is an amount and
    `cost` its worth.
    """

    __tablename__ = "orders"
    __table_args__ = (
        Index(
            "orders_live",
            "run_id",
            sqlite_where=text("status IN ('pending', 'open', 'unknown', 'absent')"),
            postgresql_where=text("status IN ('pending', 'open', 'unknown', 'absent')"),
        ),
        {"sqlite_with_rowid": False},
    )

    run_id: Mapped[str] = _of_run()
    id: Mapped[int] = _number()
    client_order_id: Mapped[str | None]
    strategy: Mapped[str]
    exchange: Mapped[str]
    symbol: Mapped[str]
    side: Mapped[str]
    type: Mapped[str]
    status: Mapped[str]
    price: Mapped[Decimal | None]
    amount: Mapped[Decimal | None]
    budget: Mapped[Decimal | None]
    filled: Mapped[Decimal]
    cost: Mapped[Decimal]
    reason: Mapped[str | None]
    created_at: Mapped[int] = _time()
    updated_at: Mapped[int] = _time()


class SignalRecord(Model):
    """What a strategy wanted; `sequence` is the journal's row, `item` the place in its decisions."""

    __tablename__ = "signals"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: Mapped[str] = _of_run()
    sequence: Mapped[int] = _number()
    item: Mapped[int] = _number()
    timestamp: Mapped[int] = _time()
    strategy: Mapped[str]
    symbol: Mapped[str]
    wish: Mapped[str]


class RiskDecision(Model):
    """What the gate said to an order: `verdict` is approved or refused, `reason` what cut or refused it."""

    __tablename__ = "risk_decisions"
    __table_args__ = (Index("risk_decisions_by_order", "run_id", "order_id"), {"sqlite_with_rowid": False})

    run_id: Mapped[str] = _of_run()
    sequence: Mapped[int] = _number()
    item: Mapped[int] = _number()
    timestamp: Mapped[int] = _time()
    order_id: Mapped[int | None]
    strategy: Mapped[str]
    symbol: Mapped[str]
    verdict: Mapped[str]
    side: Mapped[str]
    type: Mapped[str]
    price: Mapped[Decimal | None]
    amount: Mapped[Decimal | None]
    budget: Mapped[Decimal | None]
    reason: Mapped[str | None]


class Intent(Model):
    """What was about to leave for the venue, durable before it left: `action` is place or cancel."""

    __tablename__ = "intents"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: Mapped[str] = _of_run()
    sequence: Mapped[int] = _number()
    item: Mapped[int] = _number()
    timestamp: Mapped[int] = _time()
    order_id: Mapped[int]
    action: Mapped[str]


class BalanceSnapshot(Model):
    """One currency after the journal's row `sequence`: total = free + used; `used` is kept aside for live orders.

    Written at the start, after each fill, and at the first close of each UTC day, then with `equity` in the
    quote currency's row.
    """

    __tablename__ = "balance_snapshots"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: Mapped[str] = _of_run()
    sequence: Mapped[int] = _number()
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    timestamp: Mapped[int] = _time()
    free: Mapped[Decimal]
    used: Mapped[Decimal]
    total: Mapped[Decimal]
    equity: Mapped[Decimal | None]


class Projection(Model):
    """How far the tables above tell a run's journal, and by which version of the telling."""

    __tablename__ = "projections"

    run_id: Mapped[str] = _of_run()
    sequence: Mapped[int]
    version: Mapped[int]


class OHLCVCache(Model):
    """One closed bar: `timestamp` is its open time, prices and volume are integers at the two scales beside them.

    `run_id` is the run that wrote it, None for a download.
    """

    __tablename__ = "ohlcv_cache"
    __table_args__ = ({"sqlite_with_rowid": False},)

    exchange: Mapped[str] = mapped_column(Text, primary_key=True)
    symbol: Mapped[str] = mapped_column(Text, primary_key=True)
    timeframe: Mapped[str] = mapped_column(Text, primary_key=True)
    timestamp: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, info=dict(TIME))
    open: Mapped[int] = _counted(AT_PRICE_SCALE)
    high: Mapped[int] = _counted(AT_PRICE_SCALE)
    low: Mapped[int] = _counted(AT_PRICE_SCALE)
    close: Mapped[int] = _counted(AT_PRICE_SCALE)
    volume: Mapped[int] = _counted(AT_QUANTITY_SCALE)
    price_scale: Mapped[int]
    quantity_scale: Mapped[int]
    run_id: Mapped[str | None]


class StrategyState(Model):
    """What a strategy remembers between runs, as JSON text."""

    __tablename__ = "strategy_states"

    strategy_name: Mapped[str] = mapped_column(Text, primary_key=True)
    symbol: Mapped[str] = mapped_column(Text, primary_key=True)
    state_data: Mapped[str]
    updated_at: Mapped[int] = _time()


class AlertLog(Model):
    """One alert, and whether it reached anybody."""

    __tablename__ = "alert_logs"

    id: Mapped[int] = _serial()
    timestamp: Mapped[int] = _time()
    severity: Mapped[str]
    channel: Mapped[str]
    message: Mapped[str]
    delivered: Mapped[bool]


class Recommendation(Model):
    """One piece of advice of a trained model; shares are parts per million, `details` is JSON text."""

    __tablename__ = "ml_recommendations"

    id: Mapped[int] = _serial()
    timestamp: Mapped[int] = _time()
    symbol: Mapped[str]
    timeframe: Mapped[str]
    strategy: Mapped[str]
    status: Mapped[str]
    take_profit_ppm: Mapped[int | None]
    stop_loss_ppm: Mapped[int | None]
    confidence_ppm: Mapped[int | None]
    details: Mapped[str]


class AuditRecord(Model):
    """Who did what from where, and what came of it; `digest` covers the row and, through its predecessor, all."""

    __tablename__ = "audit_log"

    id: Mapped[int] = _number()
    timestamp: Mapped[int] = _time()
    actor: Mapped[str]
    origin: Mapped[str]
    action: Mapped[str]
    details: Mapped[str]
    result: Mapped[str]
    digest: Mapped[str]


PROJECTED: tuple[type[Model], ...] = (Order, Trade, SignalRecord, RiskDecision, Intent, BalanceSnapshot)
"""What is told of each run's journal."""


def table_of(model: type[Model]) -> Table:
    """Return a model's table."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def columns_of(model: type[Model]) -> list[Column[object]]:
    """Return a model's columns in the order of its table."""
    return list(table_of(model).columns)
