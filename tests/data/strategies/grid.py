"""Arithmetic grid: N cells, N + 1 lines, one of them empty. The number of the empty line is the grid's whole state."""

from crypto_bot.strategy import BUY, SELL, Memory, NamedTuple, bought, close, fee, hold, lots, quote, sold, unquote

wake = "fills"


class Params(NamedTuple):
    lower_price: float = 26_000.0
    upper_price: float = 36_000.0
    num_grids: int = 40
    total_investment: float = 100_000.0


def check(p: Params) -> None:
    assert 0 < p.lower_price < p.upper_price, "lower_price must lie below upper_price"
    assert 1 <= p.num_grids <= 60, "num_grids must lie between 1 and 60"


def memory(p: Params) -> Memory:
    return {"empty": -1, "quantity": 0.0}


def level(p: Params, line: int) -> float:
    return p.lower_price + line * (p.upper_price - p.lower_price) / p.num_grids


def start(p: Params, m: Memory) -> None:
    """Leave the line nearest to the price empty and buy what the lines above it will sell."""
    price, cost, m.empty[0] = close(0), 0.0, 0
    for line in range(1, p.num_grids + 1):
        if abs(level(p, line) - price) < abs(level(p, m.empty[0]) - price):
            m.empty[0] = line
    for line in range(p.num_grids + 1):
        if line != m.empty[0]:
            cost += level(p, line) if line < m.empty[0] else price * (1 + fee(0))
    m.quantity[0] = lots(0, p.total_investment / cost)
    hold(0, m.quantity[0] * (p.num_grids - m.empty[0]))


def step(p: Params, m: Memory) -> None:
    if m.empty[0] < 0:
        start(p, m)
        if m.empty[0] < p.num_grids:
            return  # the lines follow when the first purchase is filled
    m.empty[0] += sold(0) - bought(0)
    for line in range(p.num_grids + 1):
        if line == m.empty[0]:
            unquote(0, line)
        else:
            quote(0, line, BUY if line < m.empty[0] else SELL, level(p, line), m.quantity[0])
