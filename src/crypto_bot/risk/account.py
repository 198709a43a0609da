"""An account that is told of prices and trades by hand, kept by the kernel's own books, limits and gates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeAlias

import numpy as np

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, parse_scaled, to_decimal
from crypto_bot.kernel.compiled import Record
from crypto_bot.kernel.context import OWN_NS, TABLE
from crypto_bot.kernel.genesis import Costs, Limits, Stake, new_world
from crypto_bot.kernel.layout import CLOSES, HIGHS, LOWS, OPENS, PLANES, Market, Memory, World
from crypto_bot.risk import steps
from crypto_bot.venue.opening import open_venue

Number: TypeAlias = Decimal | int | str
"""Money, a price or a quantity, exact: no float."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_ROOM = 64


class Prices(NamedTuple):
    """The prices of one bar."""

    open: Number
    high: Number
    low: Number
    close: Number


Slice: TypeAlias = Mapping[str, Prices | Number]
"""Prices by symbol; a number stands for a bar in which nothing moves. A symbol may be left out: it has no bar then."""


class RiskAccount:
    """Cash, positions and limits of one account; every part of risk management works on one of these."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        cash: Number,
        *,
        limits: Limits | None = None,
        costs: Costs | None = None,
        timeframe: str = "1m",
    ) -> None:
        """Begin with cash alone; UsageError for cash that cannot be counted or instruments that cannot share it."""
        self.instruments = tuple(instruments)
        self._places = {each.symbol: k for k, each in enumerate(instruments)}
        if not self.instruments:
            raise UsageError("an account needs something to trade; give at least one Instrument('BTC/USDT')")
        limits, costs = limits or Limits(), costs or Costs()
        self.made_as = repr((self.instruments, limits, costs, timeframe))
        bar_ns = _length(timeframe)
        stake = Stake(scaled(cash, ATOMS, "cash"))
        highest = [1] * len(self.instruments)
        self.world = new_world(instruments, stake, limits, costs, bar_ns=bar_ns, highest_prices=highest)
        # What volume allows is not known here: prices are told, and volume is not.
        costs = replace(costs, model="fixed", volume_ppm=0)
        self.venue = open_venue(self.instruments, 1, costs, through=True)
        self.market = _new_market(len(self.instruments))
        self.count = 0
        self.marked = 0
        whole = np.zeros(TABLE, np.int64)
        whole[OWN_NS] = bar_ns
        self._memory = Memory(whole, whole.view(np.float64), np.zeros(0))

    # ---- what is true

    @property
    def desk(self) -> Record:
        """The kernel's record of the account as a whole."""
        return self.world.desk[0]

    @property
    def cash(self) -> Decimal:
        """Money that is not invested."""
        return to_decimal(self.world.purse[0]["balance"], ATOMS)

    @property
    def equity(self) -> Decimal:
        """Cash and positions at the last close that was marked."""
        return to_decimal(self.desk["equity"], ATOMS)

    @property
    def time(self) -> datetime:
        """When something happened last."""
        return moment(int(self.desk["time_ns"]))

    def position(self, symbol: str) -> Decimal:
        """Return the quantity held."""
        k = self.place(symbol)
        return to_decimal(self.world.book[k]["position"], self.instruments[k].quantity_scale)

    # ---- what happens

    def lay(self, time: datetime, prices: Slice) -> int:
        """Lay a slice that opened at this time beside the others; return its number. The last one may be told again.

        Raises UsageError for a time before the last one, and for prices that no bar can have.
        """
        time_ns = nanoseconds(time)
        last = self.count - 1
        if self.count and time_ns < self.market.times[last]:
            raise UsageError(f"{time} lies before {moment(int(self.market.times[last]))}; tell prices in their order")
        if not (self.count and time_ns == self.market.times[last]):
            if self.marked < self.count:
                raise UsageError(f"the slice before {time} was never marked; call mark() at its close")
            self._grow()
            self.count += 1
        i = self.count - 1
        self.market.times[i] = time_ns
        self.market.bars[CLOSES, i] = self.market.bars[CLOSES, i - 1] if i else 0
        self.market.bars[LOWS, i] = np.iinfo(np.int64).max // 4
        for symbol, told in prices.items():
            k = self.place(symbol)
            self.market.bars[(OPENS, HIGHS, LOWS, CLOSES), i, k] = self._bar(k, told)
        return i

    def mark(self, time: datetime, prices: Slice) -> Decimal:
        """Mark the account at the close of a slice, watch the limits, move trailing stops; return the equity."""
        i = self.lay(time, prices)
        if self.marked == self.count:
            raise UsageError(f"the slice of {time} was marked before; each is marked once")
        steps.mark(self.world, self.market, i, int(self.desk["equity"]))
        self.marked = self.count
        return self.equity

    def copy(self) -> World:
        """Return the world as it is, to try something on."""
        return World(*(part.copy() for part in self.world))

    def guard(self, k: int, guards: steps.Guards) -> None:
        """Wish for what guards the position of an instrument."""
        steps.guard(self.world, self.market, self._memory, k, guards)

    # ---- from decimals and back

    def place(self, symbol: str) -> int:
        """Return the number of a symbol; UsageError when the account does not trade it."""
        if symbol not in self._places:
            raise UsageError(f"this account trades {', '.join(self._places)}, not {symbol}; name one of them")
        return self._places[symbol]

    def price(self, k: int, told: Number) -> int:
        """Return a price at its instrument's scale; UsageError when it is not above 0 or has too many decimals."""
        found = scaled(told, self.instruments[k].price_scale, f"the price {told} of {self.instruments[k].symbol}")
        if found <= 0:
            raise UsageError(f"the price {told} of {self.instruments[k].symbol} is not above 0; give one that is")
        return found

    def quantity(self, k: int, told: Number) -> int:
        """Return a quantity at its instrument's scale; UsageError when it is negative or has too many decimals."""
        found = scaled(told, self.instruments[k].quantity_scale, f"the quantity {told}")
        if found < 0:
            raise UsageError(f"the quantity {told} is negative; sell with side 'sell'")
        return found

    def _bar(self, k: int, told: Prices | Number) -> list[int]:
        opened, high, low, close = (
            (self.price(k, each) for each in told) if isinstance(told, Prices) else [self.price(k, told)] * 4
        )
        if not low <= min(opened, close) <= max(opened, close) <= high:
            raise UsageError(
                f"{told} of {self.instruments[k].symbol} is no bar: the low must be lowest, the high highest"
            )
        return [opened, high, low, close]

    def _grow(self) -> None:
        """Make room for one more slice."""
        if self.count < self.market.times.size:
            return
        more = max(_FIRST_ROOM, self.count)
        bars = np.concatenate([self.market.bars, np.zeros((PLANES, more, len(self.instruments)), np.int64)], axis=1)
        times = np.concatenate([self.market.times, np.zeros(more, np.int64)])
        self.market = Market(bars, times, bars, self.market.due)


