"""`from crypto_bot import backtest, candles`: in a fresh process, without a configuration, leaving nothing behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_all, script

SCRIPT = """
import json, os, sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
import crypto_bot
heavy = ("numba", "polars", "pydantic", "numpy")
light = not any(name in sys.modules for name in heavy)
from crypto_bot import backtest, candles
from crypto_bot.domain.errors import CryptoBotError

os.environ["EXECUTION__SLIPPAGE_BPS"] = "50"  # the command's business, and that of who asks for a configuration
hours = candles("btc/usdt", "1h", start="2023-06-01", end=date(2023, 6, 20))
more = candles("BTC/USDT", "1h", end="2023-06-20")
days = dict(start="2023-06-01", end="2023-06-20")
plain = backtest("simple_ma", "BTC/USDT", timeframe="1h", **days)
found = dict(
    light=light,
    hours=[len(hours), hours.timeframe, hours.instrument.symbol],
    plain=plain.metrics,
    held=backtest("simple_ma", more, **days).metrics,
    alone=backtest("simple_ma", hours, params={"slow": 400}).metrics,
    warmed=backtest("simple_ma", more, params={"slow": 400}, **days).metrics,
    moments=backtest("simple_ma", more, start=datetime(2023, 6, 1, tzinfo=timezone.utc), end=date(2023, 6, 20)).metrics,
    costs=backtest(
        Path("mine.py"), [hours], cash=Decimal("1234.5"), params=dict(fast=5), fee_maker_bps=1, fee_taker_bps=2.5,
        slippage_bps="0", limits="off", fill_at="close", days_back=3,
    ).metrics,
    several=backtest(
        ["simple_ma", "grid"], ["BTC/USDT"], timeframe="1h", params={"simple_ma.fast": 5, "grid": {"num_grids": 9}},
        **days,
    ).metrics,
    of_file=backtest("simple_ma", hours, config="own.ini").metrics,
    equity=[plain.equity.columns, plain.equity.height, [str(d) for d in plain.equity.dtypes]],
    last=[str(plain.equity["time"][-1]), float(plain.equity["equity"][-1])],
    trades=[plain.trades.columns, plain.trades["kind"].value_counts().to_dicts(), list(map(str, plain.trades.dtypes))],
    net=float(plain.trades["net"].sum()),
    shown=plain._repr_html_(),
    printed=repr(plain),
    left=sorted(path.name for path in Path().iterdir()),
    report=[str(plain.report("r.html")), Path("r.html").stat().st_size],
)
refused = {}
for name, settings in json.load(sys.stdin).items():
    try:
        backtest(**{"strategy": "simple_ma", "on": hours, **settings})
    except CryptoBotError as error:
        refused[name] = [type(error).__name__, str(error)]
for name, given in (("a class", dict(strategy=int)), ("mixed", dict(on=[hours, "BTC/USDT"])), ("none", dict(on=[]))):
    try:
        backtest(**{"strategy": "simple_ma", "on": hours, **given})
    except CryptoBotError as error:
        refused[name] = [type(error).__name__, str(error)]
try:
    crypto_bot.optimize
except AttributeError as error:
    refused["later"] = ["AttributeError", str(error)]
