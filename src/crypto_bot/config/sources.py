"""Where settings come from, as layers of text: the command line, the environment, `.env` and the INI file."""

from collections.abc import Mapping
from configparser import ConfigParser, DuplicateOptionError, DuplicateSectionError, MissingSectionHeaderError
from configparser import Error as IniError
from dataclasses import dataclass
from pathlib import Path

from crypto_bot.domain.errors import UsageError

Key = tuple[str, str]
"""A section and a key in it; a strategy's section is written strategy.NAME."""

STRATEGY_PREFIX = "strategy."
DRY_RUN_VARIABLE = "TRADING_DRY_RUN"
TESTNET_VARIABLE = "EXCHANGE_TESTNET"

VARIABLES: tuple[tuple[str, Key], ...] = (
    ("EXCHANGE_NAME", ("exchange", "name")),
    (TESTNET_VARIABLE, ("exchange", "environment")),
    ("TRADING_SYMBOL", ("trading", "symbols")),
    (DRY_RUN_VARIABLE, ("trading", "dry_run")),
    ("RISK_PCT_PER_TRADE", ("risk", "risk_pct_per_trade")),
    ("MAX_DRAWDOWN_PCT", ("risk", "max_drawdown_pct")),
    ("MAX_DAILY_LOSS_PCT", ("risk", "max_daily_loss_pct")),
    ("DATABASE_URL", ("database", "url")),
)
"""Environment variables with a short name of their own; every other key is reached as SECTION__KEY."""

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as written, and the words that say where."""

    text: str
    where: str


Layer = dict[Key, Entry]


def read_ini(path: Path) -> tuple[Layer, tuple[str, ...]]:
    """Read an INI file and return its settings and its sections; UsageError says which line is wrong."""
    parser = ConfigParser(
        interpolation=None, delimiters=("=",), default_section="", empty_lines_in_values=False, allow_no_value=False
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys are spelled exactly; documented way
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"), source=str(path))
    except OSError as error:
        raise UsageError(f"The configuration file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"The configuration file {path} is not UTF-8 text.") from None
    except IniError as error:
        raise UsageError(f"{path} {_syntax(error)}") from None
    where = f"in {path}"
    layer = {(name, key): Entry(text, where) for name in parser.sections() for key, text in parser[name].items()}
    return layer, tuple(parser.sections())


def _syntax(error: IniError) -> str:
    """Say in one sentence what the parser did not like; never the line itself, it may hold a secret."""
    if isinstance(error, DuplicateOptionError):
        return f"names the key {error.option} twice in [{error.section}]; keep one (line {error.lineno})."
    if isinstance(error, DuplicateSectionError):
        return f"has the section [{error.section}] twice; join them (line {error.lineno})."
    if isinstance(error, MissingSectionHeaderError):
        return f"has a key before the first [section] (line {error.lineno})."
    lines = [number for number, _ in getattr(error, "errors", [])] or [getattr(error, "lineno", 0)]
    return f"is not an INI file: line {lines[0]} is neither [section] nor key = value."


def read_env_file(path: Path) -> dict[str, str]:
    """Read a `.env` file literally, without filling in $names; no file means no variables."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.") from None
    from io import StringIO

    from dotenv.parser import parse_stream

    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            raise UsageError(f"{path} line {binding.original.line} is not NAME=value.")
        if binding.key is not None and binding.value is not None:
            found[binding.key] = binding.value
    return found


def refuse_near_misses(names: Mapping[str, str], known: frozenset[str], path: Path) -> None:
    """Refuse a name in `.env` that is almost one of ours: a switch misspelled is a switch not set."""
    from difflib import get_close_matches

    for name in names:
        close = get_close_matches(name, known, n=1, cutoff=0.88) if name not in known else []
        if close:
            raise UsageError(f"{name} in {path} is not a variable of CryptoTrader; did you mean {close[0]}?")


def from_variables(variables: Mapping[str, str], place: str, sections: frozenset[str]) -> Layer:
    """Turn environment variables into settings: the short names, and SECTION__KEY for every key.

    A short name left empty counts as not set; SECTION__KEY may set an empty value.
    """
    layer: Layer = {}
    for name, key in VARIABLES:
        text = variables.get(name, "").strip()
        if text:
            where = f"from {name} in {place}"
            wanted = _testnet(text, where) if name == TESTNET_VARIABLE else text
            if wanted:
                layer[key] = Entry(wanted, where)
    for name, text in variables.items():
        generic = _generic_key(name, sections)
        if generic is None:
            continue
        entry = Entry(text, f"from {name} in {place}")
        if generic in layer and layer[generic].text != text:
            raise UsageError(f"[{generic[0]}] {generic[1]} is set twice, {layer[generic].where} and {entry.where}.")
        layer[generic] = entry
    return layer


def _testnet(text: str, where: str) -> str:
    """Return the environment that EXCHANGE_TESTNET asks for; nothing when it is false."""
    if text.lower() in TRUE_WORDS:
        return "testnet"
    if text.lower() in FALSE_WORDS:
        return ""
    raise UsageError(f"{text!r} {where} is not allowed: it must be true or false.")


def _generic_key(name: str, sections: frozenset[str]) -> Key | None:
    """Read SECTION__KEY or STRATEGY__NAME__KEY; None for a variable that is none of ours."""
    parts = tuple(part.lower() for part in name.split("__")) if name == name.upper() else ()
    if len(parts) == 3 and parts[0] == STRATEGY_PREFIX[:-1] and all(parts):
        return STRATEGY_PREFIX + parts[1], parts[2]
    if len(parts) == 2 and parts[0] in sections and parts[1]:
        return parts[0], parts[1]
    return None


def from_command_line(overrides: Mapping[str, str]) -> Layer:
    """Turn SECTION.KEY -> value from flags into settings."""
    layer: Layer = {}
    for name, text in overrides.items():
        section, dot, key = name.strip().rpartition(".")
        if not (section and dot and key):
            raise UsageError(f"--set {name!r} names no setting; write it as --set SECTION.KEY=VALUE.")
        layer[section, key] = Entry(text, "from the command line")
    return layer


def effective(layers: tuple[Layer, ...], key: Key) -> str:
    """Return the text that wins among layers, strongest first; empty when nobody sets it."""
    return next((layer[key].text for layer in layers if key in layer), "")
