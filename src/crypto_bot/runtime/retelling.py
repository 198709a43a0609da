"""The rows of any run: those of its journal, or for a backtest those that come out when it is played again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from crypto_bot.authoring.parameters import Given
from crypto_bot.backtesting.choosing import history_bars
from crypto_bot.backtesting.loading import Asked, CandleSource, Window, cut, find_candles
from crypto_bot.backtesting.setup import Simulation
from crypto_bot.backtesting.stage import HEADROOM
from crypto_bot.domain.errors import DataError, UsageError
from crypto_bot.domain.units import parse_time_ns
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import encode
from crypto_bot.persistence.row import JournalRow
from crypto_bot.persistence.run_record import RunRecord
from crypto_bot.runtime.feed import RecordedFeed
from crypto_bot.runtime.plan import Plan, Prices
from crypto_bot.runtime.session import Session


class _Manifest(msgspec.Struct, frozen=True):
    """What a backtest keeps of itself."""

    strategies: tuple[str, ...]
    params: dict[str, bool | int | float | str | list[int | float]]
    symbols: tuple[str, ...]
    exchange: str
    timeframe: str
    start: str
    end: str
    simulation: Simulation
    detail_timeframe: str | None = None


class _Summary(msgspec.Struct, frozen=True):
    """What came of it, as far as it is compared."""

    decisions_hash: str


def rows_of(database: Database, record: RunRecord, source: CandleSource) -> list[JournalRow]:
    """Return every row of a run, from its first; DataError when there are none, or they come out otherwise."""
    if record.kind == "run":
        rows = list(Journal(database, record.run_id).rows())
        if not rows:
            raise DataError(f"run {record.run_id} has no rows in its journal; there is nothing to tell")
        return rows
    return list(_played_again(record, source))


def _played_again(record: RunRecord, source: CandleSource) -> Iterator[JournalRow]:
    """Play a backtest again, slice by slice as a run is played; the decisions must be those of the first time."""
    manifest = msgspec.json.decode(record.manifest, type=_Manifest)
    if manifest.detail_timeframe:
        raise UsageError(
            f"backtest {record.run_id} lived on {manifest.detail_timeframe} bars inside of those it decided on; its"
            " orders can be told of a backtest without --detail-timeframe"
        )
    window = Window(parse_time_ns(manifest.start), parse_time_ns(manifest.end))
    asked = Asked(source, manifest.symbols, manifest.timeframe, manifest.exchange, window)
    whole = find_candles(asked)
    plan = Plan(
        mode="backtest",
        strategies=manifest.strategies,
        params=_params(manifest),
        instruments=tuple(each.instrument for each in whole),
        timeframe=manifest.timeframe,
        simulation=manifest.simulation,
        prices=Prices("recorded", manifest.start, manifest.end),
        begin_ns=window.start_ns or 0,
        highest_prices=(),
    )
    split, gaps = bool(manifest.simulation.way.path), len(whole) > 1
    history = history_bars(plan.chosen(), len(whole), asked.run_ns, split=split, gaps=gaps)
    bars = cut(asked, whole, history).candles
    highest = tuple(int(each.high.max()) * HEADROOM for each in bars)
    plan = replace(plan, highest_prices=highest)
    session = Session(plan)
    sequence = 0
    yield JournalRow(0, plan.begin_ns, "START", encode(plan.start()), "{}", session.decisions_hash)
    slices = list(RecordedFeed(bars, 0.0).slices())
    session.see([item for item in slices if item.time_ns < plan.begin_ns])
    for item in slices:
        if item.time_ns < plan.begin_ns:
            continue
        for entry in session.play(item):
            sequence += 1
            yield JournalRow(sequence, entry.time_ns, entry.kind, entry.payload, entry.outcome, entry.decisions_hash)
    session.close()
    expected = msgspec.json.decode(record.summary, type=_Summary).decisions_hash
    if session.decisions_hash != expected:
        raise DataError(
            f"backtest {record.run_id} decides differently when it is played again: its strategy's file, the candles or"
            " the program have changed since; run it once more and ask about that one"
        )


def _params(manifest: _Manifest) -> tuple[dict[str, Given], ...]:
    """Return the parameters of each strategy; with several they are kept as NAME.k."""
    if len(manifest.strategies) == 1:
        return (dict(manifest.params),)
    names = [Path(each).stem for each in manifest.strategies]
    return tuple(
        {key.removeprefix(f"{name}."): value for key, value in manifest.params.items() if key.startswith(f"{name}.")}
        for name in names
    )
