"""The tables, defined once: queries are built from them and the migrations are held equal to them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Column("manifest", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Index("runs_by_start", "kind", "started_ns"),
)
"""One row per backtest and per session."""

journal = Table(
    "journal",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("decisions_hash", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index(
        "journal_fills",
        "run_id",
        "sequence",
        sqlite_where=text("kind = 'FILL'"),
        postgresql_where=text("kind = 'FILL'"),
    ),
    sqlite_with_rowid=False,
)
"""Every event with its outcome; rows lie in the order of their key, so an append touches one page."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("blob", LargeBinary, nullable=False),
    Column("code_version", Text, nullable=False),
)
"""The world after a row of the journal, so that a restart need not begin at the first one."""
