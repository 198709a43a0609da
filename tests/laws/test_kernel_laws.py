"""Laws of the kernel over made-up markets: whatever is wished for, no money appears and no limit is passed."""

import random
from collections import defaultdict
from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, DAY_NS, PPM
from crypto_bot.kernel.layout import (
    APPROVED,
    BUY,
    COMMAND_HALT,
    COMMAND_REBASE,
    COMMAND_RESUME,
    HALT_DAILY_LOSS,
    HALT_OPERATOR,
    HALTED,
    RESUMED,
    SELL,
)
from tests.paper_exchange import Coin, Paper
from tests.small_worlds import MINUTE, T0, Row, SmallWorld, Terms, assert_lawful

SEEDS = st.integers(0, 2**32 - 1)
SCALES = [
    Instrument("AAA/USDT", price_scale=100, quantity_scale=1_000_000, tick=1, lot=10, min_notional=5 * ATOMS),
    Instrument("BBB/USDT", price_scale=10_000, quantity_scale=1_000_000, tick=100, lot=1_000),
    Instrument("CCC/USDT", price_scale=100_000_000, quantity_scale=1, tick=1, lot=1),
    Instrument("DDD/USDT", price_scale=1_000_000, quantity_scale=100_000_000, tick=10, lot=1_000),
    Instrument("EEE/USDT", price_scale=100_000_000, quantity_scale=100_000_000, tick=1, lot=7),
    Instrument("FFF/USDT", price_scale=1, quantity_scale=1, tick=1, lot=1),
]
"""From prices of whole units to prices and quantities of eight decimals, whose product passes 64 bits."""


