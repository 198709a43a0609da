"""The typed face of risk management, used by hand: guards, breaker, drawdown, and what it refuses."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from tests.uncompiled import uncompiled

risk = uncompiled("risk")
genesis = uncompiled("kernel.genesis")
BTC = Instrument("BTC/USDT", price_scale=100, quantity_scale=1_000_000)
T0 = datetime(2024, 1, 1, tzinfo=UTC)


def manager(*, costs: tuple[int, int, int] = (0, 0, 0), limits: Any = None, cash: int = 10_000, **gates: Any) -> Any:
    """Return a risk manager of bitcoin without costs; without limits unless told."""
    limits = limits or genesis.Limits(0, 0, 0, 0, 20_000, genesis.Gates(**gates))
    return risk.RiskManager([BTC], cash, limits=limits, costs=genesis.Costs(*costs))


def bought(**guard: Any) -> Any:
    """Return a manager that holds a tenth of a coin from 50,000 on, guarded."""
    one = manager(limits=genesis.Limits(150_000, 50_000, 0, 0, 20_000))
    one.mark(T0, {"BTC/USDT": 50_000})
    one.record_trade_result(risk.TradeResult("BTC/USDT", "buy", "0.1", 50_000))
    one.stops.place("BTC/USDT", risk.Guard(**guard))
    return one


def follow(one: Any, *closes: int) -> list[Any]:
    """Let bars come that open where they close; return what is hit, sold at once."""
    hits = []
    for n, close in enumerate(closes):
        time, prices = T0 + timedelta(minutes=n + 1), {"BTC/USDT": close}
        for hit in one.check_stop_losses(time, prices):
            one.record_trade_result(risk.TradeResult(hit.symbol, "sell", hit.quantity, hit.price, hit.fee, hit.kind))
            hits.append((n, hit.kind, hit.price))
        one.mark(time, prices)
    return hits


@pytest.mark.parametrize(
    ("guard", "hit"),
    [
        ({"stop": 49_000}, (3, "stop", 48_500)),
        ({"take_profit": 53_000}, (2, "take_profit", 53_000)),
        ({"trail": "0.02"}, (3, "stop", 48_500)),
        ({"trail_by": 6_000}, None),
        ({"break_even": "0.01", "stop": 1}, (3, "stop", 48_500)),
        ({"bars": 2}, (2, "time", 54_000)),
    ],
)
def test_each_guard(guard: dict[str, Any], hit: tuple[int, str, int] | None) -> None:
    assert follow(bought(**guard), 51_000, 52_000, 54_000, 48_500) == ([hit] if hit else [])


@pytest.mark.parametrize(
    ("bar", "kind", "price"),
    [
        ((50_000, 54_000, 48_000, 50_000), "stop", 49_000),
        ((53_500, 54_000, 48_000, 50_000), "take_profit", 53_000),
        ((48_500, 54_000, 48_000, 50_000), "stop", 48_500),
        ((50_000, 53_000, 49_500, 50_000), None, 0),
    ],
)
def test_a_bar_that_reaches_both(bar: tuple[int, ...], kind: str | None, price: int) -> None:
    """The stop comes first, unless the bar opens beyond the target; the guards have rested since the bar before."""
    one = bought(stop=49_000, take_profit=53_000)
    assert follow(one, 50_000) == []
    hits = one.check_stop_losses(T0 + timedelta(minutes=2), {"BTC/USDT": risk.Prices(*bar)})
    assert [(hit.kind, hit.price) for hit in hits] == ([(kind, price)] if kind else [])


def test_what_is_sold_out_is_guarded_no_longer() -> None:
    one = bought(stop=49_000, trail="0.05", bars=3)
    one.record_trade_result(risk.TradeResult("BTC/USDT", "sell", "0.04", 50_500))
    assert one.stops.level("BTC/USDT") == 49_000
    one.record_trade_result(risk.TradeResult("BTC/USDT", "sell", "0.06", 50_500))
    assert one.stops.level("BTC/USDT") is None and one.account.position("BTC/USDT") == 0
    one.record_trade_result(risk.TradeResult("BTC/USDT", "buy", "0.1", 50_500))
    assert follow(one, 52_000, 40_000, 40_000, 40_000) == []


def test_the_ninth_loss_of_two_per_cent_ends_trading_until_a_reset() -> None:
    """Two per cent of what is left, nine times, on nine days: 0.98^8 is above 0.85, 0.98^9 is not."""
    one = manager(limits=genesis.Limits(150_000, 50_000, 0, 0, 20_000))
    equity = Decimal(10_000)
    for day in range(9):
        assert not one.breaker.is_tripped
        equity = (equity * Decimal("0.98")).quantize(Decimal("1.00000000"))
        one.drawdown.update(T0 + timedelta(days=day), equity)
    assert one.breaker.reasons == ("the drawdown limit",) and one.breaker.reopens_at is None
    with pytest.raises(UsageError, match="rebase_peak=True"):
        one.breaker.reset("looked at it")
    with pytest.raises(UsageError, match="needs a reason"):
        one.breaker.reset(" ", rebase_peak=True)
    one.breaker.reset("looked at it", rebase_peak=True)
    assert one.breaker.resets == ["looked at it"] and not one.breaker.is_tripped
    assert one.drawdown.drawdown == 0 and one.drawdown.peak == equity


def test_the_third_loss_of_a_day_waits_for_midnight() -> None:
    one = manager(limits=genesis.Limits(150_000, 50_000, 0, 0, 20_000))
    for n, equity in enumerate(("9800", "9604", "9411.92")):
        assert not one.breaker.is_tripped
        one.drawdown.update(T0 + timedelta(hours=n), equity)
    assert one.breaker.reasons == ("the daily loss limit",)
    assert one.breaker.reopens_at == T0 + timedelta(days=1)
    one.drawdown.update(T0 + timedelta(days=1), "9411.92")
    assert not one.breaker.is_tripped and one.drawdown.day_open == Decimal("9411.92")


def test_a_halt_by_hand_lets_sales_through() -> None:
    one = bought()
    one.breaker.halt()
    assert one.validate_trade(risk.Trade("BTC/USDT", "buy", spend=100)).reason == "trading is halted"
    assert one.validate_trade(risk.Trade("BTC/USDT", "sell", quantity="0.3")) == risk.Verdict(
        True, Decimal("0.1"), Decimal(0), "nothing is left to sell"
    )
    one.breaker.reset("over")
    assert one.validate_trade(risk.Trade("BTC/USDT", "buy", spend=100)).spend == 100


def test_an_account_that_lost_everything_can_still_be_asked() -> None:
    one = bought(stop=49_000)
    one.drawdown.update(T0 + timedelta(hours=1), 9_400)
    one.drawdown.update(T0 + timedelta(hours=2), 0)
    assert (one.drawdown.drawdown, one.drawdown.day_loss, one.drawdown.floor) == (1, 1, None)
    assert one.breaker.reasons == ("the drawdown limit", "the daily loss limit") and one.breaker.reopens_at is None
    one.drawdown.update(T0 + timedelta(days=1), 0)
    assert (one.drawdown.day_open, one.drawdown.day_loss) == (0, 0)
    assert one.breaker.reasons == ("the drawdown limit",)
    one.breaker.reset("there is nothing left to lose", rebase_peak=True)
    assert one.validate_trade(risk.Trade("BTC/USDT", "buy", spend=100)).approved is False


def test_asking_changes_nothing() -> None:
    one = bought(stop=49_000)
    before = [part.tobytes() for part in one.account.world]
    one.validate_trade(risk.Trade("BTC/USDT", "buy", spend=100, stop=48_000))
    one.sizer.size("BTC/USDT", entry=50_000, stop=48_000)
    assert [part.tobytes() for part in one.account.world] == before


@pytest.mark.parametrize(
    ("do", "sentence"),
    [
        (lambda m: m.validate_trade(risk.Trade("ETH/USDT", "buy", quantity=1)), "not ETH/USDT"),
        (lambda m: m.validate_trade(risk.Trade("BTC/USDT", "buy", quantity=1, spend=1)), "one of the two"),
        (lambda m: m.validate_trade(risk.Trade("BTC/USDT", "sell", quantity=1, stop=1)), "no stop"),
        (lambda m: m.validate_trade(risk.Trade("BTC/USDT", "buy", quantity=0.1)), "is a float"),
        (lambda m: m.validate_trade(risk.Trade("BTC/USDT", "SELL", quantity=1)), "side is 'SELL'"),
        (lambda m: m.validate_trade(risk.Trade("BTC/USDT", "buy", quantity=True)), "is a bool"),
        (lambda m: m.validate_trade(risk.Trade("BTC/USDT", "buy", quantity=1, stop=50_000)), "not lie below the price"),
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "Sell", "0.1", 50_000)), "side is 'Sell'"),
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "sell", "0.1", 1, by="x")), "by is 'x'"),
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "sell", 1, 50_000)), "cannot have"),
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "buy", 1, 50_000)), "cannot have"),
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "buy", 0, 50_000)), "cannot be booked"),
        (lambda m: m.mark(T0, {"BTC/USDT": 50_000}), "marked before"),
        (lambda m: m.mark(T0 - timedelta(1), {"BTC/USDT": 50_000}), "in their order"),
        (lambda m: m.mark(T0.replace(tzinfo=None), {"BTC/USDT": 50_000}), "no time zone"),
        (lambda m: m.mark(T0 + timedelta(1), {"BTC/USDT": risk.Prices(3, 2, 1, 2)}), "is no bar"),
        (lambda m: m.mark(T0 + timedelta(1), {"BTC/USDT": -1}), "not above 0"),
        (lambda m: m.stops.place("BTC/USDT", risk.Guard(trail=2)), "a share from 0"),
        (lambda m: m.stops.place("BTC/USDT", risk.Guard(trail="a lot")), "a share from 0"),
        (lambda m: m.stops.place("BTC/USDT", risk.Guard(bars=-2)), "whole number from 0"),
        (lambda m: m.stops.place("BTC/USDT", risk.Guard(bars=1.5)), "whole number from 0"),
        (lambda m: m.stops.place("BTC/USDT", risk.Guard(bars=True)), "whole number from 0"),
        (lambda m: m.drawdown.update(T0 - timedelta(1), 100), "in their order"),
        (lambda m: risk.FixedFractionalSizer(m.account, 0.02), "is a float"),
        (lambda m: risk.RiskManager([], 100), "something to trade"),
        (lambda m: risk.RiskManager([BTC], 100, timeframe="7x"), "not a timeframe"),
        (lambda m: risk.RiskManager([BTC], 100, limits=genesis.Limits.off()).sizer, "no risk for a trade"),
    ],
)
def test_what_cannot_be_is_one_sentence(do: Any, sentence: str) -> None:
    one = bought()
    with pytest.raises(UsageError, match=sentence):
        do(one)


@pytest.mark.slow
def test_compiled_it_does_the_same() -> None:
    import crypto_bot.risk as compiled

    def played(room: Any) -> tuple[list[Any], list[bytes]]:
        one = room.RiskManager([BTC], 10_000, timeframe="1m")
        one.mark(T0, {"BTC/USDT": 50_000})
        said = [one.sizer.size("BTC/USDT", entry=50_000, stop=49_000)]
        verdict = one.validate_trade(room.Trade("BTC/USDT", "buy", quantity=1, stop=49_000))
        one.record_trade_result(room.TradeResult("BTC/USDT", "buy", verdict.quantity, 50_000, 5))
        one.stops.place("BTC/USDT", room.Guard(stop=49_000, trail="0.03", bars=9))
        for n, close in enumerate((51_000, 52_000, 50_000)):
            time, prices = T0 + timedelta(minutes=n + 1), {"BTC/USDT": close}
            for hit in one.check_stop_losses(time, prices):
                done = room.TradeResult(hit.symbol, "sell", hit.quantity, hit.price, hit.fee, hit.kind)
                one.record_trade_result(done)
                said += [hit.kind, hit.price, hit.fee]
            said.append(one.mark(time, prices))
        return [*said, verdict.quantity, verdict.reason], [part.tobytes() for part in one.account.world]

    assert played(compiled) == played(risk)


def test_the_names_of_the_package() -> None:
    import crypto_bot
    from crypto_bot import CircuitBreaker, DrawdownTracker, FixedFractionalSizer, RiskManager, StopLossHandler

    one = RiskManager([BTC], 10_000)
    assert (one.sizer.risk, type(one.sizer)) == (Decimal("0.02"), FixedFractionalSizer)
    assert (type(one.breaker), type(one.drawdown), type(one.stops)) == (
        CircuitBreaker,
        DrawdownTracker,
        StopLossHandler,
    )
    assert not hasattr(crypto_bot, "RiskManagers")
