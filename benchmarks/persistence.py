"""How the journal holds at size: rows built in bulk, then a restart, a commit, a page and a check timed.

    python benchmarks/persistence.py [--rows 5000000] [--folder DIR]

5 million rows are about a year of one strategy on one-minute bars, and take about 1.5 GB on the disk.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from crypto_bot.domain.instrument import Instrument
from crypto_bot.persistence.comparing import lagging
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import Start, StrategyEntry, encode
from crypto_bot.persistence.projecting import Projector
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.runs import RunRecord, Runs
from crypto_bot.persistence.unit_of_work import UnitOfWork

RUN = "20261120-233000-7f3a"
MINUTE_NS = 60_000_000_000
BEGIN_NS = 1_700_000_040_000_000_000
ORDER_EVERY = 20
COMMITS = 2_000
ALLOWED_P99_MS = 25.0
PAGE = b"\0" * 4_096

Found = TypeVar("Found")


def rows(count: int, first: int = 0) -> Iterator[JournalRow]:
    """Yield rows as a run on one-minute bars writes them: slices, and now and then an order and its fill."""
    for sequence in range(first, count):
        time_ns, order = BEGIN_NS + sequence * MINUTE_NS, sequence // ORDER_EVERY + 1
        match sequence % ORDER_EVERY:
            case _ if sequence == 0:
                start = Start("forward", [StrategyEntry("grid")], [Instrument("BTC/USDT")], "1m", 10**12, "USDT")
                yield JournalRow(0, time_ns, "START", encode(start))
            case 1:
                told = f'{{"kind":"approved","strategy":"grid","symbol":"BTC/USDT","order_id":{order}'
                told += ',"side":"buy","type":"limit","price":"30000","quantity":"0.001"}'
                yield JournalRow(sequence, time_ns, "SIGNAL", '{"wishes":[]}', f'{{"decisions":[{told}]}}', "0" * 16)
            case 2:
                fill = f'{{"order":{order},"strategy":0,"instrument":0,"side":1,"price":3000000,"quantity":1000'
                fill += f',"fee":3000000,"fee_asset":"USDT","maker":true,"trade":{order},"time":{time_ns}}}'
                yield JournalRow(sequence, time_ns, "FILL", fill, '{"decisions":[{"kind":"fill"}]}', "0" * 16)
            case _:
                bar = f'{{"time":{time_ns},"bars":[[3000000,3000100,2999900,3000050,{sequence}]]}}'
                yield JournalRow(sequence, time_ns, "SLICE", bar, '{"equity":1000000000000,"halt":0}', "0" * 16)


def timed(what: str, work: Callable[[], Found]) -> Found:
    """Do it and print how long it took."""
    began = time.perf_counter()
    found = work()
    print(f"{what:52} {time.perf_counter() - began:9.3f} s", flush=True)
    return found


def fill(database: Database, count: int) -> None:
    """Append all rows, many to a commit."""
    made = rows(count)
    with Journal(database, RUN, Projector(database, RUN)) as journal:
        while batch := [row for _, row in zip(range(20_000), made, strict=False)]:
            journal.append(batch)


def commits(database: Database, count: int, beside: Path) -> float:
    """Append one row to a commit, as the order path does, and in turn a page to a bare file; return the p99 in ms."""
    took, bare = [], []
    with Journal(database, RUN, Projector(database, RUN)) as journal, beside.open("wb", buffering=0) as file:
        for row in rows(count + COMMITS, first=count):
            began = time.perf_counter()
            journal.append([row])
            took.append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            file.write(PAGE)
            os.fsync(file.fileno())
            bare.append((time.perf_counter() - began) * 1e3)
    for what, times in (("a durable commit, journal and tables", took), ("a page and fsync alone, in turn", bare)):
        times.sort()
        print(f"{what:52} p50 {times[len(times) // 2]:.2f} ms, p99 {times[-len(times) // 100]:.2f} ms")
    return took[-len(took) // 100]


def main() -> int:
    """Build, measure, and say whether the order path's commit is fast enough at that size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path, help="where to build (default: a temporary folder)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="journal-", dir=options.folder))
    try:
        path = folder / "trading.db"
        with closing(Database.open(path)) as database:
            Runs(database).start(RunRecord(RUN, "run", "forward", "running", 1))
            timed(f"{options.rows:,} rows built", lambda: fill(database, options.rows))
        print(f"{'on the disk':52} {path.stat().st_size / 1e6:9.0f} MB")
        with closing(timed("opened again", lambda: Database.open(path))) as database:
            p99_ms = timed(
                f"{COMMITS:,} commits after the restart", lambda: commits(database, options.rows, folder / "bare")
            )
            timed("the newest 500 rows", lambda: Journal(database, RUN).read(options.rows - 500, 500))
            with UnitOfWork(database) as work:
                timed("the newest page of trades", lambda: work.trades.page(RUN))
                timed("every live order", lambda: work.orders.live(RUN))
            timed("every digest of the chain", Journal(database, RUN).verify)
            assert lagging(database) == []
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"order path: {'within' if p99_ms < ALLOWED_P99_MS else 'ABOVE'} {ALLOWED_P99_MS:g} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
