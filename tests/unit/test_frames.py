"""A second timeframe: its bars are those that were known by then, and words read them as they read any others."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.reader import read_text
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import phase_ns, timeframe_ns
from tests.plays import FREE, Rooms, author, play
from tests.readings import noted, played, readings
from tests.small_worlds import T0
from tests.unit.test_indicators import COIN, walk

MINUTE = 60 * 10**9


def some(candles: Candles, rows: Sequence[int] | IntArray) -> Candles:
    """Return the candles of these rows."""
    return Candles(candles.instrument, candles.timeframe, *(column[rows] for column in candles.columns()))


def shifted(candles: Candles, minutes: int) -> Candles:
    """Return the same bars so many minutes later."""
    times, *columns = candles.columns()
    return Candles(candles.instrument, candles.timeframe, times + minutes * MINUTE, *columns)


def known_bars(candles: Candles, period_ns: int) -> list[tuple[int, list[int]]]:
    """Return the closed bars of a longer timeframe, each after the row with which it becomes known.

    Worked out from the definition, period by period; one whose beginning was not seen is left out.
    """
    phase = phase_ns(period_ns)
    labels = (candles.times - phase) // period_ns
    found = []
    for label in dict.fromkeys(labels.tolist()):
        inside = np.flatnonzero(labels == label)
        begins, ends = label * period_ns + phase, (label + 1) * period_ns + phase
        closed = np.flatnonzero(candles.times + candles.bar_ns >= ends)
        if closed.size and (inside[0] > 0 or candles.times[0] == begins):
            rows = [column[inside] for column in candles.columns()[1:]]
            bar = [rows[0][0], rows[1].max(), rows[2].min(), rows[3][-1], rows[4].sum()]
            found.append((int(closed[0]), [int(number) for number in bar]))
    return found


FIELDS = ("open_", "high", "low", "close", "volume")


def assert_known(folder: Path, candles: Candles, timeframe: str) -> None:
    """Read all fields of the newest bar and of the one before, and compare every step with the definition."""
    words = [f"{field}(k, {ago}, timeframe='{timeframe}')" for ago in (0, 1) for field in FIELDS]
    seen = played(folder, words, [candles])
    bars = known_bars(candles, timeframe_ns(timeframe))
    steps = noted(seen).size
    scales = [candles.instrument.price_scale] * 4 + [candles.instrument.quantity_scale]
    for step in range(steps):
        row = len(candles) - steps + step
        known = [bar for due, bar in bars if due <= row]
        wanted = [known[-1 - ago][field] / scales[field] for ago in (0, 1) for field in range(5)]
        assert [noted(seen, j)[step] for j in range(10)] == wanted, row


@pytest.mark.parametrize(("timeframe", "late"), [("5m", 0), ("15m", 7), ("2m", 1), ("1m", 0), ("1h", 59)])
def test_the_bars_are_those_that_have_closed(tmp_path: Path, timeframe: str, late: int) -> None:
    assert_known(tmp_path, shifted(walk(400), late), timeframe)


@settings(max_examples=25)
@given(rows=st.sets(st.integers(0, 119), min_size=60), late=st.integers(0, 9))
def test_missing_bars_are_met_as_a_live_feed_would(
    tmp_path_factory: pytest.TempPathFactory, rows: set[int], late: int
) -> None:
    candles = shifted(some(walk(120), sorted(rows)), late)
    assert_known(tmp_path_factory.mktemp("gaps"), candles, "5m")


def test_weeks_begin_on_monday(tmp_path: Path) -> None:
    times = T0 + np.arange(60, dtype=np.int64) * 1440 * MINUTE
    days = Candles(COIN, "1d", times, *walk(60).columns()[1:])
    assert_known(tmp_path, days, "1w")


@pytest.mark.parametrize(
    "word",
    ["sma(k, 4{})", "ema(k, 4{})", "zscore(k, 5{})", "atr(k, 3{})", "change(k, 3, 1{})", "highest_high(k, 6{})",
     "vwap(k, 4{})", "adx(k, 3{})", "macd_signal(k, 3, 5, 2{})", "rsi(k, 3, source=typical(k){})",
     "sma(k, 3, source=volume(k){})", "deviation(k, 4, source=ema(k, 2) - close(k, 1){})"],
)  # fmt: skip
def test_a_word_reads_a_second_timeframe_as_if_it_were_the_first(tmp_path: Path, word: str) -> None:
    """What a strategy on 5m bars reads, one on 1m bars reads too, from each 5m bar's close to the next, bit for bit."""
    candles = walk(600)
    own = played(tmp_path, [word.format(""), "minute()"], [candles], head='timeframe = "5m"')
    other = played(tmp_path, [word.format(", timeframe='5m'"), "minute()"], [candles])
    known = dict(zip(noted(own, 1).tolist(), noted(own).tolist(), strict=True))
    compared = 0
    for minute, value in zip(noted(other, 1).tolist(), noted(other).tolist(), strict=True):
        if minute - minute % 5 in known:
            assert value == known[minute - minute % 5]
            compared += 1
    assert compared > 500


