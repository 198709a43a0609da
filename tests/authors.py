"""What tests of the strategy language write, and how they have it read."""

from pathlib import Path

import pytest

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Module
from crypto_bot.authoring.reader import read_text

FOLDER = Path(__file__).parent / "data" / "strategies"
PATH = Path("mine.py")

HEAD = """from crypto_bot.strategy import *

LEVELS = (3, 5)
HALF = 0.5


class Params(NamedTuple):
    n: int = 14
    lengths: tuple[int, ...] = (5, 10, 20)
    on: bool = True
    share: float = 1


def memory(p):
    return dict(held=0, score=0.0, stops=[0.0] * len(p.lengths))


def step(p, m):
    for k in symbols():
        """


def module_of(body: str, *, before: str = "", after: str = "") -> Module:
    """Read a strategy with this body of the loop over all symbols."""
    indented = body.replace("\n", "\n        ")
    return read_text(f"{before}{HEAD}{indented}\n{after}", PATH)


def refusal(text: str) -> Mistake:
    """Return the mistake that the text is refused with."""
    with pytest.raises(Mistake) as caught:
        read_text(text, PATH)
    return caught.value
