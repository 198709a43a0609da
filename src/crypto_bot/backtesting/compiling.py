"""An empty cache: compile on two processors what can be compiled apart, so that the first run waits half as long."""

import os
import subprocess  # nosec B404 # starts this very program again, with a text that stands below
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crypto_bot.kernel import compiled

_EFFECTS = "import crypto_bot.backtesting.carrying"
_STRATEGIES = """
import sys
from pathlib import Path
from crypto_bot.authoring.binding import Strategy
for path in sys.argv[2:]:
    strategy = Strategy(Path(path))
    strategy.bind(strategy.module.parameters.defaults, 1, int(sys.argv[1]))
"""


def is_compiled() -> bool:
    """Tell whether the kernel need not be compiled, because it was or because it never is."""
    return not compiled.COMPILE or compiled.FOLDER is None or any(compiled.FOLDER.glob("*/replay.replay-*.nbi"))


def compile_kernel(strategies: Sequence[Path] = (), run_ns: int = 60_000_000_000) -> None:
    """Compile what is not compiled yet: the kernel, and strategies as they run on bars of this length."""
    if is_compiled():
        return
    with _beside(_EFFECTS):
        import crypto_bot.backtesting.filling
    with _beside(_STRATEGIES, str(run_ns), *map(str, strategies)):
        import crypto_bot.backtesting.replay  # noqa: F401  # its import compiles


@contextmanager
def _beside(text: str, *arguments: str) -> Iterator[None]:
    """Let another process fill the cache meanwhile; whatever it fails at is compiled, and told, here."""
    if len(os.sched_getaffinity(0)) < 2:
        yield
        return
    command = [sys.executable, "-c", text, *arguments]
    quiet = subprocess.DEVNULL
    other = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603  # nosec B603: no shell
    try:
        yield
        other.wait()
    finally:
        other.kill()
        other.wait()
