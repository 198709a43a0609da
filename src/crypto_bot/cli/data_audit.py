"""`data audit`: a stored series or a file looked over, without changing anything."""

import argparse
from pathlib import Path

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import columns, show
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import format_time

_GAPS_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which series, or which file."""
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a file that is not imported yet")
    parser.add_argument("--symbol", metavar="S", help="pair, like BTC/USDT (default: [trading] symbols)")
    parser.add_argument("--timeframe", metavar="TF", help="length of a bar, like 5m (default: [trading] timeframe)")
    parser.add_argument("--exchange", metavar="NAME", help="where the candles are from (default: [exchange] name)")


def execute(args: argparse.Namespace) -> int:
    """Print what was found; 1 when rows are impossible, repeated or out of order. Gaps are told, and allowed."""
    settings = settings_from(args)
    from crypto_bot.data.archive import Archive
    from crypto_bot.data.audit import audit, audit_file

    if args.file is not None:
        report = audit_file(args.file, timeframe=args.timeframe)
    else:
        symbol = args.symbol or _only(settings.trading.symbols)
        timeframe = args.timeframe or settings.trading.timeframe
        exchange = args.exchange or settings.exchange.name
        report = audit(Archive(settings.data.archive), symbol, timeframe, exchange=exchange)
    found = report.as_json()
    rows = [
        ("rows", f"{report.rows}"),
        ("first", found["first"] or "-"),
        ("last", found["last"] or "-"),
        ("duplicates", f"{report.duplicates}"),
        ("out of order", f"{report.out_of_order}"),
        ("impossible", f"{report.bad_ohlc}"),
        ("gaps", f"{len(report.gaps)}, {sum(gap.bars for gap in report.gaps)} bars are missing"),
    ]
    gaps = [f"  {format_time(gap.first_ns)} to {format_time(gap.last_ns)}: {gap.bars}" for gap in report.gaps]
    more = [f"  and {len(gaps) - _GAPS_SHOWN} more; --json lists all"] if len(gaps) > _GAPS_SHOWN else []
    show(args, found, [*columns(rows), *gaps[:_GAPS_SHOWN], *more])
    return 0 if report.sound else 1


def _only(symbols: tuple[str, ...]) -> str:
    if len(symbols) > 1:
        raise UsageError(f"[trading] symbols names {', '.join(symbols)}; say with --symbol which one to audit")
    return symbols[0]
