"""Regular purchases: when they happen, what they cost, and what the mean price of them is."""

import numpy as np
import pytest

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS, parse_time_ns
from tests.plays import SHIPPED, Played, Terms, plain

COIN = Instrument("COIN/USDT", price_scale=100, quantity_scale=1_000_000)
HOUR_NS = 3_600 * 10**9
FREE = Terms(cash=100_000 * ATOMS, costs=(0, 0, 0))


def hours(closes: list[int], start: str = "2024-01-03", step: int = 1) -> Candles:
    """Return bars that open at the close before them, in hundredths."""
    close = np.array(closes, np.int64)
    opened = np.r_[close[0], close[:-1]]
    times = parse_time_ns(start) + np.arange(close.size) * step * HOUR_NS
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return Candles(COIN, f"{step}h", times, opened, high, low, close, np.full(close.size, 10**9))


def run(candles: Candles, terms: Terms = FREE, **params: float) -> Played:
    return plain(SHIPPED / "dca.py", [candles], terms, **params)


def test_it_buys_at_the_start_and_then_every_monday() -> None:
    """The start is a Wednesday; a decision at the close of Sunday's last bar fills at Monday's open."""
    fills = run(hours([10_000] * 24 * 20)).fills()
    begun = parse_time_ns("2024-01-03T01:00:00Z")
    mondays = [parse_time_ns(day) for day in ("2024-01-08", "2024-01-15", "2024-01-22")]
    assert fills["time_ns"].tolist() == [begun, *mondays]
    assert set(fills["side"].tolist()) == {1}


@pytest.mark.parametrize("step", [1, 4])
def test_periods_hang_on_the_calendar_not_on_the_bars(step: int) -> None:
    fills = run(hours([10_000] * (240 // step), step=step), every_hours=8).fills()
    assert [time // HOUR_NS % 8 for time in fills["time_ns"].tolist()[1:]] == [0] * 29


def test_a_gap_is_one_purchase() -> None:
    candles = hours([10_000] * 100)
    late = np.flatnonzero(np.arange(100) % 50 < 10)
    holed = Candles(COIN, "1h", *(column[late] for column in candles.columns()))
    assert len(run(holed, every_hours=8).fills()) == 1 + 1 + 2, "the start, 8:00, and two after the gap"


def test_the_mean_price_paid_is_the_harmonic_mean() -> None:
    """100 each at 100, 50, 200 and 25: 400 buys 8.5 coins; the mean price is 93.75, that paid 47.06."""
    prices = [10_000, 5_000, 20_000, 2_500]
    candles = hours([price for price in prices for _ in range(8)], start="2024-01-01T00:00:00Z")
    played = run(candles, every_hours=8, amount=100)
    fills = played.fills()
    # A purchase is decided at the last close of a period, and costs what the coin cost there.
    bought = [10_000, 10_000, 5_000, 20_000]
    assert fills["quantity"].tolist() == [100 * 10**8 // price for price in bought]
    spent = sum(int(fill["price"]) * int(fill["quantity"]) for fill in fills)
    assert spent / int(fills["quantity"].sum()) == pytest.approx(4 / sum(1 / price for price in bought))


def test_the_amount_holds_the_fee() -> None:
    terms = Terms(cash=1_000 * ATOMS, costs=(1_000, 1_000, 0))
    fill, *_ = run(hours([3_333] * 30), terms, amount=100).fills()
    cost = int(fill["price"]) * int(fill["quantity"]) + int(fill["fee"])
    assert 100 * ATOMS - 3_333 * 2 <= cost <= 100 * ATOMS + 1


def test_when_the_money_is_gone_it_buys_what_is_left_and_then_nothing() -> None:
    terms = Terms(cash=250 * ATOMS, costs=(1_000, 1_000, 0))
    played = run(hours([10_000] * 100), terms, amount=100, every_hours=8)
    fills = played.fills()
    worth = [int(fill["price"]) * int(fill["quantity"]) // ATOMS for fill in fills]
    assert len(fills) == 3 and worth[2] < 51
    assert played.world_of.desk[0]["refused"] >= 1
    assert played.world_of.desk[0]["laws"] == 0
