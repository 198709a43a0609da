"""A run's equity and trades as polars frames, for notebooks; numbers are floats, to be drawn and counted with."""

import polars as pl

from crypto_bot.backtesting.bracket import Bracket
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.tables import TRADE_COLUMNS, trade_rows
from crypto_bot.domain.units import ATOMS

_TIMES = ("time", "entry_time")
_WHOLE = ("order_id", "bars")
_TEXTS = ("kind", "symbol", "side", "fee_asset", "strategy")


def equity_frame(outcome: Outcome) -> pl.DataFrame:
    """Return `time`, each bar's open, and `equity` at its close."""
    times = pl.Series("time", outcome.times).cast(pl.Datetime("ns", "UTC"))
    return pl.DataFrame([times, pl.Series("equity", outcome.equity / ATOMS)])


def trades_frame(outcome: Outcome, metrics: Metrics) -> pl.DataFrame:
    """Return fills and round trips with the columns of the CSV file; what a fill has no word for is null."""
    rows = [tuple(str(cell) for cell in row) for row in trade_rows(outcome, metrics.books)]
    texts = pl.DataFrame(rows, schema=dict.fromkeys(TRADE_COLUMNS, pl.String), orient="row")
    filled = texts.with_columns(pl.all().replace("", None))
    return filled.with_columns(
        pl.col(_TIMES).str.to_datetime(time_unit="ns", time_zone="UTC"),
        pl.col(_WHOLE).cast(pl.Int64),
        pl.exclude(*_TIMES, *_WHOLE, *_TEXTS).cast(pl.Float64),
    )


def bracket_frame(bracket: Bracket) -> pl.DataFrame:
    """Return one row per way of filling: `way`, `final_equity`, `total_return`, `max_drawdown` and `fills`."""
    return pl.DataFrame(
        [(way.fills, way.final_equity / ATOMS, way.total_return, way.deepest, way.executions) for way in bracket.ways],
        schema={
            "way": pl.String,
            "final_equity": pl.Float64,
            "total_return": pl.Float64,
            "max_drawdown": pl.Float64,
            "fills": pl.Int64,
        },
        orient="row",
    )
