"""Speaking to the running engine from a second terminal, over the line in its state folder."""

from __future__ import annotations

import argparse
import getpass
import secrets
from typing import TYPE_CHECKING

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.frame import DONE
from crypto_bot.cli.output import show
from crypto_bot.domain.errors import RunFailed, UsageError

if TYPE_CHECKING:
    from crypto_bot.persistence.payloads import CommandEvent
    from crypto_bot.runtime.receipts import Receipt

TERMINAL = "terminal"
"""Where commands of the command line come from, as the journal tells it."""
LONGEST_REASON = 500


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Add why it is ordered."""
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it is written down beside your name")


def order(args: argparse.Namespace, command: CommandEvent) -> Receipt:
    """Have a command carried out; RunFailed says that no bot runs, UsageError why it was not done."""
    from msgspec.structs import replace

    from crypto_bot.runtime.line import Request, ask

    if len(command.reason) > LONGEST_REASON:
        raise UsageError(f"--reason has {len(command.reason)} letters; {LONGEST_REASON} is the most")
    folder = settings_from(args).state_folder
    sent = replace(command, by=user(), origin=TERMINAL, key=secrets.token_hex(16))
    reply = ask(folder, Request("command", sent)).reply
    if reply is None or reply.receipt is None:
        raise RunFailed(f"{reply.sentence if reply else 'the bot gave no answer'}")
    return reply.receipt


def tell(args: argparse.Namespace, receipt: Receipt, line: str) -> int:
    """Say what was done."""
    from crypto_bot.domain.units import format_time

    document = {
        "run_id": receipt.run_id,
        "sequence": receipt.sequence,
        "time": format_time(receipt.time_ns),
        "command": receipt.command.command,
        "reason": receipt.command.reason,
        "by": receipt.command.by,
        "cancelled": receipt.cancelled,
        "halted": receipt.halt != 0,
    }
    orders = f"; {receipt.cancelled} orders are taken back" if receipt.cancelled else ""
    show(args, document, [f"run {receipt.run_id}: {line}{orders} (row {receipt.sequence})"])
    return DONE


def user() -> str:
    """Return the name of whoever sits at the terminal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"
