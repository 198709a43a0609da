"""A plain class decides as the same rule written in the strategy language does, to the last bit."""

from collections import deque
from dataclasses import replace

import numpy as np
import pytest

from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting import bridge
from crypto_bot.backtesting.bridge import PriceBar, simulate_class
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Bar, Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.genesis import Limits
from crypto_bot.strategies.catalogue import find
from tests.outcomes import random_candles

BARS = 3_000
COIN = Instrument("BTC/USDT", lot=10)
CANDLES = random_candles(COIN, BARS, seed=5, timeframe="1h")


class Cross:
    """The moving average cross by exact sums; it writes down every bar that it is shown."""

    exact = True

    def __init__(self, fast: int = 5, slow: int = 20) -> None:
        self.fast, self.slow = fast, slow
        self.closes: deque[int] = deque(maxlen=slow)
        self.seen: list[Bar] = []
        self.told: list[object] = []

    def on_start(self, symbols: tuple[str, ...], timeframe: str) -> None:
        self.told.append((symbols, timeframe))

    def on_data(self, bar: Bar) -> float | None:
        self.seen.append(bar)
        self.closes.append(bar.close)
        if len(self.closes) < self.slow:
            return None
        recent = list(self.closes)
        return 1.0 if sum(recent[-self.fast :]) * self.slow > sum(recent) * self.fast else 0.0

    def on_stop(self) -> None:
        self.told.append("stop")


class Scripted:
    """Returns what it was given, bar by bar."""

    def __init__(self, *shares: float | None) -> None:
        self.shares = iter(shares)
        self.seen: list[PriceBar] = []

    def on_start(self, symbols: tuple[str, ...], timeframe: str) -> None: ...

    def on_data(self, bar: PriceBar) -> float | None:
        self.seen.append(bar)
        return next(self.shares, None)

    def on_stop(self) -> None: ...


def by_the_language(candles: Candles, simulation: Simulation, fast: int = 5, slow: int = 20) -> Outcome:
    strategy = Strategy(find("simple_ma"))
    params = strategy.module.parameters.read({"fast": fast, "slow": slow})
    return simulate([Chosen(strategy, params)], [candles], simulation)


def assert_same(one: Outcome, other: Outcome) -> None:
    assert one.decisions_hash == other.decisions_hash
    assert one.ledger_hash == other.ledger_hash
    assert one.data_hash == other.data_hash
    assert (one.orders, one.refused, one.warnings) == (other.orders, other.refused, other.warnings)
    assert np.array_equal(one.equity, other.equity)
    assert np.array_equal(one.fills, other.fills)
    assert np.array_equal(one.closes, other.closes)


SIMULATIONS = {
    "unlimited": Simulation(limits=Limits.off()),
    "limited": Simulation(),
    "halted": Simulation(limits=Limits(drawdown_ppm=60_000, daily_loss_ppm=12_000)),
    "at the close": Simulation(limits=Limits.off(), fill_at="close"),
    "touch": Simulation(fills="touch", cash=250 * ATOMS),
}


@pytest.mark.parametrize("name", SIMULATIONS)
def test_a_class_decides_as_the_language_does(name: str) -> None:
    simulation = SIMULATIONS[name]
    outcome = simulate_class(Cross(), CANDLES, simulation)
    assert_same(outcome, by_the_language(CANDLES, simulation))
    assert outcome.fills.size >= 20


def test_the_halts_of_the_limited_run_are_real() -> None:
    warnings = simulate_class(Cross(), CANDLES, SIMULATIONS["halted"]).warnings
    assert any("drawdown" in said for said in warnings)
    assert any("daily loss" in said for said in warnings)


@pytest.mark.parametrize("longest", [1, 7, 500])
def test_how_often_the_kernel_is_called_changes_nothing(longest: int) -> None:
    simulation = SIMULATIONS["halted"]
    assert_same(
        bridge._simulate(Cross(), CANDLES, simulation, longest=longest), simulate_class(Cross(), CANDLES, simulation)
    )


def test_a_log_that_fills_up_loses_no_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = simulate_class(Cross(2, 3), CANDLES, SIMULATIONS["unlimited"])
    assert expected.orders * 3 > 1_000
    monkeypatch.setattr(bridge, "_LOG", bridge._LEAST_ROOM + 50)
    assert_same(simulate_class(Cross(2, 3), CANDLES, SIMULATIONS["unlimited"]), expected)


def test_every_bar_is_shown_once_and_in_order() -> None:
    strategy = Cross()
    simulate_class(strategy, CANDLES, Simulation())
    assert strategy.seen == [CANDLES.bar(i) for i in range(BARS)]
    assert strategy.told == [(("BTC/USDT",), "1h"), "stop"]


def test_decimals_are_the_numbers_of_the_bar() -> None:
    strategy = Scripted()
    simulate_class(strategy, CANDLES, Simulation())
    assert len(strategy.seen) == BARS
    for i in (0, 1, 1_023, 1_024, BARS - 1):
        bar, exact = strategy.seen[i], CANDLES.bar(i)
        assert bar.time_ns == exact.time_ns
        assert [round(price * COIN.price_scale) for price in bar[1:5]] == list(exact[1:5])
        assert round(bar.volume * COIN.quantity_scale) == exact.volume


def test_a_share_is_bought_at_the_next_open_and_kept_until_another_is_wanted() -> None:
    simulation = Simulation(limits=Limits.off())
    outcome = simulate_class(Scripted(None, 0.5, None, 0.5, 0.0), CANDLES, simulation)
    assert outcome.fills["side"].tolist() == [1, -1]
    assert outcome.fills["time_ns"].tolist() == [int(CANDLES.times[2]), int(CANDLES.times[5])]
    spent = (
        int(outcome.fills["price"][0]) * int(outcome.fills["quantity"][0]) / (COIN.price_scale * COIN.quantity_scale)
    )
    assert spent == pytest.approx(5_000, rel=0.01)
    assert outcome.strategies == ("Scripted",)


def test_a_wish_on_the_last_bar_stays_a_wish() -> None:
    outcome = simulate_class(Scripted(*[None] * (BARS - 1), 1.0), CANDLES, Simulation())
    assert (outcome.orders, outcome.fills.size) == (1, 0)
    assert outcome.equity[-1] == outcome.initial_equity


@pytest.mark.parametrize("share", [1.01, -0.1, float("nan"), float("inf")])
def test_what_is_no_share_is_refused_with_the_bar_that_it_was_for(share: float) -> None:
    with pytest.raises(UsageError, match="on_data returned .* for the bar of 2023-01-01T01:00:00Z.*from 0 to 1"):
        simulate_class(Scripted(None, share), CANDLES, Simulation())


def test_what_goes_wrong_in_the_class_comes_through_as_it_is() -> None:
    class Broken(Scripted):
        def on_data(self, bar: PriceBar) -> float | None:
            return self.missing  # type: ignore[attr-defined,no-any-return] # that it is missing is the point

    with pytest.raises(AttributeError, match="missing"):
        simulate_class(Broken(), CANDLES, Simulation())


def test_split_bars_are_refused() -> None:
    with pytest.raises(UsageError, match="path"):
        simulate_class(Scripted(), CANDLES, replace(Simulation(), fills="path"))
