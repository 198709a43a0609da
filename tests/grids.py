"""The example grid and the markets that its tests play it on: prices that go where the outcome is known on paper."""

from fractions import Fraction
from typing import Any

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, EMPTY, FIRST_QUOTE, SELL
from tests.plays import FREE, SHIPPED, Played, Rooms, Terms, play
from tests.small_worlds import candles_of, path

BTC = Instrument("BTC/USDT", price_scale=100, quantity_scale=ATOMS)
GRID = {"lower_price": 90_000.0, "upper_price": 110_000.0, "num_grids": 20, "total_investment": 10_000.0}
"""The example that the project began with: twenty cells of 1,000 around a price of 100,000, for 10,000."""
P0 = 100_000
TEN_BPS = Terms(costs=(1_000, 1_000, 0))


def walk(*prices: float) -> Candles:
    """Return bars that move straight from one price to the next, after three at the first."""
    return candles_of(path(*(round(100 * price) for price in (prices[0], prices[0], prices[0], *prices))), BTC)


def triangle(height: int, cycles: int) -> Candles:
    """Return cycles of up by a height, down by twice of it, and back, 250 a bar."""
    up = [*range(0, height, 250), height]
    cycle = up + up[-2::-1] + [-x for x in up[1:]] + [-x for x in up[-2::-1]]
    return walk(P0, *(P0 + x for _ in range(cycles) for x in cycle), P0 + 10, P0)


def run(candles: Candles, terms: Terms = FREE, **params: Any) -> Played:
    """Play the shipped grid, uncompiled."""
    rooms = Rooms.plain()
    return play(rooms, [(rooms.binding.Strategy(SHIPPED / "grid.py"), {**GRID, **params})], [candles], terms)


def quantity(played: Played) -> Fraction:
    """Return what one line trades, as the grid sized it."""
    units = round(float(played.cell("unit")[0, 0]) * ATOMS)
    return Fraction(units, ATOMS)


def gain(played: Played) -> Fraction:
    """Return what the equity gained, in USDT."""
    return Fraction(int(played.curve[-1]) - 10_000 * ATOMS, ATOMS)


def fees(played: Played) -> Fraction:
    """Return all fees, in USDT."""
    return Fraction(int(played.fills()["fee"].sum()), ATOMS)


def lines(played: Played) -> tuple[list[float], list[float]]:
    """Return the prices of the live buys and sells."""
    live = [o for o in played.world_of.orders[0, FIRST_QUOTE:] if o["state"] != EMPTY]
    found = [sorted(float(o["price"]) / 100 for o in live if o["side"] == side) for side in (BUY, SELL)]
    return found[0], found[1]
