"""The two CSV files of a run: its fills and round trips, and its equity at every bar.

Numbers are exact decimals, times ISO 8601 UTC. A file appears complete or not at all.

`--trades` has one row per fill, and after each fill that reduced a position a `round_trip` row. There `time`, `price`
and `order_id` are those of the closing fill, `side` is the side of the position (long or short), `quantity` what was
closed, `fee` both legs' fees in the quote asset. The columns after `strategy` belong to round trips alone:
`entry_time`, `entry_price` (average cost, rounded down to 8 decimals), `gross` and `net` (without and with fees),
`bars` held, and `mae` and `mfe`, the furthest the price went against and for the position, as shares of its cost.
`--equity` has one row per bar; `time` is the bar's open time, its label in every table of candles, and `equity` is
what the account was worth at that bar's close.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.atomic import replacing
from crypto_bot.backtesting.excursions import excursions
from crypto_bot.backtesting.metrics import Metrics
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.trips import Books, Trips
from crypto_bot.domain.market import IntArray
from crypto_bot.domain.units import ATOMS, SECOND_NS, format_scaled, format_time

TRADE_COLUMNS = (
    *("kind", "time", "symbol", "side", "price", "quantity", "fee", "fee_asset", "order_id", "strategy"),
    *("entry_time", "entry_price", "gross", "net", "bars", "mae", "mfe"),
)
BLOCK = 65_536


def write_trades(outcome: Outcome, metrics: Metrics, path: Path) -> None:
    """Write the fills and round trips of a run; UsageError when the file cannot be written."""
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TRADE_COLUMNS)
        writer.writerows(trade_rows(outcome, metrics.books))


def write_equity(outcome: Outcome, path: Path) -> None:
    """Write the equity of a run, a row per bar; UsageError when the file cannot be written."""
    with replacing(path) as file:
        file.write("time,equity\n")
        for first in range(0, outcome.times.size, BLOCK):
            block = slice(first, first + BLOCK)
            money = outcome.equity[block]
            whole, part = np.divmod(np.abs(money), ATOMS)
            signs = np.where(money < 0, "-", "").tolist()
            for time, sign, units, atoms in zip(
                time_texts(outcome.times[block]), signs, whole.tolist(), part.tolist(), strict=True
            ):
                tail = f".{atoms:08d}".rstrip("0") if atoms else ""
                file.write(f"{time},{sign}{units}{tail}\n")


def time_texts(times: IntArray) -> list[str]:
    """Print many times as ISO 8601 UTC, to the second where all are whole seconds."""
    if np.any(times % SECOND_NS):
        return [format_time(time) for time in times.tolist()]
    stamps: npt.NDArray[np.datetime64] = (times // SECOND_NS).astype("datetime64[s]")
    return [f"{text}Z" for text in np.datetime_as_string(stamps).tolist()]


def safe_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def trade_rows(outcome: Outcome, books: Books) -> Iterator[tuple[str | int, ...]]:
    """Give the rows in the order of the fills, a round trip after the fill that closed it."""
    strategies = [safe_cell(name) for name in outcome.strategies]
    symbols = [safe_cell(instrument.symbol) for instrument in outcome.instruments]
    assets = [safe_cell(asset) for asset in outcome.assets]
    trips, trip, moves = books.trips, 0, excursions(outcome, books)
    closing, adverse, favourable = trips.fill.tolist(), moves.adverse.tolist(), moves.favourable.tolist()
    fills = outcome.fills
    names = ("time_ns", "strategy", "instrument", "order_id", "side", "price", "quantity", "fee", "fee_asset")
    rows = zip(*(fills[name].tolist() for name in names), strict=True)
    for row, (time_ns, strategy, k, order_id, side, price, quantity, fee, asset) in enumerate(rows):
        instrument = outcome.instruments[k]
        yield (
            *("fill", format_time(time_ns), symbols[k], "buy" if side > 0 else "sell"),
            *(instrument.price_text(price), instrument.quantity_text(quantity)),
            *(format_scaled(fee, ATOMS), assets[asset], order_id, strategies[strategy]),
            *("", "", "", "", "", "", ""),
        )
        if trip < len(closing) and closing[trip] == row:
            yield (
                *_trip_row(outcome, trips, trip, (symbols[k], strategies[strategy])),
                *(f"{adverse[trip]:.6f}", f"{favourable[trip]:.6f}"),
            )
            trip += 1


def _trip_row(outcome: Outcome, trips: Trips, row: int, names: tuple[str, str]) -> tuple[str | int, ...]:
    """Return the row of one round trip but for its excursions; `names` are its symbol and strategy."""
    instrument = outcome.instruments[int(trips.instrument[row])]
    money = [format_scaled(int(column[row]), ATOMS) for column in (trips.quantity, trips.fees, trips.gross, trips.net)]
    return (
        *("round_trip", format_time(int(trips.exit_ns[row])), names[0], "long" if trips.side[row] > 0 else "short"),
        *(instrument.price_text(int(trips.exit_price[row])), money[0]),
        *(money[1], safe_cell(outcome.quote), int(trips.order_id[row]), names[1]),
        *(format_time(int(trips.entry_ns[row])), format_scaled(int(trips.entry_price[row]), ATOMS)),
        *(money[2], money[3], int(trips.bars[row])),
    )
