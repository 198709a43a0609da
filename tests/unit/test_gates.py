"""Groups, volatility, Kelly, expectancy, places and pauses: what each lets through, and that none is ever passed."""

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, DAY_NS, PPM
from crypto_bot.kernel.layout import (
    BUY,
    BY_COOLDOWN,
    BY_EXPECTANCY,
    BY_GROUP,
    BY_HALT,
    BY_KELLY,
    BY_PLACES,
    BY_VOLATILITY,
    CLOSES,
    EMPTY,
    HALT_LOSSES,
    SELL,
)
from tests.small_worlds import COIN, MINUTE, Row, SmallWorld, assert_lawful, flat, path
from tests.uncompiled import uncompiled

evidence = uncompiled("kernel.evidence")
gates = uncompiled("kernel.gates")
measures = uncompiled("kernel.measures")
genesis = uncompiled("kernel.genesis")
ONE = COIN.quantity_scale


def gated(rows: list[list[Row]], **asked: Any) -> SmallWorld:
    """Return a world with these gates; there is one coin for each list of bars."""
    coins = [Instrument(f"C{k}/USDT", price_scale=100, quantity_scale=ONE) for k in range(len(rows))]
    small = SmallWorld(rows, instruments=coins)
    wanted = genesis.Gates(**asked)
    genesis._set_gates(small.desk, wanted)
    for k, coin in enumerate(coins):
        small.world.book[k]["group"] = next((n for n, g in enumerate(wanted.groups, 1) if coin.symbol in g), 0)
    return small


