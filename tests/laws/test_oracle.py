"""The project's own reference code beside the program, on random inputs: grids, matching, stops, figures, indicators.

The reference works on plain floats and lists, knows nothing of the program, and lies beside some checkouts only.
"""

import ast
import itertools
import math
import random
import statistics
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_bot.backtesting import moments, selection
from crypto_bot.backtesting.drawdown import measure_drawdown
from crypto_bot.domain.units import ATOMS, PPM
from crypto_bot.kernel.layout import BUY, VOLUMES
from tests.grids import gain, run, walk
from tests.plays import SHIPPED, Terms, author, plain
from tests.small_worlds import COIN, UNLIMITED, SmallWorld, candles_of, flat, path
from tests.unit.test_donchian_trend import AT_CLOSE, days
from tests.unit.test_guards import run as guarded
from tests.unit.test_guards import sold

NORMAL = statistics.NormalDist()
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def oracle() -> SimpleNamespace:
    """Return the functions, classes and named formulas of the reference, without running its checks."""
    file = Path(__file__).parents[3] / "shared" / "specs" / "acceptance.py"
    if not file.is_file():
        pytest.skip("the reference code is not beside this checkout")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts: list[ast.stmt] = []
    for node in tree.body:
        named = isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda | ast.Constant)
        if named or isinstance(node, ast.FunctionDef | ast.ClassDef):
            parts.append(node)
    normal = SimpleNamespace(cdf=NORMAL.cdf, ppf=NORMAL.inv_cdf)
    room: dict[str, Any] = {"np": np, "math": math, "ss": SimpleNamespace(norm=normal), "itertools": itertools}
    exec(compile(ast.Module(parts, []), "acceptance", "exec"), room)
    return SimpleNamespace(**{name: value for name, value in room.items() if name.isidentifier()})


# ---- grids


@given(
    SEEDS,
    st.integers(2, 30),
    st.sampled_from(["touch", "pessimistic"]),
    st.sampled_from(["arithmetic", "geometric"]),
    st.sampled_from([0, 1_000]),
)
@settings(max_examples=60)
def test_a_grid_trades_and_earns_as_the_reference(
    oracle: SimpleNamespace, seed: int, cells: int, fills: str, spacing: str, fee_ppm: int
) -> None:
    """The same lines bought and sold as often, the same empty line, and the same profit after fees."""
    dice = random.Random(seed)
    prices = [dice.randint(88_000, 112_000) + 0.37]
    for _ in range(60):
        prices.append(min(max(prices[-1] + dice.choice([-1, 1]) * dice.randint(0, 4_000), 80_000.37), 120_000.37))
    told = oracle.Grid(
        90_000, 110_000, cells, 0.004, prices[0], fee=fee_ppm / PPM, init_fee=fee_ppm / PPM,
        geo=spacing == "geometric", touch=fills == "touch",
    )  # fmt: skip
    for price in prices[1:]:
        told.move(price)
    terms = Terms(cash=20_000 * ATOMS, costs=(fee_ppm, fee_ppm, 0), fills=fills)
    played = run(walk(*prices), terms, num_grids=cells, quantity=0.004, spacing_type=spacing)
    moves = [fill for fill in played.fills() if fill["maker"]]
    found = Counter(
        ("B" if fill["side"] == BUY else "S", min(range(cells + 1), key=lambda n: abs(told.L[n] * 100 - fill["price"])))
        for fill in moves
    )
    assert found == Counter(told.fills) and int(played.cell("empty")[0, 0]) == told.e
    cents = 0.01 * 0.004 * (len(moves) + 1) + 1e-6  # lines lie on ticks here
    assert float(gain(played)) - 10_000 == pytest.approx(told.pnl(), abs=cents)


