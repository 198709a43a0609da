"""`why` and `why --not`: from the signal to the profit, of a run and of a backtest, in exact numbers."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.commands import End, run_all
from tests.plain_classes import CROSS, write

_PLAIN = "--strategy cross.py --symbol BTC/USDT --timeframe 1h --param fast=5 --param slow=20"
_SPAN = "--from 2023-01-01 --to 2023-01-20"
LINES = {
    "backtest": f"backtest {_PLAIN} {_SPAN} --trades trades.csv --json",
    "of backtest": "why 3 --json",
    "in words": "why 3",
    "traded": "why --not BTC/USDT --json",
    "no order": "why 99999",
    "no symbol": "why --not XRP/USDT",
    "nothing asked": "why",
    "no number": "why third",
    "both asked": "why 3 --not BTC/USDT",
    "run": f"run {_PLAIN} {_SPAN} --no-api --speed 0 --json",
    "of run": "why 3 --json",
    "short": "backtest --strategy simple_ma --symbol BTC/USDT --timeframe 1h --from 2023-01-01 --to 2023-01-02 --json",
    "warming": "why --not BTC/USDT --json",
    "grid": "backtest --strategy grid --symbol BTC/USDT --timeframe 1h --from 2023-04-01 --to 2023-04-03 --json",
    "of grid": "why --not btc/usdt --json",
    "small": f"backtest {_PLAIN} {_SPAN} --cash 0.001 --json",
    "of small": "why --not BTC/USDT --json",
    "halted": f"backtest {_PLAIN} --from 2023-01-01 --to 2023-01-19 --set risk.max_drawdown_pct=0.002 --json",
    "of halted": "why --not BTC/USDT --json",
    "nowhere": "why 1 --state elsewhere",
    "quotes": "backtest --strategy bids.py --symbol BTC/USDT --timeframe 1h --from 2023-01-01 --to 2023-01-20",
    "of quotes": "why 1 --json",
    "begun": "backtest --strategy buy_and_hold --symbol BTC/USDT --timeframe 1h --from 2023-01-02 --to 2023-01-02T00",
    "waiting": "why --not BTC/USDT --json",
}

BIDS = """
from crypto_bot.plain import Quote, Signal

class Bids:
    def on_data(self, shown):
        self.close = shown.bars["BTC/USDT"].close

    def generate_signals(self, account):
        return [Signal("BTC/USDT", quotes=(Quote("buy", self.close * 0.95, 0.1),))]
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, End], Path]:
    folder = tmp_path_factory.mktemp("why")
    write(folder, "cross", CROSS)
    write(folder, "bids", BIDS)
    ends = run_all([line.split() for line in LINES.values()], folder)
    return dict(zip(LINES, ends, strict=True)), folder


def document(answers: tuple[dict[str, End], Path], name: str) -> Any:
    end = answers[0][name]
    assert end.status == 0, end.err
    return json.loads(end.out)


def test_an_order_is_told_from_its_signal_to_its_profit(answers: tuple[dict[str, End], Path]) -> None:
    told = document(answers, "of backtest")
    assert (told["kind"], told["order_id"], told["strategy"], told["symbol"]) == ("backtest", 3, "cross", "BTC/USDT")
    signal, (decision,), (fill,) = told["signal"], told["decisions"], told["fills"]
    assert (signal["reason"], signal["wants"]) == ("fast above slow", "hold 1 of the equity")
    assert len(signal["inputs"]) == 16 and signal["time"] == decision["time"]
    assert (decision["outcome"], decision["type"], decision["side"]) == ("approved", "market", "buy")
    with (answers[1] / "trades.csv").open() as file:
        rows = list(csv.DictReader(file))
    (mine,) = [row for row in rows if row["kind"] == "fill" and row["order_id"] == "3"]
    for name in ("time", "side", "price", "quantity", "fee", "fee_asset"):
        assert fill[name] == mine[name], name
    spent = Decimal(fill["price"]) * Decimal(fill["quantity"]) + Decimal(fill["fee"])
    assert Decimal(decision["budget"]) >= spent
    trip = told["round_trip"]
    fills = [row for row in rows if row["kind"] == "fill" and int(row["order_id"]) in trip["orders"]]
    signs = {"buy": -1, "sell": 1}
    net = sum(
        signs[row["side"]] * Decimal(row["price"]) * Decimal(row["quantity"]) - Decimal(row["fee"]) for row in fills
    )
    assert Decimal(trip["net"]) == net and Decimal(trip["fees"]) == sum(Decimal(row["fee"]) for row in fills)
    assert trip["closed"] is not None and len(fills) == 2


def test_a_backtest_tells_the_same_as_a_run(answers: tuple[dict[str, End], Path]) -> None:
    backtest, run = document(answers, "of backtest"), document(answers, "of run")
    assert run["kind"] == "run"
    assert {**run, "run_id": "", "kind": ""} == {**backtest, "run_id": "", "kind": ""}


def test_the_story_is_sentences_with_times(answers: tuple[dict[str, End], Path]) -> None:
    told = document(answers, "of backtest")
    lines = answers[0]["in words"].out.splitlines()
    assert lines[0] == f"order 3 of backtest {told['run_id']}: cross on BTC/USDT"
    assert lines[1:] == told["story"]
    fill = told["fills"][0]
    assert lines[1].endswith(f"because fast above slow (decided on inputs {told['signal']['inputs']})")
    assert f"bought {fill['quantity']} BTC at {fill['price']}, fee {fill['fee']} USDT, as taker" in "\n".join(lines)
    assert f"net {told['round_trip']['net']} USDT after fees of {told['round_trip']['fees']} USDT" in lines[-1]


def test_the_story_of_an_order_that_is_moved_is_told_in_the_order_of_time(
    answers: tuple[dict[str, End], Path],
) -> None:
    told = document(answers, "of quotes")
    times = [line.split("  ")[0] for line in told["story"]]
    assert times == sorted(times) and len(set(times)) > 1
    assert told["story"][-1].endswith("the exchange says canceled")
    assert told["signal"]["wants"] == "change the limit orders that rest"


@pytest.mark.parametrize(
    "name, cause, words",
    [
        ("traded", "traded", "there was a trade: order"),
        ("warming", "warm_up", "simple_ma still warms up: it needs"),
        ("of grid", "resting", "rests, and the price has not come to it"),
        ("waiting", "resting", "order 1 to buy waits for the open of the next bar"),
        ("of small", "too_small", "the difference to what is held is less than a lot, which is 0.00001"),
        ("of halted", "refused", "was refused: trading is halted by the drawdown limit since 2023-01-"),
    ],
)
def test_a_silence_has_a_cause(answers: tuple[dict[str, End], Path], name: str, cause: str, words: str) -> None:
    told = document(answers, name)
    assert told["symbol"] == "BTC/USDT"
    (found,) = told["strategies"]
    assert (found["cause"], words in found["sentence"]) == (cause, True), found


@pytest.mark.parametrize(
    "name, status, words",
    [
        ("no order", 2, "has no order 99999"),
        ("no symbol", 2, "does not trade XRP/USDT; it trades BTC/USDT"),
        ("no number", 2, "'third' is not the number of an order; give one as in why 3"),
        ("nothing asked", 2, "give one of the two"),
        ("both asked", 2, "give one of the two"),
        ("nowhere", 3, "there is no database"),
    ],
)
def test_what_cannot_be_told_is_a_sentence(
    answers: tuple[dict[str, End], Path], name: str, status: int, words: str
) -> None:
    end = answers[0][name]
    assert end.status == status and words in end.err and "Traceback" not in end.err
