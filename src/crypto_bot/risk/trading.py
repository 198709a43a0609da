"""The one who is asked before a trade and told after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, NoReturn

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS, to_decimal
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.kernel.layout import (
    BUY,
    CLOSES,
    EMPTY,
    FILL_EVENT,
    FIRST_QUOTE,
    HIGHEST_WORTH,
    LIMIT,
    MARKET,
    OPEN,
    SELL,
    TARGET_SLOT,
    Draft,
    World,
)
from crypto_bot.kernel.reasons import REASONS
from crypto_bot.risk import steps
from crypto_bot.risk.account import Number, RiskAccount, Slice, atoms
from crypto_bot.risk.breaker import CircuitBreaker
from crypto_bot.risk.drawdown import DrawdownTracker
from crypto_bot.risk.keeping import pack, unpack
from crypto_bot.risk.sizing import FixedFractionalSizer
from crypto_bot.risk.stops import KIND_OF, Kind, StopHit, StopLossHandler

Side = Literal["buy", "sell"]
_SIDES: Mapping[str, int] = MappingProxyType({"buy": BUY, "sell": SELL})
_SLOT_OF: Mapping[Kind, int] = MappingProxyType({kind: slot for slot, kind in KIND_OF.items()})


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade that is wanted: a quantity, or money to spend; at market without a `price`; the stop it will have."""

    symbol: str
    side: Side
    quantity: Number = 0
    spend: Number = 0
    price: Number | None = None
    stop: Number = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be traded of it, `quantity` or money to `spend`, fee included; `reason` why it is less or nothing."""

    approved: bool
    quantity: Decimal
    spend: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TradeResult:
    """A trade that has happened: its fee in the quote asset, and the guard that sold, if one did."""

    symbol: str
    side: Side
    quantity: Number
    price: Number
    fee: Number = 0
    by: Kind | None = None


class RiskManager:
    """Asked before every trade, told after it, and at every bar: one account, sizer, breaker, drawdown and stops.

    In a backtest and in a run the kernel does all of this by itself; this is for programs that trade on their own.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        cash: Number,
        *,
        limits: Limits | None = None,
        costs: Costs | None = None,
        timeframe: str = "1m",
    ) -> None:
        """Begin with cash alone; without `limits` and `costs` with the program's own."""
        self.account = RiskAccount(instruments, cash, limits=limits, costs=costs, timeframe=timeframe)
        self.breaker = CircuitBreaker(self.account)
        self.drawdown = DrawdownTracker(self.account)
        self.stops = StopLossHandler(self.account)

    @property
    def sizer(self) -> FixedFractionalSizer:
        """The sizer with the share of the limits; UsageError when they have none."""
        return FixedFractionalSizer(self.account)

    def validate_trade(self, trade: Trade) -> Verdict:
        """Say how much of a trade every limit and gate allows after the last close; nothing is reserved or changed.

        UsageError for a trade that is none: both quantity and money, a stop on a sale or not below the price.
        """
        account, k = self.account, self.account.place(trade.symbol)
        world, draft = account.copy(), _draft(account, k, trade)
        ref = int(account.market.bars[CLOSES, account.count - 1, k]) if account.count else 0
        if trade.stop:
            world.wish[k]["stop"] = _stop(account, k, trade, draft.price or ref)
        if account.count == 0:
            return Verdict(False, Decimal(0), Decimal(0), "it has no price yet")
        steps.judge(world, account.market, account.count - 1, k, draft)
        order = world.orders[k, TARGET_SLOT if draft.kind == MARKET else FIRST_QUOTE]
        reason = REASONS.get(int(order["cut"]), "")
        if order["state"] == EMPTY:
            return Verdict(False, Decimal(0), Decimal(0), reason)
        quantity = to_decimal(order["quantity"], account.instruments[k].quantity_scale)
        return Verdict(True, quantity, to_decimal(order["budget"], ATOMS), reason)

    def record_trade_result(self, result: TradeResult) -> None:
        """Book a trade that has happened, and count its round trip when it ended one; what was sold out is unguarded.

        UsageError, and nothing booked, for a trade that the account cannot have made.
        """
        account, k = self.account, self.account.place(result.symbol)
        self._refuse_unreal(k, result)
        tried = account.copy()
        self._book(tried, k, result)
        if tried.desk[0]["laws"] != account.desk["laws"]:
            self._refuse_impossible(result)
        self._book(account.world, k, result)
        if account.world.book[k]["position"] < account.instruments[k].lot:
            self.stops.clear(result.symbol)

    def check_stop_losses(self, time: datetime, prices: Slice) -> tuple[StopHit, ...]:
        """Return every guard that a slice has reached; to be sold, recorded with `by`, and then marked."""
        return self.stops.check(time, prices)

    def mark(self, time: datetime, prices: Slice) -> Decimal:
        """Mark the account at the close of a slice, watch the limits, move trailing stops; return the equity."""
        return self.account.mark(time, prices)

    def get_state(self) -> bytes:
        """Return everything that was told, and what came of it, as bytes: to be kept before acting on it."""
        return pack(self.account, self.breaker.resets)

    def restore(self, state: bytes) -> None:
        """Go on from a state that a manager of the same instruments, limits, costs and bars has returned.

        UsageError, and nothing changed, when it is damaged or of another kind.
        """
        self.breaker.resets[:] = unpack(self.account, state)

    def _refuse_impossible(self, result: TradeResult) -> NoReturn:
        """Raise UsageError for a trade for which there was neither the money nor the coins."""
        account = self.account
        raise UsageError(
            f"the account has {account.cash} and {account.position(result.symbol)} {result.symbol}; it cannot have"
            f" made a {result.side} of {result.quantity} at {result.price}"
        )

    def _refuse_unreal(self, k: int, result: TradeResult) -> None:
        """Raise UsageError for a trade that no exchange can have reported."""
        account, b = self.account, self.account.world.book[k]
        side = _side(result.side)
        if result.by is not None and result.by not in _SLOT_OF:
            raise UsageError(f"by is {result.by!r}; give what sold, {', '.join(map(repr, _SLOT_OF))}, or None")
        quantity, price = account.quantity(k, result.quantity), account.price(k, result.price)
        if quantity == 0 or price * int(b["mult"]) * quantity // int(b["div"]) > HIGHEST_WORTH:
            raise UsageError(
                f"{result.quantity} {result.symbol} at {result.price} cannot be booked; give what was filled"
            )
        if side == SELL and quantity > b["position"]:
            self._refuse_impossible(result)

    def _book(self, world: World, k: int, result: TradeResult) -> None:
        account, slot = self.account, _SLOT_OF.get(result.by or "time", TARGET_SLOT)
        side = _side(result.side)
        quantity, price = account.quantity(k, result.quantity), account.price(k, result.price)
        desk, order, event = world.desk[0], world.orders[k, slot], world.event[0]
        desk["next_order_id"] += 1
        order["id"], order["state"], order["side"] = desk["next_order_id"], OPEN, side
        order["left"], order["budget"], order["reserved"], order["leaving"] = quantity, 0, 0, 0
        event["kind"], event["lane"], event["slot"], event["order_id"] = FILL_EVENT, k, slot, order["id"]
        event["side"], event["price"], event["quantity"] = side, price, quantity
        event["fee"], event["fee_asset"] = atoms(result.fee, "the fee"), desk["cash_asset"]
        event["maker"], event["final"], event["code"] = 0, 1, 0
        event["time_ns"] = max(
            int(desk["time_ns"]), int(account.market.times[account.count - 1]) if account.count else 0
        )
        steps.happen(world, int(desk["equity"]))


