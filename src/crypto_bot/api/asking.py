"""What every route asks with: the follower, how many items, from where on, and which ones."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query, Request
from fastapi.routing import APIRouter
from fastapi.security import HTTPBearer

from crypto_bot.api.description import describe
from crypto_bot.api.follow import Follower
from crypto_bot.api.problem import Problem
from crypto_bot.api.replica import Replica
from crypto_bot.domain.units import INT64_MAX, parse_time_ns

LONGEST_NAME = 100
"""Letters of a symbol, a strategy or a run that somebody asks about."""

NAME = r"^[^\x00-\x1f\x7f]+$"
"""What a name may consist of: no control characters, which no database looks up alike."""

Limit = Annotated[int, Query(ge=1, le=1_000, description="How many items at most.")]
Cursor = Annotated[int | None, Query(ge=0, le=INT64_MAX, description="The `next` of the page before.")]
Symbol = Annotated[
    str | None, Query(pattern=NAME, max_length=LONGEST_NAME, description="A symbol of the run, like BTC/USDT.")
]
StrategyName = Annotated[str | None, Query(pattern=NAME, max_length=LONGEST_NAME, description="A strategy of the run.")]
Side = Annotated[str | None, Query(pattern="^(buy|sell)$", description="buy or sell.")]

Time = Annotated[str | None, Query(max_length=LONGEST_NAME, json_schema_extra={"format": "date-time"})]


@dataclass(frozen=True)
class Narrowed:
    """Which items of a list are wanted; None leaves it wide."""

    symbol: str | None = None
    strategy: str | None = None
    side: str | None = None

    def takes(self, symbol: str, strategy: str, side: int) -> bool:
        """Tell whether something is wanted; `side` is 1 for a buy, -1 for a sell."""
        wanted = self.symbol in (None, symbol) and self.strategy in (None, strategy)
        return wanted and self.side in (None, "buy" if side > 0 else "sell")


async def narrowed_of(symbol: Symbol = None, strategy: StrategyName = None, side: Side = None) -> Narrowed:
    """Return which items are wanted; like all that routes depend on it is awaited, for threads cost a millisecond."""
    return Narrowed(symbol, strategy, side)


Wanted = Annotated[Narrowed, Depends(narrowed_of)]


def time_of(name: str, text: str | None, *, end_of_day: bool = False) -> int | None:
    """Return a time that somebody asks about, UTC ns; 422 for what is none."""
    try:
        return None if text is None else parse_time_ns(text, end_of_day=end_of_day)
    except (ValueError, OverflowError) as error:
        raise HTTPException(422, f"{name}: {error}") from error


@dataclass(frozen=True)
class Span:
    """From when to when, UTC ns, both included; None leaves it open."""

    start_ns: int | None = None
    end_ns: int | None = None

    def holds(self, time_ns: int) -> bool:
        """Tell whether a time lies within."""
        return (self.start_ns is None or time_ns >= self.start_ns) and (self.end_ns is None or time_ns <= self.end_ns)


async def span_of(
    since: Annotated[Time, Query(description="Only from this time on.")] = None,
    until: Annotated[Time, Query(description="Only up to this time; a date is its whole day.")] = None,
) -> Span:
    """Return during what time something is wanted."""
    return Span(time_of("since", since), time_of("until", until, end_of_day=True))


During = Annotated[Span, Depends(span_of)]


async def follower_of(request: Request) -> Follower:
    """Return the follower of this application."""
    follower = request.app.state.follower
    assert isinstance(follower, Follower)
    return follower


Following = Annotated[Follower, Depends(follower_of)]


async def replica_of(follower: Following) -> Replica:
    """Return the run as far as it is known, an empty one before there is any."""
    return follower.replica or Replica("")


Known = Annotated[Replica, Depends(replica_of)]


async def only_known_parameters(request: Request) -> None:
    """Refuse a query parameter that the route does not know: a mistyped filter would go unseen."""
    if not request.query_params:
        return
    operation = describe(request.app)["paths"][request.scope["route"].path][request.method.lower()]
    known = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
    for name in request.query_params:
        if name not in known:
            raise HTTPException(422, f"{name or 'a nameless parameter'}: this route does not know it")


def api_router(prefix: str = "/api") -> APIRouter:
    """Return a router for paths that need a token."""
    bearer = HTTPBearer(auto_error=False, description="API_TOKEN, or the token in State/api_token.")
    needed = [Depends(bearer), Depends(only_known_parameters)]
    return APIRouter(prefix=prefix, dependencies=needed, responses=problems(400, 401, 403, 422, 429, 503))


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route may refuse with, for its description."""
    return {status: {"model": Problem} for status in statuses}
