"""The replica: a pure function of the rows, whose figures agree with a book kept independently of it."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from crypto_bot.api.account import Account
from crypto_bot.api.replica import ORDERS_KEPT, TRADES_KEPT, Halt, Replica
from crypto_bot.api.series import CANDLES_KEPT, POINTS_KEPT, Candle, CandleColumns, Curve
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.persistence.payloads import Decision, FillEvent, Outcome, SliceEvent, Start, StrategyEntry, encode
from crypto_bot.persistence.row import JournalRow
from tests.grid_run import ATOMS, BAR_NS, CASH, RUN_ID, START_NS, Grid

BTC = Instrument("BTC/USDT", lot=10)
ETH = Instrument("ETH/USDT", price_scale=10_000, quantity_scale=1_000_000)
DAY = 86_400_000_000_000


def applied(rows: Iterator[JournalRow] | list[JournalRow]) -> Replica:
    replica = Replica(RUN_ID)
    for row in rows:
        replica.apply(row)
    return replica


def start_row(*instruments: Instrument, cash: int = CASH) -> JournalRow:
    start = Start("forward", [StrategyEntry("grid")], list(instruments or (BTC,)), "15m", cash, "USDT")
    return JournalRow(0, START_NS, "START", encode(start))


def slice_row(sequence: int, closes: list[int | None], outcome: Outcome | None = None) -> JournalRow:
    opened = START_NS + (sequence - 1) * BAR_NS
    bars = [None if close is None else (close, close + 5, close - 5, close, 7) for close in closes]
    told = outcome if outcome is not None else Outcome(equity=CASH, halt=0)
    return JournalRow(sequence, opened + BAR_NS, "SLICE", encode(SliceEvent(opened, bars)), encode(told))


def fill_row(
    sequence: int, side: int, price: int, quantity: int, *, fee: int = 0, asset: str = "USDT", order: int = 1
) -> JournalRow:
    fill = FillEvent(order, 0, 0, side, price, quantity, fee, asset, True, sequence, START_NS)
    return JournalRow(sequence, START_NS + sequence, "FILL", encode(fill))


def decided(sequence: int, *decisions: Decision) -> JournalRow:
    return slice_row(sequence, [30_000_00], Outcome(equity=CASH, halt=0, decisions=list(decisions)))


def approved(order: int, side: str = "buy", price: str | None = "29900.00", quantity: str = "0.02") -> Decision:
    kind = "limit" if price else "market"
    return Decision("approved", "grid", "BTC/USDT", order, side=side, type=kind, price=price, quantity=quantity)


def told(sequence: int, kind: str, payload: str, outcome: str = "{}") -> JournalRow:
    return JournalRow(sequence, START_NS + sequence, kind, payload, outcome)


def test_the_figures_agree_with_a_book_kept_elsewhere() -> None:
    grid = Grid(bars=700)
    replica = applied(grid.rows())
    account, marks = replica.account, {0: grid.close}
    value = account.value(marks, replica.instruments)
    assert (account.cash, account.fees, value) == (grid.cash, grid.fees, grid.base * grid.close)
    assert replica.equity == account.cash + value
    assert replica.equity - CASH == account.realised + value - account.cost() - account.fees
    assert {order.order_id: (order.price, order.side) for order in replica.orders.values()} == {
        order: (line, side) for line, (side, order) in grid.resting.items()
    }
    assert replica.trade_count == grid.trade_id - 88_121_000 > 50
    assert (replica.state, replica.sequence, replica.slices) == ("running", grid.sequence, 700)


@pytest.mark.parametrize("cut", [1, 2, 57, 400])
def test_a_replica_that_was_restarted_equals_one_that_never_stopped(cut: int) -> None:
    rows = list(Grid(bars=450).rows())
    first = applied(rows[:cut])
    again = applied(rows[:cut])
    assert first == again
    for row in rows[cut:]:
        again.apply(row)
    assert again == applied(rows)
    assert again != first


def test_equity_begins_with_the_cash_and_has_a_point_per_bar() -> None:
    replica = applied(Grid(bars=10).rows())
    points = replica.curve.since(None, 100)
    assert [point.time_ns for point in points] == [START_NS + number * BAR_NS for number in range(11)]
    assert points[0].equity == points[0].hold == CASH
    assert points[-1].equity == replica.equity


def test_today_counts_from_the_last_bar_of_the_day_before() -> None:
    bars = DAY // BAR_NS
    equities = [CASH + number for number in range(1, 2 * bars + 1)]
    replica = applied([start_row()])
    for sequence, equity in enumerate(equities[:bars], start=1):
        replica.apply(slice_row(sequence, [30_000_00], Outcome(equity=equity, halt=0)))
    assert replica.day_baseline == CASH
    replica.apply(slice_row(bars + 1, [30_000_00], Outcome(equity=equities[bars], halt=0)))
    assert replica.day_baseline == equities[bars - 1]


def test_buy_and_hold_buys_every_instrument_at_its_first_close() -> None:
    replica = applied([start_row(BTC, ETH, cash=1_000 * ATOMS)])
    assert replica.hold() == 1_000 * ATOMS
    replica.apply(slice_row(1, [100_00, None]))
    replica.apply(slice_row(2, [150_00, 20_0000]))
    replica.apply(slice_row(3, [200_00, 10_0000]))
    assert replica.hold() == (500 * 2 + 500 * Fraction(1, 2)) * ATOMS


def test_drawdown_is_measured_from_the_peak() -> None:
    curve = Curve()
    for number, equity in enumerate([100, 120, 90, 119, 130, 117]):
        curve.add(number, equity, 100)
    assert curve.worst == pytest.approx(-0.25) and curve.peak == 130
    assert curve.newest is not None and curve.newest.drawdown == pytest.approx(-0.1)


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_its_worst() -> None:
    curve = Curve()
    count = 3 * POINTS_KEPT
    for number in range(count):
        curve.add(number, 50 if number == 777 else 100, 100)
    assert len(curve.points) <= POINTS_KEPT
    assert curve.worst == -0.5
    points = curve.since(None, 100)
    assert (len(points), points[0].time_ns, points[-1].time_ns) == (100, 0, count - 1)
    gaps = [after.time_ns - before.time_ns for before, after in itertools.pairwise(points)]
    assert max(gaps) < 2 * count / 99
    assert [point.time_ns for point in curve.since(count - 2, 100)] == [count - 1]
    assert curve.since(count - 1, 100) == [] and len(curve.since(None, 1)) == 1


def test_candles_are_bounded_and_put_together_from_finer_ones() -> None:
    columns = CandleColumns()
    for number in range(CANDLES_KEPT + 5_000):
        columns.add(Candle(number * BAR_NS, 10, 20 + number % 4, 5 - number % 4, 11 + number % 4, 1))
    assert CANDLES_KEPT <= len(columns.times) < CANDLES_KEPT + 2_000
    last = CANDLES_KEPT + 5_000 - 1
    newest = columns.newest(2, BAR_NS, BAR_NS)
    assert [candle.time_ns for candle in newest] == [(last - 1) * BAR_NS, last * BAR_NS]
    hours = columns.newest(3, 4 * BAR_NS, BAR_NS)
    assert [candle.time_ns // BAR_NS for candle in hours] == [last - 11, last - 7, last - 3]
    assert hours[-1] == Candle((last - 3) * BAR_NS, 10, 23, 2, 14, 4)
    week = 7 * DAY
    assert columns.newest(1, week, BAR_NS)[0].time_ns % week == 4 * DAY  # weeks begin on Monday


def test_orders_rest_from_their_approval_until_they_are_done() -> None:
    replica = applied([start_row(), decided(1, approved(1), approved(2), approved(3), approved(4, price=None))])
    assert next((order.status, order.price) for order in replica.orders.values()) == ("pending", 29_900_00)
    replica.apply(told(2, "ORDER", '{"order":1,"strategy":0,"instrument":0,"state":"open"}'))
    assert replica.orders[1].status == "open"
    replica.apply(fill_row(3, 1, 29_900_00, 5_000, order=1))
    assert (replica.orders[1].filled, replica.orders[1].status) == (5_000, "open")
    replica.apply(fill_row(4, 1, 29_900_00, 15_000, order=1))
    replica.apply(told(5, "ORDER", '{"order":2,"strategy":0,"instrument":0,"state":"rejected"}'))
    replica.apply(decided(6, Decision("cancel", "grid", "BTC/USDT", 3)))
    replica.apply(told(7, "ORDER", '{"order":4,"strategy":0,"instrument":0,"state":"sent"}'))
    assert [(order.order_id, order.status) for order in replica.orders.values()] == [(4, "sent")]
    replica.apply(decided(8, Decision("turned_down", "grid", "BTC/USDT", 4)))
    assert not replica.orders


def test_an_order_whose_cancel_failed_comes_back() -> None:
    replica = applied([start_row(), decided(1, approved(1)), decided(2, Decision("cancel", "grid", "BTC/USDT", 1))])
    assert not replica.orders
    replica.apply(told(3, "ORDER", '{"order":1,"strategy":0,"instrument":0,"state":"open"}'))
    assert replica.orders[1].status == "open"
    replica.apply(told(4, "ORDER", '{"order":1,"strategy":0,"instrument":0,"state":"canceled"}'))
    assert not replica.orders and not replica.leaving


def test_memory_is_bounded() -> None:
    replica = applied([start_row()])
    for number in range(1, ORDERS_KEPT + 50):
        replica.apply(decided(number, approved(number)))
    for number in range(ORDERS_KEPT + 50, ORDERS_KEPT + 100 + TRADES_KEPT):
        replica.apply(fill_row(number, 1, 1_00, 1_000_000, order=0))
    assert len(replica.orders) == ORDERS_KEPT and min(replica.orders) == 50
    assert (len(replica.trades), replica.trade_count) == (TRADES_KEPT, TRADES_KEPT + 50)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (told(2, "COMMAND", '{"command":"halt","reason":"news","by":"ana"}'), Halt("news", "ana", START_NS + 2)),
        (
            told(2, "STOP", "{}", '{"decisions":[{"kind":"halt","reason":"daily loss"}]}'),
            Halt("daily loss", "", START_NS + 2),
        ),
        (told(2, "COMMAND", '{"command":"flatten"}', '{"halt":4}'), Halt("", "", START_NS + 2)),
        (told(2, "COMMAND", '{"command":"halt"}', '{"halt":0}'), None),
    ],
)
def test_a_halt_tells_why_and_by_whom(row: JournalRow, expected: Halt | None) -> None:
    replica = applied([start_row(), row])
    assert replica.halt == expected
    replica.apply(told(3, "COMMAND", '{"command":"resume","reason":"looked","by":"ana"}'))
    assert replica.halt is None


def test_a_run_stops_and_goes_on_with_what_it_had() -> None:
    rows = list(Grid(bars=30).rows())
    replica = applied([*rows, told(len(rows), "STOP", '{"reason":"SIGTERM"}')])
    assert (replica.state, replica.stopped) == ("stopped", "SIGTERM")
    before = replica.account
    replica.apply(replace(rows[0], sequence=len(rows) + 1))
    assert replica.state == "running" and replica.account is before and replica.slices == 30


def test_kinds_of_a_later_version_are_passed_over() -> None:
    replica = applied([start_row(), told(1, "FUNDING", '{"rate":1}')])
    assert (replica.sequence, replica.state) == (1, "running")


@pytest.mark.parametrize(
    "row",
    [
        told(1, "SLICE", '{"time":1,"bars":[[1,2'),
        told(1, "SLICE", '{"time":1,"bars":[]}', '{"equity":1,"dec'),
        decided(1, approved(1, price="thirty")),
    ],
)
def test_a_row_that_cannot_be_read_is_named(row: JournalRow) -> None:
    with pytest.raises(DataError, match=r"^row 1 \(SLICE\) of the journal cannot be read"):
        applied([start_row(), row])


def event(side: int, price: int, quantity: int, fee: int = 0, asset: str = "USDT") -> FillEvent:
    return FillEvent(1, 0, 0, side, price, quantity, fee, asset, False, 1, 0)


def test_gains_are_taken_at_average_cost() -> None:
    account = Account(1_000 * ATOMS)
    assert account.book(event(1, 100_00, 1_000_000, fee=ATOMS), BTC) is None
    assert account.book(event(1, 200_00, 1_000_000, fee=ATOMS), BTC) is None
    assert account.book(event(-1, 180_00, 1_000_000, fee=ATOMS), BTC) == 30 * ATOMS
    assert (account.cash, account.fees, account.cost()) == (877 * ATOMS, 3 * ATOMS, 150 * ATOMS)
    assert account.book(event(-1, 100_00, 1_000_000), BTC) == -50 * ATOMS
    assert account.cost() == 0 and account.holdings[0].quantity == 0


def test_a_fee_in_the_base_asset_is_valued_and_a_third_asset_is_counted_apart() -> None:
    account = Account(1_000 * ATOMS)
    account.book(event(1, 100_00, 1_000_000, fee=ATOMS // 1_000, asset="BTC"), BTC)
    account.book(event(1, 100_00, 1_000_000, fee=7, asset="BNB"), BTC)
    value = account.value({0: 100_00}, [BTC])
    assert account.holdings[0].quantity == 2 * ATOMS - ATOMS // 1_000
    assert account.fees == ATOMS // 10 and account.other_fees == {"BNB": 7}
    assert account.cash + value - 1_000 * ATOMS == account.realised + value - account.cost() - account.fees


def test_what_does_not_divide_is_rounded_against_us() -> None:
    fine = Instrument("X/USDT", price_scale=100_000_000, quantity_scale=100_000_000)
    account = Account(0)
    account.book(event(1, 1, 1), fine)
    account.book(event(-1, 1, 1), fine)
    assert account.cash == -1
