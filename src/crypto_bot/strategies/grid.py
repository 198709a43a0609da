"""Grid on spot: buy a line down, sell a line up, again and again.

N cells have N + 1 lines; one line is empty. Buys rest on the lines below it, sells on those above, so
that its number is the whole state: a sell filled moves it up, a buy filled moves it down. At the start
the line nearest to the price is empty and what the lines above will sell is bought at market.
Lines lie L + i (U - L) / N apart, or L (U / L)^(i / N). A cell trades the same quantity each, or what the
same money buys at its lower line. An infinity grid has no uppermost line: it goes on in the same spacing,
keeps what it holds worth the same, and its orders rest on the N + 1 lines around the empty one.
A grid earns a cell's height while the price goes to and fro, and holds a losing position when it leaves:
on a driftless price it loses its fees and nothing else. It is a way to trade, not an edge.
Source: Binance's published spot grid; quantity per line q = investment / (sum of the buys + first purchase).
"""

from crypto_bot.strategy import (
    BUY,
    SELL,
    Literal,
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
FARTHEST = 1000
"""The last line near which an infinity grid can begin."""


class Params(NamedTuple):
    """Lowest and highest line, cells, and either the money for all or, if above 0, the quantity of a line."""

    lower_price: float = 26000.0
    upper_price: float = 31500.0
    num_grids: int = 22
    total_investment: float = 10000.0
    quantity: float = 0.0
    spacing_type: Literal["arithmetic", "geometric"] = "arithmetic"
    sizing: Literal["base", "quote"] = "base"
    top: Literal["fixed", "infinity"] = "fixed"


def check(p: Params) -> None:
    """Refuse a grid without cells, and what does not go together."""
    assert 0 < p.lower_price < p.upper_price, "lower_price must lie below upper_price, and above 0"
    assert 1 <= p.num_grids <= 60, "num_grids must lie between 1 and 60"
    assert p.total_investment > 0 or p.quantity > 0, "total_investment must be positive"
    assert p.quantity >= 0, "quantity must not be negative"
    assert p.quantity == 0 or p.sizing == "base", "quantity is what a line trades with sizing base; leave it out"
    endless = p.spacing_type == "geometric" and p.sizing == "quote"
    assert p.top != "infinity" or endless, "an infinity grid needs spacing_type geometric and sizing quote"


def memory(p: Params) -> Memory:
    """Start without an empty line; `unit` is what a cell trades: its quantity, or the money of its buy."""
    cells = range(p.num_grids + 1)
    lines = [p.lower_price * (p.upper_price / p.lower_price) ** (line / p.num_grids) for line in cells]
    if p.spacing_type == "arithmetic":
        lines = [p.lower_price + line * (p.upper_price - p.lower_price) / p.num_grids for line in cells]
    return {"empty": -1, "lowest": 0, "unit": 0.0, "lines": lines}


def level(p: Params, m: Memory, line: int) -> float:
    """Price of a line; above upper_price the lines go on in the same spacing."""
    if line <= p.num_grids:
        return float(m.lines[0, line])
    price = float(m.lines[0, line % p.num_grids])
    for _ in range(line // p.num_grids):
        price = price * p.upper_price / p.lower_price
    return price


def weight(p: Params, m: Memory, cell: int) -> float:
    """Quantity of a cell for each unit; a cell has the number of its lower line."""
    return 1.0 if p.sizing == "base" else 1.0 / level(p, m, cell)


def size(p: Params, m: Memory, cell: int) -> float:
    """Quantity that a cell buys on its lower line and sells on its upper one."""
    return lots(0, m.unit[0] * weight(p, m, cell))


def stock(p: Params, m: Memory) -> float:
    """Quantity for each unit that all cells above the empty line hold; those of an infinity grid are a series."""
    if p.top == "infinity":
        return 1.0 / (level(p, m, m.empty[0]) * (1.0 - level(p, m, 0) / level(p, m, 1)))
    total = 0.0
    for cell in range(m.empty[0], p.num_grids):
        total += weight(p, m, cell)
    return total


def start(p: Params, m: Memory) -> float:
    """Leave the line nearest to the price empty, size the cells, buy what the lines above will sell."""
    price = close(0)
    m.empty[0] = 0
    for line in range(1, (FARTHEST if p.top == "infinity" else p.num_grids) + 1):
        if abs(level(p, m, line) - price) < abs(level(p, m, m.empty[0]) - price):
            m.empty[0] = line
    cost = price * stock(p, m)
    for cell in range(m.empty[0]):
        cost += level(p, m, cell) * weight(p, m, cell)
    m.unit[0] = p.quantity if p.quantity > 0 else p.total_investment / (cost * (1 + fee(0)))
    if p.sizing == "base":
        m.unit[0] = lots(0, m.unit[0])
    first = lots(0, m.unit[0] * stock(p, m)) if p.top == "infinity" else 0.0
    for cell in range(m.empty[0], p.num_grids):
        first += size(p, m, cell) if p.top == "fixed" else 0.0
    hold(0, first)
    return first


def step(p: Params, m: Memory) -> None:
    """Keep a buy on every line below the empty one and a sell on every line above it."""
    if m.empty[0] < 0 and start(p, m) > 0:
        return
    m.empty[0] += sold(0) - bought(0)
    if p.top == "infinity":
        m.lowest[0] = max(0, m.empty[0] - p.num_grids // 2)
    for line in range(m.lowest[0], m.lowest[0] + p.num_grids + 1):
        slot = line % (p.num_grids + 1)
        if line < m.empty[0]:
            quote(0, slot, BUY, level(p, m, line), size(p, m, line))
        elif line > m.empty[0]:
            quote(0, slot, SELL, level(p, m, line), size(p, m, line - 1))
        else:
            unquote(0, slot)
