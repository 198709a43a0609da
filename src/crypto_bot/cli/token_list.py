"""`token list`: which tokens were made, what they may do, and which still hold."""

import argparse
import time

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import columns, show
from crypto_bot.cli.tokens import HEADER, row_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the state folder is a common flag."""


def execute(args: argparse.Namespace) -> int:
    """Print one line for every token; the tokens themselves are nowhere."""
    settings = settings_from(args)
    from crypto_bot.api.grants import TokenBook

    rows = [row_of(grant, time.time()) for grant in TokenBook(settings.state_folder).grants()]
    document = {"tokens": [dict(zip(HEADER, row, strict=True)) for row in rows]}
    show(args, document, columns([HEADER, *rows]))
    return 0
