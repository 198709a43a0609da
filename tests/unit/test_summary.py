"""The JSON of `backtest --json`, the two CSV files and the terminal's text: promises that scripts read."""

import csv
import itertools
import json
import math
import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from crypto_bot.backtesting.bracket import Bracket, Way
from crypto_bot.backtesting.metrics import measure
from crypto_bot.backtesting.outcome import Assumptions, RunLabel
from crypto_bot.backtesting.summary import summarise
from crypto_bot.backtesting.tables import safe_cell, time_texts, write_equity, write_trades
from crypto_bot.backtesting.terminal import compared, terminal_summary
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import ATOMS, SECOND_NS, format_time
from tests.outcomes import START_NS, average_run, idle_run

PROMISED = """run_id strategy params symbols timeframe start end bars orders fills trades round_trips initial_equity
final_equity total_return cagr volatility sharpe sharpe_se sortino calmar max_drawdown max_drawdown_days profit_factor
expectancy win_rate exposure turnover fees_paid buy_and_hold_return periods_per_year psr psr_2025 min_trl
autocorrelation sharpe_se_ar1 sharpe_lo skew kurtosis log_growth log_growth_t var_95 cvar_95 var_99 cvar_99 alpha
alpha_t beta beta_t ulcer upi time_under_water calmar_36m payoff expectancy_ratio kelly sqn losses_in_a_row
mean_exposure slippage_paid cost_ratio break_even_bps charged_bps bracket grid assumptions decisions_hash ledger_hash
data_hash code_version engine_seconds bars_per_second setup_seconds warnings""".split()
LABEL = RunLabel("20231120-233000-7f3a", "0.1.0", {"fast": 20, "slow": 100, "lookbacks": (5, 10)})


def test_the_promised_keys_come_in_their_order() -> None:
    outcome = average_run(1_500)
    found = summarise(outcome, measure(outcome), LABEL)
    assert list(found) == PROMISED
    assert list(found["assumptions"]) == [
        *(
            "fills",
            "fill_at",
            "limits",
            "fee_maker_bps",
            "fee_taker_bps",
            "slippage_bps",
            "seed",
            "fee_asset",
            "detail_timeframe",
            "slippage_model",
            "slippage_impact",
            "max_volume_share",
            "delisting_days",
            "delisting_haircut",
        )
    ]


def test_money_is_exact_text_ratios_are_numbers_and_times_are_iso() -> None:
    outcome = average_run(1_500, symbols=("BTC/USDT", "ETH/USDT"))
    found = json.loads(json.dumps(summarise(outcome, measure(outcome), LABEL), allow_nan=False))
    assert (found["start"], found["end"]) == ("2023-01-01T00:00:00Z", "2023-03-04T11:00:00Z")
    assert found["initial_equity"] == "25000"
    assert Decimal(found["final_equity"]) * ATOMS == int(outcome.equity[-1])
    assert Decimal(found["fees_paid"]) * ATOMS == int(outcome.fills["fee"].sum())
    assert found["bars"] == 3_000
    assert found["bars_per_second"] == pytest.approx(3_000 / 0.0125)
    assert (found["fills"], found["trades"]) == (outcome.fills.size,) * 2
    assert found["max_drawdown"] < 0 < found["max_drawdown_days"]
    assert (found["periods_per_year"], found["params"]["lookbacks"]) == (365, [5, 10])


def test_what_has_no_meaning_is_null() -> None:
    outcome = replace(idle_run([100.0] * 10), engine_seconds=0.0, setup_seconds=math.inf)
    found = summarise(outcome, measure(outcome), LABEL)
    for key in ("cagr", "sharpe", "sharpe_se", "sortino", "calmar", "profit_factor", "expectancy", "win_rate"):
        assert found[key] is None, key
    assert (found["bars_per_second"], found["setup_seconds"]) == (None, None)