def held_ppm(small: SmallWorld, k: int = 0) -> int:
    """Return the share of the equity that a position is worth at the last close."""
    b = small.world.book[k]
    return int(b["position"] * b["mult"] * small.market.bars[CLOSES, small.i, k] * PPM // small.equity[-1])


# ---- groups


def test_a_group_is_held_below_its_share() -> None:
    small = gated([[flat(10_000)] * 5] * 3, groups=(("C0/USDT", "C2/USDT"),), group_ppm=400_000).go()
    for lane in range(3):
        small.wish(lane, weight=300_000)
    small.go()
    assert [held_ppm(small, k) for k in range(3)] == [300_000, 300_000, 100_000]
    small.wish(2, weight=900_000)
    assert small.refusals == [BY_GROUP]
    assert_lawful(small)


def test_orders_of_a_group_that_rest_count_as_filled() -> None:
    small = gated([[flat(10_000)] * 4] * 2, groups=(("C0/USDT", "C1/USDT"),), group_ppm=400_000).go()
    small.quote(0, BUY, 9_000, 40 * ONE)
    small.wish(1, weight=300_000)
    small.go()
    assert held_ppm(small, 1) == 40_000


# ---- volatility


def test_volatility_of_steps_of_two_per_cent() -> None:
    """Returns of +2 % and -2 % in turn, 90 of them, ddof 1, a year of 365 days: a target of 25 % holds 0.650635."""
    closes = [10_000_000_000]
    for n in range(90):
        closes.append(round(closes[-1] * (1.02 if n % 2 == 0 else 0.98)))
    small = SmallWorld([[flat(c) for c in closes]], bar_ns=DAY_NS)
    small.desk["volatility_ppm"], small.desk["volatility_days"] = 250_000, 90
    measures.measure(small.world, small.market, 90)
    assert small.world.book[0]["calm_ppm"] / PPM == pytest.approx(0.6506348614878066, rel=1e-5)


@pytest.mark.parametrize(("bars", "bar_ns"), [(130, DAY_NS), (700, 6 * DAY_NS // 24), (100, 7 * DAY_NS), (60, MINUTE)])
def test_volatility_as_numpy_has_it(bars: int, bar_ns: int) -> None:
    dice = np.random.default_rng(bars)
    closes = np.round(10_000_000 * np.exp(np.cumsum(dice.normal(0, 0.02, bars)))).astype(int)
    small = SmallWorld([[flat(int(c)) for c in closes]], bar_ns=bar_ns)
    step = max(1, min(DAY_NS // bar_ns, (bars - 1) // 90))
    seen = closes[::-1][::step][:91].astype(float)
    moves = seen[:-1] / seen[1:] - 1
    expected = moves.std(ddof=1) * np.sqrt(365 * DAY_NS / (bar_ns * step))
    found = measures.volatility_ppm(small.market, bars - 1, 0, 90, bar_ns)
    assert found / PPM == pytest.approx(expected, rel=1e-3)


def test_a_wild_coin_is_bought_less_of() -> None:
    closes = [10_000]
    for n in range(40):
        closes.append(10_500 if n % 2 == 0 else 10_000)
    small = gated([path(*closes)], volatility_ppm=250_000, volatility_days=30)
    small.bar_ns, small.desk["bar_ns"] = DAY_NS, DAY_NS
    small.market.times[:] = small.market.times[0] + np.arange(len(closes)) * DAY_NS
    small.go(35)
    small.wish(weight=900_000)
    small.go()
    allowed = int(small.world.book[0]["calm_ppm"])
    assert 200_000 < allowed < 300_000
    assert held_ppm(small) == pytest.approx(allowed, rel=0.06), "bought at the next open, 5 % away at most"
    small.wish(weight=950_000)
    assert small.refusals[-1] in (BY_VOLATILITY, 4)


def test_too_few_returns_cut_nothing() -> None:
    small = gated([[flat(10_000)] * 6], volatility_ppm=10_000).go(3)
    small.wish(weight=900_000)
    assert held_ppm(small.go()) == 900_000


# ---- evidence


def test_kelly_of_even_bets() -> None:
    """Six wins in ten at one to one: a fifth. All of the stake is what a trip can win or lose."""
    assert evidence.best_share(600_000, PPM, PPM) == 200_000
    assert evidence.best_share(500_000, PPM, PPM) == 0
    assert evidence.best_share(600_000, 100_000, 100_000) == 2_000_000, "a stake that loses a tenth may be larger"


@pytest.mark.parametrize(
    ("times", "grown"), [(0.5, 0.015041901619464441), (1, 0.020135513550688863), (2, -0.0024469075336685797)]
)
def test_what_a_stake_grows_by(times: float, grown: float) -> None:
    """Six wins in ten at one to one: half of Kelly's share earns three quarters of it, twice as much loses."""
    stake = times * evidence.best_share(600_000, PPM, PPM) / PPM
    assert 0.6 * math.log(1 + stake) + 0.4 * math.log(1 - stake) == pytest.approx(grown, abs=1e-9)


def test_kelly_of_small_steps_is_the_mean_over_the_variance() -> None:
    """A drift of 0.4 and a volatility of 0.8 a year, in steps of one per cent: 0.625, which grows by 0.125 a year."""
    step = 0.01
    part = round((0.5 + 0.4 * step / 0.8**2 / 2) * PPM)
    share = evidence.best_share(part, round(step * PPM), round(step * PPM)) / PPM
    assert share == pytest.approx(0.625, abs=1e-9)
    assert 0.4 * share - 0.8**2 * share**2 / 2 == pytest.approx(0.125, abs=1e-9)


@pytest.mark.parametrize(("won", "lost", "part"), [(2.0, 1.0, 1 / 3), (1.9, 1.1, 0.36666666)])
def test_break_even(won: float, lost: float, part: float) -> None:
    """At two to one, one trip in three; with a tenth of the risk as costs, eleven in thirty."""
    assert evidence.break_even_part(int(won * PPM), int(lost * PPM)) == pytest.approx(part * PPM, abs=1)


def test_expectation_is_drawn_towards_nothing() -> None:
    assert evidence.expected_gain(400_000, 3 * PPM, 2 * PPM) == 0
    assert evidence.expected_gain(450_000, 3 * PPM, 2 * PPM) == 125_000, "0.25 of money is 0.125 of the risk"
    assert evidence.shrunk_part(0, 0, 2 * PPM, PPM) == evidence.break_even_part(2 * PPM, PPM)
    few = evidence.shrunk_part(20, 30, PPM, PPM)
    many = evidence.shrunk_part(2_000, 3_000, PPM, PPM)
    assert 500_000 < few < many < 666_667


def trips(small: SmallWorld, wins: int, losses: int, *, won: int, lost: int) -> None:
    """Let the strategy have made so many trips, of a hundred each."""
    for n in range(wins + losses):
        gates.count_trip(small.world, 0, 100 * PPM, won * 100 if n < wins else -lost * 100)


def test_kelly_needs_thirty_trips_and_then_counts() -> None:
    small = gated([[flat(10_000)] * 5], kelly_ppm=250_000).go()
    trips(small, 17, 12, won=100_000, lost=100_000)
    assert gates._kelly_room(small.world, 0) > small.purse
    trips(small, 1, 0, won=100_000, lost=100_000)
    part = evidence.shrunk_part(18, 30, 100_000, 100_000)
    share = evidence.best_share(part, 100_000, 100_000) // 4
    assert part == 560_000 and share == 300_000
    small.wish(weight=900_000)
    assert held_ppm(small.go()) == 300_000
    trips(small, 0, 60, won=0, lost=100_000)
    small.wish(weight=0)
    small.go()
    small.wish(weight=900_000)
    assert small.refusals == [BY_KELLY]


@pytest.mark.parametrize(("policy", "held"), [("smallest", 5_500_000), ("block", 0)])
def test_without_evidence_little_or_nothing_is_bought(policy: str, held: int) -> None:
    """The exchange takes 500 and more: a tenth above it is bought."""
    small = gated([[flat(10_000)] * 5], expectancy=policy)
    small.world.book[0]["min_notional"] = 500 * ATOMS
    small.go().wish(weight=900_000)
    small.go()
    assert small.position() == held
    assert small.refusals == ([] if held else [BY_EXPECTANCY])


def test_the_smallest_order_can_be_sold_at_its_stop() -> None:
    """A buy of what the exchange just takes would leave a stop below that: refused, and the position unguarded."""
    rows = [flat(10_000), flat(10_000), (10_300, 10_300, 10_300, 10_300), (10_000, 10_000, 7_000, 7_500), flat(7_500)]
    small = gated([rows], expectancy="smallest")
    small.world.book[0]["min_notional"] = 500 * ATOMS
    small.go()
    small.wish(weight=900_000, stop=8_000)
    small.go(4)
    assert small.refusals == [] and small.position() == 0
    assert [fill.price for fill in small.fills if fill.side == SELL] == [8_000]


@pytest.mark.parametrize(("wins", "refused"), [(20, False), (15, True), (12, True)])
def test_with_evidence_it_has_to_earn(wins: int, refused: bool) -> None:
    small = gated([[flat(10_000)] * 5], expectancy="smallest").go()
    trips(small, wins, 30 - wins, won=10_000, lost=10_000)
    small.wish(weight=900_000)
    assert small.refusals == ([BY_EXPECTANCY] if refused else [])
    assert held_ppm(small.go()) == (0 if refused else 900_000)


def test_trips_are_counted_after_fees() -> None:
    small = gated([path(10_000, 11_000, 11_000, 10_000, 10_000, 10_000, 10_000)], kelly_ppm=1)
    small.venue.terms["taker_ppm"] = small.world.book["taker_ppm"] = 1_000
    for weight in (500_000, 0, 500_000, 0):
        small.go().wish(weight=weight)
    small.go(3)
    known = small.world.wish[0]
    assert (int(known["trips"]), int(known["wins"])) == (2, 1)
    sales = [f for f in small.fills if f.side == SELL]
    buys = [f for f in small.fills if f.side == BUY]
    for buy, sale, name in zip(buys, sales, ("won_ppm", "lost_ppm"), strict=True):
        gain = (sale.price * sale.quantity - sale.fee) / (buy.price * buy.quantity) - buy.fee / (
            buy.price * buy.quantity
        )
        assert int(known[name]) == pytest.approx(abs(gain - 1) * PPM, abs=2)


# ---- places and pauses


def test_only_so_many_symbols_are_held_and_the_next_comes_when_one_goes() -> None:
    small = gated([[flat(10_000)] * 8] * 3, places=2).go()
    for lane in range(3):
        small.wish(lane, weight=200_000)
    assert small.refusals == [BY_PLACES]
    small.go()
    small.wish(0, weight=300_000)
    small.wish(1, weight=0)
    small.go(2)
    assert [held_ppm(small, k) > 0 for k in range(3)] == [True, False, True]
    assert_lawful(small)


def test_after_a_stop_the_symbol_rests() -> None:
    rows = [flat(10_000)] * 2 + [(10_000, 10_000, 9_000, 9_500)] + [flat(9_500)] * 8
    small = gated([rows, [flat(10_000)] * 11], cooldown_ns=3 * MINUTE).go()
    small.wish(hold=ONE, stop=9_500)
    small.go(2)
    assert small.position() == 0
    small.wish(weight=100_000)
    small.wish(1, weight=100_000)
    bought = []
    for _ in range(6):
        small.go()
        bought.append((small.position(0) > 0, small.position(1) > 0))
    assert small.refusals == [BY_COOLDOWN]
    assert bought == [(False, True)] * 3 + [(True, True)] * 3, "asked again at the close of the bar after three"
    assert int(small.desk["alarm_ns"]) == 0
    assert_lawful(small)


def test_losses_in_a_row_pause_and_then_a_quarter_is_bought() -> None:
    small = gated([[flat(10_000)] * 12], losses=3, pause_ns=4 * MINUTE).go()
    small.quote(0, BUY, 9_000, ONE)
    trips(small, 0, 3, won=0, lost=1_000)
    assert int(small.desk["halt"]) == HALT_LOSSES
    small.go()
    assert not small.live(), "what rests to be bought is withdrawn"
    small.wish(weight=400_000)
    assert small.refusals == [BY_HALT]
    while small.desk["halt"]:
        small.go()
    assert small.i == 5
    small.go()
    assert held_ppm(small) == 100_000 and small.world.orders[0, 0]["state"] == EMPTY
    trips(small, 1, 0, won=1_000, lost=0)
    small.wish(weight=500_000)
    assert held_ppm(small.go()) == 500_000
    trips(small, 0, 2, won=0, lost=1_000)
    assert int(small.desk["halt"]) == 0


def test_a_loss_on_probation_pauses_at_once_and_a_hand_ends_it() -> None:
    small = gated([[flat(10_000)] * 12], losses=2, pause_ns=MINUTE).go()
    trips(small, 0, 2, won=0, lost=1_000)
    small.go(2)
    assert small.desk["halt"] == 0 and small.desk["probation"] == 1
    trips(small, 0, 1, won=0, lost=1_000)
    assert small.desk["halt"] == HALT_LOSSES
    small.command(2)
    assert (small.desk["halt"], small.desk["probation"]) == (0, 0)


# ---- nothing is passed


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_no_gate_is_passed(seed: int) -> None:
    """Prices stand still, so that what was allowed when it was bought is what is held."""
    dice = random.Random(seed)
    group_ppm, places = dice.randint(1, 600_000), dice.randint(1, 3)
    asked: dict[str, Any] = {
        "groups": (("C0/USDT", "C1/USDT"), ("C2/USDT",)),
        "group_ppm": group_ppm,
        "places": places,
        "volatility_ppm": dice.choice([0, 100_000]),
        "expectancy": dice.choice(["off", "smallest"]),
        "kelly_ppm": dice.choice([0, 250_000]),
    }
    small = gated([[flat(dice.randint(50, 20_000))] * 30 for _ in range(4)], **asked).go()
    if dice.random() < 0.5:
        trips(small, dice.randint(10, 25), 15, won=dice.randint(1, 99_999), lost=dice.randint(1, 99_999))
    for _ in range(25):
        for lane in range(4):
            if dice.random() < 0.3:
                small.wish(lane, weight=dice.randint(0, 10) * 100_000)
            if dice.random() < 0.2:
                price = int(small.market.bars[CLOSES, small.i, lane]) - dice.randint(0, 40)
                small.quote(dice.randint(0, 3), BUY, max(1, price), dice.randint(0, 50) * ONE, lane=lane)
        small.go()
        assert_lawful(small)
        taken = [held_ppm(small, k) + int(small.world.book[k]["reserved"]) * PPM // small.equity[-1] for k in range(4)]
        assert taken[0] + taken[1] <= group_ppm + 2 and taken[2] <= group_ppm + 2
        assert sum(share > 0 for share in taken) <= places
