"""What trading cost, held against a plain count of every fill."""

from dataclasses import replace

import numpy as np
import pytest

from crypto_bot.backtesting.costs import measure_costs
from crypto_bot.backtesting.metrics import measure
from crypto_bot.domain.units import ATOMS
from tests.outcomes import FEE_PPM, average_run, idle_run


def test_slippage_is_what_market_orders_paid_beyond_the_open() -> None:
    outcome = average_run(2_000, symbols=("BTC/USDT", "ETH/USDT"))
    slipped = traded = 0
    for fill in outcome.fills:
        candles = outcome.candles[int(fill["instrument"])]
        open_ = int(candles.open[int(np.flatnonzero(candles.times == fill["time_ns"])[0])])
        slipped += int(fill["side"]) * (int(fill["price"]) - open_) * int(fill["quantity"])
        traded += int(fill["price"]) * int(fill["quantity"])
    found = measure(outcome).costs
    assert (found.slippage, found.traded) == (slipped, traded)  # price x quantity at these scales are atoms
    assert found.slippage > 0
    # The hand-made bot pays 5 bps, rounded to the cent.
    assert found.slippage / found.traded == pytest.approx(0.0005, rel=0.01)


def test_resting_orders_have_no_slippage() -> None:
    outcome = average_run(2_000)
    outcome.fills["maker"] = True
    assert measure(outcome).costs.slippage == 0


def test_a_side_costs_fee_and_slippage_and_breaks_even_where_the_gain_would_be_gone() -> None:
    outcome = average_run(3_000)
    found = measure(outcome)
    assert found.costs.charged_bps == pytest.approx(FEE_PPM / 100 + 5, rel=0.01)
    gain = int(outcome.equity[-1]) - outcome.initial_equity
    gap = (found.costs.break_even_bps or 0) - (found.costs.charged_bps or 0)
    assert gap == pytest.approx(gain / found.costs.traded * 10_000, abs=1e-6)


def test_costs_have_a_share_of_a_profit_only() -> None:
    outcome = average_run(2_000)
    fees, traded = measure(outcome).books.fees, measure(outcome).costs
    lost, won = replace(outcome, equity=outcome.equity - 10**6 * ATOMS), replace(
        outcome, equity=outcome.equity + 10**6 * ATOMS
    )
    assert measure_costs(lost, fees).share is None
    share = measure_costs(won, fees).share
    assert share == pytest.approx(
        (fees + traded.slippage) / (int(won.equity[-1]) - won.initial_equity + fees + traded.slippage)
    )


def test_who_does_not_trade_pays_nothing() -> None:
    found = measure(idle_run([100.0, 101.0])).costs
    assert (found.traded, found.slippage, found.break_even_bps, found.charged_bps) == (0, 0, None, None)