@given(SEEDS, st.booleans())
@settings(max_examples=25)
def test_lines_are_those_of_the_reference(oracle: SimpleNamespace, seed: int, geometric: bool) -> None:
    dice = random.Random(seed)
    lower = dice.uniform(0.5, 5_000)
    upper, cells = lower * dice.uniform(1.05, 6), dice.randint(1, 60)
    shape: dict[str, Any] = {"lower_price": lower, "upper_price": upper, "num_grids": cells, "quantity": 1.0}
    played = run(walk(math.ceil(upper) * 2), **shape, spacing_type="geometric" if geometric else "arithmetic")
    assert played.cell("lines")[0].tolist() == pytest.approx(oracle.levels(lower, upper, cells, geometric), rel=1e-14)


# ---- matching, stops and sizes


@given(
    st.integers(1, 400),
    st.lists(st.integers(0, 4_000), min_size=1, max_size=12),
    st.sampled_from([5_000, 25_000, 10**6]),
)
@settings(max_examples=60)
def test_parts_of_the_volume_are_filled_as_by_the_reference(
    oracle: SimpleNamespace, asked: int, volumes: list[int], part: int
) -> None:
    small = SmallWorld([[flat(10_000)] * (len(volumes) + 1)], cash=10**8 * ATOMS)
    small.market.bars[VOLUMES] = 0
    small.market.bars[VOLUMES, 1:, 0] = [volume * COIN.quantity_scale for volume in volumes]
    small.venue.terms["volume_ppm"], small.venue.terms["metered"] = part, 1
    small.go()
    small.order(BUY, asked * COIN.quantity_scale)
    small.go(len(volumes))
    told = [each for each in oracle.fills(asked, volumes, part / PPM) if each > 0]
    lot = 1 / COIN.quantity_scale
    assert [fill.quantity / COIN.quantity_scale for fill in small.fills] == pytest.approx(told, abs=2 * lot)


@given(SEEDS, st.sampled_from([0.03, 0.1, 0.25]))
@settings(max_examples=40)
def test_a_trailing_stop_ends_where_the_reference_ends_it(
    oracle: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory, seed: int, distance: float
) -> None:
    """Closes alone, the stop tested before its peak is moved; whole per cents of whole prices, so no rounding."""
    dice = random.Random(seed)
    closes = [10_000]
    for _ in range(40):
        closes.append(max(1_000, closes[-1] + 100 * dice.randint(-8, 8)))
    told = oracle.trail(closes, distance)
    found = sold(guarded(tmp_path_factory.mktemp("t"), f"trail(0, {distance})", [flat(close) for close in closes]))
    assert found == ([] if told is None else [(told[0], told[2])])


