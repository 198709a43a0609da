"""`db export`: tables as CSV, JSON or Parquet files."""

import argparse
from pathlib import Path

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import columns, show

_FORMS = ("csv", "json", "parquet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which tables, how and where to."""
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("export"), help="folder (default: export)")
    parser.add_argument("--format", choices=_FORMS, default="csv", help="kind of file (default: csv)")
    parser.add_argument("--table", metavar="NAME", action="append", default=[], help="repeatable (default: all)")


def execute(args: argparse.Namespace) -> int:
    """Write the files and say how many rows each has."""
    settings = settings_from(args)
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.exporting import export

    with Database.open(settings.database.url.get_secret_value(), readonly=True) as database:
        done = export(database, args.out, args.format, args.table)
    document = {"files": [{"table": each.table, "path": str(each.path), "rows": each.rows} for each in done]}
    show(args, document, columns([(str(each.path), f"{each.rows} rows") for each in done]))
    return DONE
