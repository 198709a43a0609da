"""`replay RUN`: run a recorded session again from its journal and compare every decision."""

import argparse
from dataclasses import asdict

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE, FAILED
from crypto_bot.cli.output import show
from crypto_bot.domain.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own flags."""
    parser.add_argument("run", metavar="RUN", help="a run id, or last")


def execute(args: argparse.Namespace) -> int:
    """Compare a run with its journal; 0 when every decision is the recorded one, else 1."""
    settings = settings_from(args)
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.journal import Journal
    from crypto_bot.persistence.runs import Runs
    from crypto_bot.runtime.compare import compare

    with Database.open(settings.database.url.get_secret_value(), readonly=True) as database:
        runs = Runs(database)
        record = runs.latest("run") if args.run == "last" else runs.get(args.run)
        if record is None:
            raise UsageError(f"no run has been recorded in {database.path} yet; start one with the command run")
        found = compare(Journal(database, record.run_id))
    difference = found.first_difference
    document = {
        "run_id": found.run_id,
        "events": found.events,
        "decisions": found.decisions,
        "unfinished": found.unfinished,
        "identical": found.identical,
        "first_difference": None if difference is None else asdict(difference),
        "decisions_hash_recorded": found.hash_recorded,
        "decisions_hash_replayed": found.hash_replayed,
    }
    lines = [f"run {found.run_id}: {found.events} events, {found.decisions} decisions"]
    if found.unfinished:
        lines.append(f"the last {found.unfinished} belong to a bar that was cut off, and are not compared")
    if difference is None:
        lines.append(f"identical, decisions {found.hash_replayed}")
    else:
        lines.append(f"row {difference.sequence} ({difference.kind}, {difference.time}): {difference.why}")
    show(args, document, lines)
    return DONE if found.identical else FAILED
