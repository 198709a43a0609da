"""Ask for settings as a test needs them: from text, without the environment of whoever runs it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from crypto_bot.config.settings import PACKAGED_DEFAULTS, Settings, load_settings
from crypto_bot.domain.errors import UsageError

NO_ENV_FILE = Path("/nonexistent/.env")


def load(
    path: Path | None = None,
    overrides: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    env_file: Path = NO_ENV_FILE,
    exchange_keys: bool = False,
) -> Settings:
    return load_settings(path, overrides=overrides or {}, env=env or {}, env_file=env_file, exchange_keys=exchange_keys)


def refusal(path: Path | None = None, **layers: object) -> str:
    """Return the sentence with which settings are refused; it is one line."""
    with pytest.raises(UsageError) as caught:
        load(path, **layers)  # type: ignore[arg-type]  # each test passes what load takes
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith((".", "?")), sentence
    return sentence


def ini_lines() -> list[str]:
    return PACKAGED_DEFAULTS.read_text(encoding="utf-8").splitlines()


def edited(tmp_path: Path, **changes: str | None) -> Path:
    """Write the packaged INI file with lines `section__key` replaced, or removed where None."""
    section, lines = "", []
    for line in ini_lines():
        if line.startswith("["):
            section = line.strip("[]")
        name = f"{section}__{line.partition('=')[0].strip()}"
        if name in changes and "=" in line and not line.startswith("#"):
            replacement = changes[name]
            if replacement is not None:
                lines.append(replacement)
            continue
        lines.append(line)
    path = tmp_path / "edited.ini"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
