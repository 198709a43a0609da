"""What the round trips so far say of a strategy: how often it won and how much, drawn towards no evidence.

Everything is in parts per million, of what was paid for the trip: money won and lost is after fees and slippage.
"""

from crypto_bot.kernel.arithmetic import PPM, proportion
from crypto_bot.kernel.compiled import Record, compiled

ENOUGH = 30
"""Round trips from which on something is believed."""
DOUBT = 20
"""So many trips that came out as if nothing were known are added to those that were seen."""


@compiled(inner=True)
def break_even_part(won: int, lost: int) -> int:
    """Return the part of trips that has to win for nothing to be won or lost, by the mean gain and the mean loss."""
    return int(proportion(PPM, lost, max(1, won + lost)))


@compiled(inner=True)
def shrunk_part(wins: int, trips: int, won: int, lost: int) -> int:
    """Return the part of trips that is believed to win: what was seen, drawn towards what would earn nothing."""
    return int((wins * PPM + DOUBT * break_even_part(won, lost)) // (trips + DOUBT))


@compiled(inner=True)
def best_share(part: int, won: int, lost: int) -> int:
    """Return Kelly's share of the equity for trips that win this part of the time; 0 when none is worth it."""
    gain = part * won - (PPM - part) * lost
    if gain <= 0 or lost == 0:
        return 0
    return int(proportion(gain, PPM, won * lost))


@compiled(inner=True)
def expected_gain(part: int, won: int, lost: int) -> int:
    """Return what a trip is expected to earn, in units of the mean loss."""
    gain = part * won - (PPM - part) * lost
    return int(gain // lost if gain >= 0 else -(-gain // lost)) if lost != 0 else PPM


@compiled(inner=True)
def mean_gain(known: Record) -> int:
    """Return the mean gain of the trips that won; 0 without any."""
    return int(known["won_ppm"] // known["wins"] if known["wins"] > 0 else 0)


@compiled(inner=True)
def mean_loss(known: Record) -> int:
    """Return the mean loss of the trips that did not win; 0 without any."""
    losses = known["trips"] - known["wins"]
    return int(known["lost_ppm"] // losses if losses > 0 else 0)
