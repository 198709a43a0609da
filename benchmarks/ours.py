"""Our side of every workload, with the full kernel: orders, ledger, limits watched, equity at each bar.

The limits are set too wide to trip, so that they are watched at every bar and change no fill.
"""

import time
from importlib.metadata import version
from unittest.mock import patch

import numpy as np

from benchmarks import reference
from benchmarks import workloads as work
from benchmarks.runs import COINS, CROSS, MANY, RUNS, SHIPPED, Run
from benchmarks.stand import Score, Span, Stopwatch, Task, serve
from crypto_bot.authoring.binding import Strategy
from crypto_bot.backtesting import engine
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen
from crypto_bot.backtesting.sweep import Trial, sweep
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles
from crypto_bot.domain.units import ATOMS
from crypto_bot.plain.opening import open_strategy
from crypto_bot.strategies.catalogue import find

_SWEEP_THREADS = 2


class Moment(float):
    """A reading of two clocks at once: as a number it is the wall's, `cpu` is that of the processor."""

    cpu: float

    @classmethod
    def now(cls) -> "Moment":
        """Read both clocks."""
        moment = cls(time.perf_counter())
        moment.cpu = time.process_time()
        return moment

    def __sub__(self, earlier: float) -> "Moment":
        """Return what has passed on both."""
        passed = Moment(float(self) - float(earlier))
        passed.cpu = self.cpu - earlier.cpu if isinstance(earlier, Moment) else 0.0
        return passed


def candles(task: Task, number: int = 0) -> Candles:
    """Return one symbol in integers."""
    *prices, volume = work.columns(task.folder, number)
    opened, high, low, close = (np.rint(column * work.SCALE).astype(np.int64) for column in prices)
    volumes = np.rint(volume * work.VOLUME_SCALE).astype(np.int64)
    instrument = Instrument(f"COIN{number}/USDT", price_scale=work.SCALE, quantity_scale=work.VOLUME_SCALE)
    return Candles(instrument, "1m", work.times(task.folder), opened, high, low, close, volumes)


def chosen(run: Run) -> Chosen:
    """Return the strategy of a run with its parameters."""
    strategy = open_strategy(run.strategy)
    return Chosen(strategy, strategy.module.parameters.read(run.given))


def backtest(run: Run, task: Task) -> tuple[Score, Outcome]:
    """Repeat a backtest on the symbols of the task."""
    return repeated(run, [candles(task, number) for number in range(run.symbols)], task.repeats)


def repeated(run: Run, columns: list[Candles], repeats: int) -> tuple[Score, Outcome]:
    """Repeat a backtest; the seconds are those that `simulate` itself reports for its engine."""
    picked = [chosen(run)]
    repeats = max(1, repeats // run.seldom)
    spans: list[Span] = []
    with patch.object(engine, "perf_counter", Moment.now):
        for _ in range(repeats):
            outcome = engine.simulate(picked, columns, run.simulation(), skip=run.skip)
            assert isinstance(outcome.engine_seconds, Moment)
            spans.append(Span(float(outcome.engine_seconds), outcome.engine_seconds.cpu))
    score = Score(sum(len(each) for each in columns), spans, int(outcome.fills.size), int(outcome.equity[-1]) / ATOMS)
    score.note = outcome.decisions_hash
    return score, outcome


def coins(task: Task) -> Score:
    """Choose among a hundred coins every day for five years."""
    columns = [_coin(number, "1d", work.COIN_DAYS, 1_440) for number in range(work.COINS)]
    return repeated(COINS, columns, task.repeats)[0]


def many(task: Task) -> Score:
    """Trade five hundred coins for a year by the hour; every second one lists later than the one before."""
    columns = []
    for number in range(work.MANY):
        each = _coin(number, "1h", work.MANY_HOURS, 60)
        columns.append(each.between(int(each.times[number * 8 if number % 2 else 0])))
    return repeated(MANY, columns, task.repeats)[0]


def _coin(number: int, timeframe: str, bars: int, minutes: int) -> Candles:
    prices, volume = work.coin(number, bars, minutes)
    instrument = Instrument(f"C{number:03}/USDT", price_scale=work.COIN_SCALE, quantity_scale=work.VOLUME_SCALE)
    opened, close = prices[:-1].copy(), prices[1:].copy()
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    return Candles(instrument, timeframe, work.coin_times(bars, minutes), opened, high, low, close, volume)


def pairs(task: Task, *, threads: int = _SWEEP_THREADS) -> Score:
    """W2: a thousand parameter sets over one tape, laid out once inside of the time."""
    strategy, columns = Strategy(find("simple_ma")), [candles(task)]
    sets = [strategy.module.parameters.read({"fast": fast, "slow": slow}) for fast, slow in work.PAIRS]
    sweep(strategy, sets[:2], columns, CROSS.simulation())
    watch = Stopwatch()
    trials: list[Trial] = []
    watch.repeat(lambda: trials.extend(sweep(strategy, sets, columns, CROSS.simulation(), threads=threads)), 1)
    shared = trials[: len(sets) : work.SHARE_OF_PAIRS]  # those that the peers run too
    equity = sum(trial.final_equity for trial in shared) / ATOMS
    fills = sum(trial.fills for trial in shared)
    return Score(task.bars * len(sets), watch.spans, fills, equity, threads=threads)


def main() -> None:
    """Answer requests until there are none."""
    runs = {name: (lambda task, run=run: backtest(run, task)[0]) for name, run in (RUNS | SHIPPED).items()}
    serve(
        version("cryptotrader"),
        {**runs, "W2": pairs, "100 coins": coins, "500 coins": many, "limit": reference.cross},
    )


if __name__ == "__main__":
    main()
