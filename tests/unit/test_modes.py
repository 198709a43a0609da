"""The table of modes: every row, and every contradiction."""

from pathlib import Path

import pytest

from crypto_bot.config.modes import DRY_RUN, Arrangement, arrange
from crypto_bot.config.settings import load_settings
from crypto_bot.domain.errors import UsageError


def arranged(**settings: str) -> Arrangement:
    overrides = {name.replace("__", "."): text for name, text in settings.items()}
    return arrange(load_settings(None, overrides=overrides, env={}, env_file=Path("/nonexistent/.env")))


@pytest.mark.parametrize("feed", ["recorded", "synthetic", "exchange"])
def test_forward_takes_prices_from_its_feed_and_holds_no_keys(feed: str) -> None:
    assert arranged(data__feed=feed) == Arrangement("forward", feed, "simulated", "none")  # type: ignore[arg-type]  # one of the three


def test_a_dry_run_wins_over_everything() -> None:
    for mode in ("backtest", "forward", "live"):
        assert arranged(general__mode=mode, trading__dry_run="true", trading__paper_trading="false") == DRY_RUN


@pytest.mark.parametrize("environment", ["testnet", "demo"])
def test_live_on_paper_trades_demo_money(environment: str) -> None:
    row = arranged(general__mode="live", exchange__environment=environment)
    assert row == Arrangement("live", "exchange", "exchange", "demo")


def test_the_practice_exchange_needs_its_address() -> None:
    practice = {"general__mode": "live", "exchange__environment": "practice"}
    assert arranged(**practice, exchange__url="http://127.0.0.1:1").keys == "demo"
    with pytest.raises(UsageError, match=r"\[exchange\] url is empty"):
        arranged(**practice)


def test_real_money_needs_the_live_environment() -> None:
    real = {"general__mode": "live", "trading__paper_trading": "false"}
    assert arranged(**real, exchange__environment="live") == Arrangement("live", "exchange", "exchange", "live")
    for environment in ("testnet", "demo", "practice"):
        with pytest.raises(UsageError, match="real money"):
            arranged(**real, exchange__environment=environment)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"trading__paper_trading": "false"}, r"\[trading\] paper_trading = false needs \[general\] mode = live"),
        ({"general__mode": "live", "exchange__environment": "live"}, "cannot hold demo money"),
        ({"general__mode": "backtest"}, "use the command backtest"),
    ],
)
def test_contradictions(settings: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        arranged(**settings)
