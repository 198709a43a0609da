"""Returns by calendar month (UTC) of the bot, and of holding beside it."""

from typing import TypedDict

import numpy as np
import numpy.typing as npt

from crypto_bot.backtesting.figures import NOTHING, percent
from crypto_bot.backtesting.holding import buy_and_hold_curve
from crypto_bot.backtesting.months import month_ends
from crypto_bot.backtesting.outcome import Outcome

FloatArray = npt.NDArray[np.float64]


class Cell(TypedDict):
    """One month: its text, and the return that colours it."""

    text: str
    value: float


class YearRow(TypedDict):
    """Twelve months and the year, of the bot or of holding."""

    year: int
    hold: bool
    months: list[Cell]
    total: Cell


def monthly_returns(outcome: Outcome) -> list[YearRow]:
    """Return a row per year for the bot, each followed by one for holding where that was possible."""
    numbers, ends = month_ends(outcome)
    bot = _returns(outcome.equity[ends] / outcome.initial_equity)
    curve = buy_and_hold_curve(outcome, ends)
    hold = None if curve is None else _returns(curve)
    rows: list[YearRow] = []
    for year in np.unique(numbers // 12).tolist():
        mine = numbers // 12 == year
        rows.append(_row(1970 + year, numbers[mine] % 12, bot[mine], hold=False))
        if hold is not None:
            rows.append(_row(1970 + year, numbers[mine] % 12, hold[mine], hold=True))
    return rows


def _returns(worth: FloatArray) -> FloatArray:
    """Return the change from each month's end to the next; the start is worth 1."""
    before = np.concatenate(([1.0], worth[:-1]))
    return np.divide(worth, before, out=np.ones_like(worth), where=before > 0) - 1


def _row(year: int, months: npt.NDArray[np.int64], returns: FloatArray, *, hold: bool) -> YearRow:
    """Return one year of one curve."""
    cells: list[Cell] = [{"text": NOTHING, "value": 0.0} for _ in range(12)]
    for month, value in zip(months.tolist(), returns.tolist(), strict=True):
        cells[month] = _cell(value)
    return {"year": year, "hold": hold, "months": cells, "total": _cell(float(np.prod(1 + returns) - 1))}


def _cell(value: float) -> Cell:
    """Return a month's return as text and number."""
    return {"text": percent(value, 1, signed=True), "value": round(value, 4)}
