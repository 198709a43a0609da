"""One backtest of W1 with raptorbt from the start of a process to its end; the argument is the data's folder."""

import sys
from pathlib import Path

import raptorbt

from benchmarks import workloads as work

folder = Path(sys.argv[1])
candles = [work.times(folder), *work.columns(folder)]
fast, slow = raptorbt.sma(candles[4], work.FAST), raptorbt.sma(candles[4], work.SLOW)
config = raptorbt.BacktestConfig(initial_capital=float(work.CASH), fees=work.FEE)
result = raptorbt.run_single_backtest(*candles, fast > slow, fast <= slow, 1, 1.0, "B", config)
print(result.metrics.total_trades, result.equity_curve()[-1])
