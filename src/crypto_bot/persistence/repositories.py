"""Looking things up in the tables and adding to those that no journal fills; each repository works on a session.

The same repositories serve both kinds of database and both ways of waiting: see `UnitOfWork` and
`AsyncDatabase`. Pages go from the newest to the oldest and are continued by the key of their last item.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from crypto_bot.persistence.models import (
    BY_LIVE,
    LIVE_STATUSES,
    AlertLog,
    BalanceSnapshot,
    Intent,
    Model,
    Order,
    Recommendation,
    RiskDecision,
    Run,
    SignalRecord,
    StrategyState,
    Trade,
    columns_of,
)

PAGE = 100
PAGE_MAX = 1_000

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Items, newest first, and the key to ask for the page after them; None when there is none."""

    items: Sequence[Row]
    next: int | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What narrows a list of trades or orders; None leaves it wide. Times are UTC ns, both ends included."""

    symbol: str | None = None
    strategy: str | None = None
    side: str | None = None
    status: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Story:
    """How an order came about and what became of it."""

    order: Order
    signals: Sequence[SignalRecord]
    decisions: Sequence[RiskDecision]
    intents: Sequence[Intent]
    trades: Sequence[Trade]


class RunRepository:
    """Backtests and sessions; `Runs` begins and ends them."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def get(self, run_id: str) -> Run | None:
        """Return one run by its id."""
        return self.session.get(Run, run_id)

    def latest(self, kind: str | None = None) -> Run | None:
        """Return the newest run, of one kind (backtest or run) when it is given."""
        query = select(Run) if kind is None else select(Run).where(Run.kind == kind)
        return self.session.scalars(query.order_by(Run.started_ns.desc(), Run.run_id.desc()).limit(1)).first()


class TradeRepository:
    """Fills of the runs."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def get(self, run_id: str, trade_id: int) -> Trade | None:
        """Return one fill by the number of its journal row."""
        return self.session.get(Trade, (run_id, trade_id))

    def page(
        self, run_id: str, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = PAGE
    ) -> Page[Trade]:
        """Return fills older than the fill `before`."""
        query = select(Trade).where(Trade.run_id == run_id, *_narrowed(Trade, wanted, Trade.timestamp))
        return _page(self.session, query, Trade.id, before, limit)

    def of_order(self, run_id: str, order_id: int) -> Sequence[Trade]:
        """Return the fills of one order, oldest first."""
        query = select(Trade).where(Trade.run_id == run_id, Trade.order_id == order_id).order_by(Trade.id)
        return self.session.scalars(query).all()

    def add(self, trade: Trade) -> Trade:
        """Add a fill that no journal tells of."""
        self.session.add(trade)
        return trade


class OrderRepository:
    """Orders of the runs, as they stand."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def get(self, run_id: str, order_id: int) -> Order | None:
        """Return one order by the engine's number."""
        return self.session.get(Order, (run_id, order_id))

    def live(self, run_id: str) -> Sequence[Order]:
        """Return the orders that may still fill, oldest first."""
        columns = columns_of(Order)
        source = f"orders {BY_LIVE}" if self.session.get_bind().dialect.name == "sqlite" else "orders"
        names, statuses = ", ".join(column.name for column in columns), ", ".join(map(repr, LIVE_STATUSES))
        query = f"SELECT {names} FROM {source} WHERE run_id = :run_id AND status IN ({statuses}) ORDER BY id"  # noqa: S608 # nosec B608: our words
        orders = select(Order).from_statement(text(query).columns(*columns))
        return self.session.scalars(orders, {"run_id": run_id}).all()

    def page(
        self, run_id: str, wanted: Filter = EVERYTHING, *, before: int | None = None, limit: int = PAGE
    ) -> Page[Order]:
        """Return orders older than the order `before`."""
        narrowed = _narrowed(Order, wanted, Order.created_at)
        if wanted.status is not None:
            narrowed.append(Order.status == wanted.status)
        query = select(Order).where(Order.run_id == run_id, *narrowed)
        return _page(self.session, query, Order.id, before, limit)

    def story(self, run_id: str, order_id: int) -> Story | None:
        """Return an order with the signals, risk decisions, intents and fills that belong to it."""
        order = self.get(run_id, order_id)
        if order is None:
            return None
        risk = select(RiskDecision).where(RiskDecision.run_id == run_id, RiskDecision.order_id == order_id)
        decisions = self.session.scalars(risk.order_by(RiskDecision.sequence, RiskDecision.item)).all()
        signals = select(SignalRecord).where(
            SignalRecord.run_id == run_id,
            SignalRecord.sequence.in_([each.sequence for each in decisions]),
            SignalRecord.strategy == order.strategy,
            SignalRecord.symbol == order.symbol,
        )
        intents = select(Intent).where(Intent.run_id == run_id, Intent.order_id == order_id)
        return Story(
            order,
            self.session.scalars(signals.order_by(SignalRecord.sequence, SignalRecord.item)).all(),
            decisions,
            self.session.scalars(intents.order_by(Intent.sequence, Intent.item)).all(),
            TradeRepository(self.session).of_order(run_id, order_id),
        )

    def add(self, order: Order) -> Order:
        """Add an order that no journal tells of."""
        self.session.add(order)
        return order


