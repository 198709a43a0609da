"""The typed face of risk management: it says what the kernel does, bar by bar, in the same numbers."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import APPROVED, BOOKED, BUY, EMPTY, REFUSED, SELL, SIGNALED
from tests.plays import Rooms, Terms, author
from tests.small_runs import walk
from tests.small_worlds import COIN, MINUTE, SmallWorld, path
from tests.small_worlds import Terms as SmallTerms
from tests.uncompiled import uncompiled

risk = uncompiled("risk")
genesis = uncompiled("kernel.genesis")
BTC = Instrument("BTC/USDT", price_scale=100, quantity_scale=1_000_000)
T0 = datetime(2024, 1, 1, tzinfo=UTC)


def at(time_ns: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1_000)


def manager(*, costs: tuple[int, int, int] = (0, 0, 0), limits: Any = None, cash: int = 10_000, **gates: Any) -> Any:
    """Return a risk manager of bitcoin without costs; without limits unless told."""
    limits = limits or genesis.Limits(0, 0, 0, 0, 20_000, genesis.Gates(**gates))
    return risk.RiskManager([BTC], cash, limits=limits, costs=genesis.Costs(*costs))


def cents(price: int) -> Decimal:
    return Decimal(price) / 100


# ---- sizing


@pytest.mark.parametrize(
    ("costs", "quantity"),
    [((0, 0, 0), "0.2"), ((1_000, 1_000, 0), "0.181983"), ((1_000, 1_000, 500), "0.178015")],
)
def test_two_per_cent_over_a_stop(costs: tuple[int, int, int], quantity: str) -> None:
    """0.2, 0.181984 and 0.178015 of the reference, floored to the lot."""
    assert manager(costs=costs).sizer.size("BTC/USDT", entry=50_000, stop=49_000) == Decimal(quantity)


def test_another_share_and_the_smallest_order() -> None:
    one = manager()
    assert risk.FixedFractionalSizer(one.account, Decimal("0.005")).size("BTC/USDT", entry=50_000, stop=49_000) == (
        Decimal("0.05")
    )
    dear = risk.RiskManager(
        [Instrument("BTC/USDT", min_notional=10_000 * ATOMS + 1)], 10_000, costs=genesis.Costs(0, 0, 0)
    )
    assert dear.sizer.size("BTC/USDT", entry=50_000, stop=49_000) == 0
    with pytest.raises(UsageError, match="does not lie below the entry"):
        one.sizer.size("BTC/USDT", entry=50_000, stop=50_000)
    with pytest.raises(UsageError, match="share above 0"):
        risk.FixedFractionalSizer(one.account, 2)


def test_a_cap_of_a_fifth_leaves_less() -> None:
    """The reference's fourth vector: 20 % of 10,000 at 50,000 is 0.04."""
    one = manager(limits=genesis.Limits(0, 0, 200_000, 0, 20_000))
    one.mark(T0, {"BTC/USDT": 50_000})
    verdict = one.validate_trade(risk.Trade("BTC/USDT", "buy", quantity=1, stop=49_000))
    assert (verdict.approved, verdict.quantity, verdict.reason) == (
        True,
        Decimal("0.04"),
        "the exposure limit is reached",
    )


# ---- as the kernel does it: orders


