"""`backtest`: replay candles of the archive through the kernel, and say what came of it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import show
from crypto_bot.domain.errors import RunFailed, UsageError

if TYPE_CHECKING:
    from crypto_bot.backtesting.bracket import Bracket
    from crypto_bot.backtesting.metrics import Metrics
    from crypto_bot.backtesting.outcome import RunLabel
    from crypto_bot.backtesting.request import Finished, Request
    from crypto_bot.backtesting.summary import Summary
    from crypto_bot.config.settings import Settings

_FILES = ("report", "trades", "equity")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to replay, at what costs, and what to write."""
    add = parser.add_argument
    add("--strategy", metavar="N", action="append", help="a strategy's name or FILE.py; repeatable")
    add("--symbol", metavar="S", action="append", help="a pair like BTC/USDT; repeatable")
    add("--timeframe", metavar="TF", help="length of a bar, like 5m")
    add("--exchange", metavar="NAME", help="where the candles are from")
    add("--from", dest="start", metavar="TIME", help="open of the first bar, a UTC date or time")
    add("--to", dest="end", metavar="TIME", help="open of the last bar, a UTC date or time; a date is its whole day")
    add("--days-back", metavar="N", help="so many days, counted back from the last bar")
    add("--cash", metavar="AMOUNT", help="money to begin with")
    add("--param", metavar="K=V", action="append", default=[], help="a parameter, or NAME.K=V; repeatable")
    add("--fee-maker-bps", metavar="X", help="fee of resting orders in basis points")
    add("--fee-taker-bps", metavar="X", help="fee of orders that take")
    add("--slippage-bps", metavar="X", help="worse price of orders that take")
    add("--slippage-model", metavar="HOW", help="what an order does to its price: fixed, volume_share or square_root")
    add("--slippage-impact", metavar="X", help="so many times the usual impact")
    add("--max-volume-share", metavar="X", help="the share of a bar's volume that orders may fill; 0 is all of it")
    add("--fills", metavar="HOW", help="when a resting order fills: pessimistic, path, touch, ohlc, olhc or adaptive")
    add("--fill-at", metavar="WHEN", help="price of market orders: next_open or close")
    add("--detail-timeframe", metavar="TF", help="finer bars on which orders live")
    add("--feed", choices=("candles", "trades", "book"), help="what is replayed")
    add("--limits", metavar="HOW", help="risk limits: config or off")
    add("--isolation", choices=("fast_local", "process"), help="where strategies run")
    add("--offline", action="store_true", help="download nothing; this version never does")
    add("--bracket", action="store_true", help="repeat under every way of filling and tell the range")
    add("--report", metavar="FILE", type=Path, help="write the HTML report")
    add("--trades", metavar="FILE", type=Path, help="write fills and round trips as CSV")
    add("--equity", metavar="FILE", type=Path, help="write the equity of every bar as CSV")


def execute(args: argparse.Namespace) -> int:
    """Replay, write what is asked for, remember the run, and print its figures."""
    for name in _FILES:
        _refuse_place(name, getattr(args, name))
    from crypto_bot.backtesting.request import SETTING_OF

    overrides = {key: str(given) for flag, key in SETTING_OF.items() if (given := getattr(args, flag)) is not None}
    overrides |= {"trading.strategies": ",".join(args.strategy)} if args.strategy else {}
    overrides |= {"trading.symbols": ",".join(args.symbol), "trading.universe": ""} if args.symbol else {}
    settings = settings_from(args, overrides)
    request = _request(args, settings)
    started_ns = time.time_ns()
    finished = _carry_out(request)

    from crypto_bot.backtesting.metrics import measure
    from crypto_bot.backtesting.summary import summarise
    from crypto_bot.backtesting.terminal import terminal_summary
    from crypto_bot.persistence.run_record import new_run_id

    metrics = measure(finished.outcome)
    run_id = new_run_id(datetime.fromtimestamp(started_ns / 1e9, UTC), os.urandom(2))
    label = finished.label(run_id)
    bracket = _bracket(finished) if args.bracket else None
    summary = summarise(finished.outcome, metrics, label, bracket)
    _write(args, finished, (metrics, label, bracket))
    try:
        _remember(settings, finished, summary, started_ns)
    finally:  # a full disk is no reason to keep back what was found
        lines = [] if args.json else terminal_summary(finished.outcome, metrics, label, bracket).splitlines()
        show(args, summary, lines)
    if finished.outcome.faults:
        raise RunFailed("; ".join(finished.outcome.faults))
    return DONE


def _request(args: argparse.Namespace, settings: Settings) -> Request:
    """Return the backtest that flags and settings ask for."""
    from crypto_bot.backtesting.choosing import texts_by_strategy
    from crypto_bot.backtesting.loading import Window
    from crypto_bot.backtesting.request import Request, refuse_promised
    from crypto_bot.data.archive import Archive

    refuse_promised(feed=args.feed, isolation=args.isolation, settings=settings)
    if args.start and args.days_back:
        raise UsageError("--from and --days-back both say where the window begins; give one of them")
    return Request.of(
        settings,
        Archive(settings.data.archive),
        Window.of(args.start, args.end, settings.backtest.days_back),
        params=texts_by_strategy(args.param, settings.trading.strategies),
        detail_timeframe=args.detail_timeframe,
    )


def _carry_out(request: Request) -> Finished:
    from crypto_bot.backtesting.request import carry_out
    from crypto_bot.cli.progress import Watch, tell_of_compiling

    watched = sys.stderr.isatty()
    with Watch() as watch:
        return carry_out(request, before_compiling=tell_of_compiling, progress=watch if watched else None)


def _refuse_place(flag: str, path: Path | None) -> None:
    """Refuse a file that cannot be written before the work for it is done."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        wrong = "is a folder" if path.is_dir() else f"lies in {path.parent}, which is no folder"
        raise UsageError(f"--{flag} {path} {wrong}; name a file in a folder that exists")


def _bracket(finished: Finished) -> Bracket:
    from crypto_bot.backtesting.bracket import bracket_of

    return bracket_of(finished)


def _write(args: argparse.Namespace, finished: Finished, found: tuple[Metrics, RunLabel, Bracket | None]) -> None:
    """Write the files that were asked for."""
    metrics, label, bracket = found
    if args.report is not None:
        from crypto_bot.backtesting.report import write_report

        write_report(finished.outcome, metrics, label, args.report, bracket=bracket)
    if args.trades is not None:
        from crypto_bot.backtesting.tables import write_trades

        write_trades(finished.outcome, metrics, args.trades)
    if args.equity is not None:
        from crypto_bot.backtesting.tables import write_equity

        write_equity(finished.outcome, args.equity)


def _remember(settings: Settings, finished: Finished, summary: Summary, started_ns: int) -> None:
    """Add the run to the table of runs."""
    import json

    import msgspec

    from crypto_bot.persistence.run_record import RunRecord, record_backtest

    record = RunRecord(
        summary["run_id"],
        kind="backtest",
        mode="backtest",
        state="finished",
        started_ns=started_ns,
        ended_ns=time.time_ns(),
        manifest=msgspec.json.encode(finished.manifest()).decode(),
        summary=json.dumps(summary, allow_nan=False),
    )
    record_backtest(settings.database.url.get_secret_value(), record)
