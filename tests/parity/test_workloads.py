"""Known results: the workloads that other backtesters run too, and holding, which is the price ratio less its fees."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from tests.parity.markets import WORKLOAD_BARS, cut, market, sample, without_rules, workload
from tests.plays import SHIPPED, Played, Rooms, Terms, play


def run(name: str, candles: list[Candles], terms: Terms, **params: Any) -> Played:
    """Play a shipped strategy with the modules of this process."""
    rooms = Rooms.of_this_process()
    return play(rooms, [(rooms.binding.Strategy(SHIPPED / f"{name}.py"), params)], candles, terms)


def test_a_cross_of_means_on_a_year_of_minutes() -> None:
    """SMA 20/100, all in and all out, 10 bps: 7,308 fills and 378,449.377 in every engine that was tried."""
    candles = workload()
    assert len(candles) == WORKLOAD_BARS and int(candles.close[0]) != int(candles.open[0])
    played = run("simple_ma", [candles], Terms(cash=10**9 * ATOMS, costs=(1_000, 1_000, 0)))
    assert played.fills().size == 7_308
    assert int(played.curve[-1]) / ATOMS == pytest.approx(378_449.377088, rel=1e-4)
    assert played.world_of.desk[0]["laws"] == played.world_of.desk[0]["refused"] == 0


def test_a_grid_on_a_year_of_minutes() -> None:
    """Forty cells of 250 around 30,000, filled on touch: 1,856 grid fills and 977,864.05548."""
    params = {"lower_price": 25_000.0, "upper_price": 35_000.0, "num_grids": 40, "quantity": 0.1}
    terms = Terms(cash=10**6 * ATOMS, costs=(1_000, 1_000, 0), fills="touch")
    played = run("grid", [workload()], terms, **params)
    fills = played.fills()
    assert fills.size == 1 + 1_856 and np.count_nonzero(fills["maker"]) == 1_856
    assert int(played.curve[-1]) / ATOMS == pytest.approx(977_864.05548, rel=1e-6)
    assert played.world_of.desk[0]["laws"] == played.world_of.desk[0]["refused"] == 0


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe"), [("five minutes", "BTC/USDT", "5m"), ("days", "SOL/USDT", "1d")]
)
@pytest.mark.parametrize(("fee_ppm", "slippage_ppm"), [(0, 0), (1_000, 500), (750, 0)])
@pytest.mark.parametrize("fill_at", ["next_open", "close"])
def test_holding_is_the_price_ratio_less_its_fee(
    name: str, symbol: str, timeframe: str, fee_ppm: int, slippage_ppm: int, fill_at: str
) -> None:
    """cash x last / (first (1 + slippage) (1 + fee)), but for what is less than a lot."""
    candles = without_rules(sample(symbol, timeframe))
    terms = Terms(costs=(fee_ppm, fee_ppm, slippage_ppm), fill_at=fill_at)
    played = run("buy_and_hold", [candles], terms)
    coin = candles.instrument
    begun = int(candles.close[0]) if fill_at == "close" else int(candles.open[1])
    paid = begun + -(-begun * slippage_ppm // 1_000_000)
    (fill,) = played.fills()
    assert int(fill["price"]) == paid
    last = int(candles.close[-1])
    ratio = Fraction(last, paid) / (1 + Fraction(fee_ppm, 1_000_000))
    worth_of_a_lot = Fraction(max(last, paid) * ATOMS, coin.price_scale * coin.quantity_scale)
    assert abs(int(played.curve[-1]) - terms.cash * ratio) <= 2 * worth_of_a_lot + 2
    scale = coin.price_scale * coin.quantity_scale
    quantity = int(fill["quantity"])
    cost = -(-quantity * paid * ATOMS // scale)
    fee = -(-cost * fee_ppm // 1_000_000)
    assert int(fill["fee"]) == fee
    assert int(played.curve[-1]) == terms.cash - cost - fee + quantity * last * ATOMS // scale, "to the atom"


def test_holding_three_coins_is_their_mean() -> None:
    candles = [without_rules(each) for each in market("three 1d")]
    played = run("buy_and_hold", candles, Terms(costs=(0, 0, 0)))
    common = set(candles[0].times) & set(candles[1].times) & set(candles[2].times)
    total = Fraction(0)
    for each in candles:
        rows = [i for i, time in enumerate(each.times) if time in common]
        total += Fraction(333_333, 1_000_000) * Fraction(int(each.close[rows[-1]]), int(each.open[rows[1]]))
    expected = (total + Fraction(1, 1_000_000)) * 10_000 * ATOMS
    assert float(played.curve[-1]) == pytest.approx(float(expected), rel=1e-6)


def test_doubling_the_fees_doubles_what_they_cost() -> None:
    candles = cut(market("BTC 5m"), 20_000)
    free = run("buy_and_hold", candles, Terms(costs=(0, 0, 0)))
    paid = [int(run("buy_and_hold", candles, Terms(costs=(ppm, ppm, 0))).fills()["fee"].sum()) for ppm in (500, 1_000)]
    assert paid[1] / paid[0] == pytest.approx(2, rel=1e-3) and free.fills()["fee"].sum() == 0


def test_warm_up_counts_no_bar_and_changes_no_later_one() -> None:
    """Started late with the bars before as warm-up, or given only the bars that the means need: the same trades."""
    candles = market("BTC 5m")[0]
    rooms = Rooms.of_this_process()
    strategy = rooms.binding.Strategy(SHIPPED / "simple_ma.py")
    start = 10_000
    late = play(rooms, [(strategy, {})], [candles], start_ns=int(candles.times[start]))
    short = play(rooms, [(strategy, {})], [replace_from(candles, start - 100)], start_ns=int(candles.times[start]))
    assert late.decisions == short.decisions and late.equity == short.equity
    assert late.curve.size == len(candles) - start and int(late.fills()["time_ns"][0]) >= int(candles.times[start])


def replace_from(candles: Candles, first: int) -> Candles:
    """Return the candles from a row on."""
    return Candles(candles.instrument, candles.timeframe, *(column[first:] for column in candles.columns()))


def test_limits_are_in_force_on_the_first_day_after_a_warm_up() -> None:
    """The first day opens with the cash, however many bars were shown before it."""
    candles = market("three 1d")
    start = int(candles[0].times[200])
    rooms = Rooms.of_this_process()
    strategy = rooms.binding.Strategy(SHIPPED / "buy_and_hold.py")
    terms = Terms(limits=(0, 10_000, 0, 0))
    played = play(rooms, [(strategy, {})], candles, terms, start_ns=start)
    halts = played.notes.all()[played.notes.all()["kind"] == 6]
    equity = np.r_[terms.cash, played.curve]
    fell = np.flatnonzero(equity[1:] * 100 <= equity[:-1] * 99)
    day = 86_400 * 10**9
    times = played.stage.tape.times[played.stage.first :]
    assert [int(t) for t in halts["time_ns"]] == [int(times[i]) + day for i in fell]
