"""What `python main.py` does: perhaps ask which strategies, then the command that the settings ask for."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from crypto_bot.cli.flags import add_common_flags, settings_from
from crypto_bot.cli.frame import CUT_SHORT, DONE, CommandParser, at_border, dispatch


class Choice(NamedTuple):
    """One line of the menu."""

    name: str
    summary: str


def start(words: Sequence[str]) -> int:
    """Run main.py's command line and return its exit status."""
    return at_border(lambda: _start(words), words)


def _start(words: Sequence[str]) -> int:
    """Read the own flags; every other flag goes on to the command."""
    parser = CommandParser(prog="python main.py", description="Start the trading bot.", allow_abbrev=False)
    parser.add_argument("--interactive", action="store_true", help="choose the strategies by number first")
    parser.add_argument("--dry-run", action="store_true", help="synthetic prices, no keys, no network")
    add_common_flags(parser)
    try:
        args, _ = parser.parse_known_args(words)
    except SystemExit as leaving:  # argparse leaves this way after --help and --version
        return int(leaving.code or DONE)
    settings = settings_from(args)
    passed_on = [word for word in words if word != "--interactive"]
    if args.interactive:
        try:
            chosen = choose(_catalogue(), settings.trading.strategies)
        except KeyboardInterrupt:
            print("\nnothing was started")
            return CUT_SHORT
        if chosen is None:
            print("\nnothing was started")
            return DONE
        passed_on += [word for name in chosen for word in ("--strategy", name)]
    backtest = settings.general.mode == "backtest" and not (args.dry_run or settings.trading.dry_run)
    return dispatch(["backtest" if backtest else "run", *passed_on])


def choose(choices: Sequence[Choice], configured: Sequence[str]) -> tuple[str, ...] | None:
    """Print a numbered list and ask until the answer is one of its numbers, or several.

    An empty answer means the configured ones; None means that nobody is there to answer.
    """
    for number, choice in enumerate(choices, start=1):
        print(f"{number:3}  {choice.name:24} {choice.summary}".rstrip())
    while True:
        print(f"Number of the strategy, several with commas, Enter for {', '.join(configured)}: ", end="", flush=True)
        answer = sys.stdin.readline()
        if not answer:
            return None
        if not answer.strip():
            return tuple(configured)
        picked = [part.strip() for part in answer.split(",")]
        if all(part.isdecimal() and 1 <= int(part) <= len(choices) for part in picked):
            return tuple(dict.fromkeys(choices[int(part) - 1].name for part in picked))
        print(f"That is not a number from 1 to {len(choices)}.")


def _catalogue() -> tuple[Choice, ...]:
    from crypto_bot.strategies.catalogue import describe

    return tuple(Choice(each.name, each.summary) for each in describe())
