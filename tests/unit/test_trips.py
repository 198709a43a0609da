"""Round trips by hand: what was paid, what came back, which fee belongs to which."""

import pytest

from crypto_bot.backtesting.excursions import excursions
from crypto_bot.backtesting.metrics import Metrics, measure
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from tests.outcomes import Ledger, outcome_of, random_candles


def run(fills: list[tuple[int, int, str, str]], *, ppm: int = 1_000, strategies: list[int] | None = None) -> Outcome:
    """Return a run of fills (bar, side, price, quantity) on one instrument."""
    candles = random_candles(Instrument("BTC/USDT"), 50, seed=3)
    ledger, equity = Ledger((candles,), 10_000 * ATOMS), []
    owners = strategies or [0] * len(fills)
    for bar in range(50):
        for (when, side, price, quantity), owner in zip(fills, owners, strict=True):
            if when == bar:
                coin = candles.instrument
                ledger.trade(
                    bar, 0, side, coin.parse_price(price), coin.parse_quantity(quantity), strategy=owner, ppm=ppm
                )
        equity.append(ledger.worth(bar))
    return outcome_of(ledger, equity, initial=10_000 * ATOMS, strategies=("grid", "simple_ma"))


def trips_of(outcome: Outcome) -> tuple[Metrics, list[tuple[int, ...]]]:
    found = measure(outcome)
    assert found.books_gap == 0
    trips = found.books.trips
    return found, list(zip(trips.gross.tolist(), trips.fees.tolist(), trips.net.tolist(), strict=True))