def atoms(told: Number, what: str) -> int:
    """Return money in atoms; UsageError when it is negative or has too many decimals."""
    found = scaled(told, ATOMS, f"{what} {told}")
    if found < 0:
        raise UsageError(f"{what} {told} is negative; give an amount from 0 on")
    return found


def moment(time_ns: int) -> datetime:
    """Return nanoseconds since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=time_ns // 1_000)


def nanoseconds(time: datetime) -> int:
    """Return a time as nanoseconds since 1970; UsageError when it names no zone."""
    if time.tzinfo is None:
        raise UsageError(f"{time} has no time zone; write datetime(..., tzinfo=UTC)")
    return (time - _EPOCH) // timedelta(microseconds=1) * 1_000


def scaled(told: Number, scale: int, what: str) -> int:
    """Return a number at a scale; UsageError for a float, and for what is no number or has too many decimals."""
    if isinstance(told, bool) or not isinstance(told, Decimal | int | str):
        raise UsageError(
            f"{what} is a {type(told).__name__}; give a Decimal, a whole number or a text, which are exact"
        )
    try:
        return parse_scaled(told, scale)
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from None


def _length(timeframe: str) -> int:
    try:
        return timeframe_ns(timeframe)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _new_market(instruments: int) -> Market:
    bars = np.zeros((PLANES, 0, instruments), np.int64)
    return Market(bars, np.zeros(0, np.int64), bars, np.zeros(0, np.int64))
