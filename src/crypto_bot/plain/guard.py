"""The border between the program and a class of the user's own: it may fail, hang or eat memory, and is named.

A call is watched from a thread of its own. What takes too long is interrupted where it is, what takes too much memory
is refused it, and whatever a class raises becomes one sentence. Where several classes run, what the process grows by
during the calls of one is that one's, so that no other is blamed for it.
"""

import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import ClassVar, ParamSpec, TypeVar

from crypto_bot.domain.errors import CryptoBotError, RunFailed

Given = ParamSpec("Given")
Result = TypeVar("Result")

_TICK_S = 0.1
_LATE_S = 1.0
"""How much later than the watching thread the system's own clock looks, which needs no thread to run."""
_MOST_TOLD = 300
"""Characters that are told of what a class raised."""
_PAGE = resource.getpagesize()
_MEBIBYTE = 1 << 20
_STATM = "/proc/self/statm"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a class may take: seconds for one call, and mebibytes beyond what was in use before it began."""

    seconds: float = 10.0
    mebibytes: int = 1024
    can_be_raised: bool = True

    @property
    def too_late(self) -> str:
        """Say that a call takes too long, and what helps."""
        told = f"has not returned after {self.seconds:g} s"
        return f"{told}; give the class time_limit_s = ... if it needs longer" if self.can_be_raised else told

    @property
    def too_large(self) -> str:
        """Say that too much memory is taken, and what helps."""
        told = f"took more than {self.mebibytes} MiB of memory"
        return f"{told}; keep less, or give the class memory_limit_mib = ..." if self.can_be_raised else told


class PlainFault(RunFailed):
    """A class of the user's own failed: the sentence names it, the call and what is wrong."""

    def __init__(self, name: str, what: str) -> None:
        """Keep the name beside the sentence."""
        super().__init__(f"{name}: {what}")
        self.name, self.what = name, what


class _Stop(BaseException):
    """Raised inside of a call that has gone too far; not an Exception, so that `except Exception` lets it pass."""