def test_one_purchase_sold_in_two_parts_makes_two_trips() -> None:
    found, rows = trips_of(run([(2, 1, "100", "2"), (5, -1, "110", "1"), (9, -1, "90", "1")]))
    fee = ATOMS // 10  # 0.1 % of 100
    assert rows == [
        (10 * ATOMS, fee + 11 * ATOMS // 100, 10 * ATOMS - 21 * ATOMS // 100),
        (-10 * ATOMS, fee + 9 * ATOMS // 100, -10 * ATOMS - 19 * ATOMS // 100),
    ]
    trips = found.books.trips
    assert (trips.bars.tolist(), trips.fill.tolist()) == ([3, 7], [1, 2])
    assert trips.entry_price.tolist() == [100 * ATOMS] * 2
    assert (found.scores.wins, found.scores.losses, found.scores.win_rate) == (1, 1, 0.5)
    assert found.scores.expectancy == -20 * ATOMS // 100
    assert found.books.open == ()


def test_cost_is_the_average_of_all_purchases_before() -> None:
    found, rows = trips_of(
        run([(1, 1, "100", "1"), (2, 1, "130", "2"), (3, -1, "150", "1.5"), (4, 1, "10", "1")], ppm=0)
    )
    assert [gross for gross, _, _ in rows] == [45 * ATOMS]  # 1.5 x (150 - 120)
    (position,) = found.books.open
    assert (position.held, position.cost) == (25 * ATOMS // 10, (180 + 10) * ATOMS)


def test_a_part_of_the_cost_is_rounded_as_the_ledger_does_and_nothing_is_lost() -> None:
    found, rows = trips_of(run([(1, 1, "100.01", "3"), (2, -1, "100", "0.333333"), (3, -1, "100", "2.666667")]))
    cost = 30_003 * ATOMS // 100
    part = cost * 333_333 // 3_000_000
    assert rows[0][0] == 33_333_300 * ATOMS // 1_000_000 - part
    assert sum(gross for gross, _, _ in rows) == 300 * ATOMS - cost
    assert found.books.fees == sum(fees for _, fees, _ in rows)


def test_two_strategies_on_one_instrument_keep_their_own_books() -> None:
    fills = [(1, 1, "100", "1"), (2, 1, "200", "1"), (3, -1, "150", "1"), (4, -1, "150", "1")]
    found, rows = trips_of(run(fills, ppm=0, strategies=[0, 1, 1, 0]))
    assert [gross for gross, _, _ in rows] == [-50 * ATOMS, 50 * ATOMS]
    assert found.books.trips.strategy.tolist() == [1, 0]


def test_a_fill_that_turns_the_position_ends_one_trip_and_opens_the_next() -> None:
    found, rows = trips_of(run([(1, 1, "100", "1"), (2, -1, "110", "3"), (4, 1, "90", "2")], ppm=1_000))
    assert [gross for gross, _, _ in rows] == [10 * ATOMS, 40 * ATOMS]
    assert found.books.trips.side.tolist() == [1, -1]
    assert sum(fees for _, fees, _ in rows) == found.books.fees


def test_a_fee_in_the_base_asset_is_paid_from_the_position_and_valued_at_the_fill() -> None:
    outcome = run([(1, 1, "100", "1"), (2, -1, "110", "0.999")], ppm=0)
    outcome.fills["fee"][0], outcome.fills["fee_asset"][0] = ATOMS // 1_000, 1
    outcome.equity[:] = 10_000 * ATOMS
    outcome.equity[2:] = 10_000 * ATOMS - 100 * ATOMS + 10_989 * ATOMS // 100
    found, rows = trips_of(outcome)
    assert rows == [(999 * ATOMS // 100, ATOMS // 10, 989 * ATOMS // 100)]
    assert found.books.fees == ATOMS // 10
    assert found.books.open == ()


def test_less_than_a_lot_that_a_fee_leaves_is_no_position() -> None:
    """The next purchase opens a trip of its own: its time, its bars, how far the price went; and nothing was held."""
    outcome = run([(1, 1, "100", "1"), (2, -1, "110", "0.998999"), (7, 1, "100", "1"), (9, -1, "90", "1")], ppm=0)
    outcome.fills["fee"][0], outcome.fills["fee_asset"][0] = 100_050, 1
    found = measure(outcome)
    trips, moves = found.books.trips, excursions(outcome, found.books)
    assert (trips.closed, [each.held for each in found.books.open]) == (2, [50])
    assert trips.entry_ns.tolist() == outcome.times[[1, 7]].tolist() and trips.bars.tolist() == [1, 2]
    low = int(outcome.candles[0].low[7:9].min()) / 100
    assert moves.adverse[1] == pytest.approx(min(low, 90) / 100 - 1, rel=1e-5), "not what came before it was bought"
    assert found.exposure == 3 / 50


def test_a_fee_in_a_third_asset_is_told_and_kept_out_of_the_figures() -> None:
    outcome = run([(1, 1, "100", "1"), (2, -1, "110", "1")], ppm=0)
    outcome.fills["fee"], outcome.fills["fee_asset"] = [3, 4], 2
    found = measure(outcome)
    assert (found.books.other_fees, found.books.fees, found.net) == ((("BNB", 7),), 0, 10 * ATOMS)
    assert found.books_gap is None


def test_scales_finer_than_an_atom_round_each_leg_against_us() -> None:
    fine = Instrument("PEPE/USDT", price_scale=ATOMS, quantity_scale=ATOMS)
    candles = random_candles(fine, 4, seed=1)
    ledger = Ledger((candles,), ATOMS)
    ledger.trade(1, 0, 1, 3, 3 * ATOMS // 2, ppm=0)  # 4.5 atoms
    ledger.trade(2, 0, -1, 3, 3 * ATOMS // 2, ppm=0)
    found = measure(outcome_of(ledger, [ATOMS, ledger.cash + 4, ledger.cash, ledger.cash], initial=ATOMS))
    assert found.books.trips.gross.tolist() == [4 - 5]
    assert found.books_gap == 0


@pytest.mark.parametrize(
    ("nets", "factor", "expectancy"),
    [
        ([100, -50, 200, -100, -50, 150, -25, 75, -100, 50], 1.7692307692307692, 25),
        ([10, 20], None, 15),
        ([0, 10, -5], 2.0, 1),
    ],
)
def test_profit_factor_and_expectancy_are_those_of_the_worked_example(
    nets: list[int], factor: float | None, expectancy: int
) -> None:
    fills = []
    for n, net in enumerate(nets):
        fills += [(2 * n, 1, "500", "1"), (2 * n + 1, -1, str(500 + net), "1")]
    found = measure(run(fills, ppm=0))
    assert found.scores.profit_factor == (None if factor is None else pytest.approx(factor))
    assert found.scores.expectancy == sum(nets) * ATOMS // len(nets)
    assert found.scores.expectancy // ATOMS == expectancy
    assert (found.scores.wins, found.scores.losses) == (sum(n > 0 for n in nets), sum(n < 0 for n in nets))
