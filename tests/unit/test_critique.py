"""Each objection is raised by the run that deserves it, and by no other."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from crypto_bot.backtesting.bracket import Bracket, Way
from crypto_bot.backtesting.critique import criticise
from crypto_bot.backtesting.figures import money
from crypto_bot.backtesting.metrics import measure
from crypto_bot.backtesting.outcome import Assumptions, Outcome
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from tests.outcomes import Ledger, average_run, idle_run, outcome_of, random_candles


def flat_candles(bars: int, *, trend: int = 0) -> Candles:
    """Return daily bars around 1,000 whose close moves by so many cents a bar."""
    walk = random_candles(Instrument("BTC/USDT"), bars, seed=3, timeframe="1d")
    close = 1_000_00 + trend * np.arange(bars)
    return Candles(walk.instrument, "1d", walk.times, close, close + 1, close - 1, close, walk.volume)


def run_of(nets: Sequence[int], *, ppm: int = 0, bars: int = 400) -> Outcome:
    """Return daily bars with one round trip per entry, which wins or loses so much before fees, by resting orders."""
    ledger, equity = Ledger((flat_candles(bars),), 100_000 * ATOMS), []
    for bar in range(bars):
        if bar // 2 < len(nets):
            price = 1_000_00 + (nets[bar // 2] * 100 if bar % 2 else 0)
            ledger.trade(bar, 0, -1 if bar % 2 else 1, price, 1_000_000, ppm=ppm)
        equity.append(ledger.worth(bar))
    outcome = outcome_of(ledger, equity, initial=100_000 * ATOMS)
    outcome.fills["maker"] = True
    return outcome


def holding_run(bars: int = 400, *, trend: int = 10, share: int = 100, slip: int = 0) -> Outcome:
    """Return a run that buys `share` percent of its money at the second bar, `slip` above its open, and keeps it."""
    ledger, equity = Ledger((flat_candles(bars, trend=trend),), 100_000 * ATOMS), []
    for bar in range(bars):
        if bar == 1:
            ledger.trade(bar, 0, 1, int(ledger.candles[0].open[bar]) + slip, share * 990_000)
        equity.append(ledger.worth(bar))
    return outcome_of(ledger, equity, initial=100_000 * ATOMS)


def echoing(count: int) -> list[float]:
    """Return an equity curve each of whose returns takes over a third of the one before."""
    noise, last, equity = np.random.default_rng(2).normal(0, 0.01, count), 0.0, [100.0]
    for step in noise.tolist():
        last = last / 3 + step
        equity.append(equity[-1] * (1 + last))
    return equity


def titles(outcome: Outcome) -> set[str]:
    return {remark.title for remark in criticise(outcome, measure(outcome))}


def test_an_ordinary_run_is_left_in_peace() -> None:
    nets = np.random.default_rng(5).permutation([30] * 108 + [-25] * 92).tolist()
    assert titles(run_of(nets, ppm=500)) <= {"Perhaps luck"}


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
        (run_of([-1] * 20 + [40] * 15 + [-1] * 100), "One good month"),
        (holding_run(), "One-sided"),
        (holding_run(trend=-10), "One-sided"),
        (holding_run(share=50), "Holding was better"),
        (idle_run(echoing(400)), "Returns echo"),
    ],
)
def test_each_fault_is_named(outcome: Outcome, title: str) -> None:
    assert title in titles(outcome)


def test_what_is_not_sold_yet_has_no_edge_to_lose() -> None:
    outcome = holding_run(slip=50)
    assert measure(outcome).costs.slippage > 0
    assert not titles(outcome) & {"Costs larger than the edge", "Costs eat the edge", "No edge"}


@pytest.mark.parametrize(
    ("assumptions", "title"),
    [
        (Assumptions(fill_at="close"), "zero_delay"),
        (Assumptions(limits="off"), "Limits off"),
        (Assumptions(fills="touch"), "Touch fills"),
        (Assumptions(fills="path"), "Guessed path"),
        (Assumptions(fee_maker_bps=0, fee_taker_bps=0), "No fees"),
        (Assumptions(slippage_bps=0), "No slippage"),
    ],
)
def test_generous_assumptions_are_named(assumptions: Assumptions, title: str) -> None:
    outcome = average_run(800)
    assert title not in titles(outcome)
    assert title in titles(replace(outcome, assumptions=assumptions))


def test_one_order_is_one_and_none_is_no_objection_to_its_price() -> None:
    free = Assumptions(slippage_bps=0)
    told = [r.text for r in criticise(replace(holding_run(), assumptions=free), measure(holding_run()))]
    assert "1 market order was filled at the bar's open exactly." in told
    assert "No slippage" not in titles(replace(idle_run([100.0, 101.0]), assumptions=free))


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


def test_every_sentence_tells_its_figure() -> None:
    generous = Assumptions("path", "close", "off", 0.0, 0.0, 0.0)
    runs = [
        run_of([500] + [-10] * 40),
        run_of([5, -1] * 20, ppm=5_000),
        run_of([5] * 40),
        holding_run(),
        average_run(900),
    ]
    remarks = [r for run in runs for r in criticise(replace(run, assumptions=generous), measure(run))]
    remarks += [r for run in runs for r in criticise(run, measure(run))]
    assert len({remark.title for remark in remarks}) >= 12
    assert [remark for remark in remarks if not any(sign.isdigit() for sign in remark.text)] == []


def test_slippage_counts_among_the_costs() -> None:
    outcome = average_run(3_000)
    (remark,) = (r for r in criticise(outcome, measure(outcome)) if "osts" in r.title or r.title == "No edge")
    found = measure(outcome)
    assert f"slippage of {money(found.costs.slippage)}" in remark.text
    assert found.gross < found.gross + found.costs.slippage < 0
    assert f"lost {money(-found.gross - found.costs.slippage)} USDT before costs" in remark.text


def test_a_month_is_named_with_what_the_others_brought() -> None:
    outcome = run_of([-1] * 20 + [40] * 15 + [-1] * 100)
    (remark,) = (r for r in criticise(outcome, measure(outcome)) if r.title == "One good month")
    assert remark.text == "2023-02 brought 355.00 of 480.00 USDT; the other 13 together +125.00."


def test_a_result_that_hangs_on_the_path_is_told_with_both_ends() -> None:
    outcome = average_run(900)
    initial, found = outcome.initial_equity, measure(outcome)

    def said(low: int, high: int) -> list[str]:
        ways = [Way(name, end, end / initial - 1, -0.1, 9) for name, end in (("pessimistic", low), ("touch", high))]
        remarks = criticise(outcome, found, Bracket(tuple(ways)))
        return [remark.text for remark in remarks if remark.title == "Depends on the path"]

    assert said(initial + 1_000, initial + initial // 200) == []
    assert said(initial - 1_000, initial + 1_000) != []
    (text,) = said(initial, initial * 11 // 10)
    assert text.startswith("the result lies between 0.00% (pessimistic) and +10.00% (touch)")
