"""The sections of the INI file as frozen models; a field is a key, its description is what an error says is allowed."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, INT64_MAX, PPM, PPM_PER_BPS, parse_scaled, parse_time_ns

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
DATABASE_SCHEMES = ("sqlite+aiosqlite:///", "sqlite:///", "postgresql://", "postgresql+asyncpg://")

_SYMBOL = re.compile(r"[^\W_]{1,30}/[^\W_]{1,30}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def _split(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split a comma-separated list, leaving out blanks around and between."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if isinstance(text, str) else text


def _split_twice(text: str | tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Split a list of groups at its commas, and each group at its blanks."""
    return tuple(tuple(part.upper().split()) for part in _split(text)) if isinstance(text, str) else text


def _is_strategy(name: str) -> bool:
    """Tell whether this could be the name of a strategy, or the path of a user's own."""
    return _NAME.fullmatch(name) is not None or (name.endswith(".py") and name != ".py")


def _in_units_of(scale: int) -> BeforeValidator:
    """Refuse decimal text that does not come out as a whole number of 1/scale."""

    def exact(text: str) -> str:
        parse_scaled(text, scale)
        return text

    return BeforeValidator(exact)


def _folder(text: str | Path) -> Path:
    """Read a folder's path, with ~ for the home folder; an empty text would mean the working folder by accident."""
    if not str(text).strip():
        raise ValueError("empty")
    return Path(text).expanduser()


def _refuse_true(wanted: bool) -> bool:
    """Refuse to promise what this version does not do."""
    if wanted:
        raise ValueError("not in this version")
    return wanted


Groups = Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_split_twice)]
Listed = Annotated[tuple[str, ...], BeforeValidator(_split)]
Money = Annotated[Decimal, _in_units_of(ATOMS)]
Share = Annotated[Decimal, _in_units_of(PPM)]
BasisPoints = Annotated[Decimal, _in_units_of(PPM_PER_BPS)]
Folder = Annotated[Path, BeforeValidator(_folder)]
NotYet = Annotated[bool, AfterValidator(_refuse_true)]
MaybeSecret = Annotated[SecretStr | None, BeforeValidator(lambda text: text or None)]


class Section(BaseModel):
    """One section: frozen, nothing unknown, nothing left out, no input echoed by an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)


class General(Section):
    """What kind of run, and where its state lies."""

    mode: Literal["backtest", "forward", "live"] = Field(description="backtest, forward or live")
    state: Folder = Field(description="a folder; it holds the database, the logs and the API token")
    seed: int = Field(ge=0, le=INT64_MAX, description="a whole number from 0 on; it fixes the synthetic prices")


class Exchange(Section):
    """Which exchange, and which of its environments."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="an exchange's name in lower case, as the archive spells it"
    )
    environment: Literal["live", "testnet", "demo", "practice"] = Field(description="live, testnet, demo or practice")
    url: str = Field(description="empty, or with environment = practice an address like http://127.0.0.1:8090")

    @field_validator("url")
    @classmethod
    def _loopback_only(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS or parts.username is not None):
            raise ValueError("not an address of this machine")
        return url


class Trading(Section):
    """What is traded, by which strategies, with how much money."""

    symbols: Listed = Field(min_length=1, description="pairs like BTC/USDT, separated by commas, each once")
    universe: str = Field(
        pattern=r"^(top:([1-9]|[1-9][0-9]|[1-4][0-9][0-9]|500))?$",
        description="empty, or top:N with N from 1 to 500: the most traded pairs when the run begins",
    )
    blacklist: Listed = Field(description="empty, or pairs that are never traded, separated by commas")
    strategies: Listed = Field(
        min_length=1, description="names of strategies or paths of .py files, separated by commas, each once"
    )
    timeframe: str = Field(description="the length of a bar, like 5m, 4h or 1d")
    cash: Money = Field(
        gt=0, le=90_000_000_000, description="an amount of the quote asset above 0 and up to 90000000000"
    )
    max_open_positions: int = Field(
        ge=0, le=10_000, description="a whole number of symbols up to 10000; 0 is not limited"
    )
    stop_cooldown_bars: int = Field(
        ge=0, le=1_000_000, description="a whole number of bars up to 1000000; 0 is no pause"
    )
    paper_trading: bool = Field(description="true or false")
    dry_run: bool = Field(description="true or false")

    @property
    def cash_atoms(self) -> int:
        """Return the starting cash in atoms of the quote asset."""
        return parse_scaled(self.cash, ATOMS)

    @property
    def largest(self) -> int:
        """Return of how many pairs the universe is made, 0 when the pairs are named."""
        return int(self.universe.removeprefix("top:") or 0)

    @field_validator("symbols", "blacklist")
    @classmethod
    def _pairs(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        pairs = tuple(symbol.upper() for symbol in symbols)
        if len(set(pairs)) != len(pairs) or not all(_SYMBOL.fullmatch(pair) for pair in pairs):
            raise ValueError("not a list of pairs")
        return pairs

    @field_validator("strategies")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) != len(names) or not all(_is_strategy(name) for name in names):
            raise ValueError("not a list of strategies")
        return names

    @field_validator("timeframe")
    @classmethod
    def _known_length(cls, timeframe: str) -> str:
        timeframe_ns(timeframe)
        return timeframe


