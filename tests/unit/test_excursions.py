"""How far the price went against and for a trade, held against a plain look at every bar."""

import numpy as np
import pytest

from crypto_bot.backtesting.excursions import excursions
from crypto_bot.backtesting.metrics import measure
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from tests.outcomes import Ledger, average_run, outcome_of, random_candles


def run(bars: list[tuple[int, int, int, int]], trades: list[tuple[int, int, int, int]]) -> Outcome:
    """Return a run over bars in units, with trades as (bar, side, price, quantity) in units."""
    walk = random_candles(Instrument("BTC/USDT"), len(bars), seed=1)
    first, top, bottom, last = (np.array([bar[n] * 100 for bar in bars], dtype=np.int64) for n in range(4))
    candles = Candles(walk.instrument, "1h", walk.times, first, top, bottom, last, walk.volume)
    ledger = Ledger((candles,), 10**6 * ATOMS)
    for bar, side, price, quantity in trades:
        ledger.trade(bar, 0, side, price * 100, quantity * 1_000_000)
    return outcome_of(ledger, [10**6 * ATOMS] * len(bars), initial=10**6 * ATOMS)


def found(outcome: Outcome) -> tuple[list[float], list[float]]:
    moves = excursions(outcome, measure(outcome).books)
    return moves.adverse.tolist(), moves.favourable.tolist()


BARS = [(100, 101, 99, 100), (100, 110, 95, 108), (108, 130, 90, 120), (120, 500, 1, 50), (50, 60, 40, 55)]


def test_the_bars_from_the_entry_to_the_one_before_the_exit_count() -> None:
    adverse, favourable = found(run(BARS, [(1, 1, 100, 2), (3, -1, 120, 2)]))
    assert adverse + favourable == pytest.approx([-0.1, 0.3])  # not the 500 and 1 of the exit's bar


def test_the_exit_itself_counts() -> None:
    adverse, favourable = found(run(BARS, [(1, 1, 100, 2), (1, -1, 94, 1), (2, -1, 140, 1)]))
    assert adverse == [pytest.approx(-0.06), pytest.approx(-0.06)]  # 94 is below the 95 of the bar
    assert favourable == [0.0, pytest.approx(0.4)]


def test_a_short_position_fears_the_highs() -> None:
    adverse, favourable = found(run(BARS, [(1, -1, 100, 1), (3, 1, 120, 1)]))
    assert adverse + favourable == pytest.approx([-0.3, 0.1])


def test_parts_of_one_position_remember_what_came_before_the_first_of_them_closed() -> None:
    adverse, favourable = found(
        run(BARS, [(1, 1, 100, 2), (2, -1, 108, 1), (3, -1, 120, 1), (3, 1, 120, 1), (4, -1, 50, 1)])
    )
    assert adverse == [pytest.approx(-0.05), pytest.approx(-0.1), pytest.approx(1 / 120 - 1)]
    assert favourable == [pytest.approx(0.1), pytest.approx(0.3), pytest.approx(500 / 120 - 1)]


def test_what_was_bought_later_fears_only_what_came_later() -> None:
    adverse, favourable = found(run(BARS, [(0, 1, 100, 1), (2, 1, 108, 3), (3, -1, 120, 4)]))
    assert adverse == [pytest.approx(90 / 106 - 1)]  # the average of 106 was paid when 95 was past
    assert favourable == [pytest.approx(130 / 106 - 1)]


def test_no_trip_has_no_excursion() -> None:
    assert found(run(BARS, [(1, 1, 100, 1)])) == ([], [])


@pytest.mark.parametrize("symbols", [("BTC/USDT",), ("BTC/USDT", "ETH/USDT", "SOL/USDT")])
def test_every_trip_is_what_a_plain_look_at_its_bars_says(symbols: tuple[str, ...]) -> None:
    outcome = average_run(3_000, symbols=symbols)
    books = measure(outcome).books
    trips, moves = books.trips, excursions(outcome, books)
    assert trips.closed > 10
    for row in range(trips.closed):
        candles = outcome.candles[int(trips.instrument[row])]
        held = (candles.times >= trips.entry_ns[row]) & (candles.times < trips.exit_ns[row])
        entry = trips.entry_price[row] / ATOMS * 100
        low = min(int(candles.low[held].min()), int(trips.exit_price[row]))
        high = max(int(candles.high[held].max()), int(trips.exit_price[row]))
        assert moves.adverse[row] == pytest.approx(min(low / entry - 1, 0))
        assert moves.favourable[row] == pytest.approx(max(high / entry - 1, 0))


def test_the_return_of_a_trip_lies_between_its_excursions() -> None:
    outcome = average_run(2_000)
    books = measure(outcome).books
    trips, moves = books.trips, excursions(outcome, books)
    made = trips.gross / trips.cost
    assert (moves.adverse - 1e-9 <= made).all() and (made <= moves.favourable + 1e-9).all()
