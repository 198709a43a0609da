"""The result of a replay as plain columns: what every figure, table and report is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from crypto_bot.domain.instrument import Instrument
from crypto_bot.domain.market import Candles, IntArray

FILL = np.dtype(
    [
        ("time_ns", np.int64),
        ("strategy", np.int64),
        ("instrument", np.int64),
        ("order_id", np.int64),
        ("side", np.int64),
        ("price", np.int64),
        ("quantity", np.int64),
        ("fee", np.int64),
        ("fee_asset", np.int64),
        ("maker", np.bool_),
    ]
)
"""One execution: price and quantity at the instrument's scales, fee in atoms of `assets[fee_asset]`, side +1 or -1."""

FillArray = npt.NDArray[np.void]
"""A structured array of FILL; numpy cannot tell its fields to a type checker."""

ParamValue = int | float | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the simulation took for granted; every report states it."""

    fills: str = "pessimistic"
    fill_at: str = "next_open"
    limits: str = "config"
    fee_maker_bps: float = 10.0
    fee_taker_bps: float = 10.0
    slippage_bps: float = 5.0
    seed: int = 0
    fee_asset: str = "quote"
    detail_timeframe: str | None = None
    slippage_model: str = "fixed"
    slippage_impact: float = 1.0
    max_volume_share: float = 0.0
    delisting_days: int = 3
    delisting_haircut: float = 0.3


@dataclass(frozen=True, slots=True)
class RunLabel:
    """What only the caller of a run knows: its name, its parameters, its version, the command that repeats it.

    Without a command the report composes one: `named` are the strategies as they were asked for (a path, say), `more`
    are further words of it. `mode` is backtest, dry_run, forward or live.
    """

    run_id: str
    code_version: str
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    command: str = ""
    named: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    mode: str = "backtest"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One finished replay.

    `times` are the open times of the n slices (UTC ns), `closes` int64[n, K] at the instruments' scales, `equity`
    int64[n] in atoms of the quote asset after each slice's close. `fills` is a structured array of FILL in the order
    of booking. `candles` holds the bars of each instrument, in the order of `instruments`; it may begin before the
    run (warm-up). Seconds are wall time. `faults` say why strategies could not go on; they are also the
    first `warnings`.
    """

    instruments: tuple[Instrument, ...]
    timeframe: str
    strategies: tuple[str, ...]
    times: IntArray
    closes: IntArray
    equity: IntArray
    initial_equity: int
    fills: FillArray
    assets: tuple[str, ...]
    decisions_hash: str
    ledger_hash: str
    data_hash: str
    orders: int
    refused: int
    engine_seconds: float
    setup_seconds: float
    warnings: tuple[str, ...]
    candles: tuple[Candles, ...]
    assumptions: Assumptions = field(default_factory=Assumptions)
    faults: tuple[str, ...] = ()

    @property
    def quote(self) -> str:
        """The asset in which the run's money is counted."""
        return self.instruments[0].quote
