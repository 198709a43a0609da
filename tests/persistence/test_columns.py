"""What the tables are made of: the fields that were promised, and no kind of column that loses a digit."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from crypto_bot.persistence.columns import Atoms
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.models import (
    AlertLog,
    BalanceSnapshot,
    Model,
    OHLCVCache,
    Order,
    Recommendation,
    StrategyState,
    Trade,
    columns_of,
    table_of,
)
from crypto_bot.persistence.projecting import Projector
from tests.persistence.made_rows import RUN, made_rows

PROMISED: dict[type[Model], tuple[str, str]] = {
    Trade: ("trades", "id order_id symbol side amount price cost fee timestamp"),
    Order: ("orders", "id symbol side type status price amount filled"),
    StrategyState: ("strategy_states", "strategy_name symbol state_data updated_at"),
    BalanceSnapshot: ("balance_snapshots", "timestamp currency free used total"),
    OHLCVCache: ("ohlcv_cache", "symbol timeframe timestamp open high low close volume"),
    AlertLog: ("alert_logs", "timestamp severity channel message delivered"),
    Recommendation: ("ml_recommendations", "timestamp symbol take_profit_ppm stop_loss_ppm confidence_ppm"),
}
EXACT = {"TEXT", "VARCHAR(32)", "CHARACTER VARYING", "BIGINT", "INTEGER", "BLOB", "BYTEA"}
"""Kinds that give back what was put in. BOOLEAN, which SQLite counts among its NUMERIC, is for yes and no alone."""
YES_OR_NO = {("trades", "maker"), ("alert_logs", "delivered")}


@pytest.mark.parametrize("model", PROMISED, ids=lambda model: model.__name__)
def test_each_model_has_the_fields_that_were_promised(model: type[Model]) -> None:
    table, fields = PROMISED[model]
    assert table_of(model).name == table
    assert set(fields.split()) <= {column.name for column in columns_of(model)}


def declared(database: Database) -> Iterator[tuple[str, str, str]]:
    """Yield table, column and kind of every column, as the database itself tells them."""
    with database.read() as connection:
        if database.is_file:
            tables = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
            for table in tables:
                for row in connection.execute(text(f"SELECT name, type FROM pragma_table_info('{table}')")):
                    yield table, row.name, row.type
            return
        query = "SELECT table_name, column_name, data_type FROM information_schema.columns"
        for table, column, kind in connection.execute(text(f"{query} WHERE table_schema = current_schema()")):
            yield table, column, kind.upper()


def test_no_column_is_of_a_kind_that_loses_digits(database: Database) -> None:
    told = list(declared(database))
    assert {table for table, *_ in told} >= {table_of(model).name for model in PROMISED} | {"journal", "audit_log"}
    inexact = [each for each in told if each[2] not in EXACT and each[:2] not in YES_OR_NO]
    assert inexact == [], "money as REAL or NUMERIC comes back changed"
    assert {each[2] for each in told if each[:2] in YES_OR_NO} == {"BOOLEAN"}


def test_money_lies_in_the_database_as_whole_numbers(database: Database) -> None:
    """Not only declared: SQLite keeps whatever it is given, under any declared kind."""
    with Journal(database, RUN, Projector(database, RUN)) as journal:
        journal.append(made_rows(200))
    kind_of = "typeof" if database.is_file else "pg_typeof"
    looked_at = 0
    with database.read() as connection:
        for table in Model.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Atoms) or column.info.get("scale") or column.info.get("time"):
                    there = f"FROM {table.name} WHERE {column.name} IS NOT NULL"
                    query = f"SELECT DISTINCT {kind_of}({column.name}) {there}"
                    kinds = {str(kind) for kind in connection.scalars(text(query))}
                    assert kinds <= {"integer", "bigint"}, f"{table.name}.{column.name}"
                    looked_at += len(kinds)
    assert looked_at > 25
