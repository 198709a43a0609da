"""What a strategy wanted at one moment, and on what grounds: the first link of the chain from prices to profit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """One wish on one instrument, as it was decided on at the close of a slice (UTC ns).

    `inputs` names what it was decided on: strategy, parameters, the slice's bars and the position, as a hash.
    `share_ppm` is the part of the strategy's equity to hold; `quantity`, when not None, an amount instead, at the
    instrument's scale, as are `stop` and `take_profit` (0: none). `valid_until_ns` 0 is for ever. `quotes` says that
    the orders that shall rest have changed.
    """

    strategy: str
    symbol: str
    time_ns: int
    inputs: str
    reason: str
    share_ppm: int
    quantity: int | None
    stop: int
    take_profit: int
    valid_until_ns: int
    quotes: bool
