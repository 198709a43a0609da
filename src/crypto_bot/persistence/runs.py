"""The table of runs: what was started, how it stands, what came out."""

from dataclasses import asdict

from sqlalchemy import ColumnElement, Row, Select, insert, select, tuple_, update

from crypto_bot.domain.errors import RunFailed, UsageError
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.run_record import RunRecord, new_run_id, record_backtest
from crypto_bot.persistence.tables import runs

__all__ = ["RunRecord", "Runs", "new_run_id", "record_backtest"]

_Columns = tuple[str, str, str, str, int, int | None, str, str]


class Runs:
    """Rows of `runs`; newest means the latest start."""

    def __init__(self, database: Database) -> None:
        """Read and write the runs of one database."""
        self.database = database

    def start(self, record: RunRecord) -> None:
        """Add a run; RunFailed when its id is taken."""
        with self.database.write() as connection:
            taken = connection.execute(select(runs.c.run_id).where(runs.c.run_id == record.run_id)).first()
            if taken is not None:
                raise RunFailed(f"run {record.run_id} stands in {self.database.path} already; start it again")
            connection.execute(insert(runs).values(asdict(record)))

    def go_on(self, run_id: str) -> None:
        """Mark a stopped or failed run as running again."""
        self._update(run_id, state="running", ended_ns=None)

    def finish(self, run_id: str, state: str, summary: str, *, ended_ns: int | None = None) -> None:
        """Store how a run ended (stopped, finished or failed), its summary as JSON text, and when."""
        self._update(run_id, state=state, summary=summary, ended_ns=ended_ns)

    def get(self, run_id: str) -> RunRecord:
        """Return a run; UsageError names it when there is none."""
        found = self._first(select(runs).where(runs.c.run_id == run_id))
        if found is None:
            raise UsageError(f"there is no run {run_id} in {self.database.path}")
        return found

    def latest(self, kind: str | None = None) -> RunRecord | None:
        """Return the newest run, of one kind when it is given, or None."""
        query = select(runs) if kind is None else select(runs).where(runs.c.kind == kind)
        return self._first(query)

    def list(self, limit: int = 100, before: str | None = None, *, kind: str | None = None) -> list[RunRecord]:
        """Return runs, of one kind when it is given, newest first; `before` is the last id of the previous page."""
        query = select(runs) if kind is None else select(runs).where(runs.c.kind == kind)
        if before is not None:
            edge = self.get(before)
            query = query.where(tuple_(runs.c.started_ns, runs.c.run_id) < (edge.started_ns, edge.run_id))
        with self.database.read() as connection:
            found = connection.execute(query.order_by(*_newest()).limit(limit)).all()
        return [_record(row) for row in found]

    def resumable(self, *, mode: str | None = None, manifest: str | None = None) -> RunRecord | None:
        """Return the newest session that is not finished, or None.

        Stopped, failed and killed ones count; `mode` and `manifest` narrow the choice to equal ones.
        """
        query = select(runs).where(runs.c.kind == "run", runs.c.state != "finished")
        if mode is not None:
            query = query.where(runs.c.mode == mode)
        if manifest is not None:
            query = query.where(runs.c.manifest == manifest)
        return self._first(query)

    def _first(self, query: Select[_Columns]) -> RunRecord | None:
        with self.database.read() as connection:
            row = connection.execute(query.order_by(*_newest()).limit(1)).first()
        return None if row is None else _record(row)

    def _update(self, run_id: str, **values: str | int | None) -> None:
        with self.database.write() as connection:
            changed = connection.execute(update(runs).where(runs.c.run_id == run_id).values(**values))
        if changed.rowcount != 1:
            raise UsageError(f"there is no run {run_id} in {self.database.path}")


def _newest() -> tuple[ColumnElement[int], ColumnElement[str]]:
    return runs.c.started_ns.desc(), runs.c.run_id.desc()


def _record(row: Row[_Columns]) -> RunRecord:
    return RunRecord(
        row.run_id, row.kind, row.mode, row.state, row.started_ns, row.ended_ns, row.manifest, summary=row.summary
    )
