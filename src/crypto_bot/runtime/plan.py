"""What a run is, as its first journal row keeps it: enough to lay the same run out again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting.setup import Chosen, Simulation, code_version
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.persistence.payloads import Start, StrategyEntry
from crypto_bot.runtime.session import Session
from crypto_bot.strategies.catalogue import find


@dataclass(frozen=True)
class Plan:
    """A run before it begins: who trades what, with which money, under which assumptions, on which prices.

    `prices` says where they come from and between which open times; it is kept for the reader and for
    telling one run from another. `highest_prices` guard against overflow.
    """

    mode: str
    strategies: tuple[str, ...]
    params: tuple[dict[str, Any], ...]
    instruments: tuple[Instrument, ...]
    timeframe: str
    simulation: Simulation
    highest_prices: tuple[int, ...]
    prices: dict[str, str | int | None]
    code: str

    @classmethod
    def of(
        cls,
        chosen: Sequence[Chosen],
        names: Sequence[str],
        instruments: Sequence[Instrument],
        simulation: Simulation,
        **rest: Any,
    ) -> "Plan":
        """Return the plan of a run with these strategies; `names` are those they were asked for by."""
        params = tuple(dict(each.values()) for each in chosen)
        return cls(
            strategies=tuple(names),
            params=params,
            instruments=tuple(instruments),
            simulation=simulation,
            code=code_version(),
            **rest,
        )

    def session(self) -> Session:
        """Lay the run out: strategies compiled, nothing seen yet."""
        chosen = []
        for name, params in zip(self.strategies, self.params, strict=True):
            strategy = Strategy(find(name))
            chosen.append(Chosen(strategy, strategy.module.parameters.read(params)))
        run_ns = timeframe_ns(self.timeframe)
        return Session(chosen, self.instruments, run_ns, self.simulation, self.highest_prices)

    def start(self) -> Start:
        """Return the first row's payload."""
        simulation = asdict(self.simulation)
        settings = {
            "simulation": simulation,
            "highest_prices": self.highest_prices,
            "prices": self.prices,
            "exchange": self.instruments[0].exchange,
            "feed": self.prices.get("feed"),
        }
        return Start(
            mode=self.mode,
            strategies=[
                StrategyEntry(name, {k: _raw(v) for k, v in params.items()})
                for name, params in zip(self.strategies, self.params, strict=True)
            ],
            instruments=list(self.instruments),
            timeframe=self.timeframe,
            cash=self.simulation.cash,
            quote=self.instruments[0].quote,
            settings={name: _raw(value) for name, value in settings.items()},
            code_version=self.code,
        )

    def manifest(self) -> str:
        """Return what makes this run itself, as text; a restart with the same manifest goes on with the same run."""
        start = self.start()
        return msgspec.json.encode(msgspec.structs.replace(start, code_version="")).decode()

    @classmethod
    def from_start(cls, start: Start) -> "Plan":
        """Read a plan back from the first row; DataError when it was written by another kind of program."""
        try:
            simulation = msgspec.json.decode(start.settings["simulation"], type=Simulation)
            highest = msgspec.json.decode(start.settings["highest_prices"], type=tuple[int, ...])
            prices = msgspec.json.decode(start.settings["prices"], type=dict[str, str | int | None])
        except (KeyError, msgspec.DecodeError) as error:
            raise DataError(f"the first row of the run lacks what is needed to run it again ({error})") from None
        params = tuple({k: _plain(v) for k, v in entry.params.items()} for entry in start.strategies)
        return cls(
            start.mode,
            tuple(entry.name for entry in start.strategies),
            params,
            tuple(start.instruments),
            start.timeframe,
            simulation,
            highest,
            prices,
            start.code_version,
        )


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _plain(raw: msgspec.Raw) -> Any:
    """Return a parameter as Python; a tuple comes back as one."""
    value = msgspec.json.decode(raw)
    return tuple(value) if isinstance(value, list) else value
