"""Our side of every workload, with the full kernel: orders, ledger, limits watched, equity at each bar.

The limits are set too wide to trip, so that they are watched at every bar and change no fill.
"""

import time
from collections import deque
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks import reference
from benchmarks import workloads as work
from benchmarks.stand import Score, Span, Stopwatch, Task, serve
from crypto_bot.authoring.binding import Strategy
from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting import bridge, engine
from crypto_bot.backtesting.outcome import Outcome
from crypto_bot.backtesting.setup import Chosen, Simulation
from crypto_bot.backtesting.sweep import Trial, sweep
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Bar, Candles
from crypto_bot.domain.units import ATOMS, PPM
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.strategies.catalogue import find

WIDE = Limits(drawdown_ppm=PPM, daily_loss_ppm=PPM, symbol_exposure_ppm=2 * PPM, exposure_ppm=2 * PPM, risk_ppm=PPM)
_STRATEGIES = Path(__file__).resolve().parent / "strategies"
_FLIP_EVERY = 8
_NEVER = 1 << 40
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


@dataclass(frozen=True)
class Run:
    """One backtest as it is measured."""

    strategy: str
    given: dict[str, Given]
    cash: int = work.CASH
    fee_ppm: int = work.FEE_PPM
    fills: str = "pessimistic"
    symbols: int = 1
    skip: bool = True

    def simulation(self) -> Simulation:
        """Return its money, limits and costs."""
        costs = Costs(maker_ppm=self.fee_ppm, taker_ppm=self.fee_ppm, slippage_ppm=0)
        return Simulation(cash=self.cash * ATOMS, limits=WIDE, costs=costs, fills=self.fills)


CROSS = Run("simple_ma", {"fast": work.FAST, "slow": work.SLOW})
_GRID: dict[str, Given] = {
    "lower_price": work.GRID_LOWER,
    "upper_price": work.GRID_UPPER,
    "num_grids": work.GRID_CELLS,
    "quantity": work.GRID_QUANTITY,
}
RUNS = {
    "W1": CROSS,
    "W1 every bar": Run("simple_ma", CROSS.given, skip=False),
    "W3": Run("grid", _GRID, cash=work.GRID_CASH, fills="touch"),
    "W4": Run("simple_ma", CROSS.given, symbols=work.SYMBOLS),
    "idle": Run(str(_STRATEGIES / "idle.py"), {}),
    "idle every bar": Run(str(_STRATEGIES / "idle.py"), {}, skip=False),
    "flips": Run(str(_STRATEGIES / "flips.py"), {"every": _FLIP_EVERY}, cash=work.GRID_CASH, fee_ppm=1),
    "no flips": Run(str(_STRATEGIES / "flips.py"), {"every": _NEVER}, cash=work.GRID_CASH, fee_ppm=1),
}
"""What `simulate` is measured on, by name."""


def candles(task: Task, number: int = 0) -> Candles:
    """Return one symbol in integers."""
    *prices, volume = work.columns(task.folder, number)
    opened, high, low, close = (np.rint(column * work.SCALE).astype(np.int64) for column in prices)
    volumes = np.rint(volume * work.VOLUME_SCALE).astype(np.int64)
    instrument = Instrument(f"COIN{number}/USDT", price_scale=work.SCALE, quantity_scale=work.VOLUME_SCALE)
    return Candles(instrument, "1m", work.times(task.folder), opened, high, low, close, volumes)


def chosen(run: Run) -> Chosen:
    """Return the strategy of a run with its parameters."""
    strategy = Strategy(find(run.strategy))
    return Chosen(strategy, strategy.module.parameters.read(run.given))


def backtest(run: Run, task: Task) -> tuple[Score, Outcome]:
    """Repeat a backtest; the seconds are those that `simulate` itself reports for its engine."""
    picked, columns = [chosen(run)], [candles(task, number) for number in range(run.symbols)]
    spans: list[Span] = []
    with patch.object(engine, "perf_counter", Moment.now):
        for _ in range(task.repeats):
            outcome = engine.simulate(picked, columns, run.simulation(), skip=run.skip)
            assert isinstance(outcome.engine_seconds, Moment)
            spans.append(Span(float(outcome.engine_seconds), outcome.engine_seconds.cpu))
    score = Score(task.bars * run.symbols, spans, int(outcome.fills.size), int(outcome.equity[-1]) / ATOMS)
    score.note = outcome.decisions_hash
    return score, outcome


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


class Averages:
    """The cross as a plain class: exact sums, one call per bar, a share or nothing."""

    exact = True

    def __init__(self) -> None:
        """Begin without a bar."""
        self.quick = self.lazy = 0
        self.closes: deque[int] = deque(maxlen=work.SLOW + 1)

    def on_start(self, symbols: tuple[str, ...], timeframe: str) -> None:
        """Need nothing."""

    def on_data(self, bar: Bar) -> float | None:
        """Want everything while the fast mean lies above the slow one."""
        close, closes = bar.close, self.closes
        closes.append(close)
        count = len(closes)
        self.quick += close
        self.lazy += close
        if count > work.FAST:
            self.quick -= closes[-work.FAST - 1]
        if count > work.SLOW:
            self.lazy -= closes[0]
        elif count < work.SLOW:
            return None
        return 1.0 if self.quick * work.SLOW > self.lazy * work.FAST else 0.0

    def on_stop(self) -> None:
        """Keep nothing."""


def a_class(task: Task) -> Score:
    """W1 as a plain Python class with one call per bar."""
    column, simulation = candles(task), CROSS.simulation()
    spans: list[Span] = []
    with patch.object(bridge, "perf_counter", Moment.now):
        for _ in range(max(1, task.repeats // 4)):
            outcome = bridge.simulate_class(Averages(), column, simulation)
            assert isinstance(outcome.engine_seconds, Moment)
            spans.append(Span(float(outcome.engine_seconds), outcome.engine_seconds.cpu))
    return Score(
        task.bars, spans, int(outcome.fills.size), int(outcome.equity[-1]) / ATOMS, note=outcome.decisions_hash
    )


def main() -> None:
    """Answer requests until there are none."""
    runs = {name: (lambda task, run=run: backtest(run, task)[0]) for name, run in RUNS.items()}
    serve(version("cryptotrader"), {**runs, "W2": pairs, "class": a_class, "limit": reference.cross})


if __name__ == "__main__":
    main()
