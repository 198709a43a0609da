"""A published table from its own prices: `donchian_trend` through the engine, inside the gates set for it.

The closes (4,032 days of BTC-USD) have no stated licence and are not part of the project: where they are not
beside the checkout, this is skipped. `python -m tests.golden.test_zarattini` writes the tables of
docs/donchian-trend.md anew.
"""

import csv
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from crypto_bot import backtest
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import parse_time_ns

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "donchian-trend.md"
CLOSES = ROOT.parent / "shared" / "data" / "reference" / "zarattini" / "btc_daily.csv"
SHA256 = "64455051bd4bab23"
"""How the hash of the file begins."""

LOOKBACKS = (5, 10, 20, 30, 60, 90, 150, 250, 360)
START, END = "2015-01-01", "2025-03-19"
FEES_BPS = (0, 10, 25, 50)


class Row(NamedTuple):
    """One line of the table, in per cent but for trades and the Sharpe ratios; None where nothing is told."""

    trades: int | None
    cagr: float
    volatility: float
    drawdown: float
    sharpe: float | None
    log_sharpe: float | None


PAPER = (
    Row(292, 36, 19, 25, None, 1.66), Row(156, 32, 18, 27, None, 1.55), Row(78, 34, 18, 26, None, 1.60),
    Row(49, 34, 19, 24, None, 1.61), Row(28, 28, 19, 19, None, 1.30), Row(20, 27, 20, 24, None, 1.20),
    Row(15, 21, 20, 29, None, 0.99), Row(9, 25, 20, 33, None, 1.13), Row(5, 29, 20, 34, None, 1.28),
    Row(None, 30, 17, 19, None, 1.58),
)  # fmt: skip
"""As printed; its Sharpe ratios are closer to those of log returns."""

DIRECT = (
    Row(305, 34.4, 18.6, 25.7, 1.68, 1.60), Row(160, 31.1, 18.0, 26.4, 1.60, 1.52),
    Row(79, 33.8, 18.4, 25.6, 1.67, 1.59), Row(50, 34.2, 18.5, 24.2, 1.68, 1.60),
    Row(29, 27.4, 19.1, 19.2, 1.36, 1.28), Row(20, 26.6, 19.8, 23.8, 1.29, 1.20),
    Row(15, 21.2, 19.6, 28.6, 1.08, 0.99), Row(9, 25.2, 19.9, 33.1, 1.23, 1.13),
    Row(5, 29.6, 19.9, 34.1, 1.40, 1.31), Row(None, 29.7, 16.7, 18.8, 1.64, 1.57),
)  # fmt: skip
"""The same rules as a sum of weights times returns, without money, orders or lots."""


@dataclass(frozen=True)
class Way:
    """One run: which channels, how far a drift may go, the fee, and when orders fill."""

    lookbacks: tuple[int, ...] = LOOKBACKS
    band: float = 0.0
    fee_bps: int = 0
    fill_at: str = "close"


NET = tuple(Way(band=0.2, fee_bps=fee) for fee in FEES_BPS)
SHORT_AND_DEAR = Way((5,), fee_bps=50)
NEXT_OPEN = Way(fill_at="next_open")


@cache
def candles() -> Candles:
    """Return the closes as days that never move: nothing but the close is known, and nothing else is used."""
    if not CLOSES.is_file():
        pytest.skip("the closes of the published table are not beside this checkout; they have no stated licence")
    text = CLOSES.read_bytes()
    assert hashlib.sha256(text).hexdigest().startswith(SHA256)
    rows = list(csv.DictReader(text.decode().splitlines()))
    instrument = Instrument("BTC/USDT", price_scale=10**6, quantity_scale=10**8)
    times = np.array([parse_time_ns(row["Date"]) for row in rows])
    close = np.array([round(float(row["Adj_Close"]) * instrument.price_scale) for row in rows])
    return Candles(instrument, "1d", times, close, close, close, close, np.full(close.size, 10**14))


@cache
def run(way: Way) -> Row:
    """Carry out one run from 2015 to March 2025 and measure it."""
    result = backtest(
        "donchian_trend",
        candles(),
        start=START,
        end=END,
        cash=1_000_000,
        params={"lookbacks": way.lookbacks, "band": way.band, "partial": True},
        fee_maker_bps=way.fee_bps,
        fee_taker_bps=way.fee_bps,
        slippage_bps=0,
        limits="off",
        fill_at=way.fill_at,
    )
    metrics, outcome = result.metrics, result.outcome
    assert outcome.times.size == 3_731 and outcome.refused == 0
    equity = np.concatenate(([outcome.initial_equity], outcome.equity)).astype(float)
    logs = np.diff(np.log(equity))
    held = np.cumsum(outcome.fills["side"] * outcome.fills["quantity"])
    entries = int(np.count_nonzero((held > 0) & (np.concatenate(([0], held[:-1])) == 0)))
    cagr, volatility, drawdown = metrics["cagr"], metrics["volatility"], metrics["max_drawdown"]
    assert cagr is not None and volatility is not None and drawdown is not None
    return Row(
        entries if len(way.lookbacks) == 1 else None,
        cagr * 100,
        volatility * 100,
        -drawdown * 100,
        metrics["sharpe"],
        float(np.mean(logs) / np.std(logs, ddof=1)) * 365**0.5,
    )


