"""Arithmetic grid on spot: buy a line down, sell a line up, again and again.

N cells have N + 1 lines; one line is empty. Buys rest on the lines below it, sells on those above, so
that its number is the whole state: a sell filled moves it up, a buy filled moves it down. At the start
the line nearest to the price is empty and what the lines above will sell is bought at market.
A grid earns d * q a cell while the price goes to and fro, and holds a losing position when it leaves:
on a driftless price it loses its fees and nothing else. It is a way to trade, not an edge.
Source: Binance's published spot grid; quantity per line q = investment / (sum of the buys + first purchase).
"""

from crypto_bot.strategy import (
    BUY,
    SELL,
    Memory,
    NamedTuple,
    bought,
    close,
    fee,
    hold,
    lots,
    quote,
    sold,
    unquote,
)

wake = "fills"


class Params(NamedTuple):
    """Lowest and highest line, cells, and either the money for all or, if above 0, the quantity of a line."""

    lower_price: float = 26000.0
    upper_price: float = 31500.0
    num_grids: int = 22
    total_investment: float = 10000.0
    quantity: float = 0.0


def check(p: Params) -> None:
    """Refuse a grid without cells, and one that cannot earn its fees."""
    assert 0 < p.lower_price < p.upper_price, "lower_price must lie below upper_price, and above 0"
    assert 1 <= p.num_grids <= 60, "num_grids must lie between 1 and 60"
    assert p.total_investment > 0 or p.quantity > 0, "total_investment must be positive"
    assert p.quantity >= 0, "quantity must not be negative"


def memory(p: Params) -> Memory:
    """Start without an empty line."""
    return {"empty": -1, "quantity": 0.0}


def level(p: Params, line: int) -> float:
    """Price of a line."""
    return p.lower_price + line * (p.upper_price - p.lower_price) / p.num_grids


def start(p: Params, m: Memory) -> None:
    """Leave the line nearest to the price empty, size the lines, buy what the lines above will sell."""
    price = close(0)
    cost = 0.0
    m.empty[0] = 0
    for line in range(1, p.num_grids + 1):
        if abs(level(p, line) - price) < abs(level(p, m.empty[0]) - price):
            m.empty[0] = line
    for line in range(p.num_grids + 1):
        if line != m.empty[0]:
            cost += (level(p, line) if line < m.empty[0] else price) * (1 + fee(0))
    m.quantity[0] = lots(0, p.quantity if p.quantity > 0 else p.total_investment / cost)
    hold(0, m.quantity[0] * (p.num_grids - m.empty[0]))


def step(p: Params, m: Memory) -> None:
    """Keep a buy on every line below the empty one and a sell on every line above it."""
    if m.empty[0] < 0:
        start(p, m)
        if m.empty[0] < p.num_grids:
            return
    m.empty[0] += sold(0) - bought(0)
    for line in range(p.num_grids + 1):
        if line == m.empty[0]:
            unquote(0, line)
        else:
            quote(0, line, BUY if line < m.empty[0] else SELL, level(p, line), m.quantity[0])
