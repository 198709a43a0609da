"""The shapes of the answers about limits, runs, orders' stories, alerts and advice."""

from typing import Annotated, Literal

from pydantic import BaseModel, WithJsonSchema

from crypto_bot.api.answers import row_of

Setting = bool | int | float | str | list[int | float] | None


class Breaker(BaseModel):
    """Whether the circuit breaker lets orders open positions; `tripped_by` names what opened it."""

    state: Literal["closed", "open"]
    tripped_by: str | None
    reason: str | None
    by: str | None
    at: str | None
    reopens_at: str | None


class LimitAnswer(BaseModel):
    """One limit: how much of it is used, and what happens at it. Ratios and counts are numbers, money is text."""

    id: str
    label: str
    used: float
    limit: float
    unit: Literal["ratio", "count", "money"]
    action: str


class Risk(BaseModel):
    """The limits and how near they are; `refused` counts orders that the gate refused, by reason."""

    breaker: Breaker
    limits: list[LimitAnswer]
    refused: dict[str, int]


class AlertAnswer(BaseModel):
    """One alert; `level` is info, warning or error."""

    id: int
    time: str
    level: str
    channel: str
    text: str
    delivered: bool


class Alerts(BaseModel):
    """Alerts, newest first."""

    items: list[AlertAnswer]
    next: str | None


class RecommendationAnswer(BaseModel):
    """One piece of advice; shares and confidence are ratios."""

    id: int
    time: str
    symbol: str
    timeframe: str
    strategy: str
    status: str
    confidence: float | None
    tp_pct: float | None
    sl_pct: float | None


class Recommendations(BaseModel):
    """Advice, newest first."""

    items: list[RecommendationAnswer]
    next: str | None


class RunAnswer(BaseModel):
    """A backtest or a session; figures are null where they are not known."""

    run_id: str
    kind: str
    mode: str
    state: str
    started_at: str
    ended_at: str | None
    progress: float | None
    strategy: str | None
    params: dict[str, Setting]
    symbol: str | None
    timeframe: str | None
    total_return: float | None
    sharpe: float | None
    sharpe_se: float | None
    max_drawdown: float | None
    profit_factor: float | None
    trades: int | None
    final_equity: str | None
    verdict: str | None
    reasons: list[str]


class RunsAnswer(BaseModel):
    """Backtests and sessions, newest first."""

    items: list[RunAnswer]
    next: str | None


class WhyStep(BaseModel):
    """One thing that happened to an order; `kind` is signal, risk, order, fill or result."""

    kind: Literal["signal", "risk", "order", "fill", "result"]
    time: str
    title: str
    text: str
    facts: list[Annotated[tuple[str, str], WithJsonSchema(row_of(2, "string"))]]


class Why(BaseModel):
    """The story of an order, oldest first."""

    run_id: str
    order_id: str
    strategy: str
    symbol: str
    steps: list[WhyStep]