class BalanceRepository:
    """What an account held, currency by currency."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def latest(self, run_id: str) -> dict[str, BalanceSnapshot]:
        """Return the newest snapshot of each currency."""
        mine = BalanceSnapshot.run_id == run_id
        currencies = self.session.scalars(select(BalanceSnapshot.currency).where(mine).distinct()).all()
        newest = BalanceSnapshot.sequence.desc()
        found = {}
        for currency in sorted(currencies):
            query = select(BalanceSnapshot).where(mine, BalanceSnapshot.currency == currency).order_by(newest).limit(1)
            found[currency] = self.session.scalars(query).one()
        return found

    def daily(self, run_id: str) -> Sequence[BalanceSnapshot]:
        """Return the snapshots that carry the equity, oldest first: the start, then one a day."""
        query = select(BalanceSnapshot).where(BalanceSnapshot.run_id == run_id, BalanceSnapshot.equity.is_not(None))
        return self.session.scalars(query.order_by(BalanceSnapshot.sequence)).all()


class StrategyStateRepository:
    """What strategies remember between runs."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def get(self, strategy_name: str, symbol: str) -> StrategyState | None:
        """Return what a strategy remembers on a symbol."""
        return self.session.get(StrategyState, (strategy_name, symbol))

    def put(self, state: StrategyState) -> None:
        """Remember this instead of what was remembered."""
        self.session.merge(state)


class AlertRepository:
    """Alerts, delivered or not."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def add(self, alert: AlertLog) -> AlertLog:
        """Write an alert down; its `id` is known on return."""
        self.session.add(alert)
        self.session.flush()
        return alert

    def mark_delivered(self, alert_id: int) -> None:
        """Note that an alert reached its channel."""
        alert = self.session.get(AlertLog, alert_id)
        if alert is not None:
            alert.delivered = True

    def page(self, *, before: int | None = None, limit: int = PAGE, severity: str | None = None) -> Page[AlertLog]:
        """Return alerts older than the alert `before`, of one severity when it is given."""
        query = select(AlertLog) if severity is None else select(AlertLog).where(AlertLog.severity == severity)
        return _page(self.session, query, AlertLog.id, before, limit)


class RecommendationRepository:
    """Advice of trained models."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session

    def add(self, advice: Recommendation) -> Recommendation:
        """Write a piece of advice down; its `id` is known on return."""
        self.session.add(advice)
        self.session.flush()
        return advice

    def latest(self, symbol: str, timeframe: str, strategy: str) -> Recommendation | None:
        """Return the newest advice for one strategy on one series."""
        query = select(Recommendation).where(
            Recommendation.symbol == symbol, Recommendation.timeframe == timeframe, Recommendation.strategy == strategy
        )
        return self.session.scalars(query.order_by(Recommendation.id.desc()).limit(1)).first()

    def page(self, *, before: int | None = None, limit: int = PAGE) -> Page[Recommendation]:
        """Return advice older than the piece `before`."""
        return _page(self.session, select(Recommendation), Recommendation.id, before, limit)


def _narrowed(
    model: type[Trade] | type[Order], wanted: Filter, time: InstrumentedAttribute[int]
) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter that trades and orders share."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.symbol is not None:
        conditions.append(model.symbol == wanted.symbol)
    if wanted.strategy is not None:
        conditions.append(model.strategy == wanted.strategy)
    if wanted.side is not None:
        conditions.append(model.side == wanted.side)
    if wanted.start_ns is not None:
        conditions.append(time >= wanted.start_ns)
    if wanted.end_ns is not None:
        conditions.append(time <= wanted.end_ns)
    return conditions


def _page(
    session: Session, query: Select[Row], key: InstrumentedAttribute[int], before: int | None, limit: int
) -> Page[Row]:
    """Return one page and whether another follows; ValueError for a page that is too small or too large."""
    if not 1 <= limit <= PAGE_MAX:
        raise ValueError(f"a page has 1 to {PAGE_MAX} items, not {limit}")
    if before is not None:
        query = query.where(key < before)
    found = session.scalars(query.order_by(key.desc()).limit(limit + 1)).all()
    items = found[:limit]
    last = getattr(items[-1], key.key) if len(found) > limit else None
    return Page(items, last)
