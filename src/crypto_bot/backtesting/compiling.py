"""An empty cache: compile on two processors what can be compiled apart, so that the first run waits half as long."""

import gc
import os
import subprocess  # nosec B404 # starts this very program again, with a text that stands below
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from crypto_bot.kernel import compiled

_EFFECTS = """
import crypto_bot.kernel.guards
import crypto_bot.kernel.measures
print(flush=True)
import crypto_bot.backtesting.carrying
"""
"""Says when it has compiled what both processes need, so that neither does it twice."""


def is_compiled() -> bool:
    """Tell whether the kernel need not be compiled, because it was or because it never is."""
    return not compiled.COMPILE or compiled.FOLDER is None or any(compiled.FOLDER.glob("*/replay.replay-*.nbi"))


def compile_kernel(strategies: Sequence[Path] = (), run_ns: int = 60_000_000_000) -> None:
    """Compile what is not compiled yet: the kernel, and strategies as they run on bars of this length."""
    if is_compiled():
        return
    from crypto_bot.authoring.binding import Strategy

    collects = gc.isenabled()
    gc.disable()  # nothing of what a compiler makes is garbage before it ends
    try:
        with _beside(_EFFECTS) as other:
            for path in strategies:
                strategy = Strategy(path)
                strategy.bind(strategy.module.parameters.defaults, 1, run_ns)
            if other is not None and other.stdout is not None:
                other.stdout.readline()
            import crypto_bot.backtesting.filling
        import crypto_bot.backtesting.replay  # noqa: F401  # its import compiles
    finally:
        if collects:
            gc.enable()


@contextmanager
def _beside(text: str) -> Iterator[subprocess.Popen[bytes] | None]:
    """Let another process fill the cache meanwhile; whatever it fails at is compiled, and told, here."""
    if len(os.sched_getaffinity(0)) < 2:
        yield None
        return
    command = [sys.executable, "-c", "import gc; gc.disable()\n" + text]
    quiet = subprocess.DEVNULL
    other = subprocess.Popen(  # noqa: S603  # nosec B603: no shell
        command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet
    )
    try:
        yield other
        other.wait()
    finally:
        other.kill()
        other.communicate()
