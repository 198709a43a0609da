"""The flags every command takes, and the settings they lead to."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from crypto_bot.domain.errors import UsageError

if TYPE_CHECKING:
    from crypto_bot.config.settings import Settings

DEFAULT_CONFIG = Path("config/config.ini")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class VersionFlag(argparse.Action):
    """`--version`: looks the version up only when it is asked for."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        """Take no value, like --help."""
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and leave."""
        print(version_line())
        parser.exit()


def version_line() -> str:
    """Return the program's name and version."""
    from importlib.metadata import version

    return f"cryptotrader {version('cryptotrader')}"


def add_common_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that mean the same for every command."""
    common = parser.add_argument_group("common flags")
    common.add_argument("--config", metavar="FILE", type=Path, help=f"settings (default {DEFAULT_CONFIG})")
    common.add_argument("--data", metavar="DIR", help="folder of the candle archive")
    common.add_argument("--state", metavar="DIR", help="folder of database, logs and token")
    common.add_argument(
        "--set", metavar="SECTION.KEY=VALUE", action="append", default=[], help="change one setting; repeatable"
    )
    common.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    common.add_argument("--log-level", metavar="LEVEL", type=str.upper, choices=LOG_LEVELS, help=", ".join(LOG_LEVELS))
    common.add_argument("--version", action=VersionFlag, help="print the version and leave")


def settings_from(
    args: argparse.Namespace, overrides: Mapping[str, str] | None = None, *, exchange_keys: bool = False
) -> Settings:
    """Return the settings of a command line; `overrides` are the command's own flags as SECTION.KEY -> text.

    Flags win over --set, --set over the environment. Without --config and without config/config.ini in the working
    folder the packaged defaults hold. Raises UsageError.
    """
    from crypto_bot.config.settings import load_settings

    wanted = dict(_setting(text) for text in args.set)
    flags = {"data.archive": args.data, "general.state": args.state, "logging.level": args.log_level}
    wanted |= {name: text for name, text in flags.items() if text is not None}
    return load_settings(config_file(args), overrides={**wanted, **(overrides or {})}, exchange_keys=exchange_keys)


def config_file(args: argparse.Namespace) -> Path | None:
    """Return the INI file of a command line; None means the packaged defaults."""
    named: Path | None = args.config
    if named is not None:
        return named
    return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {name!r} gives no value; write it as --set SECTION.KEY=VALUE.")
    return name.strip(), value
