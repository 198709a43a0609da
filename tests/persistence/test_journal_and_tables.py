"""Journal and tables, on both databases: committed together, told alike however they were cut, mended if spoilt."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine.interfaces import DBAPICursor

from crypto_bot.domain.errors import DataError, RunFailed
from crypto_bot.persistence.booking import Books
from crypto_bot.persistence.comparing import Difference, check_runs, lagging, rebuild
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, Remembered
from crypto_bot.persistence.models import (
    PROJECTED,
    BalanceSnapshot,
    Model,
    OHLCVCache,
    Order,
    Trade,
    table_of,
)
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.runs import RunRecord, Runs
from crypto_bot.persistence.unit_of_work import UnitOfWork
from tests.persistence.made_rows import RUN, made_rows

TOLD: list[type[Model]] = [*PROJECTED, OHLCVCache]


def write(database: Database, rows: list[JournalRow], cuts: tuple[int, ...] = ()) -> None:
    """Append rows in pieces, each by a journal of its own, as after a restart."""
    for first, last in pairwise([0, *cuts, len(rows)]):
        with Journal(database, RUN, Projector(database, RUN)) as journal:
            for begin in range(first, last, 7):
                journal.append(rows[begin : min(begin + 7, last)])


def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    with database.read() as connection:
        for model in TOLD:
            table = table_of(model)
            found[table.name] = sorted((tuple(row) for row in connection.execute(select(table))), key=str)
    return found


def change(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement))


def test_tables_say_what_the_journal_says_however_it_was_written(database: Database) -> None:
    rows = list(made_rows(900))
    write(database, rows, cuts=(1, 2, 250, 251, 640))
    verdict = check_runs(database)
    assert (verdict.differences, verdict.rows, verdict.runs) == ((), 900, 1)
    before = contents(database)
    assert all(before.values())
    rebuild(database, RUN)
    assert contents(database) == before


def test_the_journal_reads_back_chained(database: Database) -> None:
    rows = list(made_rows(120))
    write(database, rows)
    journal = Journal(database, RUN)
    assert journal.verify() == 120
    last = journal.last()
    assert last is not None and last.sequence == 119 and last.kind == "STOP"
    assert [row.sequence for row in journal.read(after=9, limit=3)] == [10, 11, 12]
    journal.save_snapshot(119, b"\x00\xff", "v")
    kept = journal.latest_snapshot()
    assert kept is not None and kept.blob == b"\x00\xff"
    journal.close()


def test_a_snapshot_brings_what_strategies_remember_up_to_date(database: Database) -> None:
    write(database, list(made_rows(20)))
    journal = Journal(database, RUN)
    for bars in (1, 2):
        minds = [Remembered("grid", symbol, f'{{"bars": {bars}}}') for symbol in ("A/USDT", "B/USDT")]
        journal.save_snapshot(10 + bars, b"", "v", time_ns=bars, minds=minds)
    journal.close()
    with UnitOfWork(database) as work:
        kept = work.states.get("grid", "B/USDT")
        assert kept is not None and (kept.state_data, kept.updated_at) == ('{"bars": 2}', 2)


def test_a_balance_is_the_sum_of_its_fills(database: Database) -> None:
    write(database, list(made_rows(400)))
    with database.read() as connection:
        trades = connection.execute(select(table_of(Trade))).all()
        newest = connection.execute(select(table_of(BalanceSnapshot)).order_by(BalanceSnapshot.sequence)).all()
    held = {"USDT": 10_000, "BTC": 0, "DOGE": 0, "BNB": 0}
    for trade in trades:
        sign = 1 if trade.side == "buy" else -1
        base, quote = trade.symbol.split("/")
        for currency, amount in (
            (base, sign * trade.amount),
            (quote, -sign * trade.cost),
            (trade.fee_asset, -trade.fee),
        ):
            held[currency] += amount
    told = {row.currency: row.total for row in newest}
    assert told == {currency: amount for currency, amount in held.items() if currency in told} and len(told) == 4
    assert all(row.total == row.free + row.used for row in newest)


def test_an_order_has_what_its_fills_brought(database: Database) -> None:
    write(database, list(made_rows(600)))
    with database.read() as connection:
        orders = {row.id: row for row in connection.execute(select(table_of(Order)))}
        sums = select(Trade.order_id, func.sum(Trade.amount), func.sum(Trade.cost)).group_by(Trade.order_id)
        for number, amount, cost in connection.execute(sums):
            assert (orders[number].filled, orders[number].cost) == (amount, cost)
    assert {order.status for order in orders.values()} >= {"filled", "open", "canceled", "rejected", "expired"}


class Failing(Projector):
    """Fails after it has written, as often as it is told."""

    failures = 1

    def write(self, cursor: DBAPICursor, rows: Sequence[JournalRow]) -> None:
        super().write(cursor, rows)
        if self.failures:
            self.failures -= 1
            raise RunFailed("the disk is gone")


def test_nothing_is_kept_of_a_batch_that_fails_and_the_next_one_goes_on(database: Database) -> None:
    rows = list(made_rows(60))
    write(database, rows[:30])
    before = contents(database)
    with Journal(database, RUN, Failing(database, RUN)) as journal:
        with pytest.raises(RunFailed, match="the disk is gone"):
            journal.append(rows[30:])
        assert contents(database) == before and Journal(database, RUN).verify() == 30
        with pytest.raises(ValueError, match="cannot follow"):
            journal.append(rows[31:])
        journal.append(rows[30:])
    assert check_runs(database).differences == ()


def test_a_connection_that_breaks_is_told_and_the_journal_goes_on(database: Database) -> None:
    if database.is_file:
        pytest.skip("a file has no connection that breaks")
    rows = list(made_rows(60))
    with Journal(database, RUN, Projector(database, RUN)) as journal:
        journal.append(rows[:30])
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        with database.engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {others}")
        with pytest.raises(RunFailed, match="does not answer.*start again"):
            journal.append(rows[30:])
        journal.append(rows[30:])
    assert check_runs(database).differences == () and Journal(database, RUN).verify() == 60


def test_a_second_writer_is_refused_and_leaves_nothing(database: Database) -> None:
    rows = list(made_rows(40))
    with Journal(database, RUN, Projector(database, RUN)) as first, Journal(database, RUN) as second:
        first.append(rows[:20])
        second.append(rows[20:21])
        with pytest.raises(RunFailed, match="another process writes to this run"):
            first.append(rows[20:])
    assert Journal(database, RUN).verify() == 21
    assert lagging(database) == [RUN]
    with Journal(database, RUN, Projector(database, RUN)) as again:
        again.append(rows[21:])
    assert check_runs(database).differences == ()


SPOILT: list[tuple[str, Callable[[Difference], bool]]] = [
    ("UPDATE orders SET status = 'open' WHERE status = 'canceled'", lambda d: "status is 'open'" in d.why),
    ("UPDATE trades SET fee = fee + 1", lambda d: d.table == "trades" and d.why.startswith("fee is")),
    ("DELETE FROM intents WHERE item = 1", lambda d: d.why == "the row is missing"),
    ("UPDATE signals SET item = 90 WHERE item = 0", lambda d: d.table == "signals"),
    ("UPDATE balance_snapshots SET total = 0 WHERE currency = 'BTC'", lambda d: "total is 0" in d.why),
    ("UPDATE ohlcv_cache SET high = high + 1", lambda d: d.table == "ohlcv_cache"),
    ("DELETE FROM ohlcv_cache", lambda d: d.table == "ohlcv_cache" and d.why == "the row is missing"),
    ("DELETE FROM projections", lambda d: d.table == "projections"),
    ("UPDATE projections SET sequence = 5", lambda d: "do not tell the whole journal" in d.why),
]


@pytest.mark.parametrize(("statement", "told"), SPOILT, ids=[statement[:30] for statement, _ in SPOILT])
def test_whatever_differs_is_told_and_mended(
    database: Database, statement: str, told: Callable[[Difference], bool]
) -> None:
    write(database, list(made_rows(150)))
    change(database, statement)
    found = check_runs(database).differences
    assert found and all(told(each) and each.run_id == RUN for each in found)
    rebuild(database, RUN)
    assert check_runs(database).differences == ()


def test_a_changed_journal_is_not_compared_but_refused(database: Database) -> None:
    write(database, list(made_rows(50)))
    change(database, "UPDATE journal SET outcome = '{ }' WHERE sequence = 7")
    with pytest.raises(DataError, match=f"row 7 of run {RUN}"):
        check_runs(database)


def test_a_bar_that_a_later_run_wrote_is_no_difference(database: Database) -> None:
    write(database, list(made_rows(80)))
    Runs(database).start(RunRecord("later", "run", "forward", "running", 2))
    change(database, "UPDATE ohlcv_cache SET run_id = 'later', high = high + 1")
    assert check_runs(database).differences == ()


def test_a_fill_of_a_real_account_is_booked_once(database: Database) -> None:
    write(database, list(made_rows(60)))
    change(database, "UPDATE trades SET account = 'main', venue_trade_id = CAST(id AS TEXT)")
    with pytest.raises(Exception, match="(?i)unique"):
        change(database, "UPDATE trades SET venue_trade_id = 'the same', symbol = 'BTC/USDT'")


def test_books_hold_only_what_lives() -> None:
    """A run of a year must not grow in memory with its finished orders."""
    books = Books(RUN)
    for row in made_rows(5_000):
        books.apply(row)
        books.take()
    assert 0 < len(books.live) <= 70 and books.changes.added == {}