class Guard:
    """Calls the functions of one class of the user's own.

    The main thread has one clock and one handler of its signal; `at_work` is the guard that they are for.
    """

    at_work: "ClassVar[Guard | None]" = None

    def __init__(self, name: str, path: Path, allowance: Allowance) -> None:
        """Watch from the first call on, until `release`; `is_alone` saves what tells one class from another."""
        self.name, self.allowance = name, allowance
        self._path = path
        self.is_alone = True
        self.doing = ""
        self._reached: Callable[[], int] = lambda: 0
        self._began: float | None = None
        self._broken = ""
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._caller = 0
        self._in_main = False
        self._seen: tuple[float, int] = 0.0, 0
        self._statm = -1
        self._kept, self._entered = 0, 0
        self._most_size = 0
        self._hard = resource.getrlimit(resource.RLIMIT_AS)

    def call(self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        """Call one function of the class; PlainFault says in one sentence what went wrong inside."""
        return self.watched(partial(work, *args, **kwargs), doing=getattr(work, "__name__", type(work).__name__))

    def watched(self, work: Callable[[], Result], *, doing: str = "", reached: Callable[[], int] = lambda: 0) -> Result:
        """Do work that calls the class many times; `doing` is what it calls, or what it says of itself by `doing`.

        `reached` tells another number in each call, so that the time of each is known without asking the clock.
        """
        if self._thread is None:
            self._begin()
        self.doing, self._reached = doing or self.doing, reached
        try:
            try:
                self._begin_call()
                return work()
            finally:
                self._end_call()
                if self._broken:
                    raise PlainFault(self.name, f"{self.doing} {self._broken}") from None
        except _Stop:
            raise PlainFault(self.name, f"{self.doing} {self._broken}") from None
        except CryptoBotError:
            raise
        except MemoryError:
            raise PlainFault(self.name, f"{self.doing} {self.allowance.too_large}") from None
        except KeyboardInterrupt:
            raise
        except SystemExit as error:
            what = f"{self.doing} ended the program{self._line(error)}; return from it instead"
            raise PlainFault(self.name, what) from None
        except BaseException as error:
            debugger = sys.modules.get("bdb")
            if debugger is not None and isinstance(error, debugger.BdbQuit):
                raise
            raise PlainFault(self.name, self._told(error)) from error

    def release(self) -> None:
        """End the watch."""
        self._over.set()
        self._thread = None

    def _begin(self) -> None:
        self._caller = threading.get_ident()
        in_main = self._in_main = threading.current_thread() is threading.main_thread()
        if in_main:
            signal.signal(signal.SIGALRM, _interrupt)
        self._over = threading.Event()
        self._statm = os.open(_STATM, os.O_RDONLY | os.O_CLOEXEC)
        self._entered = self._look()
        watched = in_main, self._over, self._statm
        self._thread = threading.Thread(target=self._watch, args=watched, daemon=True, name="guard")
        self._thread.start()

    def _begin_call(self) -> None:
        """Limit the memory and note the time.

        In the main thread the system's clock is set too, for code in C that keeps the interpreter.
        """
        if not self.is_alone:
            self._entered = self._look()
        resource.setrlimit(resource.RLIMIT_AS, (self._most_size, self._hard[1]))
        self._began = monotonic()
        if self._in_main:
            self._seen = self._began, self._reached()
            Guard.at_work = self
            signal.setitimer(signal.ITIMER_REAL, self.allowance.seconds + _LATE_S)

    def _end_call(self) -> None:
        self._began = None
        if self._in_main:
            signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, self._hard)
        if not self.is_alone:
            self._kept += self._look() - self._entered
            if self._kept > self._allowed and not self._broken:
                self._broken = self.allowance.too_large

    def _look(self) -> int:
        """Return what of the process is in memory, and let the next call take so much more than there is now."""
        size, resident = _memory(self._statm)
        most, soft = size + self._allowed, self._hard[0]
        self._most_size = most if soft == resource.RLIM_INFINITY else min(most, soft)
        return resident

    @property
    def _allowed(self) -> int:
        return self.allowance.mebibytes * _MEBIBYTE

    def _watch(self, in_main: bool, over: threading.Event, statm: int) -> None:
        last, since = (0.0, 0), 0.0
        while not over.wait(_TICK_S):
            began = self._began
            if began is None and not self.is_alone:
                continue
            taken = self._kept + self._look() - self._entered
            if began is not None and (began, self._reached()) != last:
                since = began if began != last[0] else monotonic()
                last = began, self._reached()
            if taken > self._allowed:
                self._broken = self.allowance.too_large
            elif began is not None and monotonic() - since > self.allowance.seconds:
                self._broken = self.allowance.too_late
            if self._broken and self._began is not None:
                if in_main:
                    signal.pthread_kill(self._caller, signal.SIGALRM)
                else:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._caller), ctypes.py_object(_Stop))
        os.close(statm)

    def interrupt(self) -> None:
        """Stop a call that has gone too far; where the watching thread could not say so, the clock does."""
        began = self._began
        if began is None:
            return
        if not self._broken:
            now = began, self._reached()
            if now != self._seen:
                self._seen = now
                signal.setitimer(signal.ITIMER_REAL, self.allowance.seconds + _LATE_S)
                return
            self._broken = self.allowance.too_late
        raise _Stop

    def _told(self, error: BaseException) -> str:
        """Say what was raised, and on which line of the user's file."""
        try:
            text = " ".join(str(error)[:_MOST_TOLD].split())
        except Exception:  # whatever the user's own exception does
            text = ""
        return f"{self.doing} failed{self._line(error)}: {type(error).__name__}{f': {text}' if text else ''}"

    def _line(self, error: BaseException) -> str:
        """Say the deepest line of the user's file that the error came through."""
        line, step = 0, error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == str(self._path):
                line = step.tb_lineno
            step = step.tb_next
        return f", line {line}" if line else ""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Hand the signal of the main thread to the guard that is at work."""
    if Guard.at_work is not None:
        Guard.at_work.interrupt()


def _memory(statm: int) -> tuple[int, int]:
    """Return the size of this process's address space and what of it is in memory, in bytes, from the open file."""
    size, resident = os.pread(statm, 100, 0).split()[:2]
    return int(size) * _PAGE, int(resident) * _PAGE
