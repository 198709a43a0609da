"""What every test stands on: no network but loopback, none of the user's settings, and repeatable examples."""

import os
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

USER_SETTINGS = (
    "API_TOKEN", "DATABASE_URL", "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID", "DISCORD_WEBHOOK_URL",
    "RISK_PCT_PER_TRADE", "MAX_DRAWDOWN_PCT", "MAX_DAILY_LOSS_PCT",
)  # fmt: skip
USER_PREFIXES = ("EXCHANGE_", "TRADING_")
"""Variables that change what the bot does; a test that wants one sets it itself."""

# `house`: the same examples each time, so that a red test is red for everybody.
# HYPOTHESIS_PROFILE=explore draws new ones, many more.
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


@pytest.fixture(autouse=True)
def no_user_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test, and the processes it starts, without the settings of whoever runs it."""
    for name in list(os.environ):
        if name in USER_SETTINGS or name.startswith(USER_PREFIXES):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def loopback_only() -> Iterator[None]:
    """Refuse connections of this process that would leave the machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: tuple[str, int] | str | bytes) -> None:
        host = address[0] if self.family in (socket.AF_INET, socket.AF_INET6) else "localhost"
        if host not in ("localhost", "::1") and not str(host).startswith("127."):
            raise OSError(f"a test tried to reach {host}; tests talk to loopback only")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


@pytest.fixture
def files_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and load each strategy's file once in this test: reading is most of what a very short run takes."""
    from crypto_bot.backtesting import choosing
    from crypto_bot.plain.opening import open_strategy
    from crypto_bot.runtime import plan

    opened = cache(open_strategy)
    for room in (choosing, plan):
        monkeypatch.setattr(room, "open_strategy", opened)


@pytest.fixture(scope="session")
def reference() -> Path:
    """Return the folder of reference vectors that lies beside some checkouts; skip where it does not."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the reference vectors are not beside this checkout")
    return folder