def _side(told: str) -> int:
    """Return the kernel's word for a side; UsageError for anything but the two."""
    if told not in _SIDES:
        raise UsageError(f"side is {told!r}; give 'buy' or 'sell'")
    return _SIDES[told]


def _stop(account: RiskAccount, k: int, trade: Trade, price: int) -> int:
    """Return the stop that a buy at a price will have; UsageError when it does not lie below it."""
    stop = account.price(k, trade.stop)
    if 0 < price <= stop:
        entry = to_decimal(price, account.instruments[k].price_scale)
        raise UsageError(
            f"the stop {trade.stop} of {trade.symbol} does not lie below the price {entry}; long positions need that"
        )
    return stop


def _draft(account: RiskAccount, k: int, trade: Trade) -> Draft:
    """Return a wanted trade as the gate is asked for it."""
    side = _side(trade.side)
    if bool(trade.quantity) == bool(trade.spend):
        raise UsageError(f"a trade of {trade.symbol} needs a quantity or money to spend, one of the two")
    if side == SELL and (trade.spend or trade.stop):
        raise UsageError(f"a sale of {trade.symbol} takes a quantity and no stop; it is spot, and sells what is held")
    price = 0 if trade.price is None else account.price(k, trade.price)
    quantity, spend = account.quantity(k, trade.quantity), atoms(trade.spend, "the money to spend")
    return Draft(side, LIMIT if price else MARKET, price, 0, quantity, spend)
