"""An engine in a thread, waiting for its next bar and listening on its line: for tests of whoever speaks to it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crypto_bot.persistence.lock import StateLock
from crypto_bot.runtime.brake import Brake
from crypto_bot.runtime.drive import drive
from crypto_bot.runtime.feed import RecordedFeed
from crypto_bot.runtime.inbox import Inbox
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running
from tests.small_runs import GRID, PaperJournal, Setting, as_journal, walk

SETTING = Setting({"grid": GRID}, (walk(60),))


@dataclass
class Engine:
    """A run over a paper journal in a state folder."""

    folder: Path
    journal: PaperJournal = field(default_factory=PaperJournal)
    run: Running | None = None

    @property
    def commands(self) -> list[str]:
        """The payloads of the commands that were carried out."""
        return [row.payload for row in self.journal.written if row.kind == "COMMAND"]


@contextmanager
def engine_at(folder: Path, *, bars: int = 25, setting: Setting = SETTING) -> Iterator[Engine]:
    """Let a run see so many bars, and wait for more an hour apart."""
    engine, brake, listening = Engine(folder), Brake(folder / "HALT"), threading.Event()
    run = engine.run = recover(as_journal(engine.journal), setting.plan(), setting.history)
    for item in list(RecordedFeed(setting.candles, 0).slices())[:bars]:
        run.play(item)

    async def live() -> None:
        inbox = Inbox()
        async with inbox.open_at(folder):
            asyncio.get_running_loop().call_soon(listening.set)
            await drive(
                run, RecordedFeed([each.between(run.last_ns) for each in setting.candles], 1.0), brake, None, inbox
            )

    with StateLock(folder):
        thread = threading.Thread(target=lambda: asyncio.run(live()))
        thread.start()
        try:
            assert listening.wait(20)
            yield engine
        finally:
            brake.pull("the test is over")
            thread.join(20)
