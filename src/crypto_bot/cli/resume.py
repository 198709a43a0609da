"""`resume`: let the running bot trade again after a halt by hand."""

import argparse

from crypto_bot.cli.orders import add_reason, order, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add why."""
    add_reason(parser)


def execute(args: argparse.Namespace) -> int:
    """Resume it; what a limit has halted is reset at the API, with a reason."""
    from crypto_bot.persistence.payloads import CommandEvent

    return tell(args, order(args, CommandEvent("resume", args.reason)), "trading goes on")