def test_each_further_key_holds_its_own_figure() -> None:
    outcome = average_run(3_000)
    measured = measure(outcome)
    found = summarise(outcome, measured, LABEL)
    sure, costs, scores, market = measured.certainty, measured.costs, measured.scores, measured.market
    assert market is not None and measured.tail_95 is not None and measured.tail_99 is not None
    expected = {
        "psr": sure.skill, "psr_2025": sure.skill_2025, "min_trl": sure.needed, "autocorrelation": sure.echo,
        "sharpe_se_ar1": sure.echo_error, "sharpe_lo": sure.echo_sharpe, "skew": sure.shape.skew,
        "kurtosis": sure.shape.kurtosis, "log_growth": measured.log_growth, "log_growth_t": measured.log_growth_t,
        "var_95": measured.tail_95.at_risk, "cvar_95": measured.tail_95.beyond, "var_99": measured.tail_99.at_risk,
        "cvar_99": measured.tail_99.beyond, "alpha": market.alpha, "alpha_t": market.alpha_t, "beta": market.beta,
        "beta_t": market.beta_t, "ulcer": measured.drawdown.ulcer, "upi": measured.upi,
        "time_under_water": measured.drawdown.under_water, "payoff": scores.payoff, "sqn": scores.sqn,
        "expectancy_ratio": scores.expectancy_ratio, "kelly": scores.kelly, "losses_in_a_row": scores.losses_in_a_row,
        "mean_exposure": measured.mean_invested, "cost_ratio": costs.share, "break_even_bps": costs.break_even_bps,
        "charged_bps": costs.charged_bps,
    }  # fmt: skip
    assert {key: value for key, value in found.items() if key in expected} == expected
    told = [value for value in expected.values() if value is not None]
    assert len(set(told)) == len(told), "no two of them are the same by chance"
    assert Decimal(found["slippage_paid"]) * ATOMS == costs.slippage
    assert (found["calmar_36m"], found["bracket"]) == (None, None)


def test_the_bracket_names_its_ends() -> None:
    outcome = average_run(900)
    ways = tuple(Way(name, end * ATOMS, 0.1, -0.2, 7) for name, end in (("path", 5), ("touch", 9), ("pessimistic", 3)))
    told = summarise(outcome, measure(outcome), LABEL, Bracket(ways))["bracket"]
    assert told is not None
    assert (told["low"], told["high"], told["ways"][0]["way"]) == ("pessimistic", "touch", "path")
    second = {"way": "touch", "final_equity": "9", "total_return": 0.1, "max_drawdown": -0.2, "fills": 7}
    assert dict(told["ways"][1]) == second


def test_warnings_of_the_engine_come_before_the_objections() -> None:
    outcome = replace(idle_run([100.0] * 10), warnings=("A bar is missing.",), assumptions=Assumptions(limits="off"))
    warnings = summarise(outcome, measure(outcome), LABEL)["warnings"]
    assert warnings[0] == "A bar is missing."
    assert any(text.startswith("Limits off:") for text in warnings[1:])


