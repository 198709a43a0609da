"""vectorbt, run by its own interpreter: its Rust engine, and its numba callback where Rust takes none."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import vectorbt as vbt
from numba import njit
from vectorbt.portfolio import nb as portfolio_nb
from vectorbt.portfolio.enums import NoOrder

from benchmarks import workloads as work
from benchmarks.stand import Score, Stopwatch, Task, serve

_COLUMNS = 20
"""Pairs a call of the sweep: more needs more memory and is no faster."""


def _series(task: Task, number: int, column: int) -> pd.Series:
    return pd.Series(work.columns(task.folder, number)[column], index=pd.to_datetime(work.times(task.folder)))


def _orders(portfolio: vbt.Portfolio) -> int:
    return int(np.sum(portfolio.orders.count()))


def _cross(task: Task, *, curve: bool) -> Score:
    close, opened = _series(task, 0, 3), _series(task, 0, 0)
    results = []

    def run() -> None:
        fast, slow = (vbt.MA.run(close, length).ma.values for length in (work.FAST, work.SLOW))
        entries, exits = (np.r_[False, signal[:-1]] for signal in (fast > slow, fast <= slow))
        portfolio = vbt.Portfolio.from_signals(
            close, entries, exits, price=opened, init_cash=work.CASH, fees=work.FEE, freq="1min", engine="rust"
        )
        final = portfolio.value().iloc[-1] if curve else portfolio.final_value()
        results[:] = [portfolio, float(final)]

    run()
    watch = Stopwatch()
    watch.repeat(run, task.repeats)
    return Score(task.bars, watch.spans, _orders(results[0]), results[1])


def cross(task: Task) -> Score:
    """W1: averages and signals as arrays, orders by the Rust engine, final value only."""
    return _cross(task, curve=False)


def cross_with_curve(task: Task) -> Score:
    """W1 with the equity of every bar, which ours always has."""
    return _cross(task, curve=True)


def sweep(task: Task) -> Score:
    """W2: a column per pair, in one process."""
    close, opened = _series(task, 0, 3), _series(task, 0, 0)
    pairs = work.PAIRS[:: work.SHARE_OF_PAIRS]
    totals = [0, 0.0]

    def some(part: tuple[tuple[int, int], ...]) -> None:
        fast = vbt.MA.run(close, [fast for fast, _ in part], per_column=False).ma.values
        slow = vbt.MA.run(close, [slow for _, slow in part]).ma.values
        entries, exits = np.zeros(fast.shape, bool), np.zeros(fast.shape, bool)
        entries[1:], exits[1:] = (fast > slow)[:-1], (fast <= slow)[:-1]
        portfolio = vbt.Portfolio.from_signals(
            close, entries, exits, price=opened, init_cash=work.CASH, fees=work.FEE, freq="1min", engine="rust"
        )
        totals[0] += _orders(portfolio)
        totals[1] += float(np.sum(portfolio.final_value()))

    some(pairs[:2])
    totals[:] = [0, 0.0]
    watch = Stopwatch()
    watch.repeat(lambda: [some(pairs[i : i + _COLUMNS]) for i in range(0, len(pairs), _COLUMNS)], 1)
    return Score(task.bars * len(pairs), watch.spans, int(totals[0]), totals[1], note=f"{len(pairs)} of 1,000 pairs")


class Bars(NamedTuple):
    """Three columns, as compiled code takes them together."""

    opened: np.ndarray
    high: np.ndarray
    low: np.ndarray


@njit
def _begin(context, sells, cursor):
    cursor[0] = 0
    return ()


@njit
def _next_fill(context, sells, cursor, lines, bars):
    """Return the next fill of this bar; a cell that was filled turns from buying to selling or back."""
    i = context.i
    if i == 0:
        return -1, NoOrder
    quantity, fee = work.GRID_QUANTITY, work.FEE
    cell = cursor[0]
    while cell < lines.size - 1:
        if sells[cell]:
            line = lines[cell + 1]
            if bars.high[i] >= line:
                price = max(bars.opened[i], line)
                sells[cell] = False
                cursor[0] = cell + 1
                return context.from_col, portfolio_nb.order_nb(size=-quantity, price=price, fees=fee)
        else:
            line = lines[cell]
            if bars.low[i] <= line:
                price = min(bars.opened[i], line)
                sells[cell] = True
                cursor[0] = cell + 1
                return context.from_col, portfolio_nb.order_nb(size=quantity, price=price, fees=fee)
        cell += 1
    return -1, NoOrder


def grid(task: Task) -> Score:
    """W3: forty cells by a flexible order function, compiled by numba."""
    close = _series(task, 0, 3)
    bars = Bars(*work.columns(task.folder)[:3])
    lines = np.array(work.LINES)
    results = []

    def run() -> None:
        sells, cursor = np.zeros(work.GRID_CELLS, np.bool_), np.zeros(1, np.int64)
        results[:] = [
            vbt.Portfolio.from_order_func(
                close, _next_fill, sells, cursor, lines, bars, flexible=True,
                pre_segment_func_nb=_begin, pre_segment_args=(sells, cursor), init_cash=float(work.GRID_CASH),
                freq="1min", max_orders=20_000,
            )
        ]  # fmt: skip

    run()
    watch = Stopwatch()
    watch.repeat(run, task.repeats)
    return Score(task.bars, watch.spans, _orders(results[0]), float(results[0].final_value()))


def portfolio(task: Task) -> Score:
    """W4: a tenth of the group's value on every entry, shared cash."""
    close, opened = (
        pd.DataFrame({f"s{number}": _series(task, number, column) for number in range(work.SYMBOLS)})
        for column in (3, 0)
    )
    results = []

    def run() -> None:
        fast, slow = (vbt.MA.run(close, length).ma.values for length in (work.FAST, work.SLOW))
        held, changed = np.zeros(fast.shape, bool), np.zeros(fast.shape, bool)
        held[1:] = (fast > slow)[:-1]
        changed[1:] = held[1:] != held[:-1]
        size = np.where(changed, np.where(held, 1.0 / work.SYMBOLS, 0.0), np.nan)
        results[:] = [
            vbt.Portfolio.from_orders(
                close, size, size_type="targetpercent", price=opened, val_price=opened, init_cash=float(work.CASH),
                fees=work.FEE, freq="1min", cash_sharing=True, group_by=True, call_seq="auto", engine="rust",
            )
        ]  # fmt: skip

    run()
    watch = Stopwatch()
    watch.repeat(run, max(1, task.repeats // 3))
    return Score(task.bars * work.SYMBOLS, watch.spans, _orders(results[0]), float(results[0].final_value()))


if __name__ == "__main__":
    serve(
        vbt.__version__,
        {"W1": cross, "W1 curve": cross_with_curve, "W2": sweep, "W3": grid, "W4": portfolio},
    )
