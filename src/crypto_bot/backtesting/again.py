"""What a command needs to make a backtest again, beyond what the outcome tells: settings that are not as shipped."""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from crypto_bot.config.sections import Section
from crypto_bot.config.settings import Settings, load_settings

Value = Decimal | float | int | str | tuple[tuple[str, ...], ...]

_LIMITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "risk": (
            "risk_pct_per_trade",
            "max_drawdown_pct",
            "max_daily_loss_pct",
            "max_symbol_exposure_pct",
            "max_exposure_pct",
            "groups",
            "max_group_exposure_pct",
            "volatility_target",
            "volatility_days",
            "kelly_fraction",
            "expectancy_gate",
            "max_consecutive_losses",
            "loss_pause_hours",
        ),
        "trading": ("max_open_positions", "stop_cooldown_bars"),
    }
)
"""Keys that hold with the limits and are off with them."""
_OTHERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"execution": ("fee_asset", "delisting_days", "delisting_haircut")}
)


def words_beyond_flags(settings: Settings) -> tuple[str, ...]:
    """Return the words of a command for what is not as the program comes and has no flag, and for the archive."""
    usual = load_settings(None, env={}, env_file=Path(os.devnull))
    words = [] if settings.data.archive == usual.data.archive else ["--data", str(settings.data.archive)]
    for keys in (_OTHERS, _LIMITS) if settings.backtest.limits == "config" else (_OTHERS,):
        for name, section in keys.items():
            own: Section = getattr(settings, name)
            shipped: Section = getattr(usual, name)
            for key in section:
                value: Value = getattr(own, key)
                if value != getattr(shipped, key):
                    words += ["--set", f"{name}.{key}={_text(value)}"]
    return tuple(words)


def _text(value: Value) -> str:
    """Return a setting as it is written; groups of pairs with spaces in and commas between them."""
    if isinstance(value, tuple):
        return ", ".join(" ".join(group) for group in value)
    return f"{value:f}" if isinstance(value, Decimal) else f"{value:g}" if isinstance(value, float) else str(value)
