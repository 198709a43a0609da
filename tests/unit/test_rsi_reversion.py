"""RSI reversion: when it enters, each of its ways out, and what the trend lets through."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.market import Candles
from tests.closes import RICH, bars_of, decided, run

NO_TREND: dict[str, Any] = {"timeframe": "1h", "trend": 0}
FALL = [*[100.0 + n % 2 for n in range(40)], *[100.0 - 1.5 * n for n in range(1, 9)]]
"""A market that goes to and fro, and then falls for eight bars: the RSI is far below 30."""


def rsi(closes: list[float], n: int = 14) -> list[float]:
    """Return Wilder's RSI of every close, nan before the first."""
    moves = np.diff(closes)
    up, down = np.clip(moves, 0, None), np.clip(-moves, 0, None)
    rose, fell = up[:n].mean(), down[:n].mean()
    found = [np.nan] * n
    for i in range(n - 1, moves.size):
        if i >= n:
            rose, fell = (rose * (n - 1) + up[i]) / n, (fell * (n - 1) + down[i]) / n
        found.append(100 * rose / (rose + fell))
    return found


def entry_of(closes: list[float]) -> int:
    """Return the bar on which the RSI comes back through 30."""
    strength = rsi(closes)
    bar, *_ = [i for i in range(20, len(closes)) if strength[i - 1] < 30 <= strength[i]]
    return bar


def rebound(then: list[float]) -> tuple[Candles, list[float], int]:
    """Return a fall and what came then, and the bar of the entry."""
    closes = [*FALL, 90.5, 92.5, *then]
    return bars_of(closes), closes, entry_of(closes)


def test_it_enters_on_the_way_back_up_and_leaves_on_strength() -> None:
    candles, closes, bar = rebound([94.0, 97.0, 100.0, 103.0, 106.0])
    first_strong = next(i for i in range(bar + 1, len(closes)) if rsi(closes)[i] >= 55)
    assert decided(run("rsi_reversion", candles, **NO_TREND), candles) == [(bar, 1), (first_strong, -1)]
    assert closes[bar] > closes[bar - 1] and bar > len(FALL) - 1


def test_at_the_level_it_enters_while_the_rsi_is_still_low() -> None:
    candles, closes, bar = rebound([94.0, 97.0])
    low = next(i for i in range(20, len(closes)) if rsi(closes)[i] < 30)
    first, *_ = decided(run("rsi_reversion", candles, entry="level", max_bars=50, stop_atr=50, **NO_TREND), candles)
    assert first == (low, 1) and low < bar


@pytest.mark.parametrize("most", [1, 3, 6])
def test_time_ends_it(most: int) -> None:
    """The price stands still: neither strong nor stopped."""
    candles, _, bar = rebound([92.5, 92.4] * 6)
    got = decided(run("rsi_reversion", candles, max_bars=most, **NO_TREND), candles)
    assert got[:2] == [(bar, 1), (bar + most, -1)]


def test_the_stop_is_two_ranges_below_the_entry() -> None:
    candles, closes, bar = rebound([91.0, 89.0, 86.0, 83.0, 80.0])
    played = run("rsi_reversion", candles, **NO_TREND)
    ranges = [max(a, b) - min(a, b) for a, b in pairwise(closes)]
    mean = float(np.mean(ranges[:14]))
    for each in ranges[14:bar]:
        mean = (mean * 13 + each) / 14
    bought, sold = played.fills()
    assert int(sold["price"]) == int((closes[bar] - 2 * mean) * 100)
    assert (int(bought["side"]), int(sold["side"])) == (1, -1)


def test_it_leaves_when_the_rsi_falls_back_through_the_upper_level() -> None:
    """Only where `leave` lies above `fade` does the second matter: here nothing is strong enough for the first."""
    candles, closes, bar = rebound([94.0, 97.0, 101.0, 106.0, 112.0, 112.5, 108.0, 104.0, 100.0])
    strength = rsi(closes)
    faded = next(i for i in range(bar + 1, len(closes)) if strength[i] < 70 <= strength[i - 1])
    got = decided(run("rsi_reversion", candles, leave=100, max_bars=50, **NO_TREND), candles)
    assert got == [(bar, 1), (faded, -1)]


@pytest.mark.parametrize(("trend", "trades"), [(0, True), (5, True), (40, False)])
def test_only_above_the_mean_it_buys(trend: int, trades: bool) -> None:
    candles, closes, bar = rebound([92.5] * 5)
    if trend:
        assert (closes[bar] > np.mean(closes[bar - trend + 1 : bar + 1])) == trades
    played = run("rsi_reversion", candles, timeframe="1h", trend=trend)
    assert (played.fills().size > 0) == trades


def test_by_default_it_asks_for_the_trend_of_two_hundred() -> None:
    candles, _, _ = rebound([94.0, 97.0, 100.0])
    assert run("rsi_reversion", candles).fills().size == 0


def test_an_entry_that_was_refused_is_forgotten() -> None:
    """The exchange takes no order as small as this one; the wish is taken back at the next bar."""
    candles, _, _ = rebound([92.5] * 3)
    coin = replace(candles.instrument, min_notional=2 * RICH.cash)
    played = run("rsi_reversion", replace(candles, instrument=coin), **NO_TREND)
    assert played.fills().size == 0 and played.world_of.desk[0]["refused"] == 1
    assert int(played.world_of.wish[0]["weight"]) == 0


@pytest.mark.parametrize(
    ("given", "said"), [({"low": 60}, "low must be below leave"), ({"trend": -1}, "trend"), ({"length": 1}, "length")]
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("rsi_reversion", bars_of([100.0] * 5), **given)
