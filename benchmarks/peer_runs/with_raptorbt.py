"""raptorbt, run by its own interpreter: arrays of signals, its batch on all processors, its portfolio, its class."""

import numpy as np
import raptorbt

from benchmarks import workloads as work
from benchmarks.stand import Score, Stopwatch, Task, serve

Signals = tuple[np.ndarray, np.ndarray]


def _candles(task: Task, number: int = 0) -> list[np.ndarray]:
    return [work.times(task.folder), *work.columns(task.folder, number)]


def _signals(close: np.ndarray, fast: int = work.FAST, slow: int = work.SLOW) -> Signals:
    with np.errstate(invalid="ignore"):
        quick, lazy = raptorbt.sma(close, fast), raptorbt.sma(close, slow)
        return quick > lazy, quick <= lazy


def _config() -> raptorbt.BacktestConfig:
    return raptorbt.BacktestConfig(initial_capital=float(work.CASH), fees=work.FEE)


def arrays(task: Task) -> Score:
    """W1: signals computed as arrays, one call."""
    candles, config = _candles(task), _config()
    results = []

    def run() -> None:
        entries, exits = _signals(candles[4])
        results[:] = [raptorbt.run_single_backtest(*candles, entries, exits, 1, 1.0, "B", config)]

    run()
    watch = Stopwatch()
    watch.repeat(run, task.repeats)
    return Score(task.bars, watch.spans, 2 * results[0].metrics.total_trades, float(results[0].equity_curve()[-1]))


class Averages(raptorbt.Strategy):
    """The same rule as a class with a hook per bar; the averages themselves are computed as arrays beforehand."""

    def on_start(self, ctx):
        """Compute both averages."""
        self.fast, self.slow = raptorbt.sma(ctx.close, work.FAST), raptorbt.sma(ctx.close, work.SLOW)

    def on_bar(self, ctx):
        """Enter and leave."""
        i = ctx.idx
        if self.fast[i] > self.slow[i]:
            if ctx.position is None:
                self.enter()
        elif ctx.position is not None and self.fast[i] <= self.slow[i]:
            self.close_position()


def a_class(task: Task) -> Score:
    """W1 as a class with one call per bar."""
    candles, config = _candles(task), _config()
    results = []

    def run() -> None:
        results[:] = [raptorbt.run_strategy_backtest(Averages(), *candles, symbol="B", config=config)]

    watch = Stopwatch()
    watch.repeat(run, max(1, task.repeats // 4))
    return Score(task.bars, watch.spans, 2 * results[0].metrics.total_trades, float(results[0].equity_curve()[-1]))


def sweep(task: Task) -> Score:
    """W2: batches of ten pairs over all processors, each average computed once."""
    candles, config = _candles(task), _config()
    pairs = work.PAIRS[:: work.SHARE_OF_PAIRS]
    watch, fills, equity = Stopwatch(), 0, 0.0
    batch: list[raptorbt.BatchSingleItem] = []
    results: list[tuple] = []
    averages: dict[int, np.ndarray] = {}

    def run() -> None:
        results.clear()
        averages.clear()
        for first in range(0, len(pairs), 10):
            batch.clear()
            for fast, slow in pairs[first : first + 10]:
                for length in (fast, slow):
                    if length not in averages:
                        averages[length] = raptorbt.sma(candles[4], length)
                quick, lazy = averages[fast], averages[slow]
                batch.append(raptorbt.BatchSingleItem(f"{fast}_{slow}", quick > lazy, quick <= lazy))
            done = raptorbt.batch_single_backtest(*candles, batch, config=config)
            results.extend((result.metrics.total_trades, result.equity_curve()[-1]) for _, result in done)

    watch.repeat(run, 1)
    fills, equity = sum(2 * trades for trades, _ in results), float(sum(last for _, last in results))
    return Score(task.bars * len(pairs), watch.spans, fills, equity, threads=2, note=f"{len(pairs)} of 1,000 pairs")


def portfolio(task: Task) -> Score:
    """W4: ten symbols, its equal-weight allocation, which is not quite ours."""
    candles, config = [_candles(task, number) for number in range(work.SYMBOLS)], _config()
    results = []

    def run() -> None:
        instruments = [
            (*each, *_signals(each[4]), 1, 1.0 / work.SYMBOLS, f"S{number}") for number, each in enumerate(candles)
        ]
        results[:] = [raptorbt.run_portfolio_backtest(instruments, config, allocation="equal_weight")]

    run()
    watch = Stopwatch()
    watch.repeat(run, max(1, task.repeats // 2))
    result = getattr(results[0], "result", results[0])
    bars = task.bars * work.SYMBOLS
    return Score(bars, watch.spans, 2 * result.metrics.total_trades, float(result.equity_curve()[-1]))


if __name__ == "__main__":
    serve(raptorbt.__version__, {"W1": arrays, "W2": sweep, "W4": portfolio, "class": a_class})
