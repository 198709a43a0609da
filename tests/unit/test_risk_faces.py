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
measures = uncompiled("kernel.measures")
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


GATED = (
    genesis.Gates(),
    genesis.Gates(places=1, expectancy="smallest"),
    genesis.Gates(groups=(("COIN/USDT", "OTHER/USDT"),), group_ppm=200_000),
    genesis.Gates(volatility_ppm=900_000, volatility_days=20, kelly_ppm=250_000, losses=2, pause_ns=5 * MINUTE),
)


@pytest.mark.parametrize("seed", range(8))
def test_every_verdict_is_the_gates(seed: int) -> None:
    """Two worlds side by side: what one is asked and may buy or sell is what the other's gate lets through."""
    dice = random.Random(seed)
    asked = GATED[seed % len(GATED)]
    rows = [path(*(10_000 + dice.randint(-900, 900) for _ in range(60))) for _ in range(2)]
    coins = (COIN, Instrument("OTHER/USDT", price_scale=100, quantity_scale=1_000_000, lot=1_000, min_notional=ATOMS))
    limits: tuple[int, ...] = dice.choice(
        [(0, 0, 0, 0, 0), (90_000, 30_000, 300_000, 500_000, 20_000), (0, 0, 0, 700_000, 5_000)]
    )
    costs = (800, 1_000, 500)
    small = SmallWorld(rows, instruments=coins, terms=SmallTerms(limits, *costs))
    genesis._set_gates(small.desk, asked)
    small.world.book["group"] = bool(asked.groups)
    one = risk.RiskManager(coins, 10_000, limits=genesis.Limits(*limits, gates=asked), costs=genesis.Costs(*costs))
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
        stop = dice.choice([0, (price or close) - dice.randint(1, 2_000)]) if side == BUY else 0
        trade = risk.Trade(
            coins[lane].symbol, "buy" if side == BUY else "sell", quantity=Decimal(quantity) / 1_000_000,
            price=cents(price) if price else None, stop=cents(stop),
        )  # fmt: skip
        verdict = one.validate_trade(trade)
        small.world.wish[lane]["stop"] = stop
        measures.measure(small.world, small.market, small.i)
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
        assert verdict.reason == uncompiled("kernel.reasons").REASONS.get(int(order["cut"]), "")
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
