"""What a run is doing now: reads answered from the replica, older trades and candles from the tables."""

from typing import Annotated

from fastapi import Query, Request

from crypto_bot.api.answers import (
    Equity,
    Ohlcv,
    Orders,
    PnlAnswer,
    Positions,
    Status,
    Strategies,
    Trades,
)
from crypto_bot.api.asking import (
    Cursor,
    During,
    Following,
    Known,
    Limit,
    Narrowed,
    StrategyName,
    Symbol,
    Time,
    Wanted,
    api_router,
    problems,
    time_of,
)
from crypto_bot.api.candles import SeriesAsked, candles_answer
from crypto_bot.api.limits_view import risk_of
from crypto_bot.api.positions import positions_of, strategies_of, strategy_name, strategy_pnl
from crypto_bot.api.record_answers import Risk
from crypto_bot.api.replica import Replica, Trade
from crypto_bot.api.series import POINTS_KEPT
from crypto_bot.api.texts import money
from crypto_bot.api.views import (
    drawdown_of,
    order_answer,
    pnl_of,
    point_answer,
    state_of,
    status_of,
    stored_trade_answer,
    trade_answer,
)
from crypto_bot.domain.units import INT64_MAX, format_time
from crypto_bot.persistence.repositories import Filter

router = api_router()


@router.get("/status")
async def status(request: Request, follower: Following) -> Status:
    """Tell what the bot is doing, how it stands and how old that is."""
    return status_of(follower, request.app.version)


@router.get("/pnl")
async def pnl(replica: Known) -> PnlAnswer:
    """Tell what was earned: in all, today, and by strategy."""
    start = replica.start
    return PnlAnswer(
        run_id=replica.run_id or None,
        quote=start.quote if start else None,
        time=format_time(replica.time_ns) if start else None,
        equity=None if replica.equity is None else money(replica.equity),
        initial_equity=money(start.cash) if start else None,
        pnl=pnl_of(replica),
        drawdown=drawdown_of(replica),
        strategies=[strategy_pnl(replica, number) for number in range(len(start.strategies) if start else 0)],
    )


@router.get("/equity")
async def equity(
    replica: Known,
    limit: Annotated[int, Query(ge=1, le=POINTS_KEPT)] = POINTS_KEPT,
    since: Annotated[Time, Query(description="Only points after this time.")] = None,
) -> Equity:
    """Tell the equity, and buy and hold beside it, bar by bar; a long run is thinned evenly to `limit` points."""
    points = replica.curve.since(time_of("since", since), limit)
    return Equity(points=[point_answer(point) for point in points])


@router.get("/orders")
async def orders(
    replica: Known,
    wanted: Wanted,
    limit: Limit = 1_000,
    cursor: Cursor = None,
) -> Orders:
    """List the open orders."""
    found = [
        order
        for order in replica.orders.values()
        if wanted.takes(replica.instruments[order.instrument].symbol, order.strategy, order.side)
    ]
    found.sort(key=lambda order: (order.instrument, -(order.price or 0), order.order_id))
    first = cursor or 0
    page = found[first : first + limit]
    more = first + len(page) < len(found)
    return Orders(items=[order_answer(order, replica) for order in page], next=str(first + len(page)) if more else None)


@router.get("/positions")
async def positions(
    replica: Known, limit: Limit = 1_000, cursor: Cursor = None, symbol: Symbol = None, strategy: StrategyName = None
) -> Positions:
    """List what every strategy holds."""
    found = [
        each for each in positions_of(replica) if symbol in (None, each.symbol) and strategy in (None, each.strategy)
    ]
    first = cursor or 0
    page = found[first : first + limit]
    more = first + len(page) < len(found)
    return Positions(items=page, next=str(first + len(page)) if more else None)


@router.get("/strategies")
async def strategies(follower: Following, replica: Known, limit: Limit = 1_000, cursor: Cursor = None) -> Strategies:
    """List the strategies of the run."""
    found = strategies_of(replica, state_of(follower))
    first = cursor or 0
    page = found[first : first + limit]
    more = first + len(page) < len(found)
    return Strategies(items=page, next=str(first + len(page)) if more else None)


@router.get("/trades")
async def trades(
    follower: Following,
    wanted: Wanted,
    span: During,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Trades:
    """List the fills, newest first; of older ones the realised gain is not known any more."""
    replica = follower.replica or Replica("")
    before = replica.sequence + 1 if cursor is None else cursor
    kept = [
        trade
        for trade in reversed(replica.trades)
        if trade.sequence < before and span.holds(trade.fill.time) and _is_wanted(trade, replica, wanted)
    ]
    answers = [trade_answer(trade, replica) for trade in kept[: limit + 1]]
    if len(answers) <= limit and len(replica.trades) < replica.trade_count:
        edge = min(before, replica.trades[0].sequence if replica.trades else before)
        narrowed = Filter(wanted.symbol, wanted.strategy, wanted.side, start_ns=span.start_ns, end_ns=span.end_ns)
        page = await follower.look_up(
            lambda tables: tables.trades.page(replica.run_id, narrowed, before=edge, limit=min(1_000, limit + 1))
        )
        older = [] if page is None else [stored_trade_answer(row, replica) for row in page.items]
        answers += older[: limit + 1 - len(answers)]
    more = len(answers) > limit
    answers = answers[:limit]
    return Trades(items=answers, next=str(answers[-1].sequence) if more else None)


@router.get("/ohlcv", responses=problems(404))
async def ohlcv(
    follower: Following,
    symbol: Symbol = None,
    timeframe: Annotated[str | None, Query(pattern=r"^[1-9][0-9]{0,2}[mhdw]$", description="Like 15m or 4h.")] = None,
    exchange: Annotated[
        str | None, Query(pattern="^[a-z0-9][a-z0-9_-]{0,39}$", description="Like binance; of the run when left out.")
    ] = None,
    *,
    limit: Limit = 500,
    before: Annotated[int | None, Query(ge=0, le=INT64_MAX // 10**9, description="Epoch s; older ones.")] = None,
) -> Ohlcv:
    """List candles of one symbol, oldest first: those of the run, and what was stored before; `next` is a `before`."""
    return await candles_answer(follower, SeriesAsked(symbol, timeframe, exchange), limit=limit, before=before)


@router.get("/risk")
async def risk(replica: Known) -> Risk:
    """Tell the limits, how near they are, and whether one of them has stopped trading."""
    return risk_of(replica)


def _is_wanted(trade: Trade, replica: Replica, wanted: Narrowed) -> bool:
    fill = trade.fill
    return wanted.takes(replica.instruments[fill.instrument].symbol, strategy_name(replica, fill.strategy), fill.side)
