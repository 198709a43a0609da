"""`token add`: make a token for a person or a program, and show it once."""

import argparse
import sys
import time

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import show
from crypto_bot.cli.tokens import HEADER, on_record, row_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the token's name, its role and how long it holds."""
    parser.add_argument("name", metavar="NAME", help="who will hold it, like grafana or phone")
    parser.add_argument("--role", default="read", help="read (default), trade or admin")
    parser.add_argument("--days", type=int, default=90, metavar="N", help="how long it holds (default 90, at most 366)")


def execute(args: argparse.Namespace) -> int:
    """Print the token; only its digest is kept, so that it cannot be shown again."""
    settings = settings_from(args)
    from crypto_bot.api.grants import TokenBook

    with on_record(settings, "token add", {"name": args.name, "role": args.role, "days": str(args.days)}):
        token, grant = TokenBook(settings.state_folder).add(args.name, args.role, args.days)
    document = {**dict(zip(HEADER, row_of(grant, time.time()), strict=True)), "token": token}
    if not args.json:
        sys.stderr.write(f"{grant.name} may {grant.role} until {document['expires']}; this is shown once:\n")
    show(args, document, [token])
    return 0