@given(st.integers(1_000, 90_000), st.integers(1, 40), st.integers(0, 5_000), st.integers(0, 5_000))
@settings(max_examples=60)
def test_a_buy_risks_its_share_and_no_more(entry: int, below: int, fee_ppm: int, slippage_ppm: int) -> None:
    """Equity x risk / (way to the stop + both fees + slippage at the stop), down to the lot."""
    start, stop = entry * 100, entry * (100 - below)
    terms = UNLIMITED._replace(limits=(0, 0, 0, 0, 20_000), taker_ppm=fee_ppm, slippage_ppm=slippage_ppm)
    small = SmallWorld([[flat(start)] * 3], cash=10_000 * ATOMS, terms=terms).go()
    small.world.wish[0]["stop"] = stop
    order = small.order(BUY, 20_000 * COIN.quantity_scale // entry, start)
    way = (start - stop) + fee_ppm / PPM * (start + stop) + slippage_ppm / PPM * stop
    most = 10_000 / entry / (1 + fee_ppm / PPM)
    # Fees and slippage of a coin are rounded up to a whole cent each.
    least, told = (min(200 / (each / 100), most) for each in (way + 2, way))
    lots = 2 / COIN.quantity_scale
    assert least * (1 - 1e-6) - lots <= order["quantity"] / COIN.quantity_scale <= told + lots


# ---- figures


@given(st.lists(st.floats(-0.2, 0.25), min_size=8, max_size=60), st.sampled_from([12, 252, 365]))
@settings(max_examples=60)
def test_figures_are_those_of_the_reference(oracle: SimpleNamespace, returns: list[float], per_year: int) -> None:
    x = np.array(returns)
    if np.std(x) < 1e-6 or np.min(x) > -1e-6:
        return
    assert moments.sharpe(x, per_year) == pytest.approx(oracle.sh(x, per_year), rel=1e-9, abs=1e-12)
    assert moments.sortino(x, per_year) == pytest.approx(
        x.mean() / oracle.dn(x) * math.sqrt(per_year), rel=1e-9, abs=1e-12
    )
    worth = np.cumprod(np.r_[1.0, 1 + x]).astype(np.float64)
    assert measure_drawdown(worth, np.arange(worth.size)).deepest == pytest.approx(oracle.mdd(x), rel=1e-9, abs=1e-12)


@given(st.floats(0.02, 0.6), st.integers(12, 5_000), st.floats(-2.5, 1.0), st.floats(3.0, 12.0), st.integers(2, 2_000))
@settings(max_examples=60)
def test_certainty_is_that_of_the_reference(
    oracle: SimpleNamespace, ratio: float, count: int, skew: float, kurtosis: float, trials: int
) -> None:
    form = moments.Shape(skew, kurtosis)
    if 1 - skew * ratio + (kurtosis - 1) / 4 * ratio * ratio <= 0.05:
        return
    assert moments.skill_probability(ratio, count, form) == pytest.approx(
        oracle.psr(ratio, 0, count, skew, kurtosis), abs=1e-9
    )
    assert moments.sharpe_error(ratio, count, form) == pytest.approx(oracle.sd(ratio, count, skew, kurtosis), rel=1e-9)
    assert moments.least_track_record(ratio, form) == pytest.approx(oracle.mintrl(ratio, 0, skew, kurtosis), rel=1e-6)
    assert selection.expected_best(trials) == pytest.approx(oracle.emax(trials), rel=1e-6)


# ---- indicators and signals


@given(SEEDS, st.sampled_from([2, 5, 14]))
@settings(max_examples=15)
def test_indicators_are_those_of_the_reference(
    oracle: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory, seed: int, length: int
) -> None:
    dice = random.Random(seed)
    closes = [10_000]
    for _ in range(60):
        closes.append(max(100, closes[-1] + dice.choice([0, 1, -1]) * dice.randint(1, 300)))
    text = f"""
    def memory(p):
        return dict(mean=[0.0] * {len(closes)}, strength=[0.0] * {len(closes)}, n=0)

    def step(p, m):
        m.mean[0, m.n[0]] = sma(0, {length})
        m.strength[0, m.n[0]] = rsi(0, {length})
        m.n[0] += 1
    """
    played = plain(author(tmp_path_factory.mktemp("i"), text), [candles_of(path(*closes))])
    steps, told = int(played.cell("n")[0, 0]), np.array(closes) / 100
    assert steps >= len(closes) - length - 2
    for name, want in (("mean", oracle.sma(told, length)), ("strength", oracle.rsi(told, length))):
        assert played.cell(name)[0, :steps].tolist() == pytest.approx(want[-steps:].tolist(), abs=1e-9)


@given(SEEDS, st.sampled_from([5, 10, 20]))
@settings(max_examples=15)
def test_a_channel_is_long_when_the_reference_is(oracle: SimpleNamespace, seed: int, length: int) -> None:
    """After a fall, so that neither begins long."""
    dice = random.Random(seed)
    closes = [100_000 - 100 * n for n in range(length + 5)]
    for _ in range(80):
        closes.append(max(10_000, closes[-1] + 100 * dice.randint(-12, 13)))
    want = oracle.donch(np.array(closes, dtype=float), length)
    for bars in (len(closes), len(closes) - 7, len(closes) - 30):
        params = {"lookbacks": (length,), "vol_window": 2, "band": 0.99}
        played = plain(SHIPPED / "donchian_trend.py", [days(closes[:bars])], AT_CLOSE, **params)
        assert int(played.cell("long")[0, 0]) == int(want[bars - 1])
