"""`status`: what the running bot does, told by its engine."""

import argparse

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import columns, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing."""


def execute(args: argparse.Namespace) -> int:
    """Ask it."""
    import msgspec

    from crypto_bot.domain.errors import RunFailed
    from crypto_bot.runtime.line import Request, ask

    told = ask(settings_from(args).state_folder, Request("standing")).standing
    if told is None:
        raise RunFailed("the run is over")
    held = ", ".join(f"{quantity} {symbol.partition('/')[0]}" for symbol, quantity in told.positions.items())
    halted = f" by {', '.join(told.halted_by)}" if told.halted_by else ""
    rows = [
        ("run", f"{told.run_id}, {told.mode}, process {told.pid}"),
        ("state", f"{told.state}{halted}"),
        ("time", f"{told.time}, after {told.bars} bars"),
        ("equity", f"{told.equity} {told.quote}, began with {told.initial_equity}"),
        ("held", held or "nothing"),
        ("orders", f"{told.open_orders} open, {told.fills} fills"),
        ("strategies", ", ".join(f"{name} {state}" for name, state in told.strategies.items())),
    ]
    show(args, msgspec.to_builtins(told), columns(rows))
    return DONE
