"""`why ORDER`: the story of an order; `why --not SYMBOL`: why there was no trade."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import show
from crypto_bot.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto_bot.config.settings import Settings
    from crypto_bot.persistence.row import JournalRow
    from crypto_bot.persistence.run_record import RunRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked about, and of which run."""
    add = parser.add_argument
    add("order", metavar="ORDER", nargs="?", type=_number, help="the number of an order")
    add("--not", dest="symbol", metavar="SYMBOL", help="why a symbol was not traded")
    add("--run", metavar="RUN", default="last", help="a run or a backtest by its id (default: last)")


def _number(text: str) -> int:
    """Read the number of an order; argparse tells what is wrong with it."""
    try:
        return int(text)
    except ValueError:
        text = f"{text!r} is not the number of an order; give one as in why 3, or why --not SYMBOL"
        raise argparse.ArgumentTypeError(text) from None


def execute(args: argparse.Namespace) -> int:
    """Tell it."""
    if (args.order is None) == (args.symbol is None):
        raise UsageError("why needs the number of an order, or --not and a symbol; give one of the two")
    settings = settings_from(args)
    record, rows = _rows(args.run, settings)
    if args.order is not None:
        return _tell_order(args, record, rows)
    return _tell_silence(args, record, rows)


def _rows(run: str, settings: Settings) -> tuple[RunRecord, Sequence[JournalRow]]:
    from crypto_bot.data.archive import Archive
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.runs import Runs
    from crypto_bot.runtime.retelling import rows_of

    with Database.open(settings.database.url.get_secret_value(), readonly=True) as database:
        runs = Runs(database)
        record = runs.latest() if run == "last" else runs.get(run)
        if record is None:
            raise UsageError(f"nothing has been run in {database.path} yet; start with the command backtest or run")
        return record, rows_of(database, record, Archive(settings.data.archive))


def _tell_order(args: argparse.Namespace, record: RunRecord, rows: Sequence[JournalRow]) -> int:
    from crypto_bot.runtime.story import tell
    from crypto_bot.runtime.telling import story_json

    story = tell(rows, args.order)
    if story is None:
        raise UsageError(f"{record.kind} {record.run_id} has no order {args.order}; --run RUN asks another one")
    document = story_json(story, record.run_id, record.kind)
    head = f"order {args.order} of {record.kind} {record.run_id}: {story.strategy} on {story.instrument.symbol}"
    show(args, document, [head, *document["story"]])
    return DONE


def _tell_silence(args: argparse.Namespace, record: RunRecord, rows: Sequence[JournalRow]) -> int:
    from crypto_bot.persistence.payloads import Start, decode_payload
    from crypto_bot.runtime.silence import silences
    from crypto_bot.runtime.telling import silence_json

    found = silences(rows, args.symbol)
    if not found:
        traded = ", ".join(each.symbol for each in decode_payload(rows[0], Start).instruments)
        raise UsageError(f"{record.kind} {record.run_id} does not trade {args.symbol}; it trades {traded}")
    document = {
        "run_id": record.run_id,
        "kind": record.kind,
        "symbol": found[0].instrument.symbol,
        "strategies": [silence_json(each) for each in found],
    }
    show(args, document, [each.sentence for each in found])
    return DONE
