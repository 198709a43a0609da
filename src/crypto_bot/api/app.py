"""The HTTP application: reads of the running bot for pages and scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRouter
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from crypto_bot.api.answers import Equity, Health, Ohlcv, Orders, Status, Trades
from crypto_bot.api.follow import Follower
from crypto_bot.api.guard import HEALTH, add_guard
from crypto_bot.api.origin import Surroundings
from crypto_bot.api.problem import Problem, problem_response
from crypto_bot.api.replica import Replica
from crypto_bot.api.series import CANDLES_KEPT, POINTS_KEPT
from crypto_bot.api.static import open_paths
from crypto_bot.api.throttle import Limits
from crypto_bot.api.views import candle_answer, order_answer, point_answer, status_of, trade_answer
from crypto_bot.domain.timeframe import timeframe_ns
from crypto_bot.domain.units import parse_time_ns

Limit = Annotated[int, Query(ge=1, le=1_000, description="How many items at most.")]
Cursor = Annotated[int | None, Query(ge=0, description="The `next` of the page before.")]

router = APIRouter(
    prefix="/api",
    dependencies=[Depends(HTTPBearer(auto_error=False, description="API_TOKEN, or the token in State/api_token."))],
    responses={401: {"model": Problem}, 422: {"model": Problem}},
)


def follower_of(request: Request) -> Follower:
    """Return the follower of this application."""
    follower = request.app.state.follower
    assert isinstance(follower, Follower)
    return follower


Following = Annotated[Follower, Depends(follower_of)]


@router.get("/status")
async def status(request: Request, follower: Following) -> Status:
    """Tell what the bot is doing, how it stands and how old that is."""
    return status_of(follower, request.app.version)


@router.get("/equity")
async def equity(
    follower: Following,
    limit: Annotated[int, Query(ge=1, le=POINTS_KEPT)] = POINTS_KEPT,
    since: Annotated[str | None, Query(description="ISO 8601 time; only points after it.")] = None,
) -> Equity:
    """Tell the equity, and buy and hold beside it, bar by bar; a long run is thinned evenly to `limit` points."""
    try:
        since_ns = None if since is None else parse_time_ns(since)
    except ValueError as error:
        raise HTTPException(422, f"since: {error}") from error
    points = follower.replica.curve.since(since_ns, limit) if follower.replica else []
    return Equity(points=[point_answer(point) for point in points])


@router.get("/orders")
async def orders(follower: Following, limit: Limit = 1_000, cursor: Cursor = None) -> Orders:
    """List the open orders."""
    replica = follower.replica or Replica("")
    first = cursor or 0
    listed = sorted(replica.orders.values(), key=lambda order: (order.instrument, -(order.price or 0), order.order_id))
    page = listed[first : first + limit]
    more = first + len(page) < len(listed)
    return Orders(items=[order_answer(order, replica) for order in page], next=str(first + len(page)) if more else None)


@router.get("/trades")
async def trades(follower: Following, limit: Limit = 100, cursor: Cursor = None) -> Trades:
    """List the fills, newest first."""
    replica = follower.replica or Replica("")
    before = replica.sequence + 1 if cursor is None else cursor
    page = [trade for trade in reversed(replica.trades) if trade.sequence < before][: limit + 1]
    if len(page) <= limit and len(replica.trades) < replica.trade_count:
        edge = page[-1].sequence if page else before
        page += await follower.older_trades(edge, limit + 1 - len(page))
    more = len(page) > limit
    page = page[:limit]
    return Trades(items=[trade_answer(trade, replica) for trade in page], next=str(page[-1].sequence) if more else None)


@router.get("/ohlcv", responses={404: {"model": Problem}})
async def ohlcv(
    follower: Following, symbol: str | None = None, timeframe: str | None = None, limit: Limit = 500
) -> Ohlcv:
    """List the newest candles of one symbol, in the run's timeframe or a multiple of it."""
    replica = follower.replica or Replica("")
    start = replica.start
    if start is None:
        raise HTTPException(404, "There are no candles yet.")
    symbol = symbol or start.instruments[0].symbol
    number = replica.number_of(symbol)
    if number is None:
        traded = ", ".join(instrument.symbol for instrument in replica.instruments)
        raise HTTPException(404, f"This run trades {traded}, not {symbol}.")
    timeframe = timeframe or start.timeframe
    try:
        length_ns = timeframe_ns(timeframe)
    except ValueError as error:
        raise HTTPException(422, f"timeframe: {error}") from error
    if length_ns % replica.bar_ns:
        raise HTTPException(422, f"timeframe: {timeframe} is not a multiple of the run's {start.timeframe}")
    candles = replica.candles[number].newest(min(limit, CANDLES_KEPT), length_ns, replica.bar_ns)
    instrument = replica.instruments[number]
    return Ohlcv(
        symbol=symbol, timeframe=timeframe, items=[candle_answer(one, instrument) for one in candles], next=None
    )


async def health() -> Health:
    """Say that the server is up."""
    return Health()


def create_app(
    database: Path | str,
    token: str,
    static_folder: Path,
    *,
    state_folder: Path | None = None,
    around: Surroundings | None = None,
    limits: Limits | None = None,
) -> FastAPI:
    """Build the application over one database, which need not exist yet.

    `state_folder` holds the lock that tells whether the engine lives, and the granted tokens; `around`
    says which host names, pages and proxies are known, `limits` how often somebody may ask.
    """
    follower = Follower(database, state_folder)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await follower.catch_up()
        following = asyncio.create_task(follower.follow())
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    app = FastAPI(title="CryptoTrader", version=_version(), docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.follower = follower
    app.add_api_route(HEALTH, health, methods=["GET"], response_model=Health)
    app.include_router(router)
    app.mount("/", StaticFiles(directory=static_folder, html=True))
    app.add_exception_handler(StarletteHTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(500, _internal_error)
    add_guard(app, token, open_paths(static_folder), state_folder=state_folder, around=around, limits=limits)
    return app


def _version() -> str:
    try:
        return metadata.version("cryptotrader")
    except metadata.PackageNotFoundError:
        return "unknown"


async def _http_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    detail = "There is nothing here." if error.detail == "Not Found" else error.detail
    return problem_response(error.status_code, detail, dict(error.headers or {}))


async def _invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return problem_response(422, f"{first['loc'][-1]}: {first['msg']}")


async def _internal_error(_: Request, error: Exception) -> JSONResponse:
    return problem_response(500, "The server failed on this request; its log says why.")