def made_up_market(dice: random.Random, instrument: Instrument, bars: int) -> list[Row]:
    """Return bars that move by a per cent or so, with gaps and narrow ones among them."""
    price = instrument.price_scale * dice.choice([3, 40, 500])
    rows: list[Row] = []
    close = price
    for _ in range(bars):
        step = max(1, close // dice.choice([20, 100, 300]))
        opened = close if dice.random() < 0.6 else max(1, close + dice.randint(-step, step))
        points = [opened] + [max(1, opened + dice.randint(-step, step)) for _ in range(dice.choice([0, 1, 3]))]
        close = points[-1]
        rows.append((opened, max(points), min(points), close))
    return rows


def made_up_world(dice: random.Random, *, limited: bool, bars: int = 40) -> SmallWorld:
    """Return a world of one to three instruments and strategies, with terms of all kinds."""
    coins = dice.sample(SCALES, dice.randint(1, 3))
    limits = tuple(
        dice.choice([0, low, high])
        for low, high in ((20_000, 150_000), (10_000, 50_000), (200_000, 500_000), (400_000, 800_000))
    )
    terms = Terms(
        limits if limited else (0, 0, 0, 0),
        maker_ppm=dice.choice([0, 100, 1_000]),
        taker_ppm=dice.choice([0, 1_000, 7_777]),
        slippage_ppm=dice.choice([0, 0, 500, 3_333]),
        fee_in=dice.choice(["quote", "received"]),
        through=dice.random() < 0.5,
    )
    times = T0 + np.cumsum(np.array([dice.choice([1, 1, 1, 2, 700, 1500]) for _ in range(bars)], np.int64)) * MINUTE
    return SmallWorld(
        [made_up_market(dice, coin, bars) for coin in coins],
        cash=dice.choice([1_000, 10_000, 54_321]) * ATOMS + dice.randint(0, 99),
        instruments=coins,
        terms=terms,
        strategies=dice.randint(1, 3),
        times=times,
    )


def made_up_wishes(dice: random.Random, small: SmallWorld) -> None:
    """Change a few wishes at once, as the words of a strategy do, and let them be answered."""
    count = len(small.instruments)
    lanes = count * small.strategies
    for lane in range(lanes):
        if dice.random() < 0.5:
            continue
        w = small.world.wish[lane]
        instrument = small.instruments[lane % count]
        close = int(small.market.bars[3, small.i, lane % count])
        what = dice.choice(["weight", "weight", "hold", "guard", "quote", "quote", "quote"])
        if what == "weight":
            w["weight"], w["hold"] = dice.choice([0, dice.randint(1, PPM), PPM]), -1
            w["dirty"] |= 1
            if w["weight"] == 0:
                w["stop"] = w["take"] = 0
                w["dirty"] |= 4
        elif what == "hold":
            lots = small.cash // ATOMS * instrument.quantity_scale * instrument.price_scale // close // instrument.lot
            w["hold"], w["weight"] = dice.randint(0, max(0, lots)) * instrument.lot, 0
            w["dirty"] |= 1
        elif what == "guard":
            w["stop"] = dice.choice([0, close - close // dice.choice([30, 200])])
            w["take"] = dice.choice([0, close + max(1, close // dice.choice([30, 200]))])
            w["dirty"] |= 4
        else:
            slot = dice.randint(0, 5)
            side = dice.choice([BUY, SELL])
            q = w["quote"][slot]
            q["side"] = side
            q["price"] = max(1, close - side * (close // dice.choice([30, 100, 1_000])) + dice.choice([0, 0, 1]))
            worth = small.cash // dice.choice([3, 10, 40])
            units = worth * instrument.quantity_scale * instrument.price_scale // ATOMS // close
            q["quantity"] = dice.choice([0, 1, 1]) * (units // instrument.lot * instrument.lot)
            w["quotes"] = max(int(w["quotes"]), slot + 1)
            w["dirty"] |= 2
        small.world.wish[lane - lane % count]["any"] = 1
    if any(w["any"] for w in small.world.wish[::count]):
        small._answer(0)


def assert_within_limits(small: SmallWorld, approved_before: int) -> None:
    """No order that opens is on the books beyond a cap at the moment it is approved, none at all in a halt."""
    desk = small.desk
    if desk["halt"]:
        assert not [o for o in small.live() if o["side"] == BUY], "an order that opens lives on in a halt"
    fresh = small.notes(APPROVED)[approved_before:]
    count = len(small.instruments)
    equity = int(desk["equity"])
    for k in {int(n["lane"]) % count for n in fresh if n["side"] == BUY}:
        assert not desk["halt"]
        b = small.world.book[k]
        exposed = worth(small, k) + int(b["reserved"])
        if small.terms.limits[2]:
            assert exposed <= equity * small.terms.limits[2] // PPM
    if small.terms.limits[3] and any(n["side"] == BUY for n in fresh):
        invested = equity - small.purse + int(desk["reserved"]) - int(sum(small.world.funds["expected"]))
        assert invested <= equity * small.terms.limits[3] // PPM


def worth(small: SmallWorld, k: int) -> int:
    """Return what the position of an instrument is worth, by exact arithmetic."""
    coin = small.instruments[k]
    close = int(small.market.bars[3, small.i, k])
    return small.position(k) * close * ATOMS // (coin.price_scale * coin.quantity_scale)


def assert_money_is_conserved(small: SmallWorld) -> None:
    """Recount cash, positions and fees from the fills alone, in fractions."""
    count = len(small.instruments)
    cash = [Fraction(int(fund["initial"])) for fund in small.world.funds]
    held: dict[int, Fraction] = defaultdict(Fraction)
    for fill in small.fills:
        coin = small.instruments[fill.lane % count]
        value = Fraction(fill.price * fill.quantity * ATOMS, coin.price_scale * coin.quantity_scale)
        paid = -(-value.numerator // value.denominator) if fill.side == BUY else value.numerator // value.denominator
        cash[fill.lane // count] -= fill.side * paid
        held[fill.lane] += fill.side * fill.quantity
        if fill.fee_asset == 0:
            cash[fill.lane // count] -= fill.fee
        else:
            assert fill.fee_asset == 1 + fill.lane % count and fill.side == BUY
            held[fill.lane] -= Fraction(fill.fee * coin.quantity_scale, ATOMS)
    assert [int(fund["balance"]) for fund in small.world.funds] == cash
    for lane, sub in enumerate(small.world.subs):
        assert sub["position"] == held[lane] and sub["position"] >= 0
    assert small.purse >= 0 and int(small.desk["equity"]) == small.purse + sum(worth(small, k) for k in range(count))


def assert_orders_are_kept(small: SmallWorld) -> None:
    """Nothing is filled beyond what was approved, and nothing that was not."""
    count = len(small.instruments)
    allowed = {int(n["order_id"]): n for n in small.notes(APPROVED)}
    filled: dict[int, int] = defaultdict(int)
    for fill in small.fills:
        note = allowed[fill.order]
        assert (note["side"], note["lane"]) == (fill.side, fill.lane)
        filled[fill.order] += fill.quantity
        if note["money"]:
            coin = small.instruments[fill.lane % count]
            cost = Fraction(fill.price * fill.quantity * ATOMS, coin.price_scale * coin.quantity_scale)
            assert cost + (fill.fee if fill.fee_asset == 0 else 0) <= int(note["money"])
        else:
            assert filled[fill.order] <= note["quantity"]
        assert fill.quantity % small.instruments[fill.lane % count].lot == 0


@given(SEEDS)
@settings(max_examples=60)
def test_no_wish_breaks_a_law(seed: int) -> None:
    dice = random.Random(seed)
    small = made_up_world(dice, limited=True)
    for _ in range(39):
        before = len(small.notes(APPROVED))
        small.go()
        made_up_wishes(dice, small)
        assert_lawful(small)
        assert_within_limits(small, before)
        if dice.random() < 0.05:
            small.command(dice.choice([COMMAND_HALT, COMMAND_RESUME, COMMAND_REBASE]))
            assert_lawful(small)
    small.go()
    assert_money_is_conserved(small)
    assert_orders_are_kept(small)
    for lane in range(small.world.wish.size):
        w = small.world.wish[lane]
        w["quote"]["quantity"] = 0
        w["stop"] = w["take"] = 0
        w["dirty"] |= 6
    small._answer(0)
    assert not [o for o in small.live() if o["kind"] != 0]
    if not small.live():
        assert small.desk["reserved"] == 0 and not any(small.world.funds["expected"])


@given(SEEDS)
@settings(max_examples=50)
def test_days_and_halts_follow_the_clock(seed: int) -> None:
    """A daily-loss halt never outlives its day and ends at midnight or by hand; the operator's ends by hand alone."""
    dice = random.Random(seed)
    small = made_up_world(dice, limited=True)
    by_hand: set[int] = set()
    halted_by_hand = False
    for _ in range(39):
        small.go()
        today = int(small.market.times[small.i]) // DAY_NS * DAY_NS
        halt = int(small.desk["halt"])
        assert small.desk["day_end"] == today + DAY_NS
        assert bool(halt & HALT_OPERATOR) == halted_by_hand
        if halt & HALT_DAILY_LOSS:
            halts = small.notes(HALTED)
            assert max(int(time) for time in halts["time_ns"][halts["code"] == HALT_DAILY_LOSS]) > today
        for note in small.notes(RESUMED):
            time = int(note["time_ns"])
            midnight = time // DAY_NS * DAY_NS
            first = int(small.market.times[np.searchsorted(small.market.times, midnight)])
            # A fill at the first open of the day is booked before the day begins for the limits.
            assert time in by_hand or (note["code"] == HALT_DAILY_LOSS and time in (midnight, first))
        made_up_wishes(dice, small)
        if dice.random() < 0.1:
            halted_by_hand = not halted_by_hand
            small.command(COMMAND_HALT if halted_by_hand else COMMAND_RESUME)
            if not halted_by_hand:
                by_hand.add(int(small.desk["time_ns"]))


# ---- against the exchange on paper


def as_paper(small: SmallWorld) -> Paper:
    """Return the same account and terms on paper."""
    coins = [
        Coin(
            Fraction(1, coin.price_scale),
            Fraction(1, coin.quantity_scale),
            Fraction(coin.lot, coin.quantity_scale),
            Fraction(coin.min_notional, ATOMS),
        )
        for coin in small.instruments
    ]
    terms = small.terms
    return Paper(
        coins,
        [Fraction(int(fund["balance"]), ATOMS) for fund in small.world.funds],
        Fraction(terms.maker_ppm, PPM),
        Fraction(terms.taker_ppm, PPM),
        Fraction(terms.slippage_ppm, PPM),
        terms.fee_in == "received",
        terms.through,
    )


def made_up_orders(dice: random.Random, small: SmallWorld, paper: Paper) -> None:
    """Place a few orders in free slots, and take a few away, in both worlds."""
    count = len(small.instruments)
    for lane in range(count * small.strategies):
        k = lane % count
        coin = small.instruments[k]
        close = int(small.market.bars[3, small.i, k])
        for slot in range(4):
            at = (lane // count, k, slot)
            if at in paper.orders:
                if dice.random() < 0.15:
                    small.cancel(slot, lane)
                    del paper.orders[at]
                continue
            if dice.random() < 0.6:
                continue
            side = dice.choice([BUY, SELL])
            kind = dice.choice(["limit", "limit", "market", "budget"])
            units = small.cash // dice.choice([2, 10, 50]) * coin.quantity_scale * coin.price_scale // ATOMS // close
            quantity = units // coin.lot * coin.lot
            price = max(1, close - side * (close // dice.choice([-300, 40, 100, 1_000]))) if kind == "limit" else 0
            budget = small.cash // dice.choice([3, 30]) if kind == "budget" and side == BUY else 0
            if budget:
                quantity = 0
            elif quantity == 0:
                continue
            small.order(side, quantity, price, slot=slot, lane=lane, budget=budget)
            paper.place(
                at,
                side == BUY,
                Fraction(quantity, coin.quantity_scale),
                Fraction(price, coin.price_scale) if price else None,
                budget=Fraction(budget, ATOMS),
                close=Fraction(close, coin.price_scale),
            )


@given(SEEDS)
@settings(max_examples=80)
@example(1)
def test_ledger_and_matcher_agree_with_paper(seed: int) -> None:
    """The same orders on the same bars: the same fills, fees, cash and equity, to the last atom."""
    dice = random.Random(seed)
    small = made_up_world(dice, limited=False, bars=30)
    paper = as_paper(small)
    count = len(small.instruments)
    for i in range(30):
        rows = [
            [Fraction(price, coin.price_scale) for price in small.rows[k][i]]
            for k, coin in enumerate(small.instruments)
        ]
        paper.bar([(row[0], row[1], row[2], row[3]) for row in rows])
        small.go()
        assert Fraction(small.equity[-1], ATOMS) == paper.worth(row[3] for row in rows)
        assert_lawful(small)
        made_up_orders(dice, small, paper)
        assert {
            (lane // count, lane % count, int(o["id"]))
            for lane in range(small.world.wish.size)
            for o in small.live(lane)
        } == {(s, k, order.number) for (s, k, _), order in paper.orders.items()}
    found = []
    for fill in small.fills:
        coin = small.instruments[fill.lane % count]
        quantity = Fraction(fill.quantity, coin.quantity_scale)
        found.append(
            (fill.order, fill.side == BUY, Fraction(fill.price, coin.price_scale), quantity, Fraction(fill.fee, ATOMS))
        )
    assert found == paper.fills
    assert [Fraction(int(fund["balance"]), ATOMS) for fund in small.world.funds] == paper.cash
