"""The words of a strategy, each by what it does in a small market."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.units import ATOMS
from crypto_bot.kernel.layout import BUY, EMPTY, SELL
from tests.plays import FREE, Played, Terms, author, plain
from tests.small_worlds import COIN, Row, candles_of, flat, path

ONE = COIN.quantity_scale


def run(folder: Path, text: str, *rows: list[Row], terms: Terms = FREE, **more: Any) -> Played:
    """Play an author's text over bars of one or more coins."""
    coins = [Instrument(f"C{k}/USDT") for k in range(len(rows))]
    candles = [candles_of(bars, coin) for bars, coin in zip(rows, coins, strict=True)]
    return plain(author(folder, text), candles, terms, **more)


def seen(folder: Path, expression: str, *rows: list[Row], terms: Terms = FREE, head: str = "") -> list[float]:
    """Return an expression's value at every step, for the first symbol."""
    text = f"""
    {head}
    def memory(p):
        return dict(x=[0.0] * 100, n=0)

    def step(p, m):
        m.x[0, m.n[0]] = {expression}
        m.n[0] += 1
    """
    played = run(folder, text, *rows, terms=terms)
    return [float(x) for x in played.cell("x")[0, : int(played.cell("n")[0, 0])]]


BARS: list[Row] = [(100 * n, 100 * n + 50, 100 * n - 50, 100 * n + 10) for n in range(1, 9)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("open_(0)", [float(n) for n in range(1, 9)]),
        ("high(0)", [n + 0.5 for n in range(1, 9)]),
        ("low(0)", [n - 0.5 for n in range(1, 9)]),
        ("close(0)", [n + 0.1 for n in range(1, 9)]),
        ("close(0, 1)", [n + 0.1 for n in range(1, 8)]),
        ("close(0, ago=3)", [n + 0.1 for n in range(1, 6)]),
        ("volume(0)", [10.0] * 8),
        ("change(0, 2)", [(n + 0.1) / (n - 1.9) - 1 for n in range(3, 9)]),
        ("sma(0, 3)", [n - 0.9 for n in range(3, 9)]),
        ("sma(0, 3, ago=1)", [n - 1.9 for n in range(4, 9)]),
        ("count()", [1.0] * 8),
        ("equity()", [10_000.0] * 8),
        ("fee(0)", [0.0] * 8),
        ("sqrt(2.0)", [2**0.5] * 8),
        ("minute() - 28401120", [float(n) for n in range(1, 9)]),
        ("seconds() % 86400", [60.0 * n for n in range(1, 9)]),
        ("weekday()", [0.0] * 8),  # 2024-01-01 was a Monday
        ("day()", [19_723.0] * 8),
        ("hour()", [0.0] * 8),
    ],
)
def test_what_the_market_shows(tmp_path: Path, expression: str, expected: list[float]) -> None:
    """`step` is called as soon as the bars that it looks at exist, and not before."""
    assert seen(tmp_path, expression, BARS) == pytest.approx(expected, rel=1e-15)


def test_prices_at_fine_scales_are_the_nearest_decimals(tmp_path: Path) -> None:
    coin = Instrument("C0/USDT", price_scale=100_000_000, quantity_scale=100_000_000)
    text = "def memory(p):\n    return dict(x=0.0)\n\ndef step(p, m):\n    m.x[0] = close(0)\n"
    file = author(tmp_path, text)
    assert plain(file, [candles_of([flat(1_234)], coin)]).cell("x")[0, 0] == 0.00001234


# ---- wishes


def test_quotes_round_to_the_tick_away_from_the_market(tmp_path: Path) -> None:
    text = """
    def step(p):
        quote(0, 0, BUY, 99.999, 0.1 + 0.2)
        quote(0, 1, SELL, 100.001, 0.3)
        quote(0, 2, BUY, 25_000.0 / 1000 * 3.2, 0.29999999)
        quote(0, 3, SELL, 80.1 + 0.1 + 0.1, 0.5)
    """
    wish = run(tmp_path, text, path(10_000, 10_000)).world_of.wish[0]
    told = [tuple(int(q[name]) for name in ("side", "price", "quantity")) for q in wish["quote"][:4]]
    assert told == [(BUY, 9_999, 300_000), (SELL, 10_001, 300_000), (BUY, 8_000, 299_999), (SELL, 8_030, 500_000)]


