"""The tables beside the journal, written in the journal's own transactions, and made again from it."""

from collections.abc import Iterator, Sequence

from sqlalchemy.engine.interfaces import DBAPICursor

from crypto_bot.persistence import tables
from crypto_bot.persistence.audit import Auditor
from crypto_bot.persistence.booking import VERSION, Books, Cell, OrderLine, Values, values_of
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.models import (
    BY_LIVE,
    LIVE_STATUSES,
    PROJECTED,
    Model,
    OHLCVCache,
    Order,
    Projection,
    columns_of,
    table_of,
)
from crypto_bot.persistence.payloads import Start, decode_payload
from crypto_bot.persistence.row import JournalRow

_CHUNK = 5_000


class Statements:
    """The SQL of one kind of database; only its placeholder differs."""

    def __init__(self, database: Database) -> None:
        """Spell the statements for the database's driver."""
        self.mark = "?" if database.is_file else "%s"
        told: list[type[Model]] = [*PROJECTED, OHLCVCache, Projection]
        changed: list[type[Model]] = [Order, OHLCVCache, Projection]
        self.insert = {model: self._insert(model) for model in told}
        self.put = {model: f"{self.insert[model]} {_overwriting(model)}" for model in changed}
        self.keep_bar = f"{self.insert[OHLCVCache]} ON CONFLICT DO NOTHING"
        self.late = self.spelled(
            "UPDATE orders SET filled = filled + ?, cost = cost + ?, updated_at = ? WHERE run_id = ? AND id = ?"
        )

    def spelled(self, sql: str) -> str:
        """Return a statement written with question marks in the driver's own spelling."""
        return sql.replace("?", self.mark)

    def _insert(self, model: type[Model]) -> str:
        names = [column.name for column in columns_of(model)]
        marks = ", ".join([self.mark] * len(names))
        return f"INSERT INTO {table_of(model).name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 # nosec B608: names of our own columns


class Projector:
    """Keeps the tables of one run at the journal's last row; used by the journal inside its transactions."""

    def __init__(self, database: Database, run_id: str) -> None:
        """Name the run; what its tables hold is read at the first write."""
        self.database = database
        self.run_id = run_id
        self._sql = Statements(database)
        self._auditor = Auditor(run_id, self._sql.mark)
        self._books: Books | None = None

    def write(self, cursor: DBAPICursor, rows: Sequence[JournalRow]) -> None:
        """Book rows that follow the journal's stored ones, in the open transaction that inserts them.

        A command goes into the audit log too, once: what is made again from the journal leaves the log alone.
        """
        self._auditor.write(cursor, rows)
        if self._books is None:
            self._books = self._attached(cursor, rows[0].sequence - 1)
        for row in rows:
            self._books.apply(row)
        self._store(cursor, self._books, rows[-1].sequence)

    def forget(self) -> None:
        """Let go of what was booked in a transaction that failed; the next write reads the tables again."""
        self._books = None

    def rebuild(self, cursor: DBAPICursor, newest: int) -> Books:
        """Make the run's tables anew from the journal up to the row `newest`, in the open transaction."""
        cleared: list[type[Model]] = [*PROJECTED, OHLCVCache]
        for model in cleared:
            delete = f"DELETE FROM {table_of(model).name} WHERE run_id = ?"  # noqa: S608 # nosec B608: as above
            self._run(cursor, delete, self.run_id)
        books = Books(self.run_id)
        self._store(cursor, books, -1)
        for rows in self._stored_rows(cursor, newest):
            for row in rows:
                books.apply(row)
            self._store(cursor, books, rows[-1].sequence, anew=True)
        return books

    def _attached(self, cursor: DBAPICursor, newest: int) -> Books:
        """Return the state after the row `newest`: from the tables, or from the journal when they lag behind."""
        told = self._all(cursor, "SELECT sequence, version FROM projections WHERE run_id = ?", self.run_id)
        if newest < 0:
            return Books(self.run_id)
        if told != [(newest, VERSION)]:
            return self.rebuild(cursor, newest)
        return self._restored(cursor)

    def _restored(self, cursor: DBAPICursor) -> Books:
        books, run_id = Books(self.run_id), self.run_id
        first = next(self._stored_rows(cursor, 0), [])
        if first and first[0].kind == "START":
            books.begin(decode_payload(first[0], Start))
        names = ", ".join(column.name for column in columns_of(Order))
        statuses = ", ".join(f"'{status}'" for status in LIVE_STATUSES)
        source = f"orders {BY_LIVE}" if self.database.is_file else "orders"
        orders = f"SELECT {names} FROM {source} WHERE run_id = ? AND status IN ({statuses}) ORDER BY id"  # noqa: S608 # nosec B608: our words
        live = [OrderLine(*values) for values in self._all(cursor, orders, run_id)]  # type: ignore[arg-type] # the columns are the fields, in their order
        newest = (
            "SELECT currency, total FROM balance_snapshots b WHERE run_id = ? AND sequence ="
            " (SELECT max(sequence) FROM balance_snapshots WHERE run_id = b.run_id AND currency = b.currency)"
            " ORDER BY sequence, currency"
        )
        totals = {str(currency): int(total or 0) for currency, total in self._all(cursor, newest, run_id)}
        day = "SELECT max(timestamp) FROM balance_snapshots WHERE run_id = ? AND equity IS NOT NULL"
        ((time_ns,),) = self._all(cursor, day, run_id)
        books.resume(live, totals, None if time_ns is None else int(time_ns))
        return books

    def _store(self, cursor: DBAPICursor, books: Books, newest: int, *, anew: bool = False) -> None:
        sql, changes = self._sql, books.take()
        for model, values in changes.added.items():
            if model is OHLCVCache:
                cursor.executemany(sql.keep_bar if anew else sql.put[OHLCVCache], values)
            else:
                cursor.executemany(sql.insert[model], values)
        if changes.orders:
            cursor.executemany(sql.put[Order], [values_of(order) for order in changes.orders.values()])
        if changes.late:
            cursor.executemany(sql.late, changes.late)
        cursor.execute(sql.put[Projection], (self.run_id, newest, VERSION))

    def _stored_rows(self, cursor: DBAPICursor, newest: int) -> Iterator[list[JournalRow]]:
        names = ", ".join(column.name for column in list(tables.journal.columns)[1:])
        chosen = "run_id = ? AND sequence > ? AND sequence <= ?"
        query = f"SELECT {names} FROM journal WHERE {chosen} ORDER BY sequence LIMIT {_CHUNK}"  # noqa: S608 # nosec B608: as above
        after = -1
        while found := self._all(cursor, query, self.run_id, after, newest):
            yield [JournalRow(*values) for values in found]  # type: ignore[arg-type] # as above
            after = int(found[-1][0] or 0)

    def _run(self, cursor: DBAPICursor, sql: str, *values: Cell) -> None:
        cursor.execute(self._sql.spelled(sql), values)

    def _all(self, cursor: DBAPICursor, sql: str, *values: Cell) -> list[Values]:
        self._run(cursor, sql, *values)
        return [tuple(row) for row in cursor.fetchall()]


def _overwriting(model: type[Model]) -> str:
    """Return the clause that lets a row take the place of the one with its key."""
    keys = [column.name for column in table_of(model).primary_key]
    rest = [column.name for column in columns_of(model) if column.name not in keys]
    told = ", ".join(f"{name} = excluded.{name}" for name in rest)
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {told}"
