"""Risk management that is kept and goes on: what it says after a restart is what it would have said without one."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from tests.uncompiled import uncompiled

risk = uncompiled("risk")
genesis = uncompiled("kernel.genesis")
COINS = (Instrument("BTC/USDT"), Instrument("ETH/USDT"))
T0 = datetime(2024, 1, 1, 20, tzinfo=UTC)
LIMITS = genesis.Limits(
    150_000, 50_000, 500_000, 800_000, 20_000, genesis.Gates(volatility_ppm=400_000, losses=3, pause_ns=3600 * 10**9)
)


def fresh(cash: int = 10_000, **more: Any) -> Any:
    return risk.RiskManager(COINS, cash, **{"limits": LIMITS, "timeframe": "5m", **more})


def told(one: Any) -> list[object]:
    """Return everything that can be asked."""
    faces = (one.breaker, one.drawdown)
    said: list[object] = [getattr(face, name) for face in faces for name in dir(type(face)) if _is_told(face, name)]
    return [*said, list(one.breaker.resets), *(one.stops.level(coin.symbol) for coin in COINS)]


def _is_told(face: object, name: str) -> bool:
    return isinstance(getattr(type(face), name), property)


def live(one: Any, dice: random.Random, bars: range) -> list[object]:
    """Trade at random over some bars; return what was said."""
    said: list[object] = []
    for n in bars:
        time = T0 + timedelta(minutes=5 * n)
        prices = {coin.symbol: dice.randint(9_000, 11_000) for coin in COINS}
        for hit in one.check_stop_losses(time, prices):
            one.record_trade_result(risk.TradeResult(hit.symbol, "sell", hit.quantity, hit.price, hit.fee, hit.kind))
            said.append(hit)
        one.mark(time, prices)
        coin = dice.choice(COINS).symbol
        if one.account.position(coin) == 0:
            verdict = one.validate_trade(risk.Trade(coin, "buy", quantity=1, stop=prices[coin] - 300))
            said.append(verdict)
            if verdict.approved:
                one.record_trade_result(risk.TradeResult(coin, "buy", verdict.quantity, prices[coin], 1))
                one.stops.place(coin, risk.Guard(stop=prices[coin] - 300, trail="0.05"))
        if n % 40 == 39 and one.breaker.is_tripped:
            one.breaker.reset(f"bar {n}", rebase_peak=True)
        said += told(one)
    return said


@pytest.mark.parametrize("cut", [0, 1, 57, 64, 119])
def test_it_goes_on_as_if_nothing_had_been(cut: int) -> None:
    whole, halves = fresh(), fresh()
    dice, same = random.Random(3), random.Random(3)
    expected = live(whole, dice, range(120))
    said = live(halves, same, range(cut))
    other = fresh(cash=1)
    other.restore(halves.get_state())
    said += live(other, same, range(cut, 120))
    assert said == expected
    assert other.get_state() == whole.get_state()
    assert whole.breaker.resets, "it was halted on the way"


def test_a_halt_outlives_a_restart() -> None:
    one = fresh()
    one.mark(T0, {"BTC/USDT": 50_000})
    one.drawdown.update(T0, 8_400)
    other = fresh()
    other.restore(one.get_state())
    assert other.breaker.reasons == ("the drawdown limit",)
    assert other.validate_trade(risk.Trade("BTC/USDT", "buy", quantity="0.01")).reason == "trading is halted"
    assert other.drawdown.peak == Decimal(10_000)


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: b"", lambda s: s[:40] + b"?" + s[41:], lambda s: s * 2])
def test_a_damaged_state_is_refused_and_nothing_is_changed(spoil: Any) -> None:
    one = fresh()
    one.mark(T0, {"BTC/USDT": 50_000})
    other = fresh()
    before = other.get_state()
    with pytest.raises(UsageError, match="is damaged"):
        other.restore(spoil(one.get_state()))
    assert other.get_state() == before


@pytest.mark.parametrize(
    "more", [{"limits": None}, {"timeframe": "1m"}, {"costs": genesis.Costs(1, 1, 1)}], ids=["limits", "bars", "costs"]
)
def test_a_state_of_other_terms_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is of other instruments"):
        fresh(**more).restore(fresh().get_state())
