"""Each objection is raised by the run that deserves it, and by no other."""

from dataclasses import replace

import pytest

from crypto_bot.backtesting.critique import criticise
from crypto_bot.backtesting.metrics import measure
from crypto_bot.backtesting.outcome import Assumptions, Outcome
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from tests.outcomes import Ledger, average_run, idle_run, outcome_of, random_candles


def run_of(nets: list[int], *, ppm: int = 0, bars: int = 400) -> Outcome:
    """Return daily bars with one round trip per entry, which wins or loses so much before fees."""
    candles = random_candles(Instrument("BTC/USDT"), bars, seed=3, timeframe="1d")
    ledger, equity = Ledger((candles,), 100_000 * ATOMS), []
    for bar in range(bars):
        if bar // 2 < len(nets):
            price = 1_000_00 + (nets[bar // 2] * 100 if bar % 2 else 0)
            ledger.trade(bar, 0, -1 if bar % 2 else 1, price, 1_000_000, ppm=ppm)
        equity.append(ledger.worth(bar))
    return outcome_of(ledger, equity, initial=100_000 * ATOMS)


def titles(outcome: Outcome) -> set[str]:
    return {remark.title for remark in criticise(outcome, measure(outcome))}


def test_an_ordinary_run_is_left_in_peace() -> None:
    assert titles(run_of([30, -20] * 40, ppm=1_000)) <= {"Perhaps luck"}


@pytest.mark.parametrize(
    ("outcome", "title"),
    [
        (run_of([10] * 12), "Too few trades"),
        (run_of([500] + [-10] * 40), "One lucky trade"),
        (run_of([900] + [10] * 40), "One lucky trade"),
        (run_of([5, -1] * 20, ppm=5_000), "Costs larger than the edge"),
        (run_of([20, -4] * 20, ppm=2_000), "Costs eat the edge"),
        (run_of([-5, 1] * 20), "No edge"),
        (run_of([5] * 40), "Too good to be true"),
        (run_of([5] * 12, bars=60), "Short window"),
        (idle_run([100.0] * 40), "No fills"),
    ],
)
def test_each_fault_is_named(outcome: Outcome, title: str) -> None:
    assert title in titles(outcome)


@pytest.mark.parametrize(
    ("assumptions", "title"),
    [
        (Assumptions(fill_at="close"), "zero_delay"),
        (Assumptions(limits="off"), "Limits off"),
        (Assumptions(fills="touch"), "Touch fills"),
        (Assumptions(fee_maker_bps=0, fee_taker_bps=0), "No fees"),
        (Assumptions(slippage_bps=0), "No slippage"),
    ],
)
def test_generous_assumptions_are_named(assumptions: Assumptions, title: str) -> None:
    outcome = average_run(800)
    assert title not in titles(outcome)
    assert title in titles(replace(outcome, assumptions=assumptions))


def test_books_that_do_not_add_up_come_first() -> None:
    outcome = average_run(800)
    outcome.equity[-1] -= 5
    first = criticise(outcome, measure(outcome))[0]
    assert str(first) == "Books do not add up: \u22120.00000005 USDT of the final equity come from no fill."


def test_fees_in_a_third_asset_are_named_with_their_amount() -> None:
    outcome = average_run(1_500)
    outcome.fills["fee_asset"] = 2
    outcome.fills["fee"] = ATOMS // 100
    amount = outcome.fills.size
    (remark,) = (r for r in criticise(outcome, measure(outcome)) if r.title == "Fees in BNB")
    assert remark.text.startswith(f"0.{amount:02d}".rstrip("0"))
