"""Repositories and the unit of work, on both databases, waited for and not."""

from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import event

import crypto_bot
from crypto_bot.domain.errors import RunFailed
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.models import LIVE_STATUSES, AlertLog, Order, Recommendation, StrategyState
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.repositories import Filter
from crypto_bot.persistence.unit_of_work import AsyncDatabase, Repositories, UnitOfWork
from tests.persistence.made_rows import BEGIN_NS, HOUR_NS, RUN, made_rows


def fill(database: Database, count: int = 400) -> None:
    with Journal(database, RUN, Projector(database, RUN)) as journal:
        journal.append(made_rows(count))


def an_order(number: int, amount: Decimal) -> Order:
    return Order(
        run_id=RUN, id=number, strategy="mine", exchange="binance", symbol="BTC/USDT", side="buy", type="limit",
        status="open", price=Decimal("90123.12345678"), amount=amount, filled=Decimal(0), cost=Decimal(0),
        created_at=1, updated_at=1,
    )  # fmt: skip


def test_money_comes_back_digit_for_digit(database: Database) -> None:
    amounts = [Decimal("0.00000001"), Decimal("90123.12345678"), Decimal("92233720368.54775807")]
    with UnitOfWork(database) as work:
        for number, amount in enumerate(amounts):
            work.orders.add(an_order(number, amount))
        work.commit()
    with UnitOfWork(database) as work:
        found = [work.orders.get(RUN, number) for number in range(3)]
        assert [order.amount for order in found if order is not None] == amounts
        kinds = work.session.connection().exec_driver_sql("SELECT price, amount FROM orders").all()
        assert all(isinstance(cell, int) for row in kinds for cell in row)


@pytest.mark.parametrize(
    ("amount", "error"), [(0.1, TypeError), (Decimal("1e-9"), ValueError), (Decimal("1e12"), ValueError)]
)
def test_what_atoms_cannot_hold_is_refused_and_nothing_kept(
    database: Database, amount: Decimal, error: type[Exception]
) -> None:
    with pytest.raises(Exception) as caught, UnitOfWork(database) as work:
        work.orders.add(an_order(1, Decimal(1)))
        work.orders.add(an_order(2, amount))
        work.commit()
    assert isinstance(caught.value, error) or isinstance(caught.value.__cause__, error)
    with UnitOfWork(database) as work:
        assert work.orders.get(RUN, 1) is None


def test_the_names_that_programs_import_work_on_an_address(database: Database, url: str) -> None:
    fill(database)
    with crypto_bot.UnitOfWork(url) as work:
        run = work.runs.latest("run")
        assert run is not None and run.mode == "forward" and work.runs.get(RUN) is run and work.runs.get("none") is None
        assert work.runs.latest("backtest") is None
        work.orders.add(an_order(10**6, Decimal(1)))
        work.commit()
    with crypto_bot.UnitOfWork(url, readonly=True) as work:
        orders, trades = crypto_bot.OrderRepository(work.session), crypto_bot.TradeRepository(work.session)
        assert orders.get(RUN, 10**6) is not None
        assert trades.page(RUN).items and trades.page(RUN).items == work.trades.page(RUN).items
        with pytest.raises(Exception, match="(?i)read-?only|cannot be|may not be"):
            orders.add(an_order(10**7, Decimal(1)))
            work.commit()


def test_live_orders_are_found_without_looking_at_the_others(database: Database) -> None:
    fill(database)
    with UnitOfWork(database) as work:
        live = work.orders.live(RUN)
        everything = work.orders.page(RUN, limit=1_000).items
        assert [order.id for order in live] == sorted(each.id for each in everything if each.status in LIVE_STATUSES)
        if database.is_file:
            asked: list[str] = []
            connection = work.session.connection()
            event.listen(connection, "before_cursor_execute", lambda *found: asked.append(found[2]))
            work.orders.live(RUN)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", (RUN,)).all()
            assert "orders_live" in str(plan)


def test_without_commit_nothing_is_kept(database: Database) -> None:
    with UnitOfWork(database) as work:
        alert = work.alerts.add(AlertLog(timestamp=1, severity="info", channel="log", message="m", delivered=False))
        assert alert.id == 1
    with pytest.raises(ZeroDivisionError), UnitOfWork(database) as work:
        work.states.put(StrategyState(strategy_name="grid", symbol="BTC/USDT", state_data="{}", updated_at=1))
        work.commit()
        raise ZeroDivisionError
    with UnitOfWork(database) as work:
        assert work.alerts.page().items == [] and work.states.get("grid", "BTC/USDT") is None


def test_pages_go_on_where_the_last_one_ended(database: Database) -> None:
    fill(database)
    with UnitOfWork(database) as work:
        everything = work.trades.page(RUN, limit=1_000).items
        seen, before = list[int](), None
        while True:
            page = work.trades.page(RUN, before=before, limit=7)
            seen += [trade.id for trade in page.items]
            before = page.next
            if before is None:
                break
        assert seen == [trade.id for trade in everything] == sorted(seen, reverse=True) and len(seen) > 30
        with pytest.raises(ValueError, match="1 to 1000"):
            work.trades.page(RUN, limit=1_001)


