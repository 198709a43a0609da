"""How a run is stopped from outside: signals, the end of its time, and the flag file that forbids opening."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Brake:
    """Pulled once, by whoever comes first; a run that has not begun sees it as well as one that waits for prices."""

    def __init__(self, flag: Path) -> None:
        """Name the flag file; the brake is not pulled."""
        self.flag = flag
        self.reason = ""
        self._woken: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def pull(self, reason: str) -> None:
        """Ask the run to end in order; safe in a signal handler."""
        self.reason = self.reason or reason
        if self._loop is not None and self._woken is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def pulled(self) -> str:
        """Wait until it is pulled; return why."""
        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        if not self.reason:
            await self._woken.wait()
        return self.reason

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let SIGINT and SIGTERM pull it instead of breaking into whatever is going on."""

        def pull(number: int, _frame: FrameType | None) -> None:
            self.pull(f"{signal.Signals(number).name} was sent")

        before = [signal.signal(number, pull) for number in SIGNALS]
        try:
            yield
        finally:
            for number, handler in zip(SIGNALS, before, strict=True):
                signal.signal(number, handler)
