"""Cross-sectional momentum: hold the best fifth of the eligible coins for a week, in sleeves that take turns.

Eligible, each day anew and from what was known that day: as old as `min_days` bars, and among the `universe`
coins of the largest median dollar volume of `volume_days` days. Of n eligible coins the best max(1, n // parts)
by their change over `lookback` days are chosen, equally weighted and at most `max_weight` each, the rest is cash;
with `rising` only those that rose. Fewer than `parts` eligible coins: none is chosen. Equal ones keep the order
of the run's symbols. One of `hold_days` sleeves is formed a day, or with staggered=false all on one day, Monday
for a week. A share that stays the same is corrected, when its sleeve is formed, beyond `band` of it.
Spot holds nothing short: leg=losers holds the worst fifth long, to measure what a short leg would have owed.
Source: Liu, Tsyvinski and Wu 2022, Common Risk Factors in Cryptocurrency (quintiles, one to four weeks, gross).
"""

from crypto_bot.strategy import (
    Literal,
    Memory,
    NamedTuple,
    change,
    close,
    count,
    day,
    equity,
    hold,
    position,
    rank,
    symbols,
    target,
    volume,
)

timeframe = "1d"
warmup = 2  # what is read by a known length asks for more: lookback, min_days, volume_days
NOT_ELIGIBLE = -1e9


class Params(NamedTuple):
    """Lengths in days, numbers of coins, shares; dollar volume in the quote asset."""

    lookback: int = 21
    hold_days: int = 7
    staggered: bool = True
    parts: int = 5
    universe: int = 20
    min_days: int = 365
    volume_days: int = 30
    min_volume: float = 0.0
    rising: bool = True
    max_weight: float = 0.2
    band: float = 0.2
    leg: Literal["winners", "losers"] = "winners"


def check(p: Params) -> None:
    """Refuse lengths that are none, and more than there is."""
    assert p.lookback >= 1 and p.hold_days >= 1, "lookback and hold_days must be 1 or more"
    assert p.parts >= 1 and p.universe >= p.parts, "universe must not be smaller than parts, and parts at least 1"
    assert 1 <= p.volume_days <= p.min_days, "volume_days must lie between 1 and min_days"
    assert 0 < p.max_weight <= 1, "max_weight must lie between 0 and 1"
    assert 0 <= p.band < 1 and p.min_volume >= 0, "band must lie between 0 and 1, min_volume not below 0"


def memory(p: Params) -> Memory:
    """Start without volumes and with empty sleeves; `days` in the order of time, `sorted` in that of size."""
    days = {"seen": False, "place": 0, "days": [0.0] * p.volume_days, "sorted": [0.0] * p.volume_days, "median": 0.0}
    return {**days, "score": 0.0, "asked": 0.0, "sleeve": [0.0] * p.hold_days}


def note_volume(p: Params, m: Memory, k: int, value: float) -> None:
    """Put a day's dollar volume into the place of the oldest, and keep all of them sorted."""
    oldest, at = m.days[k, m.place[k]], 0
    m.days[k, m.place[k]] = value
    m.place[k] = (m.place[k] + 1) % p.volume_days
    for j in range(p.volume_days):
        if m.sorted[k, j] == oldest:
            at = j
            break
    for j in range(at, p.volume_days - 1):
        if m.sorted[k, j + 1] >= value:
            break
        m.sorted[k, j] = m.sorted[k, j + 1]
        at = j + 1
    for j in range(at, 0, -1):
        if m.sorted[k, j - 1] <= value:
            break
        m.sorted[k, j] = m.sorted[k, j - 1]
        at = j - 1
    m.sorted[k, at] = value


def observe(p: Params, m: Memory, k: int) -> None:
    """Note the day's dollar volume, nought without a bar, and keep the median; the first time, with the days before."""
    for ago in range(0 if m.seen[k] else p.volume_days - 1, -1, -1):
        note_volume(p, m, k, close(k, ago) * volume(k, ago))
    m.seen[k] = True
    m.median[k] = (m.sorted[k, (p.volume_days - 1) // 2] + m.sorted[k, p.volume_days // 2]) / 2


def choose(p: Params, m: Memory) -> int:
    """Give every eligible coin its score and return how many are to be chosen."""
    eligible = 0
    for k in symbols():
        m.score[k] = NOT_ELIGIBLE
        liquid = rank(m.median, k) < p.universe and m.median[k] >= p.min_volume
        if liquid and close(k, p.min_days - 1) > 0:
            eligible += 1
            rise = change(k, p.lookback)
            m.score[k] = rise if p.leg == "winners" else -rise
    return max(1, eligible // p.parts) if eligible >= p.parts else 0


def form(p: Params, m: Memory, sleeve: int) -> None:
    """Fill the sleeve whose turn it is, or all of them, with the best."""
    best = choose(p, m)
    for k in range(count()):
        for j in range(p.hold_days):
            if j == sleeve or not p.staggered:
                m.sleeve[k, j] = 0.0
    for k in symbols():
        rises = change(k, p.lookback) > 0 or not p.rising
        if m.score[k] > NOT_ELIGIBLE and rises and rank(m.score, k) < best:
            for j in range(p.hold_days):
                if j == sleeve or not p.staggered:
                    m.sleeve[k, j] = min(1 / best, p.max_weight)


def step(p: Params, m: Memory) -> None:
    """Observe every day; form when it is the day, and order what differs, of a coin without a bar when it has one."""
    sleeve = (day() + 3) % p.hold_days  # 1970-01-05 was a Monday
    forms = p.staggered or sleeve == 0
    for k in range(count()):
        if m.seen[k]:
            observe(p, m, k)
    for k in symbols():
        if not m.seen[k]:
            observe(p, m, k)
    if forms:
        form(p, m, sleeve)
    for k in symbols():
        share = 0.0
        for j in range(p.hold_days):
            share += m.sleeve[k, j] / p.hold_days
        if abs(share - m.asked[k]) > 1e-9:
            m.asked[k] = share
            target(k, share)
        elif forms and abs(position(k) * close(k) / equity() - share) > p.band * share:
            hold(k, share * equity() / close(k))
