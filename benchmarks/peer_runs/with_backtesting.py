"""backtesting.py, run by its own interpreter: one symbol, a class with one call per bar."""

import warnings

import backtesting
import pandas as pd
from backtesting import Strategy
from backtesting.lib import FractionalBacktest

from benchmarks import workloads as work
from benchmarks.stand import Score, Stopwatch, Task, serve

warnings.filterwarnings("ignore")


def _average(values, length):
    return pd.Series(values).rolling(length).mean()


class Cross(Strategy):
    """The moving average cross; the averages are computed as arrays beforehand."""

    def init(self):
        """Compute both averages."""
        self.fast = self.I(_average, self.data.Close, work.FAST)
        self.slow = self.I(_average, self.data.Close, work.SLOW)

    def next(self):
        """Enter and leave."""
        if self.fast[-1] > self.slow[-1]:
            if not self.position and not self.orders:
                self.buy()
        elif self.position:
            self.position.close()


def a_class(task: Task) -> Score:
    """W1 as a class with one call per bar."""
    frame = pd.DataFrame(
        dict(zip(("Open", "High", "Low", "Close", "Volume"), work.columns(task.folder), strict=True)),
        index=pd.to_datetime(work.times(task.folder)),
    )
    test = FractionalBacktest(
        frame, Cross, fractional_unit=1e-8, cash=float(work.CASH), commission=work.FEE, finalize_trades=False
    )
    results = []
    watch = Stopwatch()
    watch.repeat(lambda: results.append(test.run()), 1)
    stats = results[-1]
    fills = 2 * len(stats["_trades"]) + len(stats["_strategy"].trades)
    return Score(task.bars, watch.spans, fills, float(stats["Equity Final [$]"]))


if __name__ == "__main__":
    serve(backtesting.__version__, {"class": a_class})
