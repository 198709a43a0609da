"""The crossing averages of backtesting.py on GOOG: its published figures, and its long trades through our engine.

That run is always long or short after the first cross. The engine trades spot and holds nothing short, so the whole
of it comes from a small simulation by the rules that the reference states; the engine's trades are compared with its
long ones, one by one. The files are not part of the project; see tests/data/metrics/PROVENANCE.md.
"""

import csv
import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from crypto_bot import backtest
from crypto_bot.backtesting import moments
from crypto_bot.backtesting.drawdown import falls
from crypto_bot.backtesting.metrics import simple_returns
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.scores import score
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS, parse_time_ns

FloatArray = npt.NDArray[np.float64]
FINE = 10**12
FAST, SLOW = 10, 30
CASH = 10_000.0


class Trade(NamedTuple):
    """A position from its first bar to its last, in shares; short ones are negative."""

    opened: int
    closed: int
    shares: int
    entry: float
    exit: float


class Told(NamedTuple):
    """What the rules come to: equity at each close with the cash before it, the trades, which days were inside."""

    equity: FloatArray
    trades: list[Trade]
    inside: npt.NDArray[np.bool_]

    @property
    def nets(self) -> list[float]:
        """The profit of each trade."""
        return [trade.shares * (trade.exit - trade.entry) for trade in self.trades]


