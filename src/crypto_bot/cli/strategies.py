"""`strategies`: the catalogue with all parameters and their defaults; a plan of one, or a file to begin with."""

import argparse
import keyword
from pathlib import Path

from crypto_bot.cli.output import show
from crypto_bot.cli.planning import add_plan_arguments, show_plan
from crypto_bot.domain.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the way to a strategy of one's own, and to the plan of one that ships."""
    parser.add_argument("--new", metavar="NAME", help="write NAME.py, a strategy to begin with")
    parser.add_argument("--plain", action="store_true", help="with --new: a plain Python class, for any library")
    add_plan_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    """Print every strategy, or write a new one, or plan one."""
    if args.new is not None:
        return _write(args)
    if args.plan is not None:
        return show_plan(args)
    if args.plain:
        raise UsageError("--plain says how a new strategy is written; name it with --new NAME")
    from crypto_bot.strategies.catalogue import describe

    found = describe()
    document = {
        "strategies": [
            {"name": each.name, "parameters": dict(each.parameters), "summary": each.summary} for each in found
        ]
    }
    lines: list[str] = []
    for each in found:
        values = ", ".join(f"{name}={value}" for name, value in each.parameters.items())
        lines += [f"{each.name}: {each.summary}", f"  {values or 'no parameters'}"]
    show(args, document, lines)
    return 0


def _write(args: argparse.Namespace) -> int:
    """Write the file; what is there already is left alone."""
    from crypto_bot.cli.templates import CLASS, LANGUAGE
    from crypto_bot.strategies.catalogue import NAMES

    name = args.new.removesuffix(".py")
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{args.new!r} cannot be the name of a strategy; use letters, digits and _, as in my_first")
    if name in NAMES:
        raise UsageError(f"{name} is the name of a strategy that ships; choose another")
    file = Path(f"{name}.py")
    title = "".join(part.capitalize() for part in name.split("_")) or name
    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(CLASS.replace("TITLE", title) if args.plain else LANGUAGE)
    except FileExistsError:
        raise UsageError(f"{file} is there already, and was left as it is; choose another name") from None
    lines = [f"{file} is written; next: python -m crypto_bot check {file}"]
    show(args, {"file": str(file), "kind": "class" if args.plain else "language"}, lines)
    return 0
