"""One order far below the market, and nothing ever again: what a bar costs on which nothing happens."""

from crypto_bot.strategy import BUY, NamedTuple, quote

wake = "fills"


class Params(NamedTuple):
    """The price of the order, far enough away."""

    price: float = 1.0


def check(p):
    """Refuse what is no price."""
    assert p.price > 0, "price must be positive"


def step(p):
    """Keep the order."""
    quote(0, 0, BUY, p.price, 1.0)
