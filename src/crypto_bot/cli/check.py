"""`check FILE.py`: compile a strategy, run it both ways, and look for what makes a backtest lie."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE, FAILED
from crypto_bot.cli.output import show
from crypto_bot.domain.errors import CryptoBotError, UsageError

if TYPE_CHECKING:
    from crypto_bot.backtesting.checking import Trial
    from crypto_bot.config.settings import Settings

_MOST_BARS = 3_000
_USUAL, _FINE = "1h", "5m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, and on what it is tried."""
    add = parser.add_argument
    add("file", metavar="FILE.py", type=Path, help="a strategy in the strategy language, or a plain class")
    add("--symbol", metavar="S", action="append", help="a pair to try it on; repeatable (default BTC/USDT)")
    add("--timeframe", metavar="TF", help="bars to try it on (default 1h, or 5m when it decides on shorter ones)")
    add("--param", metavar="K=V", action="append", default=[], help="a parameter; repeatable")


def execute(args: argparse.Namespace) -> int:
    """Try the file and say what was found; 1 when something is wrong with it."""
    settings = settings_from(args)
    if not args.file.is_file():
        raise UsageError(f"there is no file {args.file}; `strategies --new NAME` writes one to begin with")
    from crypto_bot.cli.progress import tell_of_compiling

    trial = _trial(args, settings)
    tell_of_compiling()
    from crypto_bot.backtesting.checking import check

    findings = list(check(trial))
    passed = all(finding.severity != "error" for finding in findings)
    bars = sum(len(each) for each in trial.candles)
    lines = [f"{each.severity}: {each.rule}: {each.where}: {each.detail}" for each in findings]
    verdict = "is fine" if passed else "is not fit to be run"
    lines.append(
        f"{args.file} {verdict}: tried on {bars} bars of {', '.join(_symbols(args))}, {trial.candles[0].timeframe}"
    )
    show(args, {"ok": passed, "findings": [asdict(each) for each in findings]}, lines)
    return DONE if passed else FAILED


def _symbols(args: argparse.Namespace) -> list[str]:
    return args.symbol or ["BTC/USDT"]


def _usual_timeframe(file: Path) -> str:
    """Return bars that the strategy's own can be made of."""
    from crypto_bot.domain.timeframe import timeframe_ns
    from crypto_bot.plain.opening import open_strategy

    with suppress(CryptoBotError):  # what is wrong with the file is found, and told, by the check
        own = open_strategy(str(file)).module.timeframe
        if own and timeframe_ns(own) % timeframe_ns(_USUAL):
            return _FINE
    return _USUAL


def _trial(args: argparse.Namespace, settings: Settings) -> Trial:
    """Return the file with the newest candles of the archive, and the settings' costs and limits."""
    from crypto_bot.backtesting.checking import Trial
    from crypto_bot.backtesting.choosing import simulation_of, texts_by_strategy
    from crypto_bot.data.archive import Archive

    archive, timeframe = Archive(settings.data.archive), args.timeframe or _usual_timeframe(args.file)
    found = [archive.load(each, timeframe, exchange=settings.exchange.name) for each in _symbols(args)]
    first_ns = max(int(each.times[-min(_MOST_BARS, len(each))]) for each in found)
    name = args.file.name.removesuffix(".py")
    params = texts_by_strategy(args.param, [name]).get(name, {})
    candles = tuple(each.between(first_ns) for each in found)
    return Trial(args.file, params, candles, simulation_of(settings))
