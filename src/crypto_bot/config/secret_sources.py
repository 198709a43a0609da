"""Where the secrets are: names of variables or files, told in [secrets]; read here and wrapped at once."""

import re
import stat
from collections.abc import Mapping
from pathlib import Path

from crypto_bot.config.sources import TRUE_WORDS, VARIABLES, Entry, Layer, effective
from crypto_bot.domain.errors import UsageError

SECTION = "secrets"
EXCHANGE_SECRETS = ("exchange_api_key", "exchange_api_secret")
OTHER_SECRETS = ("telegram_bot_token", "telegram_chat_id", "discord_webhook_url", "api_token")

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,127}")
_FILE_PREFIX = "file:"
_CONTAINER_SECRETS = Path("/run/secrets")


def secrets_layer(layers: tuple[Layer, ...], variables: Mapping[str, str], *, exchange_keys: bool) -> Layer:
    """Return the secrets' values as the strongest layer; "" where nothing is set or nothing may be loaded.

    The exchange's keys are left alone unless the mode is live or `exchange_keys` asks for them; in a dry run always.
    """
    dry_run = effective(layers, ("trading", "dry_run")).strip().lower() in TRUE_WORDS
    live = effective(layers, ("general", "mode")).strip() == "live"
    with_keys = (live or exchange_keys) and not dry_run
    wanted = (*EXCHANGE_SECRETS, *OTHER_SECRETS) if with_keys else OTHER_SECRETS
    layer: Layer = {}
    for name in (*EXCHANGE_SECRETS, *OTHER_SECRETS):
        source = _source(name, layers)
        layer[SECTION, name] = Entry(_read(source, variables, name) if name in wanted else "", "")
    return layer


def known_variables(layers: tuple[Layer, ...]) -> frozenset[str]:
    """Return the names of all variables that mean something to us."""
    named = {effective(layers, (SECTION, name)).strip() for name in (*EXCHANGE_SECRETS, *OTHER_SECRETS)}
    return frozenset(name for name, _ in VARIABLES) | named


def values_in(variables: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets that lie in variables under their usual names, for redaction before settings are read."""
    names = (*(name.upper() for name in (*EXCHANGE_SECRETS, *OTHER_SECRETS)), "DATABASE_URL")
    return tuple(variables[name] for name in names if variables.get(name))


def _source(name: str, layers: tuple[Layer, ...]) -> str:
    """Return where a secret comes from, checked; the text is not shown, it may be the secret itself."""
    source = effective(layers, (SECTION, name)).strip()
    if _VARIABLE.fullmatch(source) or (source.startswith(_FILE_PREFIX) and source != _FILE_PREFIX):
        return source
    raise UsageError(
        f"[secrets] {name} is not allowed: it must be the name of a variable, like {name.upper()}, or file:PATH, "
        f"never the secret itself."
    )


def _read(source: str, variables: Mapping[str, str], name: str) -> str:
    if not source.startswith(_FILE_PREFIX):
        return variables.get(source, "").strip()
    path = Path(source.removeprefix(_FILE_PREFIX)).expanduser()
    try:
        readable_by_others = path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
        if readable_by_others and _CONTAINER_SECRETS not in path.resolve().parents:
            raise UsageError(f"The file {path} of [secrets] {name} can be read by others; run chmod 600 on it.")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"The file {path} of [secrets] {name} cannot be read: {reason}.") from None
