"""The tables of a report: round trips and fills, the first and the last of them when there are too many."""

from collections.abc import Callable, Iterable
from typing import TypedDict

from crypto_bot.backtesting.excursions import Excursions
from crypto_bot.backtesting.figures import decimals, duration, grouped, money, percent, rounded
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.trips import Trips
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, SECOND_NS

EACH_END = 500


class Listing(TypedDict):
    """Rows of texts in the order of `columns`; times are UTC seconds. `total` is how many there are in all."""

    columns: list[str]
    total: int
    rows: list[list[str | int]]


def chosen(total: int) -> Iterable[int]:
    """Return the rows that are shown: all, or the first and the last ones."""
    return range(total) if total <= 2 * EACH_END else [*range(EACH_END), *range(total - EACH_END, total)]


def trip_listing(outcome: Outcome, trips: Trips, moves: Excursions, visible: Callable[[str], str]) -> Listing:
    """Return the round trips; the number of a chart is the instrument's place in the run."""
    rows: list[list[str | int]] = []
    bar_ns = timeframe_ns(outcome.timeframe)
    for row in chosen(trips.closed):
        k = int(trips.instrument[row])
        instrument = outcome.instruments[k]
        places = decimals(instrument.price_scale, instrument.tick)
        cost, net = int(trips.cost[row]), int(trips.net[row])
        size = rounded(int(trips.quantity[row]), ATOMS, decimals(instrument.quantity_scale, instrument.lot))
        rows.append(
            [
                int(trips.exit_ns[row]) // SECOND_NS,
                visible(instrument.symbol),
                "long" if trips.side[row] > 0 else "short",
                grouped(size, decimals(instrument.quantity_scale, instrument.lot)),
                money(int(trips.entry_price[row]), places),
                grouped(rounded(int(trips.exit_price[row]), instrument.price_scale, places), places),
                duration(int(trips.bars[row]) * bar_ns),
                money(int(trips.fees[row])),
                money(net, signed=True),
                percent(net / cost if cost else None, signed=True),
                percent(float(moves.adverse[row])),
                percent(float(moves.favourable[row]), signed=True),
                visible(outcome.strategies[int(trips.strategy[row])]),
                int(trips.entry_ns[row]) // SECOND_NS,
            ]
        )
    columns = [
        "closed",
        "symbol",
        "side",
        "quantity",
        "entry",
        "exit",
        "held",
        "fees",
        "net",
        "return",
        "mae",
        "mfe",
        "strategy",
        "opened",
    ]
    return {"columns": columns, "total": trips.closed, "rows": rows}


def fill_listing(outcome: Outcome, visible: Callable[[str], str]) -> Listing:
    """Return the fills."""
    rows: list[list[str | int]] = []
    for row in chosen(int(outcome.fills.size)):
        time_ns, strategy, k, order, side, price, quantity, fee, asset, maker = outcome.fills[row].item()
        instrument = outcome.instruments[k]
        places = decimals(instrument.price_scale, instrument.tick)
        size = decimals(instrument.quantity_scale, instrument.lot)
        paid = 2 if outcome.assets[asset] == outcome.quote else 8
        rows.append(
            [
                time_ns // SECOND_NS,
                visible(instrument.symbol),
                "buy" if side > 0 else "sell",
                grouped(rounded(price, instrument.price_scale, places), places),
                grouped(rounded(quantity, instrument.quantity_scale, size), size),
                money(fee, paid),
                visible(outcome.assets[asset]),
                "maker" if maker else "taker",
                str(order),
                visible(outcome.strategies[strategy]),
            ]
        )
    columns = ["time", "symbol", "side", "price", "quantity", "fee", "asset", "role", "order", "strategy"]
    return {"columns": columns, "total": int(outcome.fills.size), "rows": rows}
