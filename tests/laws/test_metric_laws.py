"""Laws of the figures: money is neither made nor lost by counting it, and no figure is ever senseless."""

import json
import math
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crypto_bot.backtesting import moments
from crypto_bot.backtesting.drawdown import measure_drawdown
from crypto_bot.backtesting.figures import MINUS, grouped, money, rounded
from crypto_bot.backtesting.metrics import Metrics, measure
from crypto_bot.backtesting.outcome import Outcome, RunLabel
from crypto_bot.backtesting.summary import summarise
from crypto_bot.backtesting.tails import tail
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from tests.outcomes import Ledger, idle_run, outcome_of, random_candles

BARS = 40
SCALES = st.sampled_from([(100, 1_000_000), (ATOMS, 1), (10_000, 100_000), (1, ATOMS), (10_000, ATOMS), (ATOMS, ATOMS)])


@st.composite
def traded_runs(draw: st.DrawFn) -> Outcome:
    """Draw any fills at all, long and short, of two strategies on two instruments; the ledger books them itself."""
    coins = [
        Instrument(f"{name}/USDT", price_scale=p, quantity_scale=q)
        for name, (p, q) in zip(("BTC", "ETH"), draw(st.tuples(SCALES, SCALES)), strict=True)
    ]
    candles = tuple(random_candles(coin, BARS, seed=draw(st.integers(0, 99))) for coin in coins)
    initial = 1_000_000 * ATOMS
    ledger, equity = Ledger(candles, initial), []
    plan = draw(
        st.lists(
            st.tuples(
                st.integers(0, BARS - 1),
                st.integers(0, 1),
                st.sampled_from([-1, 1]),
                st.integers(1, 10**6),
                st.integers(1, 1_999),
                st.integers(0, 1),
            ),
            max_size=30,
        )
    )
    for bar in range(BARS):
        for when, k, side, micro, price_permille, strategy in plan:
            if when == bar:
                scale = coins[k].quantity_scale
                quantity = max(micro * scale // 1_000_000, 1)
                price = max(int(candles[k].close[bar]) * price_permille // 1_000, 1)
                ledger.trade(bar, k, side, price, quantity, strategy=strategy, ppm=750)
        equity.append(ledger.worth(bar))
    return outcome_of(ledger, equity, initial=initial, strategies=("a", "b"))


@settings(max_examples=150, deadline=None)
@given(traded_runs())
def test_trips_open_positions_and_fees_explain_the_final_equity_to_the_atom(outcome: Outcome) -> None:
    found = measure(outcome)
    trips, left = found.books.trips, found.books.open
    open_fees = sum(position.fees for position in left)
    assert outcome.initial_equity + int(trips.net.sum()) + found.unrealised - open_fees == int(outcome.equity[-1])
    assert found.books.fees == int(outcome.fills["fee"].sum()) == int(trips.fees.sum()) + open_fees
    assert (trips.gross - trips.fees == trips.net).all()
    assert (trips.quantity > 0).all() and (trips.cost >= 0).all() and (trips.bars >= 0).all()
    assert (trips.entry_ns <= trips.exit_ns).all()


@settings(max_examples=100, deadline=None)
@given(traded_runs())
def test_the_json_of_any_run_holds_only_finite_numbers(outcome: Outcome) -> None:
    text = json.dumps(summarise(outcome, measure(outcome), RunLabel("r", "v")), allow_nan=False)
    assert json.loads(text)["fills"] == outcome.fills.size


def every_number(found: object) -> Iterator[float]:
    """Give every float of a result, and of what it is made of."""
    if isinstance(found, float):
        yield found
    elif isinstance(found, tuple):
        for part in found:
            yield from every_number(part)
    elif isinstance(found, Metrics):
        for name in found.__slots__:
            yield from every_number(getattr(found, name))


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=80))
def test_no_equity_curve_makes_a_figure_senseless(equity: list[float]) -> None:
    found = measure(idle_run(equity))
    assert all(math.isfinite(number) for number in every_number(found))
    assert -1 <= found.drawdown.deepest <= 0 <= found.drawdown.ulcer <= 1


MOVES = st.lists(st.floats(-0.5, 1.0).map(lambda move: round(move, 6)), min_size=2, max_size=90)


