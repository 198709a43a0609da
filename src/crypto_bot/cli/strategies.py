"""`strategies`: the catalogue with the parameters of each strategy and their defaults."""

import argparse

from crypto_bot.cli.output import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the catalogue has no flags of its own."""


def execute(args: argparse.Namespace) -> int:
    """Print every strategy."""
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