def test_volatility_counts_the_bars_of_its_timeframe(tmp_path: Path) -> None:
    candles = walk(600)
    five = readings(tmp_path, "volatility(k, 10)", candles, head='timeframe = "5m"')
    other = readings(tmp_path, "volatility(k, 10, timeframe='5m')", candles)
    assert other[-1] == five[-1]


@settings(max_examples=25)
@given(rows=st.sets(st.integers(0, 119), min_size=50))
def test_own_bars_and_second_ones_meet_after_a_gap(tmp_path_factory: pytest.TempPathFactory, rows: set[int]) -> None:
    """Own bars of 5m, second ones of 15m, of 1m candles in which ends of both are missing."""
    candles = some(walk(120), sorted({0, *rows}))
    folder = tmp_path_factory.mktemp("both")
    seen = noted(played(folder, ["close(k, timeframe='15m')"], [candles], head='timeframe = "5m"'))
    own = known_bars(candles, 5 * MINUTE)
    labels = dict.fromkeys((candles.times // (5 * MINUTE)).tolist())
    times = np.array(list(labels)[: len(own)], np.int64) * 5 * MINUTE
    bars = Candles(COIN, "5m", times, *np.array([bar for _, bar in own], np.int64).T)
    known = known_bars(bars, 15 * MINUTE)
    for step, value in enumerate(seen):
        row = len(bars) - seen.size + step
        assert value * COIN.price_scale == [bar for due, bar in known if due <= row][-1][3]


def test_a_period_whose_beginning_was_not_seen_is_left_out(tmp_path: Path) -> None:
    candles = shifted(walk(200), 7)
    whole = some(candles, range(3, 200))
    word = "ema(k, 4, timeframe='5m')"
    assert readings(tmp_path, word, candles)[-100:].tobytes() == readings(tmp_path, word, whole)[-100:].tobytes()


def test_the_first_step_comes_when_every_word_has_a_value(tmp_path: Path) -> None:
    words = ["ema(k, 4, timeframe='5m')", "sma(k, 3, timeframe='15m')", "ema(k, 3, source=rsi(k, 4, timeframe='5m'))"]
    for late in range(0, 15, 4):
        seen = played(tmp_path, words, [shifted(walk(300), late)])
        for j in range(3):
            assert not np.isnan(noted(seen, j)).any()
        # sma of three 15m bars: 45 minutes and at most 14 before them; the other two need no more.
        assert noted(seen).size == 300 - (3 * 15 + 14) + 1


@pytest.mark.parametrize("fills", ["pessimistic", "path"])
@pytest.mark.parametrize("head", ["", 'timeframe = "5m"'])
def test_compiled_interpreted_and_after_a_warm_up_the_same(tmp_path: Path, head: str, fills: str) -> None:
    terms = type(FREE)(costs=(0, 0, 0), fills=fills)
    words = ["sma(k, 3, timeframe=p.slow)", "ema(k, 3, source=volume(k), timeframe='15m')", "rsi(k, 4, timeframe='1h')"]
    lines = "\n".join(f"            m.x[k, {j}] = {word}" for j, word in enumerate(words))
    text = f"""
    {head}

    class Params(NamedTuple):
        slow: Literal["15m", "30m"] = "30m"

    def memory(p):
        return dict(x=[0.0] * 3)

    def step(p, m):
        for k in symbols():
{lines}
            target(k, 0.5 if m.x[k, 0] > close(k) else 0.0)
    """
    file = author(tmp_path, text)
    candles = [walk(700)]
    runs = []
    for rooms in (Rooms.plain(), Rooms.of_this_process()):
        runs.append(play(rooms, [(rooms.binding.Strategy(file), {})], candles, terms))
    runs[0].assert_same(runs[1])
    rooms = Rooms.plain()
    late = play(rooms, [(rooms.binding.Strategy(file), {})], candles, terms, start_ns=int(candles[0].times[500]))
    assert late.cell("x").tobytes() == runs[0].cell("x").tobytes()


def test_a_named_choice_of_timeframes_needs_no_other_code(tmp_path: Path) -> None:
    text = """
    class Params(NamedTuple):
        slow: Literal["5m", "15m"] = "5m"

    def step(p):
        target(0, 0.5 if sma(0, 3, timeframe=p.slow) > close(0) else 0.0)
    """
    rooms = Rooms.of_this_process()
    strategy = rooms.binding.Strategy(author(tmp_path, text))
    bound = [strategy.bind(strategy.module.parameters.read({"slow": slow}), 1, MINUTE) for slow in ("5m", "15m")]
    assert bound[0].walk is bound[1].walk
    assert [each.warmup for each in bound] == [3 * 5 + 4, 3 * 15 + 14]


REFUSED = {
    "x = close(k, timeframe='7x')": "timeframe is '7x'; write it as '4h', '1d' or '1w', or as a named choice of such",
    "x = close(k, timeframe=p.n)": "timeframe is p.n; write it as '4h', '1d' or '1w', or as a named choice of such",
    "x = ema(k, 3, timeframe=60)": "timeframe is 60; write it as '4h', '1d' or '1w', or as a named choice of such",
    "x = close(k, m.held[k], timeframe='1d')": (
        "how far close looks back on another timeframe must be known before the run; "
        "use numbers, p.something, or the variable of a loop over such"
    ),
    "x = ema(k, 3, source=close(k, timeframe='1d'), timeframe='4h')": (
        "a source is read on the bars of the indicator that it belongs to; take its own timeframe away"
    ),
    "x = vwap_day(k, timeframe='1d')": "vwap_day does not take timeframe; it takes k, ago",
    "x = close(k, 0, '1d')": "close takes k, ago, timeframe, the last 1 by name, as in timeframe=...",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_refused(line: str) -> None:
    from tests.authors import HEAD, refusal

    assert refusal(f"{HEAD}{line}\n").text == REFUSED[line]


def test_a_timeframe_that_the_bars_cannot_make_is_refused(tmp_path: Path) -> None:
    text = "timeframe = '4h'\n\ndef step(p):\n    target(0, 1.0 if close(0) > close(0, timeframe='6h') else 0.0)\n"
    rooms = Rooms.plain()
    strategy = rooms.binding.Strategy(author(tmp_path, text))
    with pytest.raises(Exception, match="timeframe='6h' is not made of whole bars"):
        strategy.bind(strategy.module.parameters.defaults, 1, MINUTE)


def test_a_strategy_that_wakes_for_fills_has_none() -> None:
    text = "wake = 'fills'\n\n\ndef step(p):\n    target(0, close(0, timeframe='1d') / 1e9)\n"
    with pytest.raises(Mistake, match="line 5: a strategy that wakes for fills has no other timeframe"):
        read_text(text, Path("mine.py"))
