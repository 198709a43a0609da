"""`data import`: candles from files into the archive, all of them or none."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import show
from crypto_bot.domain.errors import CryptoBotError
from crypto_bot.domain.units import format_time

if TYPE_CHECKING:
    from crypto_bot.config.settings import Settings
    from crypto_bot.data.archive import Archive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the files and what their names may not tell."""
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="CSV, zip, Parquet, freqtrade feather or JSON"
    )
    parser.add_argument("--symbol", metavar="S", help="pair, like BTC/USDT (default: from the file's name)")
    parser.add_argument("--timeframe", metavar="TF", help="length of a bar, like 5m (default: from the file's name)")
    parser.add_argument("--exchange", metavar="NAME", help="where the candles are from (default: [exchange] name)")


def execute(args: argparse.Namespace) -> int:
    """Import the files and say what was repaired and what is missing."""
    settings = settings_from(args)
    from crypto_bot.data.archive import Archive
    from crypto_bot.data.importing import import_files

    archive = Archive(settings.data.archive)
    reports = import_files(
        args.files,
        archive=archive,
        symbol=args.symbol,
        timeframe=args.timeframe,
        exchange=args.exchange or settings.exchange.name,
    )
    cached = {(each.exchange, each.symbol, each.timeframe) for each in reports}
    trouble = _cache(settings, archive, cached)
    told = [
        {
            "file": each.file,
            "exchange": each.exchange,
            "symbol": each.symbol,
            "timeframe": each.timeframe,
            "rows": each.rows,
            "added": each.added,
            "known": each.known,
            "duplicates": each.duplicates,
            "out_of_order": each.out_of_order,
            "gaps": [
                {"first": format_time(gap.first_ns), "last": format_time(gap.last_ns), "bars": gap.bars}
                for gap in each.gaps
            ],
            "first": format_time(each.first_ns),
            "last": format_time(each.last_ns),
            "notes": list(each.notes),
        }
        for each in reports
    ]
    lines = []
    for each in reports:
        span = f"{format_time(each.first_ns)} to {format_time(each.last_ns)}"
        known = f", {each.known} were there already" if each.known else ""
        bars = f"{each.added} {'bar' if each.added == 1 else 'bars'}"
        lines.append(f"{each.file}: {bars} of {each.symbol} {each.timeframe} added{known}; {span}")
        lines += [f"  {note}" for note in each.notes]
    if trouble:
        sys.stderr.write(f"note: the archive has the candles, the page's table has them not: {trouble}\n")
    show(args, {"files": told}, lines)
    return 0


def _cache(settings: "Settings", archive: "Archive", series: set[tuple[str, str, str]]) -> str:
    """Put the newest bars of each series into the database, for the page; return what kept them out."""
    from crypto_bot.persistence.caching import cache_newest
    from crypto_bot.persistence.database import Database

    try:
        with Database.open(settings.database.url.get_secret_value()) as database:
            for exchange, symbol, timeframe in sorted(series):
                cache_newest(database, archive.load(symbol, timeframe, exchange=exchange))
    except CryptoBotError as error:
        return str(error)
    return ""
