"""Settings: one frozen object, read once; command line over environment over `.env` over INI file."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from crypto_bot.config import sections as shape
from crypto_bot.config import sources
from crypto_bot.config.secret_sources import SECTION as SECRETS_SECTION
from crypto_bot.config.secret_sources import known_variables, secrets_layer
from crypto_bot.config.sources import STRATEGY_PREFIX, Entry, Layer
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import format_time

ENV_FILE = Path(".env")
PACKAGED_DEFAULTS = Path(__file__).with_name("default.ini")
"""The same text as config/config.ini of the repository, for a working folder that has none."""
_HIDDEN = frozenset({("database", "url")})
_NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})


class _LayerSource(PydanticBaseSettingsSource):
    """One layer of text as a source of pydantic-settings."""

    def __init__(self, settings_class: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_class)
        self._layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        """Return what this layer knows of one section."""
        return self().get(field_name), field_name, True

    def __call__(self) -> dict[str, object]:
        """Return the layer as nested sections."""
        tree: dict[str, dict[str, object]] = {}
        for (section, key), entry in self._layer.items():
            if section.startswith(STRATEGY_PREFIX):
                parameters = tree.setdefault("strategy", {}).setdefault(section.removeprefix(STRATEGY_PREFIX), {})
                assert isinstance(parameters, dict)
                parameters[key] = entry.text
            else:
                tree.setdefault(section, {})[key] = entry.text
        return dict(tree)


class Settings(BaseSettings):
    """All settings, frozen; build one with `load_settings`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    general: shape.General
    exchange: shape.Exchange
    trading: shape.Trading
    strategy: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    risk: shape.Risk
    execution: shape.Execution
    data: shape.Data
    backtest: shape.Backtest
    database: shape.Database
    api: shape.Api
    alerts: shape.Alerts
    logging: shape.Logging
    ml: shape.Ml
    secrets: shape.Secrets

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the layers that `load_settings` hands over, the strongest first, and nothing else."""
        layers = getattr(init_settings, "init_kwargs", {}).get("layers", ())
        return tuple(_LayerSource(settings_cls, layer) for layer in layers)

    @property
    def state_folder(self) -> Path:
        """The folder of the database, the logs and the API token."""
        return self.general.state

    @property
    def log_folder(self) -> Path:
        """The folder of the log files."""
        return self.general.state / self.logging.folder

    def strategy_parameters(self, name: str) -> dict[str, str]:
        """Return the text of [strategy.NAME]; what it leaves out has the catalogue's default."""
        return dict(self.strategy.get(name, {}))

    def secret_values(self) -> tuple[str, ...]:
        """Return every secret text known here, for redaction only."""
        held = [getattr(self.secrets, name) for name in type(self.secrets).model_fields]
        return tuple(secret.get_secret_value() for secret in held if secret is not None)


SECTION_KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(field.annotation.model_fields)
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, shape.Section)
    }
)
"""Every section with its keys, without [strategy.NAME], whose keys are the strategy's own."""


def shipped_parameters() -> dict[str, dict[str, str]]:
    """Return the text of every [strategy.NAME] as the program ships it."""
    found: dict[str, dict[str, str]] = {}
    for (section, key), entry in sources.read_ini(PACKAGED_DEFAULTS)[0].items():
        if section.startswith(STRATEGY_PREFIX):
            found.setdefault(section.removeprefix(STRATEGY_PREFIX), {})[key] = entry.text
    return found


def load_settings(
    config_file: Path | None,
    *,
    overrides: Mapping[str, str] = _NO_OVERRIDES,
    env: Mapping[str, str] | None = None,
    env_file: Path = ENV_FILE,
    exchange_keys: bool = False,
) -> Settings:
    """Read, merge and check all settings; None as file means the packaged defaults.

    `overrides` maps SECTION.KEY to text; `env` is the process's environment unless given. The exchange's keys are
    read only in live mode, or with `exchange_keys` for a command that tests them, and never in a dry run.
    Raises UsageError with one sentence.
    """
    path = PACKAGED_DEFAULTS if config_file is None else config_file
    ini, names = sources.read_ini(path)
    environment = dict(os.environ if env is None else env)
    dotenv = sources.read_env_file(env_file)
    known_sections = frozenset(SECTION_KEYS)
    layers = (
        sources.from_command_line(overrides),
        sources.from_variables(environment, "the environment", known_sections),
        sources.from_variables(dotenv, str(env_file), known_sections),
        ini,
    )
    _refuse_unknown(layers, names, path)
    _refuse_missing(ini, path)
    if dotenv:
        sources.refuse_near_misses(dotenv, known_variables(layers), env_file)
    ruled = (_dry_run_asked(layers[1:3]) | _inside_state(layers), *layers)
    secrets = secrets_layer(ruled, {**dotenv, **environment}, exchange_keys=exchange_keys)
    return _validated((secrets, *ruled))


