"""The author's ordinary Python, watched: it ends in time, within its memory, or in one sentence about its line."""

from collections.abc import Callable
from typing import TypeVar

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.source import AUTHORS_FAULTS, Source
from crypto_bot.plain.guard import Allowance, Guard, PlainFault

Result = TypeVar("Result")

ALLOWANCE = Allowance(can_be_raised=False)
"""What the top level of a file, memory(p), check(p) or wake(p) may take."""


def watched(source: Source, work: Callable[[], Result], *, doing: str, failed: str = "") -> Result:
    """Do it; Mistake says that `doing` it failed and why, in words of its own if there are any, or took too much."""

    def faulting() -> Result:
        try:
            return work()
        except AUTHORS_FAULTS as error:
            raise source.blame(error, f"{failed}: {error}" if failed else _named(doing, error)) from None

    guard = Guard(source.path.name, source.path, ALLOWANCE)
    try:
        return guard.watched(faulting, doing=doing)
    except PlainFault as fault:
        raise Mistake(source.path, 0, fault.what) from None
    finally:
        guard.release()


def _named(doing: str, error: Exception) -> str:
    return f"{doing} failed: {type(error).__name__}: {error}"