def test_a_quote_at_a_price_of_many_digits_is_not_moved(tmp_path: Path) -> None:
    """Thirteen digits: the millionth that is forgiven is far below what a float of that size can tell."""
    coin = Instrument("C0/USDT", price_scale=100_000_000, quantity_scale=100_000_000)
    text = "def step(p):\n    quote(0, 0, SELL, 70_000.0, 0.001)\n    quote(0, 1, BUY, 69_999.99, 0.001)\n"
    wish = plain(author(tmp_path, text), [candles_of([flat(7_000_000_000_000)] * 2, coin)]).world_of.wish[0]
    assert [int(q["price"]) for q in wish["quote"][:2]] == [7_000_000_000_000, 6_999_999_000_000]


def test_target_is_a_share_of_equity_and_a_band_leaves_small_changes_alone(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return dict(n=0)

    def step(p, m):
        m.n[0] += 1
        target(0, 0.5 if m.n[0] == 1 else 0.55 if m.n[0] == 2 else 0.61, 0.2)
    """
    played = run(tmp_path, text, [flat(10_000)] * 5)
    assert [int(f["quantity"]) for f in played.fills()] == [50 * ONE, 11 * ONE]


@pytest.mark.parametrize("fee_in", ["quote", "received"])
def test_less_than_a_lot_is_nothing(tmp_path: Path, fee_in: str) -> None:
    """A fee that is paid in coins leaves a rest that cannot be sold: a strategy must not take it for a position."""
    text = """
    def memory(p):
        return dict(x=[0.0] * 12, n=0)

    def step(p, m):
        m.x[0, m.n[0]] = position(0) * entry(0)
        m.n[0] += 1
        target(0, 0.5 if position(0) == 0 else 0.0)
    """
    coin = Instrument("C0/USDT", lot=1_000)
    terms = Terms(costs=(1_000, 1_000, 0), fee_in=fee_in)
    played = plain(author(tmp_path, text), [candles_of([flat(9_990)] * 12, coin)], terms)
    assert [value > 0 for value in played.cell("x")[0]] == [False, True] * 6, "bought and sold, again and again"


def test_wanted_position_and_entry(tmp_path: Path) -> None:
    head = "pass"
    text = f"""
    {head}
    def memory(p):
        return dict(x=[0.0] * 9, n=0)

    def step(p, m):
        m.n[0] += 1
        if m.n[0] == 1:
            target(0, 0.25)
        if m.n[0] == 3:
            m.x[0, 0] = position(0)
            m.x[0, 1] = entry(0)
            m.x[0, 2] = wanted(0)
            hold(0, 30.0)
        if m.n[0] == 5:
            m.x[0, 3] = position(0)
            m.x[0, 4] = entry(0)
            m.x[0, 5] = wanted(0)
    """.replace("    pass\n", "")
    played = run(tmp_path, text, [flat(10_000)] * 3 + [flat(16_000)] * 4)
    assert list(played.cell("x")[0, :6]) == pytest.approx([25.0, 100.0, 0.25, 30.0, 110.0, 0.0])


def test_bought_and_sold_count_quotes_since_the_last_step(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return dict(x=[0.0] * 9, n=0, rest=0)

    def step(p, m):
        m.x[0, m.n[0]] = bought(0) - 10 * sold(0)
        m.n[0] += 1
        if m.n[0] == 1:
            for slot in range(3):
                quote(0, slot, BUY, 99.0 - slot, 1.0)
        if m.n[0] == 3:
            m.rest[0] = resting(0, 2) + 10 * resting(0, 0)
            quote(0, 0, SELL, 101.0, 1.0)
    """
    rows = [
        flat(10_000),
        flat(10_000),
        (10_000, 10_000, 9_750, 9_800),
        flat(9_800),
        (9_800, 10_101, 9_800, 10_000),
        flat(10_000),
    ]
    played = run(tmp_path, text, rows)
    assert list(played.cell("x")[0, :6]) == [0, 0, 2, 0, -10, 0]
    assert played.cell("rest")[0, 0] == 1


def test_a_bracket_ends_the_wish(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return dict(n=0, after=-1.0)

    def step(p, m):
        m.n[0] += 1
        if m.n[0] == 1:
            target(0, 0.5)
            bracket(0, 95.0, 110.0)
        if m.n[0] == 5:
            m.after[0] = wanted(0)
    """
    for bar, price in (((10_000, 10_000, 9_400, 9_450), 9_500), ((10_000, 11_100, 9_990, 11_000), 11_000)):
        played = run(tmp_path, text, [flat(10_000)] * 3 + [bar] + [flat(10_000)] * 3)
        assert [int(f["price"]) for f in played.fills()] == [10_000, price]
        assert played.cell("after")[0, 0] == 0.0
        assert not [o for o in played.world_of.orders[0] if o["state"] != EMPTY]


def test_stop_keeps_the_target_above(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return dict(n=0)

    def step(p, m):
        m.n[0] += 1
        if m.n[0] == 1:
            hold(0, 1.0)
            bracket(0, 90.0, 110.0)
        if m.n[0] == 3:
            stop(0, 95.0)
    """
    wish = run(tmp_path, text, [flat(10_000)] * 6).world_of.wish[0]
    assert (wish["stop"], wish["take"]) == (9_500, 11_000)


def test_rank_keeps_the_order_of_equals_and_nan_is_last(tmp_path: Path) -> None:
    text = """
    def memory(p):
        return dict(score=0.0, place=0)

    def step(p, m):
        for k in symbols():
            m.score[k] = change(k, 2) if k != 3 else sqrt(-1.0)
        for k in symbols():
            m.place[k] = rank(m.score, k)
    """
    rows = [path(1_000, 1_000, 1_100), path(1_000, 1_000, 1_200), path(1_000, 1_000, 1_100), path(1_000, 1_000, 900)]
    assert list(run(tmp_path, text, *rows).cell("place")[:, 0]) == [1, 0, 2, 4]


def test_lots(tmp_path: Path) -> None:
    coin = Instrument("C0/USDT", lot=1_000)
    text = "def memory(p):\n    return dict(x=0.0)\n\ndef step(p, m):\n    m.x[0] = lots(0, 1.23456)\n"
    assert plain(author(tmp_path, text), [candles_of([flat(100)], coin)]).cell("x")[0, 0] == 1.234


# ---- own timeframes, own functions


def test_an_own_timeframe_decides_on_its_own_bars(tmp_path: Path) -> None:
    text = """
    timeframe = "5m"

    def memory(p):
        return dict(x=[0.0] * 20, t=[0] * 20, n=0)

    def step(p, m):
        m.x[0, m.n[0]] = open_(0) * 1000000 + high(0) * 10000 + low(0) * 100 + close(0)
        m.t[0, m.n[0]] = minute() - 28401120
        m.n[0] += 1
    """
    rows = [(100 * n, 100 * n + 100, 100 * n - 100, 100 * n) for n in range(2, 19)]
    played = run(tmp_path, text, rows)
    assert played.cell("n")[0, 0] == 3, "two bars of the fourth period are not a bar"
    assert list(played.cell("t")[0, :3]) == [5, 10, 15]
    assert list(played.cell("x")[0, :3]) == [2_070_106.0, 7_120_611.0, 12_171_116.0]


def test_own_functions_constants_and_switches(tmp_path: Path) -> None:
    text = """
    LEVELS = (0.2, 0.5)

    class Params(NamedTuple):
        lengths: tuple[int, ...] = (2, 3)
        on: bool = True

    def share(k, p):
        total = 0.0
        for n in p.lengths:
            total += LEVELS[0] if close(k) > ema(k, n) else 0.0
        return total

    def step(p):
        for k in symbols():
            target(k, share(k, p) if p.on else 0)
    """
    rows = path(*range(10_000, 16_000, 100))
    assert run(tmp_path, text, rows).world_of.wish[0]["weight"] == 400_000
    assert run(tmp_path, text, rows, on=False).world_of.wish[0]["weight"] == 0
    assert run(tmp_path, text, rows, lengths=(2, 3, 4)).world_of.wish[0]["weight"] == 600_000


# ---- refusals


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("target(0, 1.5)", "must lie between 0 and 1"),
        ("target(0, -0.1)", "must lie between 0 and 1"),
        ("target(0, sqrt(-1.0))", "not a number"),
        ("hold(0, -1.0)", "must be positive"),
        ("hold(0, 1e13)", "too large"),
        ("quote(0, 0, BUY, 1e17, 1.0)", "too large"),
        ("quote(0, 0, BUY, 1.0, 1e13)", "too large"),
        ("quote(0, 0, BUY, 0.0, 1.0)", "must be positive"),
        ("for i in range(4_000_000_000): pass", "go through 4,000,000,000 turns, more than 10,000,000; loop over less"),
        ("quote(0, 61, BUY, 1.0, 1.0)", "slots are 0 to 60"),
        ("quote(0, -1, BUY, 1.0, 1.0)", "slots are 0 to 60"),
        ("quote(0, 0, 2, 1.0, 1.0)", "BUY or SELL"),
        ("unquote(0, 99)", "slots are 0 to 60"),
        ("bracket(0, -1.0, 0.0)", "must be positive"),
        ("stop(0, 1e300)", "too large"),
        ("lots(0, sqrt(-1.0))", "not a number"),
        ("target(0, 1 / (close(0) - close(0)))", "division by zero"),
        ("target(0, close(7))", "outside"),
    ],
)
def test_a_wrong_wish_stops_the_run_with_a_sentence(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(CryptoBotError, match=words) as refusal:
        run(tmp_path, f"def step(p):\n    {line}\n", [flat(10_000)] * 3)
    assert "mine.py" in str(refusal.value)


def test_the_largest_price_and_quantity_are_still_admitted_as_wishes(tmp_path: Path) -> None:
    """They are refused as orders, one by one, and the run goes on."""
    played = run(tmp_path, "def step(p):\n    quote(0, 0, BUY, 3e16, 3e12)\n    hold(0, 3e12)\n", [flat(10_000)] * 4)
    assert played.world_of.desk[0]["refused"] == 2 and played.world_of.desk[0]["laws"] == 0


# ---- waking


def test_a_strategy_that_wakes_for_fills_steps_at_the_start_and_after_each(tmp_path: Path) -> None:
    text = """
    wake = "fills"

    def memory(p):
        return dict(n=0, t=[0] * 20)

    def step(p, m):
        m.t[0, m.n[0]] = minute() - 28401120
        m.n[0] += 1
        if m.n[0] < 4:
            quote(0, m.n[0], BUY, close(0) - 1.0, 1.0)
    """
    rows = (
        [flat(10_000)] * 3
        + [(10_000, 10_000, 9_800, 10_000), flat(10_000), (10_000, 10_000, 9_800, 10_000)]
        + [flat(10_000)] * 4
    )
    played = run(tmp_path, text, rows)
    assert list(played.cell("t")[0, : int(played.cell("n")[0, 0])]) == [1, 4, 6]


def test_one_that_looks_back_starts_when_it_can(tmp_path: Path) -> None:
    text = """
    wake = "fills"

    def memory(p):
        return dict(n=0, at=0)

    def step(p, m):
        m.n[0] += 1
        m.at[0] = minute() - 28401120
        if sma(0, 5) > 0:
            quote(0, 0, BUY, 90.0, 1.0)
    """
    for skip in (True, False):
        played = run(tmp_path, text, [flat(10_000)] * 12) if skip else None
        if played:
            assert (played.cell("n")[0, 0], played.cell("at")[0, 0]) == (1, 5)


def test_a_grid_whose_first_purchase_is_refused_still_lays_its_lines(tmp_path: Path) -> None:
    text = """
    wake = "fills"

    def memory(p):
        return dict(n=0)

    def step(p, m):
        m.n[0] += 1
        if m.n[0] == 1:
            hold(0, 10.0)
        else:
            quote(0, 0, BUY, 90.0, 1.0)
    """
    terms = Terms(cash=200 * ATOMS, limits=(0, 0, 1_000, 0), costs=(0, 0, 0))
    dear = [candles_of([flat(10_000)] * 4, Instrument("C0/USDT", min_notional=ATOMS))]
    played = plain(author(tmp_path, text), dear, terms)
    assert played.cell("n")[0, 0] > 1
    assert np.count_nonzero(played.notes.all()["kind"] == 3) == 2, "both were refused: the purchase and the line"
