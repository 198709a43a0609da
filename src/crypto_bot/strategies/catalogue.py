"""The strategies that ship, found by name; and a user's own, found by file."""

from dataclasses import dataclass
from pathlib import Path

from crypto_bot.authoring.module import Module
from crypto_bot.authoring.parameters import Value
from crypto_bot.authoring.reader import read
from crypto_bot.authoring.refusals import did_you_mean
from crypto_bot.domain.errors import UsageError

_FOLDER = Path(__file__).resolve().parent
NAMES = (
    "grid", "simple_ma", "momentum", "donchian_trend", "cross_section_momentum", "rsi_reversion", "mean_reversion",
    "buy_and_hold", "dca", "rebalance",
)  # fmt: skip
"""In the order of the menu; `NAME.py` beside this file holds strategy NAME."""


@dataclass(frozen=True)
class Description:
    """What a user reads about a strategy."""

    name: str
    summary: str
    parameters: dict[str, Value]


def find(name: str) -> Path:
    """Return the file of a strategy: a name of the catalogue, or the path of a file that ends in .py.

    Raises UsageError when there is none.
    """
    if name.endswith(".py"):
        return Path(name)
    if name not in NAMES:
        raise UsageError(
            f"there is no strategy {name!r}; there are {', '.join(NAMES)}{did_you_mean(name, NAMES)}, "
            "or give the path of a file that ends in .py"
        )
    return _FOLDER / f"{name}.py"


def module_of(name: str) -> Module:
    """Return a strategy as it reads, without compiling it."""
    return read(find(name))


def describe() -> list[Description]:
    """Return all strategies with their parameters and defaults."""
    found = []
    for name in NAMES:
        module = module_of(name)
        parameters = dict(zip(module.parameters.names, module.parameters.defaults, strict=True))
        found.append(Description(name, module.summary, parameters))
    return found
