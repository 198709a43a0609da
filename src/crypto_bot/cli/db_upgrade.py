"""`db upgrade`: bring the database to this program's schema, and its tables to the end of each journal."""

import argparse

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whether to begin anew, and whether to copy a server."""
    parser.add_argument(
        "--backed-up", action="store_true", help="a backup of the server is made already: do not call pg_dump"
    )
    parser.add_argument("--rebuild", action="store_true", help="make the tables of every run anew from its journal")


def execute(args: argparse.Namespace) -> int:
    """Copy, migrate, tell anew what lags behind; UsageError while a bot runs on the state folder."""
    settings = settings_from(args)
    from crypto_bot.persistence.comparing import journaled, lagging, rebuild
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.lock import StateLock

    url, copies = settings.database.url.get_secret_value(), None if args.backed_up else settings.state_folder
    with StateLock(settings.state_folder), Database.open(url, upgrade=True, copies=copies) as database:
        told = journaled(database) if args.rebuild else lagging(database)
        for run_id in told:
            rebuild(database, run_id)
        schema = database.revision()
        backup = None if database.backup is None else str(database.backup)
        place = str(database.path)
    lines = [f"{place} has schema {schema}"]
    if backup is not None:
        lines.append(f"as it was before: {backup}")
    if told:
        lines.append(f"told anew from the journal: {', '.join(told)}")
    show(args, {"database": place, "schema": schema, "backup": backup, "runs": told}, lines)
    return DONE
