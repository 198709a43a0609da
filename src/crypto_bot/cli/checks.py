"""What `preflight` looks at, one function for one thing; each returns what it found and changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from crypto_bot.domain.errors import CryptoBotError, DataError
from crypto_bot.domain.units import SECOND_NS, format_time

if TYPE_CHECKING:
    from crypto_bot.config.settings import Settings

OLDEST_PYTHON = (3, 11)
FREE_BYTES_MIN = 100_000_000
FREE_BYTES_COMFORT = 1_000_000_000
CLOCK_BEHIND_MAX_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at, and what was found, in a sentence."""

    name: str
    status: Literal["ok", "warn", "fail", "skip"]
    detail: str


def run_checks(settings: Settings, env_file: Path) -> Iterator[Check]:
    """Yield every check in turn; what cannot be told apart from a fault is a fault."""
    yield check_python()
    yield Check("settings", "ok", "every key is known, present and in range")
    for name, look in _of_settings(settings, env_file):
        try:
            yield look()
        except CryptoBotError as error:
            yield Check(name, "fail", str(error))
        except OSError as error:
            yield Check(name, "fail", f"{error.strerror or error}: {error.filename}")
    for name in ("exchange", "credentials", "exchange clock"):
        yield Check(name, "skip", "needs the network, and this version has no exchange connection")


def _of_settings(settings: Settings, env_file: Path) -> tuple[tuple[str, Callable[[], Check]], ...]:
    return (
        ("mode", lambda: check_mode(settings)),
        ("strategies", lambda: check_strategies(settings)),
        ("secrets", lambda: check_env_file(env_file)),
        ("state", lambda: check_state(settings.state_folder)),
        ("disk", lambda: check_disk(settings.state_folder)),
        ("archive", lambda: check_archive(settings)),
        ("database", lambda: check_database(settings)),
        ("port", lambda: check_port(settings)),
        ("clock", check_clock),
    )


def check_python() -> Check:
    """Tell whether this Python is one the project runs on."""
    running = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("python", "fail", f"Python {running} is too old; 3.11 or newer is needed")
    return Check("python", "ok", f"Python {running}")


def check_mode(settings: Settings) -> Check:
    """Tell what kind of run the settings describe."""
    if settings.general.mode == "backtest" and not settings.trading.dry_run:
        return Check("mode", "ok", "backtest")
    from crypto_bot.config.modes import arrange

    row = arrange(settings)
    return Check(
        "mode",
        "ok",
        f"{row.mode}: {row.prices} prices, {row.fills} fills, {'no' if row.keys == 'none' else row.keys} keys",
    )


def check_strategies(settings: Settings) -> Check:
    """Tell whether the configured strategies exist, take the parameters they are given, and can earn their fees."""
    from crypto_bot.backtesting.choosing import choose, parameters_of, simulation_of
    from crypto_bot.strategies.catalogue import NAMES

    given = parameters_of(settings, {})
    told = [each.name for each in choose(settings.trading.strategies, given, simulation_of(settings).costs)]
    for name in settings.strategy:
        if name not in told and name not in NAMES:
            return Check(
                "strategies", "warn", f"[strategy.{name}] belongs to no strategy; there are {', '.join(NAMES)}"
            )
    return Check("strategies", "ok", ", ".join(told))


def check_env_file(env_file: Path) -> Check:
    """Tell whether others on this machine can read `.env`."""
    if not env_file.exists():
        return Check("secrets", "ok", f"there is no {env_file}")
    if env_file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return Check("secrets", "warn", f"{env_file} can be read by others; run chmod 600 {env_file}")
    return Check("secrets", "ok", f"{env_file} is private")


def check_state(folder: Path) -> Check:
    """Tell whether the state folder, or the folder it will be made in, can be written and is private."""
    if not folder.exists():
        above = _existing(folder)
        if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
            return Check("state", "fail", f"{folder} cannot be made: {above} is not a folder you can write to")
        return Check("state", "ok", f"{folder} will be made at the first run")
    if not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
        return Check("state", "fail", f"{folder} is not a folder you can write to")
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Check("state", "warn", f"{folder} is open to others; run chmod 700 {folder}")
    return Check("state", "ok", f"{folder} is writable and private")


