"""What a strategy reads of an expression of words at each of its steps."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.market import Candles
from tests.plays import FREE, Played, Rooms, author, play

Floats = npt.NDArray[np.float64]

TEXT = """
{head}

class Params(NamedTuple):
    n: int = 14
    lengths: tuple[int, ...] = (3, 7)

def memory(p):
    return dict(at=0{cells})

def step(p, m):
    for k in symbols():
        t = m.at[k]
        m.at[k] += 1
{lines}
"""


def played(
    folder: Path, expressions: Sequence[str], candles: Sequence[Candles], *, head: str = "", compiled: bool = False,
    **more: Any,
) -> Played:  # fmt: skip
    """Play a strategy that notes each expression, with k for the symbol, at every step; `more` goes to the play."""
    room = max(len(each) for each in candles)
    cells = "".join(f", x{j}=[0.0] * {room}" for j in range(len(expressions)))
    lines = "\n".join(f"        m.x{j}[k, t] = {expression}" for j, expression in enumerate(expressions))
    file = author(folder, TEXT.format(head=head, cells=cells, lines=lines))
    rooms = Rooms.of_this_process() if compiled else Rooms.plain()
    params: Mapping[str, Any] = more.pop("params", {})
    return play(rooms, [(rooms.binding.Strategy(file), params)], candles, more.pop("terms", FREE), **more)


def noted(play: Played, number: int = 0, symbol: int = 0) -> Floats:
    """Return what was noted of one expression for one symbol, oldest first."""
    found: Floats = play.cell(f"x{number}")[symbol, : int(play.cell("at")[symbol, 0])]
    return found


def readings(folder: Path, expression: str, candles: Candles, **more: Any) -> Floats:
    """Return what a strategy reads of one expression at each of its steps, which are the last bars of the run."""
    return noted(played(folder, [expression], [candles], **more))
