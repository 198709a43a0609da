"""What a run did in tables of its own, candles, strategies' states, alerts, advice and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LIVE = sa.text("status IN ('pending', 'open', 'unknown', 'absent')")
REAL = sa.text("account <> ''")


def upgrade() -> None:
    """Create the tables; those told from the journal are filled by `db upgrade`, or when a run goes on."""
    _trading()
    _deciding()
    _standing_alone()


def _of_run() -> sa.Column[str]:
    return sa.Column("run_id", sa.Text, sa.ForeignKey("runs.run_id"), primary_key=True)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _texts(names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names.split()]


def _integers(names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names.split()]


def _perhaps(names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger) for name in names.split()]


def _serial() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _trading() -> None:
    op.create_table(
        "trades",
        _of_run(),
        _number("id"),
        *_integers("order_id"),
        *_texts("strategy exchange account venue_trade_id symbol side"),
        *_integers("amount price cost fee"),
        *_texts("fee_asset"),
        sa.Column("maker", sa.Boolean, nullable=False),
        *_integers("timestamp"),
        sqlite_with_rowid=False,
    )
    once = ["exchange", "account", "symbol", "venue_trade_id"]
    op.create_index("trades_once", "trades", once, unique=True, sqlite_where=REAL, postgresql_where=REAL)
    op.create_table(
        "orders",
        _of_run(),
        _number("id"),
        sa.Column("client_order_id", sa.Text),
        *_texts("strategy exchange symbol side type status"),
        *_perhaps("price amount budget"),
        *_integers("filled cost"),
        sa.Column("reason", sa.Text),
        *_integers("created_at updated_at"),
        sqlite_with_rowid=False,
    )
    op.create_index("orders_live", "orders", ["run_id"], sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_table(
        "balance_snapshots",
        _of_run(),
        _number("sequence"),
        sa.Column("currency", sa.Text, primary_key=True),
        *_integers("timestamp free used total"),
        *_perhaps("equity"),
        sqlite_with_rowid=False,
    )


def _deciding() -> None:
    op.create_table(
        "signals",
        _of_run(),
        _number("sequence"),
        _number("item"),
        *_integers("timestamp"),
        *_texts("strategy symbol wish"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "risk_decisions",
        _of_run(),
        _number("sequence"),
        _number("item"),
        *_integers("timestamp"),
        *_perhaps("order_id"),
        *_texts("strategy symbol verdict side type"),
        *_perhaps("price amount budget"),
        sa.Column("reason", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index("risk_decisions_by_order", "risk_decisions", ["run_id", "order_id"])
    op.create_table(
        "intents",
        _of_run(),
        _number("sequence"),
        _number("item"),
        *_integers("timestamp order_id"),
        *_texts("action"),
        sqlite_with_rowid=False,
    )
    op.create_table("projections", _of_run(), *_integers("sequence version"))


def _standing_alone() -> None:
    op.create_table(
        "ohlcv_cache",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("exchange", "symbol", "timeframe")),
        _number("timestamp"),
        *_integers("open high low close volume price_scale quantity_scale"),
        sa.Column("run_id", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "strategy_states",
        *(sa.Column(name, sa.Text, primary_key=True) for name in ("strategy_name", "symbol")),
        *_texts("state_data"),
        *_integers("updated_at"),
    )
    op.create_table(
        "alert_logs",
        _serial(),
        *_integers("timestamp"),
        *_texts("severity channel message"),
        sa.Column("delivered", sa.Boolean, nullable=False),
    )
    op.create_table(
        "ml_recommendations",
        _serial(),
        *_integers("timestamp"),
        *_texts("symbol timeframe strategy status"),
        *_perhaps("take_profit_ppm stop_loss_ppm confidence_ppm"),
        *_texts("details"),
    )
    op.create_table(
        "audit_log",
        _number("id"),
        *_integers("timestamp"),
        *_texts("actor origin action details result digest"),
    )
