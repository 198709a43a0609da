"""Short runs over made candles, and a journal on paper: for tests of whatever drives, records and recovers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.choosing import choose, history_bars
from crypto_bot.backtesting.engine import simulate
from crypto_bot.backtesting.gaps import united_times
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, Slice
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import parse_time_ns
from crypto_bot.persistence.journal import Journal, Remembered, Snapshot
from crypto_bot.persistence.row import JournalRow, chain, genesis
from crypto_bot.runtime.brake import Brake
from crypto_bot.runtime.drive import drive
from crypto_bot.runtime.feed import Feed, RecordedFeed
from crypto_bot.runtime.plan import Plan, Prices
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running

RUN_ID = "20261120-233000-7f3a"
START = "2024-03-04"
GRID: Mapping[str, Given] = {"lower_price": 90, "upper_price": 110, "num_grids": 20, "total_investment": 5_000}
CROSS: Mapping[str, Given] = {"fast": 3, "slow": 8}


def walk(count: int, *, symbol: str = "COIN/USDT", timeframe: str = "1h", seed: int = 1, width: int = 120) -> Candles:
    """Return a random walk around 100.00, in cents, with a lot of a thousandth and no filters."""
    dice = np.random.default_rng(seed)
    bar_ns = timeframe_ns(timeframe)
    times = parse_time_ns(START) + np.arange(count, dtype=np.int64) * bar_ns
    path = 10_000 + np.cumsum(dice.integers(-width, width + 1, count + 1)).astype(np.int64)
    opened, close = path[:-1].copy(), path[1:].copy()
    high = np.maximum(opened, close) + dice.integers(0, width // 2, count)
    low = np.minimum(opened, close) - dice.integers(0, width // 2, count)
    volume = dice.integers(1, 10**9, count)
    instrument = Instrument(symbol, price_scale=100, quantity_scale=1_000_000, lot=1_000)
    return Candles(instrument, timeframe, times, opened, high, low, close, volume)


@dataclass
class PaperJournal:
    """A journal that is a list: what the real one promises, without a file."""

    run_id: str = RUN_ID
    path: Path = Path("paper")
    written: list[JournalRow] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    minds: list[Remembered] = field(default_factory=list)
    commits: int = 0

    @property
    def database(self) -> "PaperJournal":
        """What sentences name the file of."""
        return self

    def append(self, rows: Sequence[JournalRow]) -> str:
        """Write rows behind the last one."""
        self.commits += 1
        for row in rows:
            assert row.sequence == len(self.written)
            before = self.written[-1].digest if self.written else genesis(self.run_id)
            fields = (row.sequence, row.time_ns, row.kind, row.payload, row.outcome, row.decisions_hash)
            self.written.append(JournalRow(*fields, digest=chain(before, row)))
        return self.written[-1].digest

    def rows(self) -> Iterator[JournalRow]:
        """Yield every row."""
        return iter(list(self.written))

    def save_snapshot(
        self, sequence: int, blob: bytes, code_version: str, *, time_ns: int = 0, minds: Iterable[Remembered] = ()
    ) -> None:
        """Keep a snapshot, and what strategies remember."""
        self.minds = list(minds)
        self.snapshots.append(Snapshot(sequence, blob, code_version))

    def latest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot that stands on a row."""
        standing = [each for each in self.snapshots if each.sequence < len(self.written)]
        return standing[-1] if standing else None

    def cut(self, count: int) -> "PaperJournal":
        """Return a journal of the first rows, with the snapshots that stand on them."""
        kept = [each for each in self.snapshots if each.sequence < count]
        return PaperJournal(self.run_id, self.path, self.written[:count], kept)


def as_journal(paper: PaperJournal) -> Journal:
    """Hand a paper journal to code that asks for the real one."""
    return cast(Journal, paper)


@dataclass
class Setting:
    """A short run: strategies with their parameters, candles, assumptions, the bars before the start.

    `halted` tells for the number of a slice whether the flag file stands there while it comes.
    """

    strategies: Mapping[str, Mapping[str, Given]]
    candles: tuple[Candles, ...]
    simulation: Simulation = field(default_factory=Simulation)
    before: int = 0
    halted: Callable[[int], bool] = field(default=lambda _: False)

    @property
    def start_ns(self) -> int:
        """The open time of the first bar that counts."""
        return int(united_times(self.candles)[self.before])

    def chosen(self) -> tuple[Chosen, ...]:
        """Return the strategies with their parameters."""
        named = {name.rpartition("/")[2].removesuffix(".py"): params for name, params in self.strategies.items()}
        return choose(tuple(self.strategies), named, self.simulation.costs)

    def plan(self) -> Plan:
        """Return the run before it begins."""
        return Plan(
            mode="forward",
            strategies=tuple(self.strategies),
            params=tuple(each.values() for each in self.chosen()),
            instruments=tuple(each.instrument for each in self.candles),
            timeframe=self.candles[0].timeframe,
            simulation=self.simulation,
            prices=Prices("recorded"),
            begin_ns=self.start_ns,
            highest_prices=tuple(10**6 for _ in self.candles),
        )

    def history(self) -> tuple[Slice, ...]:
        """Return the bars before the start, as many as a backtest would take."""
        if not self.before:
            return ()
        run_ns = timeframe_ns(self.candles[0].timeframe)
        wanted = history_bars(self.chosen(), len(self.candles), run_ns, split=self.simulation.fills == "path")
        first_ns = self.start_ns - wanted * run_ns
        return tuple(RecordedFeed([each.between(first_ns, self.start_ns - 1) for each in self.candles], 0).slices())

    def feed(self, flag: Path) -> Feed:
        """Return the prices; the flag file comes and goes with them."""
        return FlaggedFeed(RecordedFeed([each.between(self.start_ns) for each in self.candles], 0), flag, self.halted)

    def backtest(self) -> Outcome:
        """Replay the same candles in the compiled loop."""
        return simulate(self.chosen(), self.candles, self.simulation, start_ns=self.start_ns)

    def run(self, journal: PaperJournal, folder: Path) -> Running:
        """Bring the run back from its journal and play it to its end."""
        flag = folder / "HALT"
        self.leave_flag(journal, flag)
        running = recover(as_journal(journal), self.plan(), self.history)
        assert asyncio.run(drive(running, self.feed(flag), Brake(flag)))
        return running

    def leave_flag(self, journal: PaperJournal, flag: Path) -> None:
        """Leave the flag file as the process left it that wrote these rows."""
        kinds = [row.kind for row in journal.written]
        number = kinds.count("SLICE")
        last = len(kinds) - 1 - kinds[::-1].index("SLICE") if number else 0
        seen = number if "COMMAND" in kinds[last:] else number - 1
        place_flag(flag, seen >= 0 and self.halted(seen))


@dataclass
class FlaggedFeed:
    """Recorded prices during which the flag file comes and goes."""

    inner: RecordedFeed
    flag: Path
    halted: Callable[[int], bool]

    async def after(self, time_ns: int | None) -> AsyncIterator[Slice]:
        """Yield the slices that open after a time; the flag file stands there, or not, before each of them."""
        for number, item in enumerate(self.inner.slices()):
            if time_ns is None or item.time_ns > time_ns:
                place_flag(self.flag, self.halted(number))
                yield item
                await asyncio.sleep(0)


def place_flag(flag: Path, present: bool) -> None:
    """Let a file be there, or not."""
    if present:
        flag.touch()
    else:
        flag.unlink(missing_ok=True)
