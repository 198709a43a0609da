"""`preflight`: everything that can be looked at before a run, without starting one."""

import argparse
from dataclasses import asdict

from crypto_bot.cli.flags import settings_from
from crypto_bot.cli.output import columns, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: what is checked follows from the settings."""


def execute(args: argparse.Namespace) -> int:
    """Print every check; 1 when one failed. Wrong settings are told like everywhere, with exit status 2."""
    settings = settings_from(args)
    from crypto_bot.cli.checks import run_checks
    from crypto_bot.config.settings import ENV_FILE

    checks = list(run_checks(settings, ENV_FILE))
    passed = all(check.status != "fail" for check in checks)
    lines = columns([(check.status, check.name, check.detail) for check in checks])
    show(args, {"ok": passed, "checks": [asdict(check) for check in checks]}, lines)
    return 0 if passed else 1
