"""Grid on spot: buy a line down, sell a line up, again and again.

N cells have N + 1 lines; one line is empty. Buys rest on the lines below it, sells on those above, so
that its number is the whole state: a sell filled moves it up, a buy filled moves it down. At the start
the line nearest to the price is empty and what the lines above will sell is bought at market.
Lines lie L + i (U - L) / N apart, or L (U / L)^(i / N). A cell trades the same quantity each, or what the
same money buys at its lower line. A trailing grid moves up with the price, a line at a time. An infinity
grid has no uppermost line: what it holds stays worth the same, its orders rest around the empty line.
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
    equity,
    fee,
    high,
    hold,
    lots,
    low,
    quote,
    sold,
    target,
    unquote,
)

FARTHEST = 1000
"""The last line near which an infinity grid can begin."""
ENDLESS = 1e18
"""Above every price."""


class Params(NamedTuple):
    """Lines, money or quantity of a line; then what is above the lines, and when it begins, rests and ends."""

    lower_price: float = 26000.0
    upper_price: float = 31500.0
    num_grids: int = 22
    total_investment: float = 10000.0
    quantity: float = 0.0
    spacing_type: Literal["arithmetic", "geometric"] = "arithmetic"
    sizing: Literal["base", "quote"] = "base"
    top: Literal["fixed", "trailing", "infinity"] = "fixed"
    trail_limit: float = 0.0
    trigger_price: float = 0.0
    stop_lower: float = 0.0
    stop_upper: float = 0.0
    sell_all_on_stop: bool = True
    out_of_range: Literal["keep", "pause"] = "keep"


def check(p: Params) -> None:
    """Refuse a grid without cells, and what does not go together."""
    assert 0 < p.lower_price < p.upper_price, "lower_price must lie below upper_price, and above 0"
    assert 1 <= p.num_grids <= 60, "num_grids must lie between 1 and 60"
    assert p.total_investment > 0 or p.quantity > 0, "total_investment must be positive"
    assert p.quantity >= 0, "quantity must not be negative"
    assert p.quantity == 0 or p.sizing == "base", "quantity is what a line trades with sizing base; leave it out"
    endless = p.spacing_type == "geometric" and p.sizing == "quote"
    assert p.top != "infinity" or endless, "an infinity grid needs spacing_type geometric and sizing quote"
    assert p.trail_limit == 0 or p.top == "trailing", "trail_limit needs top trailing"
    assert p.trail_limit == 0 or p.trail_limit > p.upper_price, "trail_limit must lie above upper_price; 0 is none"
    assert 0 <= p.stop_lower < p.lower_price, "stop_lower must lie below lower_price; 0 is none"
    assert p.stop_upper == 0 or p.stop_upper > p.upper_price, "stop_upper must lie above upper_price; 0 is none"
    assert p.trigger_price >= 0, "trigger_price must not be negative; 0 begins at once"


def wake(p: Params) -> str:
    """Look at every bar when something hangs on the price alone; otherwise the fills tell everything."""
    prices = p.trigger_price > 0 or p.stop_lower > 0 or p.stop_upper > 0
    return "bars" if prices or p.top == "trailing" or p.out_of_range == "pause" else "fills"


def memory(p: Params) -> Memory:
    """Start without an empty line; `unit` is what a cell trades: its quantity, or the money of its buy."""
    cells = range(p.num_grids + 1)
    lines = [p.lower_price * (p.upper_price / p.lower_price) ** (line / p.num_grids) for line in cells]
    if p.spacing_type == "arithmetic":
        lines = [p.lower_price + line * (p.upper_price - p.lower_price) / p.num_grids for line in cells]
    return {
        "empty": -1,
        "lowest": 0,
        "unit": 0.0,
        "lines": lines,
        "rests": False,
        "calm": [0.0, 0.0],
        "side": 0,
        "due": False,
        "over": False,
    }


def level(p: Params, m: Memory, line: int) -> float:
    """Price of a line; above upper_price the lines go on in the same spacing."""
    if line <= p.num_grids:
        return float(m.lines[0, line])
    if p.spacing_type == "arithmetic":
        return p.lower_price + line * (p.upper_price - p.lower_price) / p.num_grids
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


def money(p: Params, m: Memory, first: int, last: int) -> float:
    """Money for each unit that the buys on these lines ask for, the last one not among them."""
    total = 0.0
    for cell in range(first, last):
        total += level(p, m, cell) * weight(p, m, cell)
    return total


# ---- when it begins, moves and ends


def is_outside(p: Params, m: Memory) -> bool:
    """Whether the close lies outside of the lines."""
    top = level(p, m, m.lowest[0] + p.num_grids)
    return close(0) < level(p, m, m.lowest[0]) or (close(0) > top and p.top != "infinity")


def guard(p: Params, m: Memory) -> float:
    """Price of the stop below, which moves up with a trailing grid."""
    if p.top != "trailing":
        return p.stop_lower
    base = level(p, m, m.lowest[0])
    if p.spacing_type == "arithmetic" and p.stop_lower > 0:
        return p.stop_lower + base - p.lower_price
    return p.stop_lower * base / p.lower_price


def is_stopped(p: Params, m: Memory) -> bool:
    """Whether the bar reached a stop."""
    return (p.stop_lower > 0 and low(0) <= guard(p, m)) or 0 < p.stop_upper <= high(0)


def calm(p: Params, m: Memory) -> None:
    """Note the prices between which nothing but a fill can change anything."""
    m.calm[0, 0], m.calm[0, 1] = guard(p, m), p.stop_upper if p.stop_upper > 0 else ENDLESS
    if p.out_of_range == "pause":
        m.calm[0, 0] = max(m.calm[0, 0], level(p, m, m.lowest[0]))
    if p.top == "trailing" or (p.top == "fixed" and p.out_of_range == "pause"):
        m.calm[0, 1] = min(m.calm[0, 1], level(p, m, m.lowest[0] + p.num_grids))


def is_due(p: Params, m: Memory) -> bool:
    """Whether the price has come to trigger_price from where it was; nothing begins where the grid would not rest."""
    if m.side[0] == 0:
        m.side[0] = BUY if close(0) < p.trigger_price else SELL
    reached = high(0) >= p.trigger_price if m.side[0] == BUY else low(0) <= p.trigger_price
    if reached or p.trigger_price == 0:
        m.due[0] = True
    return m.due[0] == 1 and not is_stopped(p, m) and not (p.out_of_range == "pause" and is_outside(p, m))


def start(p: Params, m: Memory) -> float:
    """Leave the line nearest to the price empty, size the cells, buy what the lines above will sell."""
    price = close(0)
    m.empty[0] = 0
    for line in range(1, (FARTHEST if p.top == "infinity" else p.num_grids) + 1):
        if abs(level(p, m, line) - price) < abs(level(p, m, m.empty[0]) - price):
            m.empty[0] = line
    cost = money(p, m, 0, m.empty[0]) + price * stock(p, m)
    m.unit[0] = p.quantity if p.quantity > 0 else p.total_investment / (cost * (1 + fee(0)))
    if p.sizing == "base":
        m.unit[0] = lots(0, m.unit[0])
    first = lots(0, m.unit[0] * stock(p, m)) if p.top == "infinity" else 0.0
    for cell in range(m.empty[0], p.num_grids):
        first += size(p, m, cell) if p.top != "infinity" else 0.0
    hold(0, first)
    return first


def move(p: Params, m: Memory) -> bool:
    """Let the lines follow the price: up by one when it stands a line above them and the buys can be paid."""
    before = m.lowest[0]
    if p.top == "infinity":
        m.lowest[0] = max(0, m.empty[0] - p.num_grids // 2)
    elif p.top == "trailing":
        for _ in range(p.num_grids):
            top = m.lowest[0] + p.num_grids
            above = level(p, m, top + 1)
            if m.empty[0] != top or close(0) < above or 0 < p.trail_limit < above:
                break
            if m.unit[0] * money(p, m, m.lowest[0] + 1, top + 1) * (1 + fee(0)) > equity():
                break
            m.lowest[0] += 1
            m.empty[0] += 1
    return bool(m.lowest[0] != before)


# ---- what rests


def draw(p: Params, m: Memory, first: int, last: int) -> None:
    """Keep a buy on every line below the empty one and a sell on every line above it, of those from first to last."""
    for line in range(first, last + 1):
        slot = line % (p.num_grids + 1)
        if line < m.empty[0]:
            quote(0, slot, BUY, level(p, m, line), size(p, m, line))
        elif line > m.empty[0]:
            quote(0, slot, SELL, level(p, m, line), size(p, m, line - 1))
        else:
            unquote(0, slot)


def clear(p: Params, m: Memory) -> None:
    """Take all orders away."""
    for slot in range(p.num_grids + 1):
        unquote(0, slot)
    m.rests[0] = False


def step(p: Params, m: Memory) -> None:
    """Follow the fills and the price; what was filled, and what has moved, is drawn anew."""
    if m.over[0] or (m.empty[0] < 0 and (not is_due(p, m) or start(p, m) > 0)):
        return
    first, last = m.empty[0] - bought(0), m.empty[0] + sold(0)
    if m.rests[0] and first == last and m.calm[0, 0] < low(0) and high(0) < m.calm[0, 1]:
        return
    m.empty[0] += sold(0) - bought(0)
    if is_stopped(p, m):
        clear(p, m)
        m.over[0] = True
        if p.sell_all_on_stop:
            target(0, 0)
    elif p.out_of_range == "pause" and is_outside(p, m):
        if m.rests[0]:
            clear(p, m)
    elif move(p, m) or not m.rests[0]:
        draw(p, m, m.lowest[0], m.lowest[0] + p.num_grids)
        calm(p, m)
        m.rests[0] = True
    else:
        draw(p, m, first, last)