def gross(place: int) -> Row:
    return run(Way((LOOKBACKS[place],)) if place < len(LOOKBACKS) else Way())


@pytest.mark.parametrize("place", range(len(LOOKBACKS)))
def test_each_channel_is_inside_its_gates(place: int) -> None:
    ours, paper = gross(place), PAPER[place]
    assert ours.trades is not None and paper.trades is not None
    allowed = 0.05 * paper.trades if LOOKBACKS[place] < 90 else 0
    assert abs(ours.trades - paper.trades) <= allowed
    assert abs(ours.cagr - paper.cagr) <= 2
    assert abs(ours.volatility - paper.volatility) <= 1
    assert abs(ours.drawdown - paper.drawdown) <= 1.5
    assert abs((ours.log_sharpe or 0) - (paper.log_sharpe or 0)) <= 0.06


def test_the_combination_is_inside_its_gates() -> None:
    ours, paper = run(Way()), PAPER[-1]
    assert abs(ours.cagr - paper.cagr) <= 1
    assert abs(ours.volatility - paper.volatility) <= 1
    assert abs(ours.drawdown - paper.drawdown) <= 1
    assert ours.log_sharpe == pytest.approx(1.58, abs=0.05)


def test_it_is_inside_its_gates_after_costs() -> None:
    net, dear = run(NET[1]), run(SHORT_AND_DEAR)
    assert net.cagr == pytest.approx(30, abs=1)
    assert net.drawdown == pytest.approx(19, abs=1)
    assert dear.cagr == pytest.approx(18, abs=1)


@pytest.mark.parametrize("place", range(len(DIRECT)))
def test_the_engine_comes_to_what_weights_times_returns_come_to(place: int) -> None:
    """Orders in whole lots, money in atoms and a ledger add nothing and take nothing away."""
    ours, direct = gross(place), DIRECT[place]
    assert ours.trades == direct.trades
    assert ours.cagr == pytest.approx(direct.cagr, abs=0.15)
    assert ours.volatility == pytest.approx(direct.volatility, abs=0.1)
    assert ours.drawdown == pytest.approx(direct.drawdown, abs=0.1)
    assert (ours.sharpe, ours.log_sharpe) == pytest.approx((direct.sharpe, direct.log_sharpe), abs=0.01)


def shown(*values: float | None, digits: int = 0) -> str:
    """Return figures of a cell, told apart by a stroke; what is not told is left out."""
    told = [value for value in values if value is not None]
    return " / ".join(f"{value:.{digits}f}" for value in told)


def gross_table() -> str:
    lines = ["| channel | trades | CAGR % | volatility % | max drawdown % | Sharpe | Sharpe of logs |"]
    lines.append("|---|---|---|---|---|---|---|")
    for place, (direct, paper) in enumerate(zip(DIRECT, PAPER, strict=True)):
        ours = gross(place)
        cells = [str(LOOKBACKS[place]) if place < len(LOOKBACKS) else "all nine"]
        cells.append(shown(ours.trades, direct.trades, paper.trades))
        for name in ("cagr", "volatility", "drawdown"):
            found = shown(getattr(ours, name), getattr(direct, name), digits=1)
            cells.append(f"{found} / {getattr(paper, name)}")
        cells.append(shown(ours.sharpe, direct.sharpe, digits=2))
        cells.append(shown(ours.log_sharpe, direct.log_sharpe, paper.log_sharpe, digits=2))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def net_table() -> str:
    lines = ["| run | CAGR % | volatility % | max drawdown % | Sharpe | Sharpe of logs |", "|---|---|---|---|---|---|"]
    names = [f"all nine, band 20 %, fee {fee} bps" for fee in FEES_BPS]
    names += ["5 alone, no band, fee 50 bps", "all nine, no band, no fee, next open"]
    for name, way in zip(names, (*NET, SHORT_AND_DEAR, NEXT_OPEN), strict=True):
        row = run(way)
        cells = [shown(value, digits=1) for value in (row.cagr, row.volatility, row.drawdown)]
        cells += [shown(value, digits=2) for value in (row.sharpe, row.log_sharpe)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


TABLES = {"gross": gross_table, "net": net_table}


def pattern_of(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name}: measured -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)


@pytest.mark.parametrize("name", list(TABLES))
def test_the_page_tells_what_is_measured(name: str) -> None:
    found = pattern_of(name).search(PAGE.read_text())
    assert found is not None
    assert found[0] == TABLES[name]()


def main() -> None:
    """Write the tables into the page."""
    page = PAGE.read_text()
    for name, table in TABLES.items():
        page = pattern_of(name).sub(table(), page)
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
