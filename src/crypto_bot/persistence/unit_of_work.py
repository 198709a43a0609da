"""One transaction over all repositories: everything in it is kept, or nothing."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crypto_bot.domain.errors import RunFailed
from crypto_bot.persistence import server
from crypto_bot.persistence.audit import AuditRepository
from crypto_bot.persistence.candles import CandleRepository
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.repositories import (
    AlertRepository,
    BalanceRepository,
    OrderRepository,
    RecommendationRepository,
    RunRepository,
    StrategyStateRepository,
    TradeRepository,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

Found = TypeVar("Found")


class Repositories:
    """Every repository over one session."""

    def __init__(self, session: Session) -> None:
        """Work on a session."""
        self.session = session
        self.runs = RunRepository(session)
        self.trades = TradeRepository(session)
        self.orders = OrderRepository(session)
        self.balances = BalanceRepository(session)
        self.candles = CandleRepository(session)
        self.states = StrategyStateRepository(session)
        self.alerts = AlertRepository(session)
        self.recommendations = RecommendationRepository(session)
        self.audit = AuditRepository(session)


class UnitOfWork(Repositories):
    """A transaction that holds the write lock: `commit` keeps what was done, leaving without it keeps nothing.

    With a database that was opened for reading it only looks things up, all in one state. The address
    of a database is opened for the transaction alone. It is entered once.
    """

    def __init__(self, database: Database | Path | str, *, readonly: bool = False) -> None:
        """Begin nothing yet; `readonly` counts for an address."""
        self._given = database
        self._readonly = readonly
        self._stack = ExitStack()
        self._wanted = False

    def __enter__(self) -> Self:
        """Begin; raises what `Database.open` raises."""
        with ExitStack() as stack:
            database = self._given
            if not isinstance(database, Database):
                database = stack.enter_context(Database.open(database, readonly=self._readonly))
            self.database = database
            self._connection = stack.enter_context(database.read() if database.readonly else database.write())
            super().__init__(stack.enter_context(Session(bind=self._connection, expire_on_commit=False)))
            self._stack = stack.pop_all()
        return self

    def commit(self) -> None:
        """Keep what was done up to here; it is durable when the block ends."""
        with self.database.explained():
            self.session.flush()
        self._wanted = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End: durable after `commit`, else undone."""
        transaction = self._connection.get_transaction()
        if not self._wanted and transaction is not None:
            transaction.rollback()
        self._stack.__exit__(kind, error, trace)


class AsyncDatabase:
    """The same repositories for code that must not block: looks things up, each time in one state, and never writes."""

    def __init__(self, place: Path | str, engine: "AsyncEngine") -> None:
        """Wrap an engine; use `open`."""
        self.path = place
        self.engine = engine

    @classmethod
    def open(cls, url_or_path: str | Path) -> Self:
        """Open a database that exists and has this program's schema; raises what `Database.open` raises."""
        from sqlalchemy.ext.asyncio import create_async_engine

        with Database.open(url_or_path, readonly=True) as checked:
            place = checked.path
        if isinstance(place, Path):
            url = f"sqlite+aiosqlite:///{place.absolute().as_uri()}?mode=ro&uri=true"
            return cls(place, create_async_engine(url))
        url_there = server.server_url(str(url_or_path), driver="asyncpg")
        readonly = {"postgresql_readonly": True}
        engine = create_async_engine(url_there, isolation_level="REPEATABLE READ", execution_options=readonly)
        return cls(place, engine)

    async def look_up(self, work: Callable[[Repositories], Found]) -> Found:
        """Call `work` with the repositories, in one transaction; RunFailed when the database does not answer."""
        from sqlalchemy.ext.asyncio import AsyncSession

        try:
            async with AsyncSession(self.engine, expire_on_commit=False) as session:
                return await session.run_sync(lambda inner: work(Repositories(inner)))
        except (DBAPIError, OSError) as error:
            raise RunFailed(f"{self.path} could not be read; see that it is there and its server runs") from error

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