@pytest.fixture(scope="module")
def rows(reference: Path) -> list[dict[str, str]]:
    """Return the days of GOOG."""
    with file_of(reference, "GOOG.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def want(reference: Path) -> dict[str, float]:
    """Return the figures that its own test holds."""
    told = json.loads(file_of(reference, "expected_smacross_goog.json").read_text())
    return dict(told["expected"])


def file_of(reference: Path, name: str) -> Path:
    path = reference.joinpath("data", "reference", "backtesting_py", name)
    if not path.is_file():
        pytest.skip(f"{path.name} is not beside this checkout")
    return path


def column(rows: list[dict[str, str]], name: str) -> FloatArray:
    return np.array([float(row[name]) for row in rows])


def cross_of(rows: list[dict[str, str]], *, shorts: bool = True) -> Told:
    """Trade by the rules that the reference states, without `shorts` the long legs only.

    Whole shares, next open, on a cross of the averages; the last trade is closed at the last bar's open.
    """
    opens, closes = column(rows, "Open"), column(rows, "Close")
    sums = np.concatenate(([0.0], np.cumsum(closes)))
    ends = np.arange(SLOW, closes.size + 1)
    gap = np.full(closes.size, np.nan)
    gap[SLOW - 1 :] = (sums[ends] - sums[ends - FAST]) / FAST - (sums[ends] - sums[ends - SLOW]) / SLOW
    cash, held, entry, since = CASH, 0, 0.0, 0
    trades: list[Trade] = []
    equity = [CASH]
    inside = np.zeros(closes.size, dtype=bool)
    for bar in range(closes.size):
        crossed = bar > SLOW and gap[bar - 2] * gap[bar - 1] < 0
        if crossed:
            if held:
                trades.append(Trade(since, bar, held, entry, opens[bar]))
                cash += held * (opens[bar] - entry)
            turn = 1 if gap[bar - 1] > 0 else -int(shorts)
            entry, since, held = opens[bar], bar, turn * int(cash // opens[bar])
        inside[bar] = held != 0
        equity.append(cash + held * (closes[bar] - entry))
    if held:
        trades.append(Trade(since, closes.size - 1, held, entry, opens[-1]))
        equity[-1] = cash + held * (opens[-1] - entry)
    return Told(np.array(equity), trades, inside)


def test_the_figures_are_theirs_where_definitions_agree(rows: list[dict[str, str]], want: dict[str, float]) -> None:
    told = cross_of(rows)
    found = score(np.array([round(net * FINE) // 10**4 for net in told.nets]))
    assert (len(told.trades), told.equity[-1]) == (want["# Trades"], pytest.approx(want["Equity Final [$]"]))
    assert float(np.min(falls(told.equity))) * 100 == pytest.approx(want["Max. Drawdown [%]"], rel=1e-9)
    assert (found.win_rate or 0) * 100 == pytest.approx(want["Win Rate [%]"])
    assert found.sqn == pytest.approx(want["SQN"], rel=1e-6)
    assert float(np.mean(told.inside)) * 100 == pytest.approx(want["Exposure Time [%]"], abs=0.1)
    percents = [100 * math.copysign(1, t.shares) * (t.exit / t.entry - 1) for t in told.trades]
    assert max(percents) == pytest.approx(want["Best Trade [%]"])
    assert min(percents) == pytest.approx(want["Worst Trade [%]"])


def test_the_ratios_differ_by_the_conventions_that_the_docs_tell(
    rows: list[dict[str, str]], want: dict[str, float]
) -> None:
    returns = simple_returns(cross_of(rows).equity[1:])
    ours = moments.sharpe(returns, 252)
    # Theirs: geometric growth a year over a deviation that compounds with it. Ours: mean over deviation, times a root.
    mean = float(np.exp(np.mean(np.log1p(returns)))) - 1
    geometric = (1 + mean) ** 252 - 1
    spread = math.sqrt((float(np.var(returns, ddof=1)) + (1 + mean) ** 2) ** 252 - (1 + mean) ** (2 * 252))
    assert geometric * 100 == pytest.approx(want["Return (Ann.) [%]"], rel=1e-9)
    assert spread * 100 == pytest.approx(want["Volatility (Ann.) [%]"], rel=1e-9)
    assert geometric / spread == pytest.approx(want["Sharpe Ratio"], rel=1e-9)
    assert ours == pytest.approx(0.7984, abs=1e-4)


def candles_of(rows: list[dict[str, str]]) -> Candles:
    """Return the days with whole shares as lots."""
    instrument = Instrument("GOOG/USD", quantity_scale=1)
    times = np.array([parse_time_ns(row[""]) for row in rows])
    prices = [
        np.rint(column(rows, name) * instrument.price_scale).astype(np.int64)
        for name in ("Open", "High", "Low", "Close")
    ]
    opened, high, low, close = prices
    return Candles(instrument, "1d", times, opened, high, low, close, column(rows, "Volume").astype(np.int64))


def engine(rows: list[dict[str, str]], start: str | None = None) -> Outcome:
    """Run `simple_ma` through the shipped engine, without costs and limits, filled at the next open."""
    result = backtest(
        "simple_ma",
        candles_of(rows),
        start=start,
        params={"fast": FAST, "slow": SLOW},
        cash=CASH,
        limits="off",
        fee_maker_bps=0,
        fee_taker_bps=0,
        slippage_bps=0,
    )
    return result.outcome


def trades_of(outcome: Outcome, bars: dict[int, int]) -> list[Trade]:
    """Return the round trips of an outcome, and the open position as one that is closed on the last day."""
    fills = [(bars[int(f["time_ns"])], int(f["quantity"]), int(f["price"]) / 100) for f in outcome.fills]
    assert outcome.fills["side"].tolist() == [1, -1] * (len(fills) // 2) + [1] * (len(fills) % 2)
    if len(fills) % 2:
        fills.append((len(bars) - 1, fills[-1][1], int(outcome.candles[0].open[-1]) / 100))
    pairs = zip(fills[::2], fills[1::2], strict=True)
    return [Trade(entry[0], exit[0], entry[1], entry[2], exit[2]) for entry, exit in pairs]


@pytest.mark.slow
def test_the_engine_makes_the_same_long_trades(rows: list[dict[str, str]]) -> None:
    """Every long trade of theirs, on the same days at the same prices.

    Ours begins one trade earlier: it is long while the fast average lies above, theirs waits for the first cross.
    """
    bars = {parse_time_ns(row[""]): bar for bar, row in enumerate(rows)}
    ours = trades_of(engine(rows), bars)
    theirs = [trade for trade in cross_of(rows).trades if trade.shares > 0]
    assert len(theirs) == 33
    assert [trade._replace(shares=0) for trade in ours[1:]] == [trade._replace(shares=0) for trade in theirs]
    assert (ours[0].opened, ours[0].closed) == (SLOW, 70)


@pytest.mark.slow
def test_the_engine_has_the_same_money_with_the_long_legs_alone(rows: list[dict[str, str]]) -> None:
    """From the end of that first trade on: the same shares in every trade, the same equity at every close."""
    bars = {parse_time_ns(row[""]): bar for bar, row in enumerate(rows)}
    outcome = engine(rows, start=rows[70][""])
    told = cross_of(rows, shorts=False)
    assert trades_of(outcome, bars) == told.trades
    ours = outcome.equity / ATOMS
    assert ours[:-1] == pytest.approx(told.equity[71:-1], rel=1e-12)
    assert ours[-1] == pytest.approx(told.equity[-1] + told.trades[-1].shares * (last_close(rows) - last_open(rows)))
    assert told.equity[-1] == pytest.approx(57_157.30)


def last_open(rows: list[dict[str, str]]) -> float:
    return float(rows[-1]["Open"])


def last_close(rows: list[dict[str, str]]) -> float:
    return float(rows[-1]["Close"])
