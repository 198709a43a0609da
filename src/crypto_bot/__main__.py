"""`python -m crypto_bot COMMAND`, also installed as `cryptotrader`."""

import gc
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn, cast

_BRIEF = ("backtest", "warm")
"""Commands whose work takes less time than Python needs to tidy up after them."""

_UNUSED = ("coverage", "yaml")
"""What the compiler's package imports wherever it finds it, and nobody here uses."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status; `argv` takes the place of the process's own words."""
    if argv is None:
        _look_for_packages_elsewhere()
    from crypto_bot.cli.frame import run_command

    if argv is not None:
        return run_command(argv)
    words = sys.argv[1:]
    status = _run_briefly(words) if words[:1] and words[0] in _BRIEF else run_command(words)
    if any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread()):
        _leave(status)  # a strategy of the user's own has left a thread: nobody waits for it
    return status


def _run_briefly(words: Sequence[str]) -> NoReturn:
    """Run a command without what only a long life pays for: it saves a third of the time of a short backtest.

    The collector of cycles looks once in a million objects, and the process leaves without taking
    apart modules and compiled code. Files are closed by then: each is written in a `with` block.
    """
    from crypto_bot.cli.frame import run_command

    gc.set_threshold(1_000_000)
    for name in _UNUSED:
        sys.modules.setdefault(name, cast(ModuleType, None))
    _leave(run_command(words))


def _look_for_packages_elsewhere() -> None:
    """Take the working folder from the places of packages: a strategy there called random.py would hide Python's own.

    What a plain class imports from beside its file is found all the same, behind the packages.
    """
    if sys.path[0] == str(Path.cwd()) and not Path("crypto_bot").is_dir():
        del sys.path[0]
        os.environ["PYTHONSAFEPATH"] = "1"  # for the processes that are started from here


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
