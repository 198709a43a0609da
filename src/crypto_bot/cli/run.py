"""`run`: trade until the prices end or a signal comes."""

import argparse

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import show
from crypto_bot.domain.errors import UsageError

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
    parser.add_argument("--symbol", metavar="S", action="append", help="a pair like BTC/USDT; repeatable")
    parser.add_argument("--strategy", metavar="N", action="append", help="a strategy's name or FILE.py; repeatable")
    parser.add_argument("--timeframe", metavar="TF", help="length of a bar: 5m, 4h, 1d")
    parser.add_argument("--from", dest="start", metavar="TIME", help="first recorded bar to play (UTC)")
    parser.add_argument("--to", dest="end", metavar="TIME", help="last recorded bar to play (UTC)")
    parser.add_argument("--cash", metavar="AMOUNT", help="money to begin with")
    parser.add_argument("--param", metavar="K=V", action="append", default=[], help="a parameter; repeatable")
    parser.add_argument("--mode", metavar="M", help="forward or live")
    parser.add_argument("--dry-run", action="store_true", help="synthetic prices, simulated fills, no keys, no network")
    parser.add_argument("--interactive", action="store_true", help="choose the strategies by number first")
    parser.add_argument("--confirm-live", metavar="ACCOUNT", help="needed for real orders")
    parser.add_argument("--speed", metavar="X", help="times faster than real time; 0 does not wait")
    parser.add_argument("--duration", metavar="SECONDS", type=float, help="stop after so many seconds")
    parser.add_argument("--api-port", metavar="P", help="port of API and dashboard; 0 picks a free one")
    parser.add_argument("--no-api", action="store_true", help="no API, no dashboard")


def execute(args: argparse.Namespace) -> int:
    """Run the bot; 0 when the prices ended or a signal stopped it."""
    if args.interactive and not _choose(args):
        return DONE
    overrides = {key: str(getattr(args, flag)) for flag, key in _FLAGS.items() if getattr(args, flag) is not None}
    if args.symbol:
        overrides["trading.symbols"] = ",".join(args.symbol)
    if args.strategy:
        overrides["trading.strategies"] = ",".join(args.strategy)
    if args.dry_run:
        overrides["trading.dry_run"] = "true"
    if args.no_api:
        overrides["api.enabled"] = "false"
    settings = settings_from(args, overrides)
    from crypto_bot.bot import RunRequest, TradingBot

    request = RunRequest(parameters(args.param, settings.trading.strategies), args.duration, quiet=args.json)
    result = TradingBot(settings, request).run()
    state = "the prices are used up" if result.ended else "stopped"
    lines = [
        f"run {result.run_id}: {state} after {result.bars} bars and {result.fills} fills",
        f"final equity {result.final_equity}   decisions {result.decisions_hash}",
    ]
    show(args, result.document(), lines)
    return DONE


def parameters(given: list[str], strategies: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return --param K=V by strategy; with several strategies it is NAME.K=V. UsageError when it is neither."""
    found: dict[str, dict[str, str]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--param {text!r} gives no value; write it as --param name=value")
        owner, dot, key = name.strip().partition(".")
        if dot:
            found.setdefault(owner, {})[key] = value.strip()
        elif len(strategies) == 1:
            found.setdefault(_stem(strategies[0]), {})[owner] = value.strip()
        else:
            raise UsageError(f"--param {text!r} could be meant for several strategies; write it as NAME.{text}")
    return found


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".py")


def _choose(args: argparse.Namespace) -> bool:
    """Ask for strategies by number; False when nobody is there to answer."""
    from crypto_bot.cli.start import Choice, choose
    from crypto_bot.strategies.catalogue import describe

    choices = tuple(Choice(each.name, each.summary) for each in describe())
    chosen = choose(choices, args.strategy or settings_from(args).trading.strategies)
    if chosen is None:
        print("\nnothing was started")
        return False
    args.strategy = list(chosen)
    return True