def check_disk(folder: Path) -> Check:
    """Tell how much room there is for database and logs."""
    free = shutil.disk_usage(_existing(folder)).free
    said = f"{free / 1e9:.1f} GB free"
    if free < FREE_BYTES_MIN:
        return Check("disk", "fail", f"{said}; {FREE_BYTES_MIN / 1e9:.1f} GB are needed")
    return Check("disk", "ok" if free >= FREE_BYTES_COMFORT else "warn", said)


def check_archive(settings: Settings) -> Check:
    """Tell whether the archive has candles for every configured symbol, and can be read."""
    from crypto_bot.backtesting.loading import Window
    from crypto_bot.backtesting.universe import traded_symbols
    from crypto_bot.data.archive import Archive

    if settings.trading.dry_run or settings.data.feed != "recorded":
        return Check("archive", "skip", "recorded prices are not asked for")
    archive = Archive(settings.data.archive)
    told: list[str] = []
    window = Window(settings.data.start_ns, settings.data.end_ns)
    for symbol in traded_symbols(settings.trading, archive, settings.exchange.name, window):
        candles = archive.load(
            symbol,
            settings.trading.timeframe,
            exchange=settings.exchange.name,
            start_ns=settings.data.start_ns,
            end_ns=settings.data.end_ns,
        )
        span = f"{format_time(int(candles.times[0]))} to {format_time(int(candles.times[-1]))}"
        told.append(f"{symbol} {settings.trading.timeframe}: {len(candles)} bars, {span}")
    return Check("archive", "ok", "; ".join(told))


def check_database(settings: Settings) -> Check:
    """Tell whether the database opens, is whole, and has this program's schema."""
    from crypto_bot.persistence.sqlite_file import database_path, inspect_file, is_server

    url = settings.database.url.get_secret_value()
    if is_server(url):
        return _check_server(url)
    path = database_path(url)
    if not path.exists():
        above = _existing(path.parent)
        if not os.access(above, os.W_OK | os.X_OK):
            return Check("database", "fail", f"{path} cannot be made: {above} cannot be written to")
        return Check("database", "ok", f"{path} will be made at the first run")
    from crypto_bot.persistence.database import Database
    from crypto_bot.persistence.migrations import HEAD, SCRIPTS
    from crypto_bot.persistence.migrations.upgrade import known_revisions

    inspect_file(path)
    database = Database.attach(path, readonly=True)
    try:
        database.check()
        stored = database.revision()
    finally:
        database.close()
    if stored == HEAD:
        return Check("database", "ok", f"{path} is whole, schema {stored}")
    if stored in known_revisions(SCRIPTS):
        return Check("database", "warn", f"{path} has the older schema {stored}; the next run brings it to {HEAD}")
    return Check("database", "fail", f"{path} has schema {stored}, and this program knows schemas up to {HEAD}")


def _check_server(url: str) -> Check:
    """Tell whether a server answers and has this program's tables; nothing is made there."""
    from crypto_bot.persistence.database import Database

    try:
        with Database.open(url, readonly=True) as database:
            return Check("database", "ok", f"{database.path} answers, schema {database.revision()}")
    except DataError as error:
        return Check("database", "ok", str(error))


def check_port(settings: Settings) -> Check:
    """Tell whether the API can listen where it should."""
    api = settings.api
    if not api.enabled:
        return Check("port", "skip", "[api] enabled is false")
    if api.port == 0:
        return Check("port", "ok", "any free port")
    family = socket.AF_INET6 if ":" in api.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((api.host, api.port))
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            return Check("port", "fail", f"{api.host}:{api.port}: {reason}; set [api] port to another one")
    return Check("port", "ok", f"{api.host}:{api.port} is free")


def check_clock() -> Check:
    """Tell whether the clock is plainly wrong: it cannot be earlier than the day this program was installed."""
    installed = Path(__file__).stat().st_mtime
    now = time.time()
    said = format_time(int(now) * SECOND_NS)
    if now < installed - CLOCK_BEHIND_MAX_S:
        return Check("clock", "fail", f"the clock says {said}, which is before this program was installed; set it")
    return Check("clock", "ok", said)


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    absolute = path.absolute()
    return next((place for place in (absolute, *absolute.parents) if place.exists()), Path("/"))
