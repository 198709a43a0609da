"""Runs made by hand: fills booked by a plain ledger that knows nothing of the code under test."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from crypto_bot.backtesting.outcome import FILL, Assumptions, Outcome
from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import ATOMS, parse_time_ns

FEE_PPM = 1_000
SLIPPAGE_PPM = 500
START_NS = parse_time_ns("2023-01-01")


def random_candles(instrument: Instrument, bars: int, *, seed: int, timeframe: str = "1h") -> Candles:
    """Return a random walk whose bars are possible: low <= open, close <= high."""
    chance = np.random.default_rng(seed)
    step = timeframe_ns(timeframe)
    spread = 0.6 * (step / (365 * 86_400 * 10**9)) ** 0.5
    close = 30_000 * np.exp(np.cumsum(chance.normal(0, spread, bars)))
    open_ = np.concatenate(([30_000.0], close[:-1]))
    wick = np.abs(chance.normal(0, spread / 2, (2, bars)))
    high, low = np.maximum(open_, close) * (1 + wick[0]), np.minimum(open_, close) * (1 - wick[1])
    first, top, bottom, last = (
        (price * instrument.price_scale).astype(np.int64) for price in (open_, high, low, close)
    )
    volume = (chance.exponential(20, bars) * instrument.quantity_scale).astype(np.int64)
    return Candles(instrument, timeframe, START_NS + np.arange(bars) * step, first, top, bottom, last, volume)


@dataclass
class Ledger:
    """Cash and coins in atoms, fees in the quote asset; what we pay is rounded up, what we get down."""

    candles: tuple[Candles, ...]
    cash: int
    held: list[int] = field(default_factory=list)
    fills: list[tuple[int, ...]] = field(default_factory=list)
    fees: int = 0

    def __post_init__(self) -> None:
        self.held = [0] * len(self.candles)

    def trade(
        self, bar: int, k: int, side: int, price: int, quantity: int, *, strategy: int = 0, ppm: int = FEE_PPM
    ) -> None:
        """Book one fill."""
        instrument = self.candles[k].instrument
        scale = instrument.price_scale * instrument.quantity_scale
        exact = price * quantity * ATOMS
        money = -(-exact // scale) if side > 0 else exact // scale
        fee = -(-money * ppm // 1_000_000)
        self.cash -= side * money + fee
        self.fees += fee
        self.held[k] += side * quantity
        time = int(self.candles[k].times[bar])
        self.fills.append((time, strategy, k, len(self.fills) + 1, side, price, quantity, fee, 0, False))

    def worth(self, bar: int) -> int:
        """Return the equity at a bar's close."""
        value = self.cash
        for k, candles in enumerate(self.candles):
            instrument = candles.instrument
            exact = self.held[k] * int(candles.close[bar]) * ATOMS
            value += exact // (instrument.price_scale * instrument.quantity_scale)
        return value


def outcome_of(
    ledger: Ledger, equity: Sequence[int], *, initial: int, strategies: tuple[str, ...] = ("simple_ma",)
) -> Outcome:
    """Return the outcome of a ledger that has seen every bar."""
    candles = ledger.candles
    return Outcome(
        instruments=tuple(column.instrument for column in candles),
        timeframe=candles[0].timeframe,
        strategies=strategies,
        times=candles[0].times,
        closes=np.column_stack([column.close for column in candles]),
        equity=np.array(equity, dtype=np.int64),
        initial_equity=initial,
        fills=np.array(ledger.fills, dtype=FILL),
        assets=(candles[0].instrument.quote, candles[0].instrument.base, "BNB"),
        decisions_hash="f8dfb8c9dc4f8a00",
        ledger_hash="0b7c6c1f5a0d9e33",
        data_hash="77aa20c3b1d4e5f6",
        orders=len(ledger.fills),
        refused=0,
        engine_seconds=0.0125,
        setup_seconds=0.31,
        warnings=(),
        candles=candles,
    )


def average_run(
    bars: int = 3_000,
    *,
    symbols: Sequence[str] = ("BTC/USDT",),
    timeframe: str = "1h",
    fast: int = 20,
    slow: int = 100,
    seed: int = 7,
) -> Outcome:
    """Return a run that is long while its fast average is above the slow one, an equal part per symbol."""
    instruments = [Instrument(symbol, lot=10) for symbol in symbols]
    return average_run_over(
        [random_candles(i, bars, seed=seed + n, timeframe=timeframe) for n, i in enumerate(instruments)], fast, slow
    )


def average_run_over(columns: Sequence[Candles], fast: int, slow: int) -> Outcome:
    """Return the same over given candles that share their times."""
    initial = 25_000 * ATOMS
    ledger, equity = Ledger(tuple(columns), initial), []
    wanted = [_above(candles.close, fast, slow) for candles in columns]
    worth = initial
    for bar in range(len(columns[0])):
        for side in (-1, 1):
            for k, candles in enumerate(columns):
                long, held = bool(bar and wanted[k][bar - 1]), ledger.held[k]
                price = int(candles.open[bar]) * (1_000_000 + side * SLIPPAGE_PPM) // 1_000_000
                if side < 0 < held and not long:
                    ledger.trade(bar, k, -1, price, held)
                elif side > 0 == held and long:
                    budget = min(worth // len(columns), ledger.cash)
                    scale = candles.instrument.price_scale * candles.instrument.quantity_scale
                    quantity = budget * 998 // 1_000 * scale // (price * ATOMS) // 10 * 10
                    if quantity > 0:
                        ledger.trade(bar, k, 1, price, quantity)
        worth = ledger.worth(bar)
        equity.append(worth)
    return outcome_of(ledger, equity, initial=initial)


def _above(close: IntArray, fast: int, slow: int) -> list[bool]:
    sums = np.concatenate(([0], np.cumsum(close)))
    answer = np.zeros(close.size, dtype=bool)
    ends = np.arange(slow, close.size + 1)
    answer[slow - 1 :] = (sums[ends] - sums[ends - fast]) * slow > (sums[ends] - sums[ends - slow]) * fast
    return [bool(flag) for flag in answer]


def idle_run(equity: Sequence[float], *, timeframe: str = "1d", initial: float | None = None) -> Outcome:
    """Return a run without fills whose equity is given in units; the price never moves."""
    bars = len(equity)
    candles = random_candles(Instrument("BTC/USDT"), bars, seed=1, timeframe=timeframe)
    flat = np.full(bars, 3_000_000, dtype=np.int64)
    still = Candles(candles.instrument, timeframe, candles.times, flat, flat, flat, flat, candles.volume)
    first = 100.0 if initial is None else initial
    atoms = [round(value * ATOMS) for value in equity]
    return outcome_of(Ledger((still,), 0), atoms, initial=round(first * ATOMS))


def free_of_costs(outcome: Outcome) -> Outcome:
    """Return the same run as if its costs had been told as nothing."""
    return replace(outcome, assumptions=Assumptions(fee_maker_bps=0, fee_taker_bps=0, slippage_bps=0))
