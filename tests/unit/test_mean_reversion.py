"""Mean reversion: the crossing it waits for, each way out, the reset after a stop, the regime, and the two gates."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.market import Candles
from tests.closes import RICH, bars_of, decided, run
from tests.parity.markets import market
from tests.plays import SHIPPED, Rooms, Terms, plain, play

Floats = npt.NDArray[np.float64]
BARE: dict[str, Any] = {"timeframe": "1h", "length": 10, "window": 10, "regime": "off", "trend": 1}
CALM = [100.0 + 0.2 * (n % 2) for n in range(40)]
N = 10


def zscores(closes: list[float]) -> list[float]:
    found = [math.nan] * (N - 1)
    for i in range(N - 1, len(closes)):
        window = np.array(closes[i - N + 1 : i + 1])
        found.append(float((window[-1] - window.mean()) / window.std()))
    return found


def entry_of(closes: list[float]) -> int:
    z = zscores(closes)
    return next(i for i in range(30, len(closes)) if z[i] <= -2 < z[i - 1])


def test_it_buys_what_falls_through_the_band_and_sells_at_the_mean() -> None:
    closes = [*CALM, 99.5, 99.0, 99.2, 99.4, 99.9, 100.2]
    bar, z = entry_of(closes), zscores(closes)
    back = next(i for i in range(bar + 1, len(closes)) if z[i] >= 0)
    candles = bars_of(closes)
    assert decided(run("mean_reversion", candles, stop_dev=9, **BARE), candles) == [(bar, 1), (back, -1)]


def test_on_a_straight_ramp_no_band_of_two_is_ever_reached() -> None:
    """There z is at most sqrt(3 (n - 1) / (n + 1)) < sqrt(3)."""
    ramp = bars_of([1_000.0 - n for n in range(400)])
    assert run("mean_reversion", ramp, k_in=1.8, stop_dev=9, **BARE).fills().size == 0
    assert math.sqrt(3 * (N - 1) / (N + 1)) < 1.8


@pytest.mark.parametrize("most", [1, 3])
def test_time_ends_it_and_it_waits_for_another_crossing(most: int) -> None:
    """The price stays down, so that z stays below nought; it is not bought again while it lies below the band."""
    closes = [*CALM, 99.0, *[98.99 - 0.01 * n for n in range(12)]]
    candles = bars_of(closes)
    bar = entry_of(closes)
    got = decided(run("mean_reversion", candles, stop_dev=90, max_bars=most, **BARE), candles)
    assert got == [(bar, 1), (bar + most, -1)]


def stopped_then(after: list[float]) -> tuple[list[float], Candles]:
    """Return closes that cross the band, wait for the purchase, fall through the stop, and go on."""
    closes = [*CALM, 99.0, 99.0, 96.0, *after]
    return closes, bars_of(closes)


def test_the_stop_is_two_deviations_below_the_entry() -> None:
    closes, candles = stopped_then([95.0])
    bar = entry_of(closes)
    _, sold = run("mean_reversion", candles, **BARE).fills()
    deviation = np.std(closes[bar - N + 1 : bar + 1])
    assert int(sold["price"]) == int((closes[bar] - 2 * deviation) * 100)


@pytest.mark.parametrize(("visit", "entries"), [(False, 1), (True, 2)])
def test_after_a_stop_the_price_has_to_come_near_its_mean(visit: bool, entries: int) -> None:
    """A second crossing without a visit to the middle is let go by; with the visit it is bought."""
    rise = [101.0 + 0.1 * n for n in range(14)]
    if visit:
        rise[11] = 101.6
    closes, candles = stopped_then([*rise, 98.0, 97.9])
    z = zscores(closes)
    assert sum(z[i] <= -2 < z[i - 1] for i in range(44, len(closes))) == 1
    assert any(abs(each) < 0.5 for each in z[43:]) == visit
    sides = [side for _, side in decided(run("mean_reversion", candles, **BARE), candles)]
    assert sides.count(1) == entries


def test_a_stop_at_zero_delay_is_a_stop_too() -> None:
    _, candles = stopped_then([95.0, 95.5, 95.0, 95.5, 92.0, 91.9])
    zero = Terms(cash=RICH.cash, costs=(0, 0, 0), fill_at="close")
    played = run("mean_reversion", candles, terms=zero, k_reset=1e-9, **BARE)
    assert int(played.cell("ready")[0, 0]) == 0
    assert played.fills()["side"].tolist() == [1, -1]


@pytest.mark.parametrize(
    ("regime", "slack", "calm", "trades"),
    [
        ("off", 0.0, 0.0, True),
        ("trend", 0.0, 100.0, False),
        ("trend", 0.05, 0.0, True),
        ("calm", 0.0, 100.0, True),
        ("calm", 0.05, 0.0, False),
        ("either", 0.0, 100.0, True),
        ("either", 0.05, 0.0, True),
        ("either", 0.0, 0.0, False),
    ],
)
def test_the_regime(regime: str, slack: float, calm: float, trades: bool) -> None:
    """The entry lies one per cent below the mean of forty closes."""
    candles = bars_of([*CALM, 99.0, 98.9])
    params = {**BARE, "regime": regime, "slack": slack, "calm": calm, "trend": 40}
    assert (run("mean_reversion", candles, **params).fills().size > 0) == trades


# ---- the gates


def regression(closes: Floats) -> tuple[float, float]:
    """Return b and its t-value of close - close[1] = a + b close[1] by least squares."""
    before, moved = closes[:-1], np.diff(closes)
    table = np.column_stack([np.ones_like(before), before])
    found, *_ = np.linalg.lstsq(table, moved, rcond=None)
    left = moved - table @ found
    variance = left @ left / (moved.size - 2)
    return float(found[1]), float(found[1] / math.sqrt(variance * np.linalg.inv(table.T @ table)[1, 1]))


def read_by_gate(folder: Path, candles: Candles, window: int) -> tuple[Floats, Floats]:
    """Return b and t as the shipped file works them out at each of the last bars, and whether its gates open."""
    bars = len(candles)
    text = (SHIPPED / "mean_reversion.py").read_text()
    more = f'"gated": 0, "at": 0, "b": [0.0] * {bars}, "t": [0.0] * {bars}, "open": [0] * {bars}}}'
    text = text.replace('"gated": 0}', more).replace("def step(p", "def instead(p")
    text += "\n\ndef step(p: Params, m: Memory) -> None:\n    i = m.at[0]\n    b, t = slope(p, 0)\n"
    text += "    m.b[0, i] = b\n    m.t[0, i] = t\n    m.open[0, i] = int(reverts(p, m, 0))\n    m.at[0] += 1\n"
    file = folder / "mean_reversion.py"
    file.write_text(text)
    played = plain(file, [candles], window=window, trend=1, length=3, k_in=1.0, timeframe="1h", gate="adf")
    seen = int(played.cell("at")[0, 0])
    found = np.array([played.cell("b")[0, :seen], played.cell("t")[0, :seen]])
    return found, played.cell("open")[0, :seen].astype(np.float64)


def pulled(phi: float, bars: int, seed: int) -> Floats:
    """Return a price that makes up 1 - phi of its distance from 1,000 each bar, but for chance."""
    dice = np.random.default_rng(seed)
    found = np.full(bars, 1_000.0)
    for i in range(1, bars):
        found[i] = 1_000 + phi * (found[i - 1] - 1_000) + dice.normal()
    return np.round(found, 4)


@pytest.mark.parametrize("phi", [0.5, 0.95, 1.0])
def test_the_slope_and_its_t_value_are_those_of_least_squares(phi: float, tmp_path: Path) -> None:
    closes, window = pulled(phi, 400, 8), 60
    found, _ = read_by_gate(tmp_path, bars_of(closes, scale=10**4), window)
    first = len(closes) - found.shape[1]
    assert found.shape[1] > 300
    for at in range(0, found.shape[1], 37):
        last = first + at
        expected = regression(closes[last - window : last + 1])
        assert found[:, at] == pytest.approx(expected, rel=1e-5)


def test_a_walk_is_refused_nineteen_times_in_twenty(tmp_path: Path) -> None:
    """The critical value is right: of walks without a return 5 % pass, of those that return quickly nearly all."""
    window, walks = 100, 400
    passed = {}
    for phi in (1.0, 0.6):
        dice = np.random.default_rng(1)
        count = 0
        for _ in range(walks):
            x = np.zeros(window + 1)
            for i in range(1, window + 1):
                x[i] = phi * x[i - 1] + dice.normal()
            count += regression(x)[1] < -2.86154 - 2.8903 / window - 4.234 / window**2 - 40.04 / window**3
        passed[phi] = count / walks
    assert passed[1.0] == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / walks))
    assert passed[0.6] > 0.95


@pytest.mark.parametrize(("phi", "opens"), [(0.5, 0.0), (0.8, 0.9), (0.95, 0.2)])
def test_the_gate_opens_for_what_returns_neither_too_fast_nor_too_slowly(
    phi: float, opens: float, tmp_path: Path
) -> None:
    """Half of a distance in one bar is a half-life of 1; 0.8 is 3.1 bars, seen for certain in 200; 0.95 is 13.5."""
    _, gate = read_by_gate(tmp_path, bars_of(pulled(phi, 900, 3), scale=10**4), 200)
    assert gate.mean() >= opens if opens else gate.mean() < 0.02


def test_a_position_is_left_after_three_half_lives() -> None:
    """A position is held until phi to the power of its bars is an eighth: half of a half of a half."""
    params = {**BARE, "gate": "half_life", "window": 60, "stop_dev": 90, "max_bars": 1}
    closes = pulled(0.85, 600, 4)
    whole = bars_of(closes, scale=10**4)
    entries = [bar for bar, side in decided(run("mean_reversion", whole, **params), whole) if side > 0]
    held = set()
    for bar in entries[:6]:
        # From the entry on the price only sinks, so that nothing but time ends it.
        sinking = closes[bar] - 0.001 * np.arange(1, 60)
        candles = bars_of(np.r_[closes[: bar + 1], sinking], scale=10**4)
        played = run("mean_reversion", candles, **params)
        phi = float(played.cell("phi")[0, 0])
        half_life = -math.log(2) / math.log(phi)
        (bought, _), (sold, _) = decided(played, candles)[-2:]
        assert bought == bar and sold - bought == math.ceil(3 * half_life)
        assert 2 <= half_life <= 30
        held.add(sold - bought)
    assert len(held) > 2


GATES = Path(__file__).parents[2] / "docs" / "strategies.md"


def test_the_page_tells_how_often_the_gates_refuse() -> None:
    """On the packaged year, measured again."""
    rooms = Rooms.of_this_process()
    strategy = rooms.binding.Strategy(SHIPPED / "mean_reversion.py")
    rows = []
    for coin, where in (("bitcoin", "BTC 5m"), ("ether", "ETH 5m")):
        for timeframe in ("1h", "15m"):
            cells = [f"{coin}, {timeframe}"]
            for gate in ("half_life", "adf"):
                played = play(rooms, [(strategy, {"gate": gate, "timeframe": timeframe})], market(where))
                asked, gated = (int(played.cell(name)[0, 0]) for name in ("asked", "gated"))
                cells.append(f"{gated} of {asked}, {100 * gated / asked:.0f} %")
            rows.append(f"| {' | '.join(cells)} |")
    for row in rows:
        assert row in GATES.read_text(), "\n".join(rows)


@pytest.mark.parametrize(
    ("given", "said"), [({"k_in": 5}, "never reached"), ({"k_out": 3}, "k_out"), ({"window": 3}, "window")]
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("mean_reversion", bars_of([100.0] * 5), **given)
