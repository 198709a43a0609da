"""Start the trading bot: python main.py [--config FILE] [--dry-run] [--interactive].

Without flags it does what `python -m crypto_bot run` does.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

VENV_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"


def use_installed_python() -> None:
    """Go on in .venv when this Python lacks the package; say how to make it when there is none."""
    if find_spec("crypto_bot") is not None:
        return
    if not VENV_PYTHON.exists() or Path(sys.prefix) == VENV_PYTHON.parent.parent:
        sys.exit("error: CryptoTrader is not installed here; run bash scripts/setup_venv.sh")
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), __file__, *sys.argv[1:]])  # noqa: S606  # a fixed path, no shell


if __name__ == "__main__":
    use_installed_python()
    from crypto_bot.cli.start import start

    sys.exit(start(sys.argv[1:]))
