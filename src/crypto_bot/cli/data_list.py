"""`data list`: the series of the archive and those that come with the program."""

import argparse

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import columns, show
from crypto_bot.domain.units import format_time

_HEADER = ("exchange", "symbol", "timeframe", "first", "last", "rows", "source")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the archive's folder is a common flag."""


def execute(args: argparse.Namespace) -> int:
    """Print one line for every series; the synthetic ones, many and alike, share one."""
    settings = settings_from(args)
    from crypto_bot.data.archive import Archive

    rows = [
        (
            each.exchange,
            each.symbol,
            each.timeframe,
            format_time(each.first_ns),
            format_time(each.last_ns),
            str(each.rows),
            each.source,
        )
        for each in Archive(settings.data.archive).series()
    ]
    document = {"series": [{**dict(zip(_HEADER, row, strict=True)), "rows": int(row[5])} for row in rows]}
    stored = [row for row in rows if row[-1] != "synthetic"]
    made_up = [row[1] for row in rows if row[-1] == "synthetic"]
    more = [f"and synthetic candles of {made_up[0]} to {made_up[-1]}; --json lists all"] if made_up else []
    show(args, document, [*columns([_HEADER, *stored]), *more])
    return 0