_SHARE = "a share above 0 and at most 1 with at most six decimals; 0.02 means 2 %"


class Risk(Section):
    """Limits that hold in every mode, as shares of equity."""

    risk_pct_per_trade: Share = Field(gt=0, le=1, description=_SHARE)
    max_drawdown_pct: Share = Field(gt=0, le=1, description=_SHARE)
    max_daily_loss_pct: Share = Field(gt=0, le=1, description=_SHARE)
    max_symbol_exposure_pct: Share = Field(gt=0, le=1, description=_SHARE)
    max_exposure_pct: Share = Field(gt=0, le=1, description=_SHARE)
    groups: Groups = Field(description="empty, or groups of pairs that move together: A/USDT B/USDT, C/USDT D/USDT")
    max_group_exposure_pct: Share = Field(gt=0, le=1, description=_SHARE)
    volatility_target: Share = Field(
        ge=0, le=10, description="a year's volatility from 0 to 10; 0.25 is 25 %, 0 is none"
    )
    volatility_days: int = Field(ge=20, le=3650, description="a whole number of days from 20 to 3650")
    kelly_fraction: Share = Field(ge=0, le=1, description="a fraction from 0 to 1; 0.25 is a quarter, 0 is none")
    expectancy_gate: Literal["off", "smallest", "block"] = Field(description="off, smallest or block")
    max_consecutive_losses: int = Field(
        ge=0, le=1000, description="a whole number of trips up to 1000; 0 is not limited"
    )
    loss_pause_hours: float = Field(gt=0, le=8760, description="hours above 0 and up to 8760")

    def ppm(self) -> dict[str, int]:
        """Return every share in parts per million, by its name without `_pct`."""
        names = (name for name, value in self if isinstance(value, Decimal))
        return {name.replace("_pct", ""): parse_scaled(getattr(self, name), PPM) for name in names}

    @field_validator("groups")
    @classmethod
    def _each_pair_once(cls, groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        named = [pair for group in groups for pair in group]
        if len(set(named)) != len(named) or not all(_SYMBOL.fullmatch(pair) for pair in named):
            raise ValueError("not groups of pairs")
        return groups


_BPS = "basis points from 0 to 1000, at most two decimals; 10 means 0.1 %"


class Execution(Section):
    """What a simulated fill costs and when it happens."""

    fee_maker_bps: BasisPoints = Field(ge=0, le=1000, description=_BPS)
    fee_taker_bps: BasisPoints = Field(ge=0, le=1000, description=_BPS)
    slippage_bps: BasisPoints = Field(ge=0, le=1000, description=_BPS)
    slippage_model: Literal["fixed", "volume_share", "square_root"] = Field(
        description="fixed, volume_share or square_root"
    )
    slippage_impact: Share = Field(
        ge=0, le=1000, description="a number from 0 to 1000 with at most six decimals; 1 is the usual impact"
    )
    max_volume_share: Share = Field(
        ge=0, le=1, description="a share from 0 to 1 with at most six decimals; 0 is all that is asked for"
    )
    fills: Literal["pessimistic", "path", "touch", "ohlc", "olhc", "adaptive"] = Field(
        description="pessimistic, path, touch, ohlc, olhc or adaptive"
    )
    fill_at: Literal["next_open", "close"] = Field(description="next_open or close")
    fee_asset: Literal["quote", "received"] = Field(description="quote or received")
    delisting_days: int = Field(ge=0, le=3650, description="a whole number of days up to 3650; 0 is never")
    delisting_haircut: Share = Field(ge=0, le=1, description="a share from 0 to 1 with at most six decimals")

    @property
    def fee_maker_ppm(self) -> int:
        """Return the maker's fee in parts per million."""
        return parse_scaled(self.fee_maker_bps, PPM_PER_BPS)

    @property
    def fee_taker_ppm(self) -> int:
        """Return the taker's fee in parts per million."""
        return parse_scaled(self.fee_taker_bps, PPM_PER_BPS)

    @property
    def slippage_ppm(self) -> int:
        """Return the slippage of takers in parts per million."""
        return parse_scaled(self.slippage_bps, PPM_PER_BPS)

    @property
    def slippage_impact_ppm(self) -> int:
        """Return how many times the usual impact orders have, in parts per million."""
        return parse_scaled(self.slippage_impact, PPM)

    @property
    def delisting_ppm(self) -> int:
        """Return what is lost of a position that is given up, in parts per million."""
        return parse_scaled(self.delisting_haircut, PPM)

    @property
    def max_volume_ppm(self) -> int:
        """Return what orders may take of a bar's volume, in parts per million; 0 is not limited."""
        return parse_scaled(self.max_volume_share, PPM)


_TIME = "empty, or a UTC date like 2023-03-20 or an ISO 8601 time of a bar's open"


class Data(Section):
    """Where prices come from."""

    archive: Folder = Field(description="a folder; the packaged sample candles are found besides")
    feed: Literal["recorded", "synthetic", "exchange"] = Field(description="recorded, synthetic or exchange")
    start: str = Field(description=_TIME)
    end: str = Field(description=_TIME)
    speed: float = Field(
        ge=0,
        allow_inf_nan=False,
        description="a number from 0 on: times faster than real time, 0 means without waiting",
    )

    @field_validator("start", "end")
    @classmethod
    def _time(cls, text: str) -> str:
        if text:
            parse_time_ns(text)
        return text

    @property
    def start_ns(self) -> int | None:
        """Return the first open time to play (UTC ns), or None for the archive's first."""
        return parse_time_ns(self.start) if self.start else None

    @property
    def end_ns(self) -> int | None:
        """Return the last open time to play (UTC ns, a date means its whole day), or None for the archive's last."""
        return parse_time_ns(self.end, end_of_day=True) if self.end else None


class Backtest(Section):
    """How a backtest is run."""

    fast_local: bool = Field(description="true or false")
    days_back: int = Field(
        ge=0, le=36_500, description="a whole number of days up to 36500, 0 means all the archive has"
    )
    limits: Literal["config", "off"] = Field(description="config or off")


class Database(Section):
    """Where trades, runs and the journal are kept."""

    url: SecretStr = Field(description="sqlite+aiosqlite:///PATH, sqlite:///PATH or postgresql://USER@HOST/DATABASE")

    @field_validator("url")
    @classmethod
    def _names_a_database(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        if not any(text.startswith(scheme) and text != scheme for scheme in DATABASE_SCHEMES):
            raise ValueError("neither a SQLite file nor a PostgreSQL database")
        return url


class Api(Section):
    """The HTTP API and the dashboard."""

    enabled: bool = Field(description="true or false")
    host: str = Field(pattern=r"^[A-Za-z0-9.:\-]+$", description="an address to listen on, like 127.0.0.1")
    port: int = Field(ge=0, le=65_535, description="a port from 1 to 65535, or 0 for any free one")
    allowed_origins: Listed = Field(description="empty, or exact origins like https://desk.example, never *")

    @field_validator("allowed_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or "*" in origin or f"{parts.scheme}://{parts.netloc}" != origin:
                raise ValueError("not an exact origin")
        return origins


class Alerts(Section):
    """Which channels are told; their tokens are secrets."""

    telegram: NotYet = Field(description="false: this version sends no alerts")
    discord: NotYet = Field(description="false: this version sends no alerts")


class Logging(Section):
    """What is written down, and where."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(description="DEBUG, INFO, WARNING or ERROR")
    folder: Folder = Field(description="a folder; a relative one lies in the state folder")

    @field_validator("level", mode="before")
    @classmethod
    def _upper(cls, level: str) -> str:
        return level.upper()


class Ml(Section):
    """Recommendations for take-profit and stop-loss."""

    enabled: NotYet = Field(description="false: this version makes no recommendations")


class Secrets(Section):
    """The secrets themselves, read from where the INI file says; None where nothing is set.

    The exchange's two are only read where a mode needs them.
    """

    exchange_api_key: MaybeSecret
    exchange_api_secret: MaybeSecret
    telegram_bot_token: MaybeSecret
    telegram_chat_id: MaybeSecret
    discord_webhook_url: MaybeSecret
    api_token: MaybeSecret
