"""Tell what stands in the table of runs: backtests and sessions with what came of them."""

from typing import TypeVar

import msgspec

from crypto_bot.api.record_answers import RunAnswer, Setting
from crypto_bot.domain.units import format_time
from crypto_bot.persistence.run_record import RunRecord


class _Named(msgspec.Struct, frozen=True):
    name: str = ""
    params: dict[str, Setting] = {}


class _Traded(msgspec.Struct, frozen=True):
    symbol: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    strategies: list[_Named | str] = []
    params: dict[str, Setting] = {}
    instruments: list[_Traded] = []
    symbols: list[str] = []
    timeframe: str | None = None


class _Summary(msgspec.Struct, frozen=True):
    total_return: float | None = None
    sharpe: float | None = None
    sharpe_se: float | None = None
    max_drawdown: float | None = None
    profit_factor: float | None = None
    trades: int | None = None
    fills: int | None = None
    final_equity: str | None = None
    verdict: str | None = None
    reasons: list[str] = []


Shape = TypeVar("Shape", _Manifest, _Summary)


def run_answer(record: RunRecord) -> RunAnswer:
    """Tell one run; what its manifest or summary does not hold is null."""
    manifest, summary = _read(record.manifest, _Manifest()), _read(record.summary, _Summary())
    names = [each if isinstance(each, str) else each.name for each in manifest.strategies]
    symbols = manifest.symbols or [each.symbol for each in manifest.instruments]
    several = len(names) > 1
    params = dict(manifest.params)
    for each in manifest.strategies:
        if not isinstance(each, str):
            params |= {f"{each.name}.{key}" if several else key: value for key, value in each.params.items()}
    return RunAnswer(
        run_id=record.run_id,
        kind=record.kind,
        mode=record.mode,
        state=record.state,
        started_at=format_time(record.started_ns),
        ended_at=None if record.ended_ns is None else format_time(record.ended_ns),
        progress=1.0 if record.state == "finished" else None,
        strategy=", ".join(names) or None,
        params=params,
        symbol=", ".join(symbols) or None,
        timeframe=manifest.timeframe,
        total_return=summary.total_return,
        sharpe=summary.sharpe,
        sharpe_se=summary.sharpe_se,
        max_drawdown=summary.max_drawdown,
        profit_factor=summary.profit_factor,
        trades=summary.fills if summary.trades is None else summary.trades,
        final_equity=summary.final_equity,
        verdict=summary.verdict,
        reasons=summary.reasons,
    )


def _read(text: str, empty: Shape) -> Shape:
    """Read as much as is there; a text of another shape tells nothing."""
    try:
        return msgspec.json.decode(text, type=type(empty))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return empty
