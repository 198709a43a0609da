"""`flatten`: let the running bot halt, take every order back and sell everything at market."""

import argparse

from crypto_bot.cli.orders import add_reason, order, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add why."""
    add_reason(parser)


def execute(args: argparse.Namespace) -> int:
    """Close everything; the bot stays halted until `resume`."""
    from crypto_bot.persistence.payloads import CommandEvent

    return tell(args, order(args, CommandEvent("flatten", args.reason)), "halted, and everything is sold at market")
