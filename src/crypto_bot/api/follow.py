"""Keep a replica up to date with the journal of the newest run, without ever writing to it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from crypto_bot.api.frames import Frame, Tail
from crypto_bot.api.replica import Replica
from crypto_bot.domain.errors import CryptoBotError, DataError
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.lock import is_held
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.runs import RunRecord, Runs
from crypto_bot.persistence.sqlite_file import translated, wal_path
from crypto_bot.persistence.unit_of_work import Repositories, UnitOfWork

Found = TypeVar("Found")

POLL_S = 0.1
QUIET_POLL_S = 0.5
"""How often the database is read when its files have not changed for so long."""
LOOK_S = 0.01
"""How often the files are looked at between two polls: a commit changes their size or their time."""
RETRY_S = 1.0
CATCH_UP_S = 10.0
_BATCH = 500


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one look at the database brought."""

    run: RunRecord | None
    rows: list[JournalRow]
    written_s: float


class Follower:
    """Reads the database in a worker thread and applies rows in the event loop, so that readers see whole rows.

    `problem` is the sentence of what keeps it from reading, None when nothing does.
    """

    def __init__(
        self, database: Path | str, state_folder: Path | None = None, *, wall: Callable[[], float] = time.time
    ):
        """Name the file, or the server's URL, to follow, and the folder whose lock tells whether the engine lives.

        Nothing is opened yet.
        """
        self.path = database
        self.state_folder = state_folder
        self.wall = wall
        self.replica: Replica | None = None
        self.run: RunRecord | None = None
        self.problem: str | None = None
        self.polled_s: float | None = None
        self.slice_s: float | None = None
        self._database: Database | None = None
        self._inode = 0
        self._broken = False
        self.tail = Tail()
        self._seen: tuple[int, ...] = ()
        self._changed_s = 0.0
        self._woken = asyncio.Event()

    async def catch_up(self, within_s: float = CATCH_UP_S) -> None:
        """Read what the journal holds already, so that the first answer is not that of an empty run.

        A journal too long for `within_s` is left to `follow`, and the status tells how far it is.
        """
        end_s = time.monotonic() + within_s
        while not await self.poll() and time.monotonic() < end_s:
            pass

    async def follow(self) -> None:
        """Poll until cancelled; what goes wrong is kept in `problem` and tried again."""
        try:
            while True:
                caught_up = await self.poll()
                if not caught_up:
                    await asyncio.sleep(0)
                elif self.problem is None:
                    await self._pause()
                else:
                    await asyncio.sleep(RETRY_S)
        finally:
            self.close()

    async def _pause(self) -> None:
        """Wait until somebody has written, as the files tell, and not longer than until the next poll is due.

        Two commits within one tick of the file system's clock may look like one, so soon after a change it polls more.
        """
        began_s = time.monotonic()
        is_quiet = isinstance(self.path, Path) and began_s - self._changed_s > QUIET_POLL_S
        until_s = began_s + (QUIET_POLL_S if is_quiet else POLL_S)
        while time.monotonic() < until_s:
            await asyncio.sleep(LOOK_S)
            traces = self._traces()
            if traces != self._seen:
                self._changed_s = time.monotonic()
                return
            if traces:
                self.polled_s = self.wall()

    def _traces(self) -> tuple[int, ...]:
        """Return sizes and times of the database's files; nothing of a server, which is polled."""
        if isinstance(self.path, str):
            return ()
        found: list[int] = []
        for file in (wal_path(self.path), self.path):
            with suppress(OSError):
                told = file.stat()
                found += (told.st_size, told.st_mtime_ns)
        return tuple(found)

    async def news(self, within_s: float) -> None:
        """Wait until rows were applied, or so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._woken.wait()

    async def poll(self) -> bool:
        """Look once; return whether nothing more is waiting."""
        self._seen = self._traces()
        try:
            with translated(self.path) if isinstance(self.path, Path) else nullcontext():
                batch = await asyncio.to_thread(self._fetch)
            self._absorb(batch)
        except CryptoBotError as error:
            self.problem = str(error)
            self.close()
            return True
        return len(batch.rows) < _BATCH

    def engine_alive(self) -> bool | None:
        """Tell whether a process holds the state folder's lock; None when no folder was named."""
        return None if self.state_folder is None else is_held(self.state_folder)

    async def look_up(self, work: Callable[[Repositories], Found]) -> Found | None:
        """Look something up in the tables, in a worker thread; None while there is no database to read."""
        database = self._database
        if database is None:
            return None

        def look() -> Found:
            with UnitOfWork(database) as repositories:
                return work(repositories)

        return await asyncio.to_thread(look)

    async def read(self, work: Callable[[Database], Found]) -> Found | None:
        """Read something from the database itself, in a worker thread; None while there is none."""
        return None if self._database is None else await asyncio.to_thread(work, self._database)

    def close(self) -> None:
        """Close the database; the next poll opens it again."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _fetch(self) -> _Batch:
        """Read the newest run and its rows beyond ours (in a worker thread)."""
        database = self._open()
        run = Runs(database).latest(kind="run")
        if run is None or (self._broken and self.run is not None and run.run_id == self.run.run_id):
            return _Batch(run, [], 0.0)
        same = self.replica is not None and self.replica.run_id == run.run_id
        after = self.replica.sequence if same and self.replica is not None else -1
        rows = Journal(database, run.run_id).read(after, _BATCH)
        return _Batch(run, rows, _written(self.path))

    def _open(self) -> Database:
        inode = self.path.stat().st_ino if isinstance(self.path, Path) and self.path.exists() else 0
        if self._database is not None and inode != self._inode:
            self.close()
        if self._database is None:
            self._database = Database.open(self.path, readonly=True)
            self._inode = inode
        return self._database

    def _absorb(self, batch: _Batch) -> None:
        self.polled_s = self.wall()
        if batch.run is None:
            self.problem = None
            return
        if self.replica is None or self.replica.run_id != batch.run.run_id:
            self.replica, self._broken, self.slice_s = Replica(batch.run.run_id), False, None
            self.tail = Tail()
        self.run = batch.run
        try:
            for row in batch.rows:
                self.replica.apply(row)
                self.tail.frames.append(Frame(row, self.replica.trades[-1] if row.kind == "FILL" else None))
        except DataError:
            self._broken = True
            raise
        if any(row.kind == "SLICE" for row in batch.rows):
            self.slice_s = min(batch.written_s, self.polled_s)
        if not self._broken:
            self.problem = None
        if batch.rows:
            woken, self._woken = self._woken, asyncio.Event()
            woken.set()


def _written(path: Path | str) -> float:
    """Return when the database was last written, in seconds since 1970; of a server's rows, when they were read.

    OSError: the file is gone. It can go at any moment, and what was read of it then is not what will be followed.
    """
    if isinstance(path, str):
        return time.time()
    written_s = path.stat().st_mtime
    with suppress(FileNotFoundError):
        written_s = max(written_s, wal_path(path).stat().st_mtime)
    return written_s
