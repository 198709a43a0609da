"""The HTTP application: reads of the running bot for pages and scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from crypto_bot.api import command_routes, desk_routes, gauges, record_routes, stream
from crypto_bot.api.answers import Health
from crypto_bot.api.description import describe
from crypto_bot.api.follow import Follower
from crypto_bot.api.guard import HEALTH, add_guard
from crypto_bot.api.meter import Meter, Metered
from crypto_bot.api.origin import Surroundings
from crypto_bot.api.problem import problem_response
from crypto_bot.api.static import open_paths
from crypto_bot.api.throttle import Throttle
from crypto_bot.domain.errors import CryptoBotError


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
    throttle: Throttle | None = None,
) -> FastAPI:
    """Build the application over one database, which need not exist yet.

    `state_folder` holds the lock that tells whether the engine lives, and the granted tokens; `around`
    says which host names, pages and proxies are known, `throttle` how often somebody may ask.
    """
    follower = Follower(database, state_folder)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        describe(app)
        await follower.catch_up()
        app.state.following = following = asyncio.create_task(follower.follow())
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    app = FastAPI(title="CryptoTrader", version=_version(), docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.follower = follower
    app.state.meter = meter = Meter()
    app.state.telling = asyncio.Lock()
    app.add_api_route(HEALTH, health, methods=["GET"], response_model=Health)
    for routes in (desk_routes, record_routes, command_routes, stream, gauges):
        app.include_router(routes.router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign] # the way that FastAPI documents
    app.mount("/", StaticFiles(directory=static_folder, html=True))
    app.add_exception_handler(StarletteHTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(CryptoBotError, _unanswered)
    app.add_exception_handler(500, _internal_error)
    add_guard(app, token, open_paths(static_folder), state_folder=state_folder, around=around, throttle=throttle)
    app.add_middleware(Metered, meter=meter)
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


async def _unanswered(_: Request, error: Exception) -> JSONResponse:
    """Say what keeps the database from being read."""
    return problem_response(503, str(error))


async def _internal_error(_: Request, error: Exception) -> JSONResponse:
    return problem_response(500, "The server failed on this request; its log says why.")
