"""Which commands there are; the module of one is imported only when it is called."""

from collections.abc import Sequence
from typing import NamedTuple


class Command(NamedTuple):
    """A command's words, the module that does it, and what it does in a line."""

    words: str
    module: str
    summary: str


COMMANDS = (
    Command("run", "crypto_bot.cli.run", "trade: dry run, recorded or synthetic prices"),
    Command("backtest", "crypto_bot.cli.backtest", "replay candles of the archive through the same kernel"),
    Command("replay", "crypto_bot.cli.replay", "run a recorded session again and compare every decision"),
    Command("why", "crypto_bot.cli.why", "tell the story of an order, or why there was none"),
    Command("status", "crypto_bot.cli.status", "what the running bot does"),
    Command("halt", "crypto_bot.cli.halt", "let the running bot open nothing more"),
    Command("resume", "crypto_bot.cli.resume", "let it trade again after a halt by hand"),
    Command("flatten", "crypto_bot.cli.flatten", "halt it, take every order back, sell everything at market"),
    Command("data import", "crypto_bot.cli.data_import", "put candles from files into the archive"),
    Command("data download", "crypto_bot.cli.data_download", "fetch candles from the exchange"),
    Command("data audit", "crypto_bot.cli.data_audit", "look for gaps, duplicates and impossible prices"),
    Command("data list", "crypto_bot.cli.data_list", "show which candles there are"),
    Command("strategies", "crypto_bot.cli.strategies", "show the strategies with their parameters"),
    Command("check", "crypto_bot.cli.check", "try a strategy's file for what makes a backtest lie"),
    Command("preflight", "crypto_bot.cli.preflight", "check everything a run needs"),
    Command("db upgrade", "crypto_bot.cli.db_upgrade", "bring the database to this program's schema, copied before"),
    Command("db check", "crypto_bot.cli.db_check", "compare the tables with the journal they were told from"),
    Command("db export", "crypto_bot.cli.db_export", "write tables as CSV, JSON or Parquet files"),
    Command("token add", "crypto_bot.cli.token_add", "make a token for the API, with a role and an end"),
    Command("token list", "crypto_bot.cli.token_list", "show which tokens there are"),
    Command("token revoke", "crypto_bot.cli.token_revoke", "end a token at once"),
    Command("warm", "crypto_bot.cli.warm", "compile what is not compiled yet"),
)
"""One line per command, in the order of `--help`; a command of two words belongs to a group."""


def find(words: Sequence[str], commands: Sequence[Command]) -> tuple[Command, list[str]] | None:
    """Return the command that the first words name, and the words after it."""
    for length in (2, 1):
        named = " ".join(words[:length])
        for command in commands:
            if command.words == named:
                return command, list(words[length:])
    return None


def group(name: str, commands: Sequence[Command]) -> tuple[Command, ...]:
    """Return the commands of a group such as `data`; nothing when there is no such group."""
    return tuple(command for command in commands if command.words.startswith(f"{name} "))