@pytest.mark.parametrize("seed", range(8))
def test_every_verdict_is_the_gates(seed: int) -> None:
    """Two worlds side by side: what one is asked and may buy or sell is what the other's gate lets through."""
    dice = random.Random(seed)
    rows = [path(*(10_000 + dice.randint(-900, 900) for _ in range(60))) for _ in range(2)]
    coins = (COIN, Instrument("OTHER/USDT", price_scale=100, quantity_scale=1_000_000, lot=1_000, min_notional=ATOMS))
    limits = dice.choice([(0, 0, 0, 0, 0), (90_000, 30_000, 300_000, 500_000, 20_000), (0, 0, 0, 700_000, 5_000)])
    costs = (800, 1_000, 500)
    small = SmallWorld(rows, instruments=coins, terms=SmallTerms(limits, *costs))
    one = risk.RiskManager(coins, 10_000, limits=genesis.Limits(*limits), costs=genesis.Costs(*costs))
    told = compared = 0
    while small.i < 58:
        small.go()
        for fill in small.fills[told:]:
            coin, said = coins[fill.lane], "buy" if fill.side == BUY else "sell"
            filled, fee = Decimal(fill.quantity) / 1_000_000, Decimal(fill.fee) / ATOMS
            one.record_trade_result(risk.TradeResult(coin.symbol, said, filled, cents(fill.price), fee))
        told = len(small.fills)
        bars = {c.symbol: risk.Prices(*map(cents, rows[k][small.i])) for k, c in enumerate(coins)}
        assert one.mark(at(int(small.market.times[small.i])), bars) * ATOMS == small.equity[-1]
        assert one.breaker.is_tripped == bool(small.desk["halt"])
        lane = dice.randint(0, 1)
        close = int(small.market.bars[3, small.i, lane])
        side, market = dice.choice([BUY, BUY, SELL]), dice.random() < 0.6
        quantity = dice.choice([1, 999, 10_000, 4_000_000, 60_000_000, 900_000_000])
        price = 0 if market else max(1, close - side * dice.randint(0, 300))
        stop = dice.choice([0, close - dice.randint(1, 2_000)]) if side == BUY else 0
        trade = risk.Trade(
            coins[lane].symbol, "buy" if side == BUY else "sell", quantity=Decimal(quantity) / 1_000_000,
            price=cents(price) if price else None, stop=cents(stop),
        )  # fmt: skip
        verdict = one.validate_trade(trade)
        small.world.wish[lane]["stop"] = stop
        before = len(small.notes(REFUSED)) + len(small.notes(APPROVED))
        order = small.order(side, quantity, price, lane=lane)
        small.world.wish[lane]["stop"] = 0
        noted = [*small.notes(REFUSED), *small.notes(APPROVED)]
        assert len(noted) == before + 1
        compared += 1
        if verdict.approved:
            assert verdict.quantity * 1_000_000 == int(order["quantity"])
        else:
            assert order["state"] == EMPTY
        assert verdict.reason == uncompiled("risk.words").REASONS.get(int(order["cut"]), "")
        if not market and order["state"] != EMPTY:
            small.cancel(lane=lane)
    assert compared == 59 and told > 5


# ---- as a backtest does it: stops, breaker, drawdown

GUARDED_TEXT = """
def step(p):
    for k in symbols():
        if wanted(k) == 0 and position(k) == 0:
            target(k, 0.3)
            bracket(k, close(k) * 0.97, close(k) * 1.05)
            trail(k, 0.03, after=0.01)
            break_even(k, 0.02)
            time_stop(k, 12)
"""
LOSSES = (("losses", 3), ("pause_ns", 5 * 60 * MINUTE), ("cooldown_ns", 2 * 60 * MINUTE))


def bar_of(candles: Candles, i: int) -> Any:
    return risk.Prices(*(cents(int(column[i])) for column in candles.columns()[1:5]))


def bar_by_bar(file: Path, candles: Sequence[Candles], terms: Terms) -> Iterator[tuple[int, Any, Any]]:
    """Backtest a strategy; yield after every bar its number, the stage and what was noted."""
    rooms = Rooms.plain()
    strategy = rooms.binding.Strategy(file)
    chosen = [rooms.setup.Chosen(strategy, strategy.module.parameters.read({}))]
    limits = genesis.Limits(*terms.limits, gates=genesis.Gates(**dict(terms.gates)))
    simulation = rooms.setup.Simulation(cash=terms.cash, limits=limits, costs=genesis.Costs(*terms.costs))
    tape = rooms.tape.make_tape(candles)
    with rooms.loading():
        stage = rooms.stage.prepare(chosen, [each.instrument for each in candles], tape, simulation)
    notes = rooms.notes.NoteBook(stage.world.log)
    for i in range(tape.times.size):
        rooms.several.replay_several(stage, i, i + 1, 0)
        yield i, stage, notes.collect(stage.world)