def test_lists_are_narrowed(database: Database) -> None:
    fill(database)
    with UnitOfWork(database) as work:
        sold = work.trades.page(RUN, Filter(symbol="DOGE/USDT", side="sell"), limit=1_000).items
        assert sold and {(trade.symbol, trade.side) for trade in sold} == {("DOGE/USDT", "sell")}
        filled = work.orders.page(RUN, Filter(status="filled", strategy="grid"), limit=1_000).items
        assert filled and {(order.status, order.strategy) for order in filled} == {("filled", "grid")}
        edge = filled[len(filled) // 2].created_at
        early = work.orders.page(RUN, Filter(end_ns=edge - 1), limit=1_000).items
        late = work.orders.page(RUN, Filter(start_ns=edge), limit=1_000).items
        assert len(early) + len(late) == len(work.orders.page(RUN, limit=1_000).items) and early and late


def test_an_order_tells_its_story(database: Database) -> None:
    fill(database)
    with UnitOfWork(database) as work:
        order = next(each for each in work.orders.page(RUN, Filter(status="filled"), limit=1_000).items if each.price)
        story = work.orders.story(RUN, order.id)
        assert story is not None and work.orders.story(RUN, 10**9) is None
        assert [each.verdict for each in story.decisions] == ["approved"]
        assert next(each.action for each in story.intents) == "place"
        assert len(story.signals) == 1 and story.signals[0].sequence == story.decisions[0].sequence
        assert sum(trade.amount for trade in story.trades) == order.filled > 0
        assert {each.id for each in work.orders.live(RUN)}.isdisjoint({order.id})


def test_balances_are_found_newest_and_daily(database: Database) -> None:
    fill(database)
    with UnitOfWork(database) as work:
        latest = work.balances.latest(RUN)
        assert set(latest) == {"USDT", "BTC", "DOGE", "BNB"}
        daily = work.balances.daily(RUN)
        assert [row.currency for row in daily] == ["USDT"] * len(daily) and daily[0].equity == 10_000
        days = [(row.timestamp - 1) // (24 * HOUR_NS) for row in daily[1:]]
        assert days == sorted(set(days)) and len(days) >= 4


def candles(rows: int, close: int) -> Candles:
    times = BEGIN_NS + np.arange(rows, dtype=np.int64) * HOUR_NS
    column = np.full(rows, close, np.int64)
    volume = np.full(rows, 2**62, np.int64)
    return Candles(Instrument("BTC/USDT"), "1h", times, column, column + 5, column - 5, column, volume)


def test_candles_are_stored_read_and_overwritten(database: Database) -> None:
    with UnitOfWork(database) as work:
        assert work.candles.load("binance", "BTC/USDT", "1h") is None
        assert work.candles.store(candles(7_000, 100)) == 7_000
        assert work.candles.store(candles(10, 200), run_id=RUN) == 10
        work.commit()
    with UnitOfWork(database) as work:
        found = work.candles.load("binance", "BTC/USDT", "1h")
        assert found is not None and len(found) == 7_000 and int(found.volume[0]) == 2**62
        assert found.close[:12].tolist() == [200] * 10 + [100] * 2
        assert found.instrument == Instrument("BTC/USDT")
        page = work.candles.page("binance", "BTC/USDT", "1h", end_ns=int(found.times[10]), limit=3)
        assert [(bar.close, bar.run_id) for bar in page] == [(200, RUN), (200, RUN), (100, None)]


def test_alerts_states_and_advice_are_remembered(database: Database) -> None:
    with UnitOfWork(database) as work:
        for number in range(3):
            work.alerts.add(AlertLog(timestamp=number, severity="warn", channel="log", message="é", delivered=False))
        work.alerts.mark_delivered(2)
        work.states.put(StrategyState(strategy_name="g", symbol="S", state_data="{}", updated_at=1))
        work.states.put(StrategyState(strategy_name="g", symbol="S", state_data='{"a":1}', updated_at=2))
        for number in range(2):
            work.recommendations.add(
                Recommendation(timestamp=number, symbol="S", timeframe="1h", strategy="g", status="ok",
                               take_profit_ppm=20_000, stop_loss_ppm=None, confidence_ppm=600_000, details="{}")
            )  # fmt: skip
        work.commit()
    with UnitOfWork(database) as work:
        assert [(each.id, each.delivered) for each in work.alerts.page().items] == [(3, False), (2, True), (1, False)]
        state, advice = work.states.get("g", "S"), work.recommendations.latest("S", "1h", "g")
        assert state is not None and state.state_data == '{"a":1}' and advice is not None and advice.timestamp == 1


def test_a_reader_sees_one_state_and_cannot_write(database: Database, url: str) -> None:
    fill(database, 50)
    with Database.open(url, readonly=True) as reader, UnitOfWork(reader) as seen:
        assert seen.trades.page(RUN) is not None
        before = len(seen.orders.page(RUN, limit=1_000).items)
        with UnitOfWork(database) as work:
            work.orders.add(an_order(10**6, Decimal(1)))
            work.commit()
        assert len(seen.orders.page(RUN, limit=1_000).items) == before
    with Database.open(url, readonly=True) as reader:
        with pytest.raises(RunFailed, match="reading only"), reader.write():
            pass
        with pytest.raises(Exception, match="(?i)read-?only|cannot be|may not be"), UnitOfWork(reader) as work:
            work.orders.add(an_order(10**7, Decimal(1)))
            work.commit()


async def test_the_same_repositories_without_blocking(database: Database, url: str) -> None:
    fill(database)

    def count(found: Repositories) -> tuple[int, list[str]]:
        return len(found.trades.page(RUN, limit=1_000).items), sorted(found.balances.latest(RUN))

    with UnitOfWork(database) as work:
        expected = count(work)
    there = AsyncDatabase.open(url)
    try:
        assert await there.look_up(count) == expected
    finally:
        await there.close()
