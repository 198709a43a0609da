"""The limit: the same work by hand, compiled, without orders, ledger, limits or hash.

Measured in every run beside the rest, it tells how fast this machine is at this moment: figures of two runs are
compared by their multiples of it.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
from numba import njit

from benchmarks import workloads as work
from benchmarks.stand import Score, Stopwatch, Task

_ROUNDS = 8


def _cross(close: work.IntArray, opened: work.IntArray, equity: work.FloatArray) -> int:
    """Follow the moving average cross with exact sums and write the equity of every bar."""
    fast, slow, cash, fee = work.FAST, work.SLOW, float(work.CASH), work.FEE
    quick = lazy = 0
    quantity = 0.0
    fills = 0
    for i in range(slow):
        lazy += close[i]
        if i >= slow - fast:
            quick += close[i]
        equity[i] = cash
    want = quick * slow > lazy * fast
    for i in range(slow, close.size):
        if want != (quantity > 0.0):
            price = opened[i] * 0.01
            if want:
                quantity = cash / (1.0 + fee) / price
                cash = 0.0
            else:
                cash = quantity * price * (1.0 - fee)
                quantity = 0.0
            fills += 1
        quick += close[i] - close[i - fast]
        lazy += close[i] - close[i - slow]
        want = quick * slow > lazy * fast
        equity[i] = cash + quantity * close[i] * 0.01
    return fills


def cross(task: Task) -> Score:
    """W1 by hand."""
    compiled = cast(Callable[..., int], njit(_cross))
    opened, close = (np.rint(column * work.SCALE).astype(np.int64) for column in work.columns(task.folder)[0:4:3])
    equity = np.empty(close.size)
    arguments = (close, opened, equity)
    fills = int(compiled(*arguments))
    watch = Stopwatch()
    watch.repeat(lambda: [compiled(*arguments) for _ in range(_ROUNDS)], task.repeats)
    return Score(task.bars * _ROUNDS, watch.spans, fills, float(equity[-1]))
