"""The frame around every command: finding it, reading its flags, and saying in one sentence what went wrong.

This is the border of the process: whatever happens inside becomes an exit status here.
"""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol, cast

from crypto_bot.cli.flags import add_common_flags, version_line
from crypto_bot.cli.output import columns, kept_for_the_answer
from crypto_bot.cli.table import COMMANDS, Command, find, group
from crypto_bot.domain.errors import CryptoBotError, UsageError

PROGRAM = "python -m crypto_bot"
DONE, FAILED, CUT_SHORT = 0, 1, 130
_HELP_WORDS = ("-h", "--help")
_MOST_TOLD = 2_000
"""Characters of one sentence: what a strategy of the user's own raised may be of any length."""


class CommandModule(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own flags."""

    def execute(self, args: argparse.Namespace) -> int:
        """Do it, and return the exit status."""


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose complaint is one sentence with exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of printing the usage."""
        raise UsageError(f"{message}; see {self.prog} --help")


def run_command(words: Sequence[str], commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command line and return its exit status."""
    return at_border(lambda: dispatch(words, commands), words)


def at_border(work: Callable[[], int], words: Sequence[str]) -> int:
    """Do the work of a process and return its exit status; never raise, and no traceback unless `words` ask for it."""
    try:
        with _sigterm_as_interrupt():
            status = work()
            sys.stdout.flush()
            return status
    except CryptoBotError as error:
        _tell(str(error), words)
        return error.exit_status
    except KeyboardInterrupt:
        _tell("stopped before it was done", words)
        return CUT_SHORT
    except BrokenPipeError:
        _forget_stdout()
        return FAILED
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        _tell(f"{error.strerror or error}{place}", words)
        return FAILED
    except Exception as error:
        if _is_debuggers_quit(error):
            _tell("stopped in the debugger", words)
            return CUT_SHORT
        _tell(_unexpected(error), words)
        return FAILED


def dispatch(words: Sequence[str], commands: Sequence[Command] = COMMANDS) -> int:
    """Find the command that the words name, read its flags and execute it; raises what the command raises."""
    if not words:
        names = ", ".join(command.words for command in commands)
        raise UsageError(f"name a command: {names}; {PROGRAM} --help says what each does")
    if words[0] in _HELP_WORDS:
        return _say([f"usage: {PROGRAM} COMMAND [flags]", "", *_listing(commands), "", *_TAIL])
    if words[0] == "--version":
        return _say([version_line()])
    found = find(words, commands)
    if found is None:
        return _group_help_or_refuse(words, commands)
    command, rest = found
    module = cast("CommandModule", import_module(command.module))
    parser = CommandParser(prog=f"{PROGRAM} {command.words}", description=_sentence(command), allow_abbrev=False)
    module.add_arguments(parser)
    add_common_flags(parser)
    try:
        args = parser.parse_args(rest)
    except SystemExit as leaving:  # argparse leaves this way after --help and --version
        return int(leaving.code or DONE)
    with kept_for_the_answer(args):
        return module.execute(args)


_TAIL = (
    "Every command takes --config FILE, --data DIR, --state DIR, --set SECTION.KEY=VALUE, --json, --log-level LEVEL,",
    f"--version and --help; {PROGRAM} COMMAND --help shows the rest.",
)


def _group_help_or_refuse(words: Sequence[str], commands: Sequence[Command]) -> int:
    """Answer `data --help`; refuse `data`, `data nonsense` and `nonsense`, naming what there is."""
    members = group(words[0], commands)
    if members and any(word in _HELP_WORDS for word in words[1:]):
        return _say([f"usage: {PROGRAM} {words[0]} COMMAND [flags]", "", *_listing(members)])
    if words[0].startswith("-"):
        raise UsageError(f"{words[0]} comes before the command; write {PROGRAM} COMMAND {words[0]} ...")
    if members:
        names = ", ".join(command.words for command in members)
        raise UsageError(f"{' '.join(words[:2])!r} is not a command; there are {names}")
    from difflib import get_close_matches

    close = get_close_matches(words[0], [command.words for command in commands], n=1)
    advice = f"did you mean {close[0]}?" if close else f"{PROGRAM} --help lists the commands"
    raise UsageError(f"{words[0]!r} is not a command; {advice}")


def _listing(commands: Sequence[Command]) -> list[str]:
    return columns([(f"  {command.words}", command.summary) for command in commands])


def _sentence(command: Command) -> str:
    return f"{command.summary[0].upper()}{command.summary[1:]}."


def _say(lines: list[str]) -> int:
    print("\n".join(lines))
    return DONE


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end a command like Ctrl-C; a command that serves installs its own."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_debuggers_quit(error: Exception) -> bool:
    """Tell whether somebody left the debugger with `quit`; the debugger is not imported to find that out."""
    debugger = sys.modules.get("bdb")
    return debugger is not None and isinstance(error, debugger.BdbQuit)


def _unexpected(error: Exception) -> str:
    """Say what broke and where; not the message of the exception, which may hold anything."""
    if isinstance(error, ModuleNotFoundError) and not (error.name or "crypto_bot").startswith("crypto_bot"):
        return f"the package {error.name} is not installed; run bash scripts/setup_venv.sh"
    inside = [step for step in traceback.extract_tb(error.__traceback__) if "crypto_bot" in Path(step.filename).parts]
    where = f" at {Path(inside[-1].filename).name}:{inside[-1].lineno}" if inside else ""
    return f"internal error, {type(error).__name__}{where}; please run it again with --log-level DEBUG and report that"


def _tell(sentence: str, words: Sequence[str]) -> None:
    """Print one line on stderr, without secrets; at DEBUG the traceback before it."""
    from crypto_bot.config.logs import Redactor
    from crypto_bot.config.secret_sources import values_in

    clean = Redactor(values_in(os.environ)).clean
    if sys.exc_info()[0] is not None and _wants_traceback(words):
        print(clean(traceback.format_exc()), file=sys.stderr)
    told = "".join(each if each.isprintable() else "?" for each in " ".join(sentence.split()))
    cut = f"{told[:_MOST_TOLD]} ..." if len(told) > _MOST_TOLD else told
    print(f"error: {clean(cut)}", file=sys.stderr)


def _wants_traceback(words: Sequence[str]) -> bool:
    return "--log-level debug" in " ".join(words).replace("=", " ").lower()


def _forget_stdout() -> None:
    """Point stdout at nothing: its reader has left, and Python would complain again when it closes it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
