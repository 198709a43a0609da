"""Sources: an indicator of other things than closes, and what is written for it in the walker."""

import math
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.authoring.generator import walker_text
from crypto_bot.authoring.module import Formula, Frame, Loop, Reach
from crypto_bot.authoring.updates import update_lines
from crypto_bot.authoring.warming import Warming
from crypto_bot.domain.market import Candles
from tests.authors import HEAD, module_of, refusal
from tests.plays import Rooms
from tests.readings import noted, played, readings
from tests.unit.test_indicators import walk

MINUTE = 60 * 10**9


def formula(line: str) -> Formula | None:
    """Return the source of the last indicator that a line needs."""
    return module_of(line).indicators[-1].formula


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("x = sma(k, 5, source=volume(k))", "_w.volume(_s, _k)"),
        ("x = ema(k, 5, source=(high(k) + low(k)) / 2)", "(_w.high(_s, _k) + _w.low(_s, _k)) / 2"),
        ("x = ema(k, 5, source=rsi(k, p.n))", "_x.v0[_k]"),
        ("x = ema(k, 5, source=rsi(k, p.n, ago=1) - close(k, 3))", "_x.b0[_k] - _w.close(_s, _k, ago=3)"),
        ("x = ema(k, 5, source=close(k) / close(0))", "_w.close(_s, _k) / _w.close(_s, 0)"),
        ("x = ema(0, 5, source=change(0, LEVELS[0]))", "_w.change(_s, _k, length=LEVELS[0])"),
        ("x = ema(k, 5, source=max(close(k), open_(k)))", "max(_w.close(_s, _k), _w.open_(_s, _k))"),
        ("x = ema(k, 5, source=sqrt(volume(k)))", "_w.sqrt(_w.volume(_s, _k))"),
        (
            "x = ema(k, 5, source=1.0 if close(k) > open_(k) else 0)",
            "1.0 if _w.close(_s, _k) > _w.open_(_s, _k) else 0",
        ),
        ("for n in p.lengths:\n    x = ema(k, n, source=rsi(k, n))", "_x.v0[_q * _s.count + _k]"),
        ("for n in p.lengths:\n    x = ema(k, 3, source=close(k, n) * n)", "_w.close(_s, _k, ago=_n) * _n"),
        ("x = ema(k, 5, source=close(k), timeframe='1d')", "_w.close(_g, _k)"),
        ("x = ema(k, 5, source=close(k, timeframe='1d'))", "_w.close(_frames.framed(_s, _x.f0), _k)"),
        ("x = macd(k, 3, p.n)", "_x.v0[_k] - _x.v1[_k]"),
        ("x = macd_histogram(k)", "_x.v2[_k] - _x.v3[_k]"),
        ("x = bollinger_upper(k)", "_w.sma(_s, _k, length=20) + 2.0 * _x.v0[_k]"),
        ("x = bollinger_lower(k, source=volume(k))", "_x.v0[_k] - 2.0 * _x.v1[_k]"),
    ],
)
def test_a_source_is_written_for_every_symbol(line: str, text: str) -> None:
    found = formula(line)
    assert found is not None and found.text == text


def test_the_same_indicator_is_kept_once_whoever_asks_for_it() -> None:
    module = module_of(
        "x = ema(k, 12) - ema(k, 26) + macd(k) + macd_signal(k) + macd_histogram(k)\n"
        "x += sma(k, 20, source=volume(k)) + sma(k, 20, source=volume(k), ago=1) + sma(k, 20)\n"
        "x += ema(k, 12, timeframe='1d') + ema(k, 12, timeframe='4h') + ema(k, 12, ago=1, timeframe='1d')"
    )
    kept = [(use.word, use.frame) for use in module.indicators]
    assert kept == [
        ("ema", None), ("ema", None), ("macd", None), ("ema", None), ("macd_histogram", None), ("sma", None),
        ("ema", 0), ("ema", 1),
    ]  # fmt: skip
    assert module.frames == (Frame("'1d'", 22), Frame("'4h'", 22))


def test_what_a_source_looks_back_at() -> None:
    assert formula("x = ema(k, 5, source=close(k, 3) + sma(k, p.n))") == Formula(
        "_w.close(_s, _k, ago=3) + _w.sma(_s, _k, length=p.n)",
        (Reach("close", None, "3", None, 20), Reach("sma", "p.n", "0", None, 20)),
        (),
    )
    module = module_of("for n in p.lengths:\n    x = ema(k, 4, source=rsi(k, n, ago=1))")
    assert module.indicators[1].loop == Loop("p.lengths")
    assert module.indicators[1].formula == Formula("_x.b0[_q * _s.count + _k]", (), ((0, 1),))
    warming = Warming(module, module.parameters.defaults, MINUTE)
    # RSI of 5, 10 and 20 has its first value at bar 6, 11 and 21, one bar ago it exists a bar later.
    assert [(turn.waits, turn.bars) for turn in warming.turns[1]] == [(6, 10), (11, 15), (21, 25)]
    assert warming.warmup == 26


def test_an_indicator_that_is_not_used_costs_nothing() -> None:
    module = module_of("target(k, 1.0 if sma(k, 3) > sma(k, 5) else 0.0)")
    assert module.indicators == () and module.frames == () and update_lines(module, gaps=False) == []
    text = walker_text(module, module.parameters.defaults, own=False)
    assert "from crypto_bot.kernel import context as _c, words as _w\n" in text


