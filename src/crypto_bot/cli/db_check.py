"""`db check`: read the whole database, and compare its tables with the journal."""

import argparse
from dataclasses import asdict

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE, FAILED
from crypto_bot.cli.output import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the settings say where the database is."""


def execute(args: argparse.Namespace) -> int:
    """Say what differs; 0 when nothing does, else 1. DataError for a journal that is not as it was written."""
    settings = settings_from(args)
    from crypto_bot.persistence.comparing import check_runs
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.unit_of_work import UnitOfWork

    with Database.open(settings.database.url.get_secret_value(), readonly=True) as database:
        verdict = check_runs(database)
        with UnitOfWork(database) as work:
            deeds = work.audit.verify()
        document = {
            "ok": not verdict.differences,
            "database": str(database.path),
            "schema": database.revision(),
            "runs": verdict.runs,
            "rows": verdict.rows,
            "audit": deeds,
            "differences": [asdict(each) for each in verdict.differences],
        }
    lines = [f"{document['database']}: schema {document['schema']}, {verdict.runs} runs, {verdict.rows} journal rows"]
    lines += [f"run {each.run_id}, {each.table} {each.key}: {each.why}" for each in verdict.differences]
    if verdict.differences:
        lines.append("the journal is right; `db upgrade --rebuild` makes the tables anew from it")
    else:
        lines.append("the tables say what the journal says, and every digest fits")
    show(args, document, lines)
    return DONE if not verdict.differences else FAILED
