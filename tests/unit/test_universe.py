"""Which symbols a run trades: named ones, or the most traded when it begins, and never those of the blacklist."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crypto_bot import backtest
from crypto_bot.authoring.reader import read
from crypto_bot.backtesting.choosing import choose, idle_remarks
from crypto_bot.backtesting.loading import Held, Window
from crypto_bot.backtesting.universe import traded_symbols
from crypto_bot.config.modes import arrange
from crypto_bot.config.sections import Trading
from crypto_bot.config.settings import load_settings
from crypto_bot.data.archive import Archive
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import DAY_NS, parse_time_ns
from crypto_bot.kernel.genesis import Costs
from crypto_bot.runtime.arranging import Arranged, arrange_run
from tests.commands import run

START = parse_time_ns("2024-06-01")
DAYS = 90


def coin(symbol: str, traded: int, *, first: int = 0, quote_jump: int = 0) -> Candles:
    """Return days from 60 before the start on, with so many coins a day at 10.00; more of them after the start."""
    times = START + np.arange(first - 60, 30, dtype=np.int64) * DAY_NS
    price = np.full(times.size, 1_000, np.int64)
    volume = np.where(times < START, traded, traded + quote_jump).astype(np.int64) * 1_000_000
    instrument = Instrument(symbol, price_scale=100, quantity_scale=1_000_000)
    return Candles(instrument, "1d", times, price, price, price, price, volume)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("archive")
    held = Archive(folder, samples=False)
    coins = [coin("A/USDT", 5), coin("B/USDT", 9), coin("C/USDT", 7), coin("D/BTC", 99)]
    for each in [*coins, coin("LATER/USDT", 1, quote_jump=1_000), coin("NEW/USDT", 500, first=60)]:
        held.store(each, source="made")
    return held


def trading(**given: str) -> Trading:
    """Return the section with these keys; days, for the archive holds days."""
    overrides = {f"trading.{key}": text for key, text in {"timeframe": "1d", **given}.items()}
    return load_settings(None, env_file=Path("no such file"), overrides=overrides).trading


AT_START = Window(START)


def chosen(archive: Archive, window: Window = AT_START, **given: str) -> tuple[str, ...]:
    return traded_symbols(trading(**given), archive, "binance", window)


def test_the_most_traded_of_the_days_before_come_first(archive: Archive) -> None:
    """What is traded after the start, or lists then, is not known yet; other quote assets do not compare."""
    assert chosen(archive, universe="top:3") == ("B/USDT", "C/USDT", "A/USDT")
    assert chosen(archive, universe="top:500") == ("B/USDT", "C/USDT", "A/USDT", "LATER/USDT")


def test_what_has_ended_before_the_start_is_not_chosen(tmp_path: Path) -> None:
    """It was the most traded of all, and has no bar from the start on; one that ends later is chosen."""
    held = Archive(tmp_path, samples=False)
    for each, last in ((coin("GONE/USDT", 900), -1), (coin("GOING/USDT", 90), 3), (coin("A/USDT", 5), 29)):
        held.store(each.between(None, START + last * DAY_NS), source="made")
    assert chosen(held, universe="top:2") == ("GOING/USDT", "A/USDT")
    assert chosen(held, Window(START + 5 * DAY_NS), universe="top:2") == ("A/USDT",)
    assert chosen(held, Window(START - 5 * DAY_NS), universe="top:1") == ("GONE/USDT",)
    with pytest.raises(DataError, match="from then on"):
        chosen(held, Window(START + 40 * DAY_NS), universe="top:2")


def test_what_follows_the_price_of_something_else_is_not_chosen(tmp_path: Path) -> None:
    """Money, wrapped coins and leveraged tokens are traded most of all; JUP and SYRUP are coins of their own."""
    held = Archive(tmp_path, samples=False)
    for place, base in enumerate(("USDC", "EUR", "WBTC", "BTCUP", "BTCDOWN", "BTC3L", "JUP", "SYRUP", "BTC")):
        held.store(coin(f"{base}/USDT", 900 - place), source="made")
    assert chosen(held, universe="top:9") == ("JUP/USDT", "SYRUP/USDT", "BTC/USDT")
    assert chosen(held, symbols="USDC/USDT,BTCUP/USDT") == ("USDC/USDT", "BTCUP/USDT"), "what is named is traded"


def test_a_later_start_chooses_otherwise(archive: Archive) -> None:
    assert chosen(archive, Window(START + 20 * DAY_NS), universe="top:2") == ("LATER/USDT", "NEW/USDT")


def test_days_back_count_from_the_last_bar(archive: Archive) -> None:
    assert chosen(archive, Window(days_back=29), universe="top:1") == ("B/USDT",)


def test_the_blacklist_is_never_traded(archive: Archive) -> None:
    assert chosen(archive, universe="top:2", blacklist="B/USDT") == ("C/USDT", "A/USDT")
    assert chosen(archive, symbols="A/USDT,B/USDT", blacklist="b/usdt") == ("A/USDT",)
    with pytest.raises(UsageError, match="blacklist holds every one"):
        chosen(archive, symbols="A/USDT", blacklist="A/USDT")


def test_what_cannot_be_chosen_is_told(archive: Archive) -> None:
    with pytest.raises(UsageError, match=r"--from"):
        chosen(archive, Window(), universe="top:2")
    with pytest.raises(DataError, match="30 days before"):
        chosen(archive, Window(START - 365 * DAY_NS), universe="top:2")
    with pytest.raises(UsageError, match="archive"):
        traded_symbols(trading(universe="top:2"), Held((coin("A/USDT", 1),)), "binance", Window(START))
    with pytest.raises(UsageError, match="top:N"):
        trading(universe="top:0")


def test_a_bar_that_is_open_when_the_run_begins_is_not_looked_at(archive: Archive) -> None:
    """A start within a day: the day's bar is not closed yet, though it opened before."""
    middle = replace(Window(START), start_ns=START + DAY_NS // 2)
    assert chosen(archive, middle, universe="top:1") == chosen(archive, universe="top:1")


def test_a_backtest_and_a_run_choose_alike(archive: Archive, tmp_path: Path) -> None:
    window = ["--from", "2024-06-01", "--to", "2024-06-20", "--timeframe", "1d"]
    samples = ["--set", "trading.blacklist=BTC/USDT, ETH/USDT, SOL/USDT"]
    words = ["--data", str(archive.root), "--set", "trading.universe=top:2", "--strategy", "buy_and_hold"]
    words += [*window, *samples]
    backtest = json.loads(run("backtest", *words, "--json", cwd=tmp_path).out)
    assert backtest["symbols"] == ["B/USDT", "C/USDT"]
    played = json.loads(run("run", *words, "--speed", "0", "--no-api", "--json", cwd=tmp_path).out)
    for key in ("bars", "fills", "final_equity", "decisions_hash"):
        assert played[key] == backtest[key], key


def arranged(tmp_path: Path, **keys: str) -> Arranged:
    """Return a run that is ready to begin; nothing is compiled for it."""
    settings = load_settings(
        None, env_file=tmp_path / "none", overrides={key.replace("__", "."): keys[key] for key in keys}
    )
    return arrange_run(settings, arrange(settings), {})


def test_symbols_that_nobody_looks_at_are_named(archive: Archive, tmp_path: Path) -> None:
    """A grid has prices for one pair; the others of the run would be forgotten in silence."""
    said = "grid trades the first symbol alone, A/USDT; of B/USDT it knows nothing"
    chosen = choose(("grid", "simple_ma"), {}, Costs())
    assert idle_remarks(chosen, ("A/USDT", "B/USDT")) == (said,)
    assert idle_remarks(chosen, ("A/USDT",)) == () == idle_remarks(chosen[1:], ("A/USDT", "B/USDT"))
    dates = {"data__start": "2024-06-01", "data__end": "2024-06-09", "trading__timeframe": "1d"}
    keys = {"data__archive": str(archive.root), "trading__symbols": "A/USDT,B/USDT", "trading__strategies": "grid"}
    assert arranged(tmp_path, **dates, **keys).remarks == (said,)
    result = backtest("grid", [coin("A/USDT", 5), coin("B/USDT", 9)], params={"lower_price": 9, "upper_price": 11})
    assert said in result.metrics["warnings"]


@pytest.mark.parametrize(
    ("body", "alone"),
    [
        ("target(0, 0.5 if close(0) > sma(0, 5) else sqrt(close(0)))", True),
        ("target(0, close(1) / close(0))", False),
        ("for k in range(count()): target(k, 0.1)", False),
        ("for k in symbols(): target(k, 0.1)", False),
        ("for k in (0, 1): target(k, 0.1)", False),
    ],
)
def test_who_knows_the_first_symbol_alone(body: str, alone: bool, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    words = "close, count, sma, sqrt, symbols, target"
    file.write_text(f"from crypto_bot.strategy import {words}\n\n\ndef step(p):\n    {body}\n")
    assert read(file).trades_first_alone == alone


def test_made_up_prices_have_no_universe(tmp_path: Path) -> None:
    """What is traded then are the named symbols, and that is said."""
    found = arranged(tmp_path, trading__dry_run="true", trading__universe="top:2")
    assert [each.symbol for each in found.plan.instruments] == ["BTC/USDT"]
    assert any("universe = top:2 chooses among real prices" in each for each in found.remarks)
