"""What a long backtest says on stderr while it works; nothing when it is quick or nobody watches."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_QUICK_S = 1.0


class Watch:
    """Counts the bars of one replay and draws a bar on a terminal once it has taken a second."""

    def __init__(self) -> None:
        """Begin to count the time."""
        self._began = monotonic()
        self._drawn: tuple[Progress, TaskID] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn is not None:
            self._drawn[0].stop()

    def __call__(self, done: int, total: int) -> None:
        """Take note of how far the replay is."""
        if self._drawn is None:
            if monotonic() - self._began < _QUICK_S:
                return
            self._drawn = _begin(total)
        progress, task = self._drawn
        progress.update(task, completed=done)


def _begin(total: int) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    progress.start()
    return progress, progress.add_task("bars", total=total)


def tell_of_compiling() -> None:
    """Say on stderr that the first run has to wait for the compiler; nothing when the kernel is compiled."""
    from crypto_bot.backtesting.compiling import is_compiled

    if not is_compiled():
        print("compiling the kernel (only after an installation or an update, about 15 s) ...", file=sys.stderr)
