"""What strategies remember, told by name: for people and for the table `strategy_states`; a restart reads snapshots."""

import json
import math
from collections.abc import Iterator
from typing import TypeAlias

from crypto_bot.authoring.binding import Bound
from crypto_bot.backtesting.several import state_of
from crypto_bot.kernel.context import TABLE
from crypto_bot.persistence.journal import Remembered
from crypto_bot.plain.meeting import players
from crypto_bot.runtime.session import Session

Cell: TypeAlias = float | list[float | None] | None

ALL_SYMBOLS = "*"
"""Stands for the symbol where a plain class keeps one state for all of them."""


def remembered(session: Session) -> Iterator[Remembered]:
    """Yield what each strategy holds and keeps in mind of each symbol, and what a plain class says of itself."""
    stage = session.stage
    classes = players(stage.bounds)
    for s, name in enumerate(session.names.strategies):
        bound = stage.bounds[s]
        for k, instrument in enumerate(stage.instruments):
            lane = s * len(stage.instruments) + k
            position = instrument.quantity_text(int(stage.world.subs[lane]["position"]))
            memory = {} if s in classes else dict(_cells(bound, k, len(stage.instruments)))
            yield Remembered(name, instrument.symbol, json.dumps({"position": position, "memory": memory}))
        if s in classes:
            yield Remembered(name, ALL_SYMBOLS, state_of(stage, s) or "null")


def _cells(bound: Bound, k: int, symbols: int) -> Iterator[tuple[str, Cell]]:
    """Yield what the author's memory holds for one symbol; what is no number is told as null."""
    module, memory = bound.module, bound.memory
    first = TABLE + 4 * len(module.indicators)
    for place, (name, cell) in enumerate(module.cells.items(), first):
        begin, end = int(memory.whole[place]), int(memory.whole[place + 1])
        values = memory.real if cell.kind == "float" else memory.whole
        row = [each if math.isfinite(each) else None for each in values[begin:end].reshape(symbols, -1)[k].tolist()]
        yield name, row if cell.count else row[0]
