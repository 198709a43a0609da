"""Laws of the ledger when fills come in parts, late, too large, and with fees in any asset."""

import random
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.order import LEGAL_MOVES, OrderState
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import ABSENT, BUY, CANCELED, EMPTY, EXPIRED, FIRST_QUOTE, OPEN, SELL, UNKNOWN
from tests.event_worlds import EventWorld
from tests.small_worlds import Terms, flat

SEEDS = st.integers(0, 2**32 - 1)
COINS = [
    Instrument("AAA/USDT", price_scale=100, quantity_scale=1_000_000),
    Instrument("BBB/USDT", price_scale=10_000, quantity_scale=1_000_000, lot=1_000),
    Instrument("CCC/USDT", price_scale=100_000_000, quantity_scale=100_000_000),
]


def rounded(value: Fraction, side: int) -> int:
    """Round against us: what is paid up, what is received down."""
    return -(-value.numerator // value.denominator) if side == BUY else value.numerator // value.denominator


class Book:
    """What the account owns, recounted from the events that were given."""

    def __init__(self, cash: int, coins: int) -> None:
        """Start with cash alone."""
        self.cash = cash
        self.base = [0] * coins
        """In atoms of each coin."""

    def book(self, coin: Instrument, k: int, side: int, fill: tuple[int, int, int, int]) -> None:
        """Book one fill: price, quantity, fee, fee asset."""
        price, quantity, fee, asset = fill
        self.cash -= side * rounded(Fraction(price * quantity * ATOMS, coin.price_scale * coin.quantity_scale), side)
        self.base[k] += side * quantity * (ATOMS // coin.quantity_scale)
        if asset == 0:
            self.cash -= fee
        else:
            self.base[asset - 1] -= fee


def made_up_fill(dice: random.Random, world: EventWorld, order: int, book: Book) -> None:
    """Fill a part of an order, or all that is left, with a fee in cash or in the coin."""
    lane, slot = world.place_of(order)
    o = world.world.orders[lane, slot]
    k = lane % len(world.instruments)
    coin = world.instruments[k]
    left, side = int(o["left"]), int(o["side"])
    quantity = dice.choice([left, max(1, left // 2), max(1, left // 7)])
    price = int(o["price"]) - side * dice.choice([0, 0, int(o["price"]) // 200])
    in_coin = side == BUY and dice.random() < 0.5
    worth = (
        quantity * (ATOMS // coin.quantity_scale)
        if in_coin
        else price * quantity * ATOMS // coin.price_scale // coin.quantity_scale
    )
    fee = worth * dice.choice([0, 1_000]) // 1_000_000
    final = int(quantity == left)
    before = int(o["reserved"])
    world.filled(order, quantity, price, fee=fee, fee_asset=1 + k if in_coin else 0, final=final)
    book.book(coin, k, side, (price, quantity, fee, 1 + k if in_coin else 0))
    if final:
        assert o["state"] == EMPTY and o["reserved"] == 0
    else:
        assert o["left"] == left - quantity and o["reserved"] <= before
        if side == BUY:
            rest = rounded(
                Fraction(int(o["price"]) * int(o["left"]) * ATOMS, coin.price_scale * coin.quantity_scale), BUY
            )
            assert o["reserved"] == min(
                before, rest + -(-rest // 1_000)
            ), "what is left may still cost this, and no more"


def assert_books_agree(world: EventWorld, book: Book) -> None:
    """Compare cash, coins, parts and reservations."""
    w = world.world
    count = len(world.instruments)
    assert world.desk["laws"] == 0
    assert world.purse == book.cash == sum(w.funds["balance"])
    for k, coin in enumerate(world.instruments):
        unit = ATOMS // coin.quantity_scale
        b = w.book[k]
        assert b["position"] * unit + b["dust"] == book.base[k] and b["dust"] >= 0
        assert b["position"] == sum(w.subs[k::count]["position"])
    live = world.live()
    assert int(world.desk["reserved"]) == sum(int(o["reserved"]) for o in live if o["side"] == BUY)
    assert sum(w.funds["expected"]) == sum(int(o["reserved"]) for o in live if o["side"] == SELL)


@given(SEEDS)
@settings(max_examples=60)
def test_fills_in_parts_are_booked_to_the_atom(seed: int) -> None:
    dice = random.Random(seed)
    coins = dice.sample(COINS, dice.randint(1, 3))
    prices = [dice.choice([3, 70, 400]) * coin.price_scale + dice.randint(0, 9) for coin in coins]
    cash = 10_000 * ATOMS + dice.randint(0, 99)
    rows = [[flat(price)] * 30 for price in prices]
    world = EventWorld(
        rows,
        cash,
        coins,
        strategies=dice.randint(1, 2),
        terms=Terms(maker_ppm=dice.choice([0, 1_000]), taker_ppm=1_000),
    )
    world.go()
    book = Book(cash, len(coins))
    for _ in range(60):
        lanes = len(coins) * world.strategies
        lane, slot = dice.randrange(lanes), dice.randrange(3)
        o = world.world.orders[lane, FIRST_QUOTE + slot]
        k = lane % len(coins)
        if o["state"] == EMPTY:
            side = dice.choice([BUY, BUY, SELL])
            units = cash // ATOMS // 8 * coins[k].quantity_scale * coins[k].price_scale // prices[k]
            held = int(world.world.subs[lane]["position"])
            quantity = (units if side == BUY else held) // coins[k].lot * coins[k].lot
            if quantity:
                world.order(
                    side, quantity, prices[k] - side * prices[k] // dice.choice([20, 100]), lane=lane, slot=slot
                )
        elif dice.random() < 0.7:
            made_up_fill(dice, world, int(o["id"]), book)
        else:
            word = dice.choice([OPEN, UNKNOWN, ABSENT, CANCELED, EXPIRED])
            if world_allows(int(o["state"]), word):
                world.says(int(o["id"]), word)
        assert_books_agree(world, book)
    for o in world.live():
        world.canceled(o["id"])
    assert world.desk["reserved"] == 0 and not any(world.world.funds["expected"])
    assert_books_agree(world, book)


def world_allows(before: int, after: int) -> bool:
    """Tell whether a venue may say this of an order in that state."""
    return OrderState(after) in LEGAL_MOVES[OrderState(before)]