print(json.dumps(dict(found, refused=refused)))
"""

REFUSED: dict[str, tuple[dict[str, object], str, str]] = {
    "nearly": ({"fee_taker": 3}, "UsageError", "backtest() has no setting fee_taker; did you mean fee_taker_bps?"),
    "unknown": ({"zzz": 3}, "UsageError", "backtest() has no setting zzz; there are timeframe, "),
    "cash": ({"cash": 0}, "UsageError", "[trading] cash = '0' is not allowed: it must be an amount"),
    "start": (
        {"start": 20230601},
        "UsageError",
        "start is a text like '2024-01-31', a date or a datetime, not 20230601",
    ),
    "window": ({"start": "2023-06-05", "end": "2023-06-04"}, "UsageError", "swap them"),
    "no bars": ({"start": "2024-06-05"}, "DataError", "BTC/USDT"),
    "another length": ({"timeframe": "4h"}, "DataError", "no 4h bars of BTC/USDT"),
    "params": ({"params": "fast=3"}, "UsageError", "params is a dictionary"),
    "parameter": ({"params": {"fasst": 3}}, "Mistake", "did you mean fast?"),
    "fractional": ({"params": {"fast": 2.5}}, "Mistake", "fast must be a whole number, not 2.5"),
    "of another": ({"params": {"grid": {"num_grids": 3}}}, "UsageError", "grid, which does not take part"),
    "strategy": ({"strategy": "griid"}, "UsageError", "did you mean grid?"),
    "symbol": ({"on": "XYZ/USDT"}, "DataError", "no candles of XYZ/USDT"),
    "no symbol": ({"on": None}, "UsageError", "give either symbols"),
    "a number": ({"on": [7]}, "UsageError", "give either symbols"),
    "feed": ({"feed": "book"}, "UsageError", "comes with the exchanges"),
    "isolation": ({"isolation": "process"}, "UsageError", "fast_local"),
    "config": ({"config": "gone.ini"}, "UsageError", "gone.ini cannot be read"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    package = Path(__file__).parents[2] / "src/crypto_bot"
    (folder / "mine.py").write_text((package / "strategies/simple_ma.py").read_text())
    ini = (package / "config/default.ini").read_text()
    assert "cash = 25000" in ini
    (folder / "own.ini").write_text(ini.replace("cash = 25000", "cash = 7000"))
    # A configuration in the working folder is the command's business, not a script's.
    (folder / "config").mkdir()
    (folder / "config" / "config.ini").write_text(ini.replace("cash = 25000", "cash = 1"))
    return folder


@pytest.fixture(scope="module")
def found(place: Path) -> dict[str, Any]:
    wanted = {name: settings for name, (settings, _, _) in REFUSED.items()}
    answer: dict[str, Any] = json.loads(script(SCRIPT, place, json.dumps(wanted)))
    return answer


def same_decisions(*runs: dict[str, Any]) -> bool:
    return len({run["decisions_hash"] for run in runs}) == 1


def test_the_package_itself_weighs_nothing(found: dict[str, Any]) -> None:
    assert found["light"]


def test_candles_are_those_of_the_window(found: dict[str, Any]) -> None:
    assert found["hours"] == [20 * 24, "1h", "BTC/USDT"]


def test_symbols_and_candles_give_the_run_of_the_command(found: dict[str, Any], place: Path) -> None:
    words = "backtest --strategy simple_ma --symbol BTC/USDT --timeframe 1h --from 2023-06-01 --to 2023-06-20 --json"
    end = run_all([[*words.split(), "--set", "trading.cash=25000"]], place)[0]
    command = json.loads(end.out)
    plain, held = found["plain"], found["held"]
    assert list(plain) == list(command)
    assert same_decisions(command, plain, held, found["moments"])
    assert plain["data_hash"] == held["data_hash"] == command["data_hash"]
    assert plain["assumptions"] == command["assumptions"] and plain["final_equity"] == command["final_equity"]


def test_candles_before_the_start_are_warm_up(found: dict[str, Any]) -> None:
    assert found["alone"]["bars"] == found["warmed"]["bars"]
    assert found["alone"]["fills"] < found["warmed"]["fills"]


def test_settings_are_those_of_the_flags(found: dict[str, Any]) -> None:
    costs = found["costs"]
    assert (costs["initial_equity"], costs["bars"], costs["params"]["fast"]) == ("1234.5", 72, 5)
    assert costs["assumptions"] == {
        "fills": "pessimistic", "fill_at": "close", "limits": "off",
        "fee_maker_bps": 1.0, "fee_taker_bps": 2.5, "slippage_bps": 0.0, "seed": 1,
        "fee_asset": "quote", "detail_timeframe": None,
        "slippage_model": "fixed", "slippage_impact": 1.0, "max_volume_share": 0.0,
        "delisting_days": 3, "delisting_haircut": 0.3,
    }  # fmt: skip
    assert found["several"]["params"]["grid.num_grids"] == 9
    assert found["of_file"]["initial_equity"] == "7000"
    assert (found["of_file"]["assumptions"]["slippage_bps"], costs["assumptions"]["slippage_bps"]) == (50.0, 0.0)
    assert found["plain"]["initial_equity"] == "25000"


def test_frames_hold_what_the_files_hold(found: dict[str, Any]) -> None:
    plain = found["plain"]
    assert found["equity"] == [
        ["time", "equity"],
        plain["bars"],
        ["Datetime(time_unit='ns', time_zone='UTC')", "Float64"],
    ]
    assert found["last"] == ["2023-06-20 23:00:00+00:00", float(plain["final_equity"])]
    columns, kinds, types = found["trades"]
    assert {row["kind"]: row["count"] for row in kinds} == {"fill": plain["fills"], "round_trip": plain["round_trips"]}
    typed = dict(zip(columns, types, strict=True))
    assert (typed["price"], typed["order_id"], typed["side"]) == ("Float64", "Int64", "String")
    assert found["net"] == pytest.approx(plain["round_trips"] * float(plain["expectancy"]), rel=1e-6)


def test_a_notebook_sees_figures_and_a_chart(found: dict[str, Any]) -> None:
    shown = found["shown"]
    assert shown.count("<polyline") == 2 and "Final equity" in shown and len(shown) < 20_000
    assert "<script" not in shown and "http" not in shown
    assert found["printed"].startswith("simple_ma  BTC/USDT  1h\n")


def test_nothing_is_written_unless_asked_for(found: dict[str, Any]) -> None:
    assert set(found["left"]) == {"cache", "config", "mine.py", "own.ini"}
    assert found["report"][0] == "r.html" and found["report"][1] > 10_000


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_one_sentence(name: str, found: dict[str, Any]) -> None:
    kind, told = found["refused"][name]
    assert kind == REFUSED[name][1] and REFUSED[name][2] in told and "command line" not in told


def test_refuses_what_json_cannot_say(found: dict[str, Any]) -> None:
    refused = found["refused"]
    assert "save a class of your own in such a file" in refused["a class"][1]
    assert "give either symbols" in refused["mixed"][1] and "give either symbols" in refused["none"][1]
    assert "optimize" in refused["later"][1]
