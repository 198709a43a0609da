"""Small worlds: a few bars, an account, a venue, and orders given by hand. Everything runs uncompiled."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, SECOND_NS
from crypto_bot.kernel.layout import (
    BOOKED,
    BUY,
    EMPTY,
    FIRST_QUOTE,
    GUARDED,
    LIMIT,
    MARKET,
    OPENS,
    PLANES,
    QUOTED,
    REFUSED,
    SELL,
    SLOTS,
    TARGETED,
    VOLUMES,
)
from tests.uncompiled import uncompiled

genesis = uncompiled("kernel.genesis")
layout = uncompiled("kernel.layout")
risk = uncompiled("kernel.risk")
orders = uncompiled("kernel.orders")
settle = uncompiled("backtesting.settle")
scene = uncompiled("venue.scene")
slices = uncompiled("backtesting.slices")
tape = uncompiled("backtesting.tape")
opening = uncompiled("venue.opening")

MINUTE = 60 * SECOND_NS
T0 = 1_704_067_200 * SECOND_NS  # 2024-01-01T00:00:00Z
COIN = Instrument("COIN/USDT", price_scale=100, quantity_scale=1_000_000)
"""A price in cents times a quantity in millionths is a whole number of atoms: nothing is rounded."""

Row = tuple[int, int, int, int]
"""Open, high, low, close at the instrument's price scale."""


class Terms(NamedTuple):
    """Limits, costs and the way limits fill; nothing limited and nothing charged unless told."""

    limits: tuple[int, ...] = (0, 0, 0, 0, 0)
    maker_ppm: int = 0
    taker_ppm: int = 0
    slippage_ppm: int = 0
    fee_in: str = "quote"
    through: bool = True


UNLIMITED = Terms()


class Fill(NamedTuple):
    """One fill out of the log, in integers."""

    time_ns: int
    order: int
    lane: int
    side: int
    price: int
    quantity: int
    fee: int
    fee_asset: int
    maker: int


def market_of(rows: Sequence[Sequence[Row]], times: IntArray) -> Any:
    """Lay bars out for the kernel; one sequence of rows for each instrument."""
    bars = np.zeros((PLANES, times.size, len(rows)), np.int64)
    for k, bars_of_one in enumerate(rows):
        bars[OPENS : OPENS + 4, :, k] = np.array(bars_of_one, np.int64).reshape(-1, 4).T
    bars[VOLUMES] = ATOMS
    tape.running_sums(bars)
    return layout.Market(bars, times, bars, np.zeros(0, np.int64))


def flat(price: int) -> Row:
    """Return a bar in which nothing moves."""
    return (price, price, price, price)


def path(*closes: int) -> list[Row]:
    """Return bars that open at the last close and move straight to the next one."""
    opens = (closes[0], *closes[:-1])
    return [(o, max(o, c), min(o, c), c) for o, c in zip(opens, closes, strict=True)]


def candles_of(
    rows: Sequence[Row], instrument: Instrument = COIN, *, timeframe: str = "1m", times: IntArray | None = None
) -> Candles:
    """Return bars as candles, one after the other from 2024 on."""
    opened, high, low, close = np.array(rows, np.int64).reshape(-1, 4).T.copy()
    if times is None:
        times = T0 + np.arange(len(rows), dtype=np.int64) * timeframe_ns(timeframe)
    volume = np.full(times.size, 10 * instrument.quantity_scale, np.int64)
    return Candles(instrument, timeframe, times, opened, high, low, close, volume)