class Follower:
    """A risk manager that is told what a backtest did, and asked what the backtest was asked."""

    def __init__(self, candles: Sequence[Candles], terms: Terms) -> None:
        """Begin with the same money, limits and costs."""
        limits = genesis.Limits(*terms.limits, gates=genesis.Gates(**dict(terms.gates)))
        instruments = [each.instrument for each in candles]
        costs = genesis.Costs(*terms.costs)
        self.one = risk.RiskManager(instruments, 10_000, limits=limits, costs=costs, timeframe="1h")
        self.candles = candles
        self.hits: list[Any] = []

    def at_bar(self, i: int, notes: Any) -> None:
        """Test the stops, book the fills, mark, and guard what the strategy wishes for."""
        one, time = self.one, at(int(self.candles[0].times[i]))
        prices = {each.instrument.symbol: bar_of(each, i) for each in self.candles}
        hits = one.check_stop_losses(time, prices)
        waiting = {hit.symbol: hit for hit in hits}
        for note in notes[notes["kind"] == BOOKED]:
            symbol = self.candles[int(note["lane"])].instrument.symbol
            side = "buy" if note["side"] == BUY else "sell"
            quantity, fee = Decimal(int(note["quantity"])) / 1_000_000, Decimal(int(note["money"])) / ATOMS
            hit = waiting.pop(symbol) if side == "sell" else None
            if hit is not None:
                assert (hit.price, hit.quantity, hit.fee) == (cents(int(note["price"])), quantity, fee)
            by = hit.kind if hit else None
            one.record_trade_result(risk.TradeResult(symbol, side, quantity, cents(int(note["price"])), fee, by))
        assert not waiting, "no guard is said to be hit that was not"
        self.hits += hits
        one.mark(time, prices)
        for lane in notes[notes["kind"] == SIGNALED]["lane"]:
            symbol, close = self.candles[lane].instrument.symbol, int(self.candles[lane].close[i]) / 100
            if one.account.position(symbol) == 0 and one.stops.level(symbol) is None:
                levels = {"stop": str(close * 0.97), "take_profit": str(close * 1.05)}
                guard = risk.Guard(**levels, trail="0.03", trail_after="0.01", break_even="0.02", bars=12)
                one.stops.place(symbol, guard)


@pytest.mark.parametrize("seed", range(4))
def test_stops_breaker_and_drawdown_are_those_of_a_backtest(seed: int, tmp_path: Path) -> None:
    candles = [walk(300, seed=seed + 10 * k, symbol=f"C{k}/USDT", width=180) for k in range(2)]
    terms = Terms(limits=(150_000, 20_000, 400_000, 800_000), costs=(800, 1_000, 500), gates=LOSSES)
    follower = Follower(candles, terms)
    one = follower.one
    halts = set()
    for i, stage, notes in bar_by_bar(author(tmp_path, GUARDED_TEXT), candles, terms):
        follower.at_bar(i, notes)
        theirs, ours = stage.world.desk[0], one.account.desk
        for name in ("equity", "peak", "floor", "day_open", "halt", "losses", "probation", "pause_end_ns"):
            assert ours[name] == theirs[name], (i, name)
        assert one.account.world.subs.tobytes() == stage.world.subs.tobytes(), "the books agree to the last atom"
        for name in ("stop", "take", "trailed", "ending", "cool_ns", "trips", "wins", "won_ppm", "lost_ppm"):
            assert one.account.world.wish[name].tolist() == stage.world.wish[name].tolist(), (i, name)
        halts |= set(one.breaker.reasons)
    assert len(follower.hits) > 10 and halts
    assert one.drawdown.drawdown == 1 - one.account.equity / one.drawdown.peak


# ---- by hand


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
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "sell", 1, 50_000)), "cannot have"),
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "buy", 1, 50_000)), "cannot have"),
        (lambda m: m.record_trade_result(risk.TradeResult("BTC/USDT", "buy", 0, 50_000)), "cannot be booked"),
        (lambda m: m.mark(T0, {"BTC/USDT": 50_000}), "marked before"),
        (lambda m: m.mark(T0 - timedelta(1), {"BTC/USDT": 50_000}), "in their order"),
        (lambda m: m.mark(T0.replace(tzinfo=None), {"BTC/USDT": 50_000}), "no time zone"),
        (lambda m: m.mark(T0 + timedelta(1), {"BTC/USDT": risk.Prices(3, 2, 1, 2)}), "is no bar"),
        (lambda m: m.mark(T0 + timedelta(1), {"BTC/USDT": -1}), "not above 0"),
        (lambda m: m.stops.place("BTC/USDT", risk.Guard(trail=2)), "a share from 0"),
        (lambda m: m.stops.place("BTC/USDT", risk.Guard(bars=-2)), "whole number from 0"),
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
