"""`halt`: let the running bot open nothing more."""

import argparse

from crypto_bot.cli.orders import add_reason, order, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add why."""
    add_reason(parser)


def execute(args: argparse.Namespace) -> int:
    """Halt it; orders that open are taken back, what guards positions stays."""
    from crypto_bot.persistence.payloads import CommandEvent

    return tell(args, order(args, CommandEvent("halt", args.reason)), "halted, nothing is opened")
