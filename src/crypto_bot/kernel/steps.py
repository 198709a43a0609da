"""From plain decimals to ticks and lots: rounded in the direction that a word promises, and checked before."""

from crypto_bot.kernel.compiled import word
from crypto_bot.kernel.context import FAULT_LARGE, FAULT_NAN, FAULT_NEGATIVE, Context, fail

COUNTED = 4e18
"""What a whole number of 64 bits can hold, with something to spare."""


@word(inline=True)
def changed(s: Context, k: int, what: int) -> None:
    """Note that a part of the wish has changed."""
    s.wish[k]["dirty"] |= what
    s.wish[0]["any"] = 1


@word(inline=True)
def _slack(steps: float) -> float:
    """Return how much of a step is forgiven: a millionth, or for many digits what a float cannot tell."""
    return 1e-6 + steps * 4.5e-16


@word(inline=True)
def whole_lots(s: Context, k: int, quantity: float) -> int:
    """Round down to the lot; a millionth of a lot is forgiven, so that 0.1 + 0.2 is 0.3."""
    b = s.book[k]
    if quantity * b["quantity_scale"] >= COUNTED:
        fail(s, FAULT_LARGE, k, float(quantity))
    lots = quantity * b["quantity_scale"] / b["lot"]
    return int(int(lots + _slack(lots)) * b["lot"])


@word(inline=True)
def check_quantity(s: Context, k: int, quantity: float) -> None:
    """Stop the run when a quantity, or a distance, is negative or no number."""
    if not quantity >= 0.0:
        fail(s, FAULT_NAN if quantity != quantity else FAULT_NEGATIVE, k, float(quantity))


@word(inline=True)
def ticks(s: Context, k: int, price: float, up: bool) -> int:
    """Round to the tick in the named direction; a millionth of a tick is forgiven."""
    b = s.book[k]
    if price * b["price_scale"] >= COUNTED:
        fail(s, FAULT_LARGE, k, float(price))
    steps = price * b["price_scale"] / b["tick"]
    return int(int(steps + 1.0 - _slack(steps) if up else steps + _slack(steps)) * b["tick"])
