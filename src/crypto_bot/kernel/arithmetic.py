"""Integer arithmetic of money: exact, without overflow on the way, rounded against us."""

from crypto_bot.kernel.compiled import Record, compiled

PPM = 1_000_000
SAFE = 1 << 62
UP, DOWN = 1, 0


@compiled(inline=True)
def share(amount: int, ppm: int) -> int:
    """Return floor(amount * ppm / 1e6)."""
    return amount // PPM * ppm + amount % PPM * ppm // PPM


@compiled(inline=True)
def fee_on(amount: int, ppm: int) -> int:
    """Return the fee on an amount, rounded up."""
    return amount // PPM * ppm + (amount % PPM * ppm + PPM - 1) // PPM


@compiled(inline=True)
def before_fee(amount: int, ppm: int) -> int:
    """Return the largest n with n + fee(n) <= amount."""
    whole = PPM + ppm
    return amount // whole * PPM + amount % whole * PPM // whole


@compiled(inner=True)
def proportion(amount: int, part: int, whole: int) -> int:
    """Return floor(amount * part / whole) for amount, part >= 0 and whole > 0, with 128-bit care."""
    result = amount // whole * part
    rest = amount % whole
    if rest == 0 or part <= SAFE // rest:
        return result + rest * part // whole
    quotient = 0
    remainder = 0
    for bit in range(62, -1, -1):
        quotient *= 2
        remainder *= 2
        if remainder >= whole:
            remainder -= whole
            quotient += 1
        if (part >> bit) & 1:
            remainder += rest
            if remainder >= whole:
                remainder -= whole
                quotient += 1
    return result + quotient


@compiled(inline=True)
def money(price: int, quantity: int, b: Record, direction: int) -> int:
    """Return price * quantity in atoms: UP for what we pay, DOWN for what we receive or count as ours.

    `b` is a record with `mult` and `div`, of which one is 1: atoms per unit of price times quantity.
    """
    if b["div"] == 1:
        return int(price * b["mult"] * quantity)
    return _divided(price, quantity, b["div"], direction)


@compiled(inner=True)
def _divided(price: int, quantity: int, div: int, direction: int) -> int:
    """Return price * quantity / div, rounded in the named direction; the product may pass 64 bits."""
    floor = proportion(price, quantity, div)
    if direction == UP and price % div * (quantity % div) % div != 0:
        return floor + 1
    return floor


@compiled(inline=True)
def affordable(amount: int, price: int, b: Record) -> int:
    """Return the largest quantity whose money at this price does not pass the amount; SAFE when that is larger."""
    if b["div"] == 1:
        return int(amount // (price * b["mult"]))
    if amount // price >= SAFE // b["div"]:
        return SAFE
    return proportion(amount, b["div"], price)


@compiled(inline=True)
def quantise(value: int, step: int, direction: int) -> int:
    """Return the value on the grid of ticks or lots, rounded in the named direction."""
    if step == 1:  # most often: a scale is chosen so that it counts lots, and a division takes long
        return value
    return -(-value // step) * step if direction == UP else value // step * step


@compiled(inner=True)
def root(value: int) -> int:
    """Return the whole part of the square root."""
    if value < 2:
        return value
    guess = 1
    while guess < value // guess:
        guess *= 2
    while True:
        better = (guess + value // guess) // 2
        if better >= guess:
            return guess
        guess = better
