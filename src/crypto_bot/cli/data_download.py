"""`data download`: candles from the exchange, which this version does not reach."""

import argparse

from crypto_bot.domain.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to fetch."""
    parser.add_argument("--symbol", metavar="S", action="append", help="pair, like BTC/USDT; repeatable")
    parser.add_argument("--timeframe", metavar="TF", help="length of a bar, like 5m")
    parser.add_argument("--from", dest="start", metavar="TIME", help="first bar, a UTC date or time")
    parser.add_argument("--to", dest="end", metavar="TIME", help="last bar, a UTC date or time")


def execute(args: argparse.Namespace) -> int:
    """Refuse: there is no exchange to ask."""
    raise UsageError("this version has no exchange connection yet; use `data import FILE...`")
