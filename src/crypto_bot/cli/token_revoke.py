"""`token revoke`: end a token before its time; a running bot stops taking it at once."""

import argparse
import time

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import show
from crypto_bot.cli.tokens import HEADER, on_record, row_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the token's name."""
    parser.add_argument("name", metavar="NAME", help="the token's name, as `token list` shows it")


def execute(args: argparse.Namespace) -> int:
    """End it; the line in the audit log comes after, so that a database in trouble keeps no door open."""
    settings = settings_from(args)
    from crypto_bot.api.grants import TokenBook

    grant = TokenBook(settings.state_folder).revoke(args.name)
    with on_record(settings, "token revoke", {"name": args.name}):
        row = row_of(grant, time.time())
    show(args, dict(zip(HEADER, row, strict=True)), [f"{grant.name} opens nothing any more"])
    return 0
