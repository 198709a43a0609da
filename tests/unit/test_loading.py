"""The window of a backtest: which bars count, which serve as warm-up, and what is said of those that lack."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.backtesting.loading import Asked, Held, Window, cut, find_candles
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import DAY_NS, SECOND_NS, parse_time_ns
from tests.made_candles import chosen, made

HOUR_NS = 3_600 * SECOND_NS
START = "2024-01-30"
FIRST_NS = parse_time_ns(START)
BARS = 240


def asked(candles: tuple[Candles, ...], window: Window, **more: str) -> Asked:
    symbols = tuple(dict.fromkeys(each.instrument.symbol for each in candles))
    return Asked(Held(candles), symbols, candles[0].timeframe, "binance", window, **more)


def cut_of(candles: Candles, window: Window, history: int = 0) -> tuple[Candles, int | None, tuple[str, ...]]:
    wanted = asked((candles,), window)
    bars = cut(wanted, find_candles(wanted), history)
    return bars.candles[0], bars.start_ns, bars.remarks


# ---- windows from text


def test_a_date_as_the_end_is_its_whole_day_and_as_the_start_its_first_instant() -> None:
    window = Window.of("2024-02-01", "2024-02-02")
    assert window == Window(parse_time_ns("2024-02-01"), parse_time_ns("2024-02-03") - 1)
    assert Window.of("2024-02-01T08:00", "2024-02-01T08:00+00:00").end_ns == parse_time_ns("2024-02-01T08:00")


def test_a_start_wins_over_days_back() -> None:
    assert Window.of("2024-02-01", None, 7).days_back == 0
    assert Window.of(None, "2024-02-01", 7).days_back == 7


def test_the_end_of_time_is_the_end_of_the_candles() -> None:
    candles = made(BARS, start=START)
    found, _, remarks = cut_of(candles, Window.of("0001-01-01", "9999-12-31"), 10)
    assert len(found) == BARS and len(remarks) == 2


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2024-02-02", "2024-02-01", "swap them"),
        ("2024-02-01T08:00", "2024-02-01T07:59", "swap them"),
        ("02/01/2024", None, "write the first and the last bar as"),
        (None, "2024-02-30", "write the first and the last bar as"),
    ],
)
def test_what_is_no_window_is_refused(start: str | None, end: str | None, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Window.of(start, end)


# ---- cutting


@given(first=st.integers(0, BARS - 1), length=st.integers(0, BARS), history=st.integers(0, 300))
def test_the_window_is_inside_and_the_history_before_it(first: int, length: int, history: int) -> None:
    candles = made(BARS, start=START)
    last = min(first + length, BARS - 1)
    window = Window(int(candles.times[first]), int(candles.times[last]))
    found, start_ns, remarks = cut_of(candles, window, history)
    assert start_ns == window.start_ns and remarks == ()
    assert found.times.tolist() == candles.times[max(0, first - history) : last + 1].tolist()
    assert np.shares_memory(found.close, candles.close)


def test_without_a_start_all_bars_count() -> None:
    candles = made(BARS, start=START)
    found, start_ns, _ = cut_of(candles, Window(), 50)
    assert len(found) == BARS and start_ns is None


def test_days_back_count_whole_days_from_the_last_close() -> None:
    candles = made(BARS, start=START)
    found, start_ns, _ = cut_of(candles, Window(days_back=2), 5)
    assert start_ns == candles.times[-1] + HOUR_NS - 2 * DAY_NS
    assert len(found.between(start_ns)) == 48 and len(found) == 53


def test_what_lacks_is_told() -> None:
    candles = chosen(made(BARS, start=START), [*range(10, 20), *range(23, 40)])
    window = Window(FIRST_NS, FIRST_NS + BARS * HOUR_NS)
    _, _, remarks = cut_of(candles, window)
    assert [words.partition(" TEST/USDT")[2] for words in remarks] == [
        " begin on 2024-01-30T10:00:00Z, after the start that was asked for",
        " end on 2024-01-31T15:00:00Z, before the end that was asked for",
        "",
    ]
    assert remarks[2] == "3 bars are missing between the candles of TEST/USDT"


def test_gaps_before_the_window_are_nobodys_business() -> None:
    candles = chosen(made(BARS, start=START), [*range(5), *range(30, 60)])
    _, _, remarks = cut_of(candles, Window(int(candles.times[10])), 100)
    assert remarks == ()


def test_nothing_in_the_window_is_an_error_of_data() -> None:
    candles = made(BARS, start=START)
    with pytest.raises(DataError, match="TEST/USDT"):
        cut_of(candles, Window(int(candles.times[-1]) + 1))


@dataclass
class TwoPlaces:
    """An archive whose first place is behind, and whose second is not."""

    old: Candles
    new: Candles
    loads: list[int | None] = field(default_factory=list)

    def load(
        self,
        symbol: str,
        timeframe: str,
        *,
        exchange: str = "binance",
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Candles:
        self.loads.append(start_ns)
        found = [part for each in (self.old, self.new) if len(part := each.between(start_ns, end_ns))]
        if not found:
            raise DataError("nothing")
        return found[0]


def test_another_place_of_the_archive_may_hold_the_window() -> None:
    candles = made(BARS, start=START)
    old, new = candles.between(None, int(candles.times[99])), candles
    source, window = TwoPlaces(old, new), Window(int(candles.times[150]))
    wanted = Asked(source, ("TEST/USDT",), "1h", "binance", window)
    bars = cut(wanted, find_candles(wanted), 10)
    assert bars.candles[0].times.tolist() == candles.times[150:].tolist()
    assert source.loads == [None, window.start_ns]


# ---- finer bars


@pytest.mark.parametrize("detail", ["1h", "2h", "7m", "1d", "x"])
def test_detail_has_to_divide_the_run(detail: str) -> None:
    wanted = asked((made(BARS),), Window(), detail_timeframe=detail)
    with pytest.raises(UsageError, match="timeframe"):
        _ = wanted.detail_ns


def test_the_run_begins_where_its_finer_bars_begin() -> None:
    hours, fine = made(48, start=START), made(4 * 36, start="2024-01-30T12:00", timeframe="15m")
    wanted = asked((hours, fine), Window(), detail_timeframe="15m")
    bars = cut(wanted, find_candles(wanted), 0)
    assert bars.candles[0].times[0] == bars.detail[0].times[0] == parse_time_ns("2024-01-30T12:00")
    assert len(bars.detail[0]) == 4 * len(bars.candles[0])


def test_finer_bars_that_begin_after_the_run_are_an_error_of_data() -> None:
    hours, fine = made(48, start=START), made(4, start="2024-01-31T23:30", timeframe="15m")
    wanted = asked((hours, fine), Window(), detail_timeframe="15m")
    with pytest.raises(DataError, match="15m"):
        cut(wanted, find_candles(wanted), 0)


def test_held_candles_are_found_by_symbol_and_length() -> None:
    hours, quarters = made(48), made(48, timeframe="15m")
    held = Held((hours, quarters))
    assert held.load("test/usdt", "15m").times is not None
    assert len(held.load("TEST/USDT", "1h", end_ns=int(hours.times[9]))) == 10
    with pytest.raises(DataError, match="4h"):
        held.load("TEST/USDT", "4h")