def _refuse_unknown(layers: tuple[Layer, ...], names: tuple[str, ...], path: Path) -> None:
    """Refuse a section or key that nobody reads, before anything is said about what is missing."""
    for section in names:
        if not _is_section(section):
            raise UsageError(f"[{section}] in {path} is not a section; there are {_section_list()}.")
    for layer in reversed(layers):
        for (section, key), entry in layer.items():
            if not _is_section(section):
                raise UsageError(f"[{section}] {entry.where} is not a section; there are {_section_list()}.")
            if not section.startswith(STRATEGY_PREFIX) and key not in SECTION_KEYS[section]:
                allowed = ", ".join(SECTION_KEYS[section])
                raise UsageError(f"{key} {entry.where} is not a key of [{section}]; its keys are {allowed}.")


def _is_section(section: str) -> bool:
    return section in SECTION_KEYS or (section.startswith(STRATEGY_PREFIX) and section != STRATEGY_PREFIX)


def _section_list() -> str:
    return ", ".join(name if name in SECTION_KEYS else "strategy.NAME" for name in Settings.model_fields)


def _refuse_missing(ini: Layer, path: Path) -> None:
    for section, keys in SECTION_KEYS.items():
        for key in keys:
            if (section, key) not in ini:
                raise UsageError(f"{key} is missing in [{section}] of {path}; it must be {_allowed(section, key)}.")


def _allowed(section: str, key: str) -> str:
    """Say what a key may hold, in the words of its field."""
    model = Settings.model_fields[section].annotation
    assert isinstance(model, type) and issubclass(model, shape.Section)
    return model.model_fields[key].description or "the name of a variable, or file:PATH"


def _dry_run_asked(variables: tuple[Layer, ...]) -> Layer:
    """TRADING_DRY_RUN=true wins over all, the command line included: nobody trades by accident."""
    key = ("trading", "dry_run")
    asked = sources.effective(variables, key).strip().lower() in sources.TRUE_WORDS
    return {key: Entry("true", f"from {sources.DRY_RUN_VARIABLE}")} if asked else {}


def _inside_state(layers: tuple[Layer, ...]) -> Layer:
    """Let a SQLite address that begins with State/ follow the state folder to where it was moved."""
    state = sources.effective(layers, ("general", "state")).strip()
    url = sources.effective(layers, ("database", "url"))
    scheme, mark, path = url.partition(":///State/")
    if not mark or not scheme.startswith("sqlite") or not state:
        return {}
    return {("database", "url"): Entry(f"{scheme}:///{Path(state).expanduser()}/{path}", "")}


def _validated(layers: tuple[Layer, ...]) -> Settings:
    try:
        settings = Settings(layers=layers)  # type: ignore[call-arg]  # taken out by settings_customise_sources
    except ValidationError as error:
        raise UsageError(_explain(error, layers[1:])) from None
    data, exchange = settings.data, settings.exchange
    if data.start_ns is not None and data.end_ns is not None and data.start_ns > data.end_ns:
        end = format_time(data.end_ns)
        raise UsageError(f"[data] start = {data.start!r} is after [data] end = {data.end!r} ({end}); swap them.")
    if exchange.url and exchange.environment != "practice":
        raise UsageError(
            f"[exchange] url is accepted with environment = practice only, and [exchange] environment is "
            f"{exchange.environment}; leave url empty or set environment to practice."
        )
    return settings


def _explain(error: ValidationError, layers: tuple[Layer, ...]) -> str:
    """Turn the first validation error into one sentence: section, key, value, place, and what is allowed."""
    section, key = (str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"][:2])
    entry = next((layer[section, key] for layer in layers if (section, key) in layer), Entry("", ""))
    hidden = (section, key) in _HIDDEN or section == SECRETS_SECTION or "@" in entry.text
    shown = "" if hidden else f" = {entry.text[:80]!r}"
    return f"[{section}] {key}{shown} {entry.where} is not allowed: it must be {_allowed(section, key)}."