def grown(moves: list[float]) -> list[float]:
    return [float(worth) for worth in 100.0 * np.cumprod(1 + np.array(moves))]


def same(one: float | None, other: float | None) -> bool:
    """Tell whether two ratios are the same number, or have no meaning both."""
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


@settings(max_examples=60, deadline=None)
@given(MOVES, st.integers(2, 1_000))
def test_the_size_of_the_account_changes_no_ratio(moves: list[float], factor: int) -> None:
    assume(float(np.std(moves)) > 1e-3)  # equity is kept to the atom: less than that is its rounding
    equity = grown(moves)
    small, large = measure(idle_run(equity)), measure(idle_run([factor * e for e in equity], initial=factor * 100.0))
    mine, theirs = list(every_number(small)), list(every_number(large))
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-4) or abs(one) > 1e3


@settings(max_examples=60, deadline=None)
@given(MOVES, st.randoms(use_true_random=False))
def test_the_order_of_the_days_changes_no_ratio_of_returns_alone(moves: list[float], chance: Random) -> None:
    shuffled = list(moves)
    chance.shuffle(shuffled)
    one, other = np.array(moves), np.array(shuffled)
    assert same(moments.sharpe(one, 365), moments.sharpe(other, 365))
    assert same(moments.sortino(one, 365), moments.sortino(other, 365))
    assert moments.shape(one) == pytest.approx(moments.shape(other), rel=1e-6, abs=1e-6)
    assert tail(one, 0.95) == pytest.approx(tail(other, 0.95))
    # Where they end is the same too; how deep they fell on the way is not.
    assert grown(moves)[-1] == pytest.approx(grown(shuffled)[-1], rel=1e-9)


@given(MOVES, st.floats(1.1, 5))
def test_a_bolder_stake_changes_no_sharpe_ratio(moves: list[float], factor: float) -> None:
    plain, bold = np.array(moves), np.array(moves) * factor
    ratio = moments.sharpe(plain, 365)
    if ratio is not None and float(np.std(plain)) > 1e-9:
        assert same(moments.sharpe(bold, 365), ratio)
        assert same(moments.sortino(bold, 365), moments.sortino(plain, 365))


@given(MOVES, st.floats(0, 0.99))
def test_surer_needs_longer(moves: list[float], level: float) -> None:
    returns = np.array(moves)
    ratio, form = moments.sharpe(returns, 1.0), moments.shape(returns)
    if ratio is None or ratio < 1e-6:
        return
    short = moments.least_track_record(ratio, form, confidence=0.5 + level / 2)
    longer = moments.least_track_record(ratio, form, confidence=0.5 + (level + 0.001) / 2)
    assert short is not None and longer is not None and longer >= short
    # With just as many returns as are needed, it is exactly as sure as asked for.
    error = moments.sharpe_error(ratio, 2, form)
    if error is not None and error > 1e-6:
        assert moments.normal_probability(ratio / (error / math.sqrt(longer - 1))) == pytest.approx(
            0.5 + (level + 0.001) / 2, abs=1e-6
        )


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=60))
def test_drawdown_is_the_worst_fall_and_the_longest_wait_of_all(points: list[int]) -> None:
    found = measure_drawdown(np.array(points, dtype=float), np.arange(len(points)))
    assert found.deepest == min(point / max(points[: n + 1]) - 1 for n, point in enumerate(points))
    waits = [0]
    for n, peak in enumerate(points[:-1]):
        if peak == max(points[: n + 1]) > points[n + 1]:
            waits.append(next((m for m in range(n + 1, len(points)) if points[m] >= peak), len(points) - 1) - n)
    assert found.longest_ns == max(waits)


@given(st.integers(-(10**17), 10**17), st.integers(0, 8))
def test_money_is_rounded_half_away_from_zero(atoms: int, places: int) -> None:
    step = 10 ** (8 - places)
    shown = rounded(atoms, ATOMS, places)
    assert abs(shown * step - atoms) * 2 <= step
    assert rounded(-atoms, ATOMS, places) == -shown
    text = money(atoms, places, signed=True)
    assert text.replace(",", "").replace(MINUS, "-").replace("+", "") == grouped(shown, places).replace(
        ",", ""
    ).replace(MINUS, "-")
    assert (text[0] in f"+{MINUS}") == (shown != 0)
