"""What is written down: runs, the stories of orders, alerts and advice."""

from typing import Annotated

from fastapi import HTTPException, Path, Query, Request

from crypto_bot.api.asking import LONGEST_NAME, Cursor, Following, Known, Limit, api_router, problems
from crypto_bot.api.limits_view import limit_settings
from crypto_bot.api.record_answers import (
    AlertAnswer,
    Alerts,
    RecommendationAnswer,
    Recommendations,
    RunsAnswer,
    Why,
)
from crypto_bot.api.run_list import run_answer
from crypto_bot.api.why import why_order
from crypto_bot.domain.errors import UsageError
from crypto_bot.domain.units import INT64_MAX, PPM, format_time
from crypto_bot.persistence.models import AlertLog, Recommendation
from crypto_bot.persistence.repositories import Page
from crypto_bot.persistence.run_record import RUN_ID
from crypto_bot.persistence.runs import Runs

Run = Annotated[str | None, Query(pattern=f"^{RUN_ID.pattern}$", max_length=LONGEST_NAME)]

router = api_router()


@router.get("/runs", responses=problems(404))
async def runs(
    follower: Following,
    limit: Limit = 100,
    cursor: Run = None,
    kind: Annotated[str | None, Query(pattern="^(run|backtest)$", description="run or backtest.")] = None,
) -> RunsAnswer:
    """List sessions and backtests, newest first."""
    try:
        found = await follower.read(lambda database: Runs(database).list(limit + 1, cursor, kind=kind))
    except UsageError as error:
        raise HTTPException(404, str(error)) from error
    if found is None and cursor is not None:
        raise HTTPException(404, "There are no runs yet.")
    found = found or []
    more = len(found) > limit
    found = found[:limit]
    return RunsAnswer(items=[run_answer(record) for record in found], next=found[-1].run_id if more else None)


@router.get("/why/{order_id}", responses=problems(404))
async def why(
    request: Request, follower: Following, replica: Known, order_id: Annotated[int, Path(ge=0, le=INT64_MAX)]
) -> Why:
    """Tell how an order of this run came about and what became of it."""
    async with request.app.state.telling:
        told = await follower.read(
            lambda database: why_order(database, replica.run_id, order_id, limit_settings(replica))
        )
    if told is None:
        raise HTTPException(404, f"This run has no order {order_id}.")
    return told


@router.get("/alerts")
async def alerts(
    follower: Following,
    limit: Limit = 100,
    cursor: Cursor = None,
    level: Annotated[str | None, Query(pattern="^(info|warning|error)$", description="info, warning or error.")] = None,
) -> Alerts:
    """List what needed attention, newest first."""
    page = await follower.look_up(lambda tables: tables.alerts.page(before=cursor, limit=limit, severity=level))
    if page is None:
        return Alerts(items=[], next=None)
    return Alerts(items=[_alert(each) for each in page.items], next=_next(page))


@router.get("/recommendations")
async def recommendations(follower: Following, limit: Limit = 100, cursor: Cursor = None) -> Recommendations:
    """List the advice of trained models, newest first."""
    page = await follower.look_up(lambda tables: tables.recommendations.page(before=cursor, limit=limit))
    if page is None:
        return Recommendations(items=[], next=None)
    return Recommendations(items=[_advice(each) for each in page.items], next=_next(page))


def _next(page: Page[AlertLog] | Page[Recommendation]) -> str | None:
    return None if page.next is None else str(page.next)


def _alert(row: AlertLog) -> AlertAnswer:
    return AlertAnswer(
        id=row.id, time=format_time(row.timestamp), level=row.severity, channel=row.channel, text=row.message,
        delivered=row.delivered,
    )  # fmt: skip


def _advice(row: Recommendation) -> RecommendationAnswer:
    return RecommendationAnswer(
        id=row.id, time=format_time(row.timestamp), symbol=row.symbol, timeframe=row.timeframe, strategy=row.strategy,
        status=row.status, confidence=_share(row.confidence_ppm), tp_pct=_share(row.take_profit_ppm),
        sl_pct=_share(row.stop_loss_ppm),
    )  # fmt: skip


def _share(ppm: int | None) -> float | None:
    return None if ppm is None else ppm / PPM
