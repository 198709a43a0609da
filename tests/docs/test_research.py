"""The page of research: what it says was measured is what is measured.

`python -m tests.docs.test_research` writes the table anew.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from crypto_bot import backtest
from crypto_bot.backtesting.summary import Summary
from crypto_bot.strategies.catalogue import NAMES

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "research.md"
TABLE = re.compile(
    r"(?<=<!-- measured: written by tests/docs/test_research.py -->\n).*?(?=<!-- end of measured -->)", re.S
)
COINS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
MADE_UP = tuple(f"SYN{number:02}/USDT" for number in range(1, 21))


class Way(NamedTuple):
    """One line of the table: a strategy as it ships, on candles that come with the program."""

    strategy: str
    told: str
    symbols: tuple[str, ...] = COINS
    timeframe: str = "1d"
    start: str | None = None
    exchange: str = "binance"


WAYS = (
    Way("buy_and_hold", "three coins, 1d, 2020-2025"),
    Way("simple_ma", "three coins, 1d, 2020-2025"),
    Way("simple_ma", "BTC, 5m, 2023", COINS[:1], "5m"),
    Way("momentum", "three coins, 1d, 2020-2025"),
    Way("donchian_trend", "three coins, 1d, 2020-2025"),
    Way("cross_section_momentum", "20 synthetic coins, 1d, 2022-2024", MADE_UP, exchange="synthetic"),
    Way("rsi_reversion", "BTC, 5m, 2023", COINS[:1], "5m"),
    Way("mean_reversion", "BTC, 5m, 2023", COINS[:1], "5m"),
    Way("grid", "BTC, 5m, from April 2023", COINS[:1], "5m", "2023-04-01"),
    Way("dca", "three coins, 1d, 2020-2025"),
    Way("rebalance", "three coins, 1d, 2020-2025"),
)


@cache
def measured(way: Way, *, costs: bool) -> Summary:
    fee_bps, slippage_bps = (10, 5) if costs else (0, 0)
    result = backtest(
        way.strategy,
        way.symbols,
        timeframe=way.timeframe,
        start=way.start,
        exchange=way.exchange,
        cash=100_000,
        limits="off",
        fee_maker_bps=fee_bps,
        fee_taker_bps=fee_bps,
        slippage_bps=slippage_bps,
    )
    return result.metrics


def per_cent(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio * 100:+,.1f} %"


def table() -> str:
    head = "| strategy | candles | fills | before costs | after costs | deepest fall | Sharpe | holding |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for way in WAYS:
        free, paid = measured(way, costs=False), measured(way, costs=True)
        cells = [f"`{way.strategy}`", way.told, f"{paid['fills']:,}"]
        cells += [per_cent(free["total_return"]), per_cent(paid["total_return"]), per_cent(paid["max_drawdown"])]
        cells += [f"{paid['sharpe']:.2f} +/- {paid['sharpe_se']:.2f}", per_cent(paid["buy_and_hold_return"])]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def test_the_table_is_what_is_measured() -> None:
    found = TABLE.search(PAGE.read_text())
    assert found is not None
    assert found[0] == table()


def test_what_is_said_of_the_table_is_so() -> None:
    by_day, by_minutes = WAYS[1], WAYS[2]
    free, paid = (measured(by_minutes, costs=costs)["total_return"] or 0 for costs in (False, True))
    assert free > 0 and paid < -0.8
    assert abs((measured(by_day, costs=True)["sharpe"] or 0) - (measured(by_day, costs=False)["sharpe"] or 0)) < 0.05
    held = measured(WAYS[0], costs=True)["total_return"] or 0
    coins = [way for way in WAYS[1:] if way.symbols == COINS]
    assert all((measured(way, costs=True)["total_return"] or 0) < held for way in coins)
    ratios = [measured(way, costs=True) for way in WAYS if way.symbols == COINS]
    best, worst = (pick(each["sharpe"] or 0 for each in ratios) for pick in (max, min))
    assert best - worst < 2 * min(each["sharpe_se"] or 0 for each in ratios)


def test_every_strategy_that_ships_has_its_words() -> None:
    titles = re.findall(r"^### (\w+)$", PAGE.read_text(), re.M)
    assert set(NAMES) <= set(titles) and len(titles) == len(set(titles))


def main() -> None:
    """Write the table into the page."""
    PAGE.write_text(TABLE.sub(table(), PAGE.read_text()))


if __name__ == "__main__":
    main()