def test_the_trades_file_has_every_fill_and_a_row_for_each_trip_behind_its_closing_fill(tmp_path: Path) -> None:
    outcome = average_run(2_000, symbols=("BTC/USDT", "ETH/USDT"))
    found = measure(outcome)
    write_trades(outcome, found, tmp_path / "trades.csv")
    with (tmp_path / "trades.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    fills = [row for row in rows if row["kind"] == "fill"]
    trips = [row for row in rows if row["kind"] == "round_trip"]
    assert (len(fills), len(trips)) == (outcome.fills.size, found.books.trips.closed)
    assert {row["side"] for row in fills} == {"buy", "sell"}
    assert {row["side"] for row in trips} == {"long"}
    assert sum(Decimal(row["net"]) for row in trips) * ATOMS == found.net
    assert sum(Decimal(row["fee"]) for row in fills) * ATOMS == found.books.fees
    for before, row in itertools.pairwise(rows):
        if row["kind"] == "round_trip":
            same = ("time", "symbol", "price", "order_id")
            assert (before["kind"], [before[k] for k in same]) == ("fill", [row[k] for k in same])
            assert row["entry_time"] <= row["time"]
    first = outcome.fills[0]
    assert Decimal(fills[0]["price"]) * 100 == int(first["price"])
    assert Decimal(fills[0]["quantity"]) * 1_000_000 == int(first["quantity"])
    assert fills[0]["time"] == format_time(int(first["time_ns"]))


def test_the_equity_file_has_one_exact_row_per_bar(tmp_path: Path) -> None:
    outcome = average_run(700)
    outcome.equity[3], outcome.equity[4] = -ATOMS // 2, 7
    write_equity(outcome, tmp_path / "equity.csv")
    lines = (tmp_path / "equity.csv").read_text().splitlines()
    assert lines[0] == "time,equity"
    rows = [line.split(",") for line in lines[1:]]
    assert [Decimal(money) * ATOMS for _, money in rows] == outcome.equity.tolist()
    assert [time for time, _ in rows] == [format_time(t) for t in outcome.times.tolist()]
    assert (rows[3][1], rows[4][1]) == ("-0.5", "0.00000007")


def test_a_year_of_minutes_is_written_in_a_breath(tmp_path: Path) -> None:
    bars = 525_600
    outcome = idle_run([100.0], timeframe="1m")
    many = replace(
        outcome,
        times=START_NS + np.arange(bars) * 60 * SECOND_NS,
        equity=np.random.default_rng(1).integers(1, 10**15, bars),
    )
    began = time.perf_counter()
    write_equity(many, tmp_path / "equity.csv")
    assert time.perf_counter() - began < 15, "some ten times what it takes on a slow machine"
    with (tmp_path / "equity.csv").open() as file:
        assert sum(1 for _ in file) == bars + 1


def test_a_file_that_cannot_be_written_is_told_in_one_sentence_and_nothing_is_left(tmp_path: Path) -> None:
    outcome = average_run(300)
    with pytest.raises(UsageError, match="name a folder that exists"):
        write_equity(outcome, tmp_path / "absent" / "equity.csv")
    (tmp_path / "old.csv").write_text("before")
    traded = average_run(1_500)
    with pytest.raises(IndexError):
        write_trades(replace(traded, assets=()), measure(traded), tmp_path / "old.csv")
    assert (tmp_path / "old.csv").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]


def test_names_that_a_spreadsheet_would_run_are_defused() -> None:
    assert [safe_cell(text) for text in ("=1+1", "@x", "grid", "")] == ["'=1+1", "'@x", "grid", ""]


def test_times_between_seconds_keep_their_fraction() -> None:
    times = np.array([START_NS, START_NS + 1_500_000], dtype=np.int64)
    assert time_texts(times) == ["2023-01-01T00:00:00Z", "2023-01-01T00:00:00.001500Z"]
    assert datetime.fromisoformat(time_texts(times[:1])[0]).tzinfo is not None


def test_the_terminal_text_is_ascii_and_says_where_holding_would_have_led() -> None:
    outcome = replace(average_run(3_000), strategies=("simple_ma", "grid"))
    found = measure(outcome)
    text = terminal_summary(outcome, found, LABEL)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 140
    assert "buy and hold" in text and "+/-" in text and "simple_ma + grid" in text
    assert compared(found) in text


@pytest.mark.parametrize(
    ("equity", "sentence"),
    [
        ([100.0, 110.0], "The bot is 10.15 points ahead of buy and hold."),
        ([100.0, 90.0], "The bot is 9.85 points behind buy and hold."),
        ([100.0, 99.95], "The bot lost 0.05%, 0.10 points less than buy and hold."),
        ([100.0], ""),
    ],
)
def test_the_bot_is_measured_against_doing_nothing(equity: list[float], sentence: str) -> None:
    assert compared(measure(idle_run(equity))) == sentence
