"""`run`: trade until the prices end or a signal comes."""

import argparse

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import show
from crypto_bot.cli.progress import tell_of_compiling
from crypto_bot.domain.errors import RunFailed, UsageError

_FLAGS = {
    "timeframe": "trading.timeframe",
    "start": "data.start",
    "end": "data.end",
    "cash": "trading.cash",
    "mode": "general.mode",
    "speed": "data.speed",
    "api_port": "api.port",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own flags."""
    add = parser.add_argument
    add("--symbol", metavar="S", action="append", help="a pair like BTC/USDT; repeatable")
    add("--strategy", metavar="N", action="append", help="a strategy's name or FILE.py; repeatable")
    add("--timeframe", metavar="TF", help="length of a bar: 5m, 4h, 1d")
    add("--from", dest="start", metavar="TIME", help="first recorded bar to play (UTC)")
    add("--to", dest="end", metavar="TIME", help="last recorded bar to play (UTC); a date is its whole day")
    add("--cash", metavar="AMOUNT", help="money to begin with")
    add("--param", metavar="K=V", action="append", default=[], help="a parameter, or NAME.K=V; repeatable")
    add("--mode", metavar="M", help="forward or live")
    add("--dry-run", action="store_true", help="synthetic prices, simulated fills, no keys, no network")
    add("--interactive", action="store_true", help="choose the strategies by number first")
    add("--confirm-live", metavar="ACCOUNT", help="needed for real orders")
    add("--speed", metavar="X", help="times faster than real time; 0 does not wait")
    add("--duration", metavar="SECONDS", type=_seconds, help="stop after so many seconds")
    add("--api-port", metavar="P", help="port of API and dashboard; 0 picks a free one")
    add("--no-api", action="store_true", help="no API, no dashboard")


def execute(args: argparse.Namespace) -> int:
    """Run the bot; 0 when the prices ended, the time was up or a signal stopped it.

    Raises RunFailed when the prices ended and a strategy had been switched off on the way.
    """
    if args.interactive and not _choose(args):
        return DONE
    overrides = {key: str(given) for flag, key in _FLAGS.items() if (given := getattr(args, flag)) is not None}
    overrides |= {"trading.strategies": ",".join(args.strategy)} if args.strategy else {}
    overrides |= {"trading.symbols": ",".join(args.symbol), "trading.universe": ""} if args.symbol else {}
    overrides |= {"trading.dry_run": "true"} if args.dry_run else {}
    overrides |= {"api.enabled": "false"} if args.no_api else {}
    settings = settings_from(args, overrides)
    from crypto_bot.backtesting.choosing import texts_by_strategy
    from crypto_bot.bot import RunRequest, TradingBot
    from crypto_bot.config.privacy import keep_private

    keep_private()
    params = texts_by_strategy(args.param, settings.trading.strategies)
    request = RunRequest(params, args.duration, quiet=args.json, before_compiling=tell_of_compiling)
    result = TradingBot(settings, request).run()
    state = "the prices are used up" if result.ended else "stopped"
    lines = [
        f"run {result.run_id}: {state} after {result.bars} bars and {result.fills} fills",
        f"final equity {result.final_equity}   decisions {result.decisions_hash}",
    ]
    show(args, result.document(), lines)
    if result.faults and result.ended:
        raise RunFailed("; ".join(result.faults))
    return DONE


def _seconds(text: str) -> float:
    """Read a length of time; argparse tells what is wrong with it."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a length of time; give a number of seconds above 0")
    return seconds


def _choose(args: argparse.Namespace) -> bool:
    """Ask for strategies by number; False when nobody is there to answer."""
    from crypto_bot.cli.start import Choice, choose
    from crypto_bot.strategies.catalogue import describe

    if args.json:
        raise UsageError("--interactive asks on the terminal, and --json keeps it for one object; take one of the two")
    choices = tuple(Choice(each.name, each.summary) for each in describe())
    chosen = choose(choices, args.strategy or settings_from(args).trading.strategies)
    if chosen is None:
        print("\nnothing was started")
        return False
    args.strategy = list(chosen)
    return True