def test_updates_come_in_the_order_that_they_need() -> None:
    """A source may be another symbol's indicator, which therefore is up to date for all symbols before."""
    lines = update_lines(module_of("x = ema(k, 3, source=rsi(k, 5) - rsi(0, 5))"), gaps=False)
    assert [line.strip().split("(")[0] for line in lines] == [
        "for _k in range",
        "_strength.rsi",
        "for _k in range",
        "if _averages.exists",
        "_averages.ema",
    ]
    assert "_x.v0[_k] - _x.v0[0]" in lines[-1]


REFUSED = {
    "y = close(k)\nx = ema(k, 3, source=y)": "y is not the same at every bar and for every symbol",
    "x = ema(k, 3, source=m.score[k])": "m.score[k] cannot be worked out there",
    "x = ema(k, 3, source=equity())": "equity is not possible in the source of ema",
    "x = ema(k, 3, source=hour())": "hour is not possible in the source of ema",
    "x = ema(k, 3, source=other(k))": "other(k) cannot be worked out there",
    "for j in symbols(): x = ema(k, 3, source=low(j))": "the symbol of ema is k, and that of its source j; write k",
    "x = ema(k, 3, source=close(k, m.held[k]))": "how far close(k, m.held[k]) looks back is not known before the run",
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_source_of_something_else_is_refused(line: str) -> None:
    indented = line.replace("\n", "\n        ")
    found = refusal(f"{HEAD}{indented}\n\n\ndef other(k):\n    return 1.0\n").text
    assert (
        found
        == f"{REFUSED[line]}: a source is made of words of the market, numbers and p.something, as in source=volume(k)"
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("x = atr(k, 3, source=volume(k))", "atr does not take source; it takes k, length, ago, timeframe"),
        ("x = ema(k, 3, source=p.lengths)", "source of ema must be one number, and p.lengths is a tuple"),
        ("x = ema(k, 3, source=volum(k))", "I do not know volum; did you mean volume?"),
        ("x = sma(k, 3, source=volume(k), ago=2)", "sma keeps its last two values only: ago is 0 or 1"),
        (
            "x = bollinger_upper(k, 20, close(k))",
            "width of bollinger_upper must be known before the run, and close(k) is not: "
            "use a number, p.something, or the variable of a loop over a tuple of them",
        ),
        (
            "x = bollinger(k)",
            "bollinger is not a word: write bollinger_upper(k), bollinger_lower(k) and, in the middle, sma(k, 20)",
        ),
        ("x = donchian(k, 20)", "donchian is not a word: the channel is highest(k, 20) and lowest(k, 20)"),
    ],
)
def test_other_mistakes_with_sources(line: str, sentence: str) -> None:
    assert refusal(f"{HEAD}{line}\n").text == sentence


def test_a_source_begins_when_it_exists(tmp_path: Path) -> None:
    """The mean of so many RSIs is that of the first RSIs there are, not of what stood in their place before."""
    candles = walk(60)
    strength = readings(tmp_path, "rsi(k, 4)", candles)
    mean = readings(tmp_path, "ema(k, 3, source=rsi(k, 4))", candles)
    value = float(np.mean(readings(tmp_path, "rsi(k, 4, ago=1)", candles)[:3]))
    expected = [value]
    for each in strength[2:]:
        value += (each - value) * 0.5
        expected.append(value)
    assert mean == pytest.approx(expected[-mean.size :], rel=1e-12)


def test_a_ratio_of_two_symbols(tmp_path: Path) -> None:
    from crypto_bot.domain.instrument import Instrument

    one, other = walk(200), walk(200, seed=8)
    pair = [one, Candles(Instrument("DOGE/USDT", price_scale=10_000), "1m", *other.columns())]
    for compiled in (False, True):
        found = noted(
            played(tmp_path, ["zscore(k, 20, source=close(k) / close(0))"], pair, compiled=compiled), symbol=1
        )
        ratio = other.close / one.close
        window = ratio[-20:]
        assert found[-1] == pytest.approx((window[-1] - window.mean()) / window.std(), rel=1e-9)


def test_a_division_by_zero_in_a_source_is_told(tmp_path: Path) -> None:
    for rooms in (Rooms.plain(), Rooms.of_this_process()):
        with pytest.raises(Exception, match="a division by zero"):
            played(
                tmp_path,
                ["ema(k, 3, source=1 / (close(k) - close(k)))"],
                [walk(50)],
                compiled=rooms.binding is not Rooms.plain().binding,
            )


def test_a_flat_source_has_no_spread(tmp_path: Path) -> None:
    flat = "0.1 + 0 * close(k)"
    words = [f"zscore(k, 7, source={flat})", f"deviation(k, 7, source={flat})", f"rsi(k, 3, source={flat})"]
    seen = played(tmp_path, words, [walk(60)])
    assert set(noted(seen, 0)) == {0.0} and set(noted(seen, 1)) == {0.0} and set(noted(seen, 2)) == {50.0}
    mean = readings(tmp_path, f"sma(k, 7, source={flat})", walk(60))
    assert all(math.isclose(value, 0.1, rel_tol=1e-14) for value in mean)
