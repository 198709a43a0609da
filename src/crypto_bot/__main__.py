"""`python -m crypto_bot COMMAND`, also installed as `cryptotrader`."""

import sys
from collections.abc import Sequence

from crypto_bot.cli.frame import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    return run_command(sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