@dataclass
class SmallWorld:
    """A world at the close of bar `i`; -1 before the first bar."""

    rows: Sequence[Sequence[Row]]
    cash: int = 10_000 * ATOMS
    instruments: Sequence[Instrument] = (COIN,)
    terms: Terms = UNLIMITED
    strategies: int = 1
    times: IntArray | None = None
    bar_ns: int = MINUTE
    highest: Sequence[int] | None = None
    i: int = -1
    world: Any = field(init=False)
    desk: Any = field(init=False)
    venue: Any = field(init=False)
    market: Any = field(init=False)
    equity: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Lay everything out."""
        if self.times is None:
            self.times = T0 + np.arange(len(self.rows[0]), dtype=np.int64) * self.bar_ns
        self.market = market_of(self.rows, self.times)
        highest = self.highest or [4 * max(max(row) for row in rows) for rows in self.rows]
        costs = genesis.Costs(*self.terms[1:5])
        self.world = genesis.new_world(
            self.instruments,
            genesis.Stake(self.cash, self.strategies),
            genesis.Limits(*(*self.terms.limits, 0)[:5]),
            costs,
            bar_ns=self.bar_ns,
            highest_prices=highest,
            log_capacity=200_000,
        )
        self.desk = self.world.desk[0]
        self.venue = opening.open_venue(self.instruments, self.strategies, costs, through=self.terms.through)

    def _here(self) -> Any:
        """Return world, venue and market as the steps of a slice take them."""
        return scene.Scene(self.world, self.venue, self.market)

    # ---- time

    def go(self, bars: int = 1) -> "SmallWorld":
        """Let the next bars happen: fills, mark, limits, and what the wishes come to."""
        for _ in range(bars):
            self.i += 1
            last = self.equity[-1] if self.equity else self.cash
            here = self._here()
            with np.errstate(over="ignore", divide="raise"):
                self.equity.append(int(settle.settle_slice(here, here, self.i, last)))
                self.equity[-1] = int(settle.settle_wish(here, here, self.i, self.equity[-1], 0))
        return self

    # ---- orders by hand

    def order(self, side: int, quantity: int, price: int = 0, **more: int) -> Any:
        """Ask for an order at the close of the present bar; return its record.

        `more`: kind, trigger, budget, lane, and slot among the quotes.
        """
        lane, slot = more.get("lane", 0), FIRST_QUOTE + more.get("slot", 0)
        wish = self.world.wish[lane]
        wish["quotes"] = max(int(wish["quotes"]), slot - FIRST_QUOTE + 1)
        kind = more.get("kind", LIMIT if price else MARKET)
        draft = layout.Draft(side, kind, price, more.get("trigger", 0), quantity, more.get("budget", 0))
        close = int(self.market.bars[layout.CLOSES, self.i, lane % len(self.instruments)])
        with np.errstate(over="ignore", divide="raise"):
            risk.approve(self.world, lane, slot, draft, close)
            self._settle()
        return self.world.orders[lane, slot]

    def wish(self, lane: int = 0, **parts: int) -> None:
        """Change a wish as the words do (weight, hold, stop, take) and let it be answered at the present close."""
        w = self.world.wish[lane]
        for name, value in parts.items():
            w[name] = value
            w["dirty"] |= GUARDED if name in ("stop", "take") else TARGETED
        if "weight" in parts:
            w["hold"] = -1
        self._answer(lane)

    def quote(self, slot: int, side: int, price: int, quantity: int, lane: int = 0) -> None:
        """Change one quote of a wish and let it be answered at the present close."""
        w = self.world.wish[lane]
        w["quotes"] = max(int(w["quotes"]), slot + 1)
        q = w["quote"][slot]
        q["side"], q["price"], q["quantity"] = side, price, quantity
        w["dirty"] |= QUOTED
        self._answer(lane)

    def _answer(self, lane: int) -> None:
        self.world.wish[lane - lane % len(self.instruments)]["any"] = 1
        equity = self.equity[-1] if self.equity else self.cash
        with np.errstate(over="ignore", divide="raise"):
            here = self._here()
            settle.settle_wish(here, here, self.i, equity, 0)

    def cancel(self, slot: int = 0, lane: int = 0) -> None:
        """Ask for a cancel, which this venue grants at once."""
        orders.withdraw(self.world, lane, FIRST_QUOTE + slot)
        self._settle()

    def _settle(self) -> None:
        """Carry out every effect."""
        settle.carry(self._here(), self.i, 0, 0)

    def command(self, code: int) -> None:
        """Let an operator's command happen."""
        event = self.world.event[0]
        event["kind"], event["code"] = layout.COMMAND_EVENT, code
        slices.happen(self.world, int(self.desk["equity"]))
        self._settle()

    # ---- what is true

    @property
    def purse(self) -> int:
        """Cash in atoms."""
        return int(self.world.purse[0]["balance"])

    def position(self, k: int = 0) -> int:
        """The account's position."""
        return int(self.world.book[k]["position"])

    def live(self, lane: int | None = None) -> list[Any]:
        """Every order that is not done."""
        lanes = range(self.world.orders.shape[0]) if lane is None else [lane]
        return [o for n in lanes for o in self.world.orders[n] if o["state"] != EMPTY]

    def notes(self, kind: int) -> Any:
        """Every note of one kind."""
        log = self.world.log[: int(self.desk["log_count"])]
        return log[log["kind"] == kind]

    @property
    def fills(self) -> list[Fill]:
        """Every fill, in the order of booking."""
        names = ("time_ns", "order_id", "lane", "side", "price", "quantity", "money", "fee_asset", "type")
        return [Fill._make(int(n[name]) for name in names) for n in self.notes(BOOKED)]

    @property
    def refusals(self) -> list[int]:
        """The reason of every refusal."""
        return [int(code) for code in self.notes(REFUSED)["code"]]


def assert_lawful(small: SmallWorld) -> None:
    """Hold what must be true between any two events."""
    world, desk = small.world, small.desk
    assert desk["laws"] == 0
    assert world.purse[0]["balance"] == sum(world.funds["balance"])
    live = [[o for o in lane if o["state"] != EMPTY] for lane in world.orders]
    owed = [[int(o["reserved"]) for o in lane if o["side"] == BUY] for lane in live]
    due = [[int(o["reserved"]) for o in lane if o["side"] == SELL] for lane in live]
    assert int(desk["reserved"]) == sum(map(sum, owed)) == sum(world.book["reserved"]) == sum(world.funds["reserved"])
    count = len(small.instruments)
    for s in range(small.strategies):
        assert world.funds[s]["reserved"] == sum(map(sum, owed[s * count : (s + 1) * count]))
        assert world.funds[s]["expected"] == sum(map(sum, due[s * count : (s + 1) * count]))
    for k in range(count):
        assert world.book[k]["position"] == sum(world.subs[k::count]["position"])
        assert world.book[k]["reserved"] == sum(map(sum, owed[k::count]))
    for lane in range(world.orders.shape[0]):
        for slot in range(SLOTS):
            ours, theirs = world.orders[lane, slot], small.venue.resting[lane, slot]
            assert (ours["state"] != EMPTY) == bool(theirs["live"])
            if theirs["live"]:
                assert (ours["id"], ours["left"], ours["side"]) == (theirs["id"], theirs["left"], theirs["side"])
