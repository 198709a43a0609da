"""What a run is, as its first journal row keeps it: enough to lay the same run out again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

import crypto_bot
from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.setup import Chosen, Simulation, code_version
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import PPM
from crypto_bot.persistence.payloads import Start, StrategyEntry
from crypto_bot.plain.opening import open_strategy

_DECIDING = (
    "strategy.py",
    "authoring/*.py",
    "backtesting/delisting.py",
    "backtesting/interventions.py",
    "backtesting/several.py",
    "backtesting/slices.py",
    "backtesting/stage.py",
    "backtesting/tape.py",
    "plain/*.py",
    "runtime/intervening.py",
    "runtime/reel.py",
    "runtime/session.py",
)
"""Sources beside the kernel's own that decisions depend on."""

_PARAMETER: msgspec.json.Decoder[bool | int | float | str | list[int | float]] = msgspec.json.Decoder(
    bool | int | float | str | list[int | float]
)


@dataclass(frozen=True, slots=True)
class Prices:
    """Where a run's prices come from, as it was asked for: `start` and `end` are the settings' texts."""

    feed: str
    start: str = ""
    end: str = ""


@dataclass(frozen=True)
class Plan:
    """A run before it begins: who trades what, with which money, under which assumptions, on which prices.

    `strategies` are names or paths as asked for. `begin_ns` is the open time of the first bar.
    `highest_prices` guard against overflow. `speed` and `data_hash` are told to readers, nothing more.
    """

    mode: str
    strategies: tuple[str, ...]
    params: tuple[Mapping[str, Given], ...]
    instruments: tuple[Instrument, ...]
    timeframe: str
    simulation: Simulation
    prices: Prices
    begin_ns: int
    highest_prices: tuple[int, ...]
    speed: float = 1.0
    data_hash: str = ""

    @property
    def run_ns(self) -> int:
        """The length of a bar."""
        return timeframe_ns(self.timeframe)

    def chosen(self) -> tuple[Chosen, ...]:
        """Read the strategies anew; UsageError when one has gone or refuses its parameters."""
        found = []
        for name, params in zip(self.strategies, self.params, strict=True):
            strategy = open_strategy(name)
            found.append(Chosen(strategy, strategy.module.parameters.read(params)))
        return tuple(found)

    def manifest(self) -> str:
        """Return what makes this run itself, as text; a restart with an equal one goes on with the same run.

        What the archive holds by now, the pace and the program's version are no part of it.
        """
        told = {
            "mode": self.mode,
            "strategies": [{"name": n, "params": p} for n, p in zip(self.strategies, self.params, strict=True)],
            "instruments": self.instruments,
            "timeframe": self.timeframe,
            "simulation": self.simulation,
            "prices": self.prices,
        }
        return msgspec.json.encode(told).decode()

    def start(self) -> Start:
        """Return the payload of the run's first row."""
        simulation = self.simulation
        settings = {
            "simulation": asdict(simulation),
            "prices": asdict(self.prices),
            "begin_ns": self.begin_ns,
            "highest_prices": self.highest_prices,
            "feed": self.prices.feed,
            "speed": self.speed,
            "fills": simulation.fills,
            "max_drawdown": simulation.limits.drawdown_ppm / PPM,
        }
        return Start(
            mode=self.mode,
            strategies=[
                StrategyEntry(name, {key: _raw(value) for key, value in params.items()})
                for name, params in zip(self.strategies, self.params, strict=True)
            ],
            instruments=list(self.instruments),
            timeframe=self.timeframe,
            cash=simulation.cash,
            quote=self.instruments[0].quote,
            settings={name: _raw(value) for name, value in settings.items()},
            code_version=code_version(),
            data_hash=self.data_hash,
        )

    @classmethod
    def from_start(cls, start: Start) -> "Plan":
        """Read a plan back from the first row; DataError when it lacks what is needed to run it again."""
        settings = start.settings
        try:
            return cls(
                mode=start.mode,
                strategies=tuple(entry.name for entry in start.strategies),
                params=tuple(
                    {key: _PARAMETER.decode(raw) for key, raw in entry.params.items()} for entry in start.strategies
                ),
                instruments=tuple(start.instruments),
                timeframe=start.timeframe,
                simulation=msgspec.json.decode(settings["simulation"], type=Simulation),
                prices=msgspec.json.decode(settings["prices"], type=Prices),
                begin_ns=msgspec.json.decode(settings["begin_ns"], type=int),
                highest_prices=msgspec.json.decode(settings["highest_prices"], type=tuple[int, ...]),
                speed=msgspec.json.decode(settings["speed"], type=float),
                data_hash=start.data_hash,
            )
        except (KeyError, msgspec.DecodeError) as error:
            raise DataError(f"the first row of the run lacks what is needed to run it again ({error})") from None


def program_of(chosen: Sequence[Chosen]) -> str:
    """Name everything that decides: version, kernel, the rooms around it and the strategies' own text.

    A snapshot is trusted only by the program that wrote it.
    """
    room = Path(crypto_bot.__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for file in (file for pattern in _DECIDING for file in sorted(room.glob(pattern))):
        digest.update(file.read_bytes() + b"\0")
    for each in chosen:
        digest.update(each.strategy.module.source.encode() + b"\0")
    return f"{code_version()}+{digest.hexdigest()}"


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
