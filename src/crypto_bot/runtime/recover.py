"""A run brought back at every start: the newest snapshot, then the journal's tail, played again.

Starting and recovering are the same path: a new run is one whose journal is empty.
"""

from collections.abc import Callable, Sequence

from crypto_bot.backtesting.several import switch_off
from crypto_bot.domain.errors import DataError
from crypto_bot.domain.market import Slice
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import CommandEvent, Start, decode_outcome, decode_payload, encode, fault_of
from crypto_bot.persistence.row import JournalRow, chain, genesis
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.history import columns_of, history_of, history_payload, slice_of
from crypto_bot.runtime.intervening import recall
from crypto_bot.runtime.plan import Plan, program_of
from crypto_bot.runtime.receipts import Receipt
from crypto_bot.runtime.recorder import Recorder
from crypto_bot.runtime.running import Running
from crypto_bot.runtime.session import Session
from crypto_bot.runtime.snapshot import unpack

History = Callable[[], Sequence[Slice]]
"""Gives the bars from before the start; asked only when a run begins."""


def recover(journal: Journal, plan: Plan, history: History) -> Running:
    """Bring a run to where its journal ends; write its first rows when it has none.

    Raises DataError when a stored row is not as it was written, RunFailed when a decision comes out
    differently than recorded; then nothing was written.
    """
    rows = _checked_rows(journal)
    if rows:
        plan = Plan.from_start(decode_payload(rows[0], Start))
    program = program_of(plan.chosen())
    run = _restored(journal, plan, program, rows) or Running(Session(plan), Recorder(journal, rows), journal, program)
    if not rows:
        start = encode(plan.start())
        run.recorder.record(Entry("START", plan.begin_ns, start, "{}", run.session.decisions_hash))
    _play_again(run)
    if len(rows) <= 1:
        _see(run, history())
    run.recorder.flush()
    return run


def _checked_rows(journal: Journal) -> list[JournalRow]:
    """Return every row; DataError names the first that is not as it was written."""
    rows = []
    digest = genesis(journal.run_id)
    for row in journal.rows():
        if row.digest != chain(digest, row):
            raise DataError(
                f"row {row.sequence} ({row.kind}) of run {journal.run_id} in {journal.database.path} is not as it was"
                " written; put a backup in its place, or begin a new run with another folder as --state"
            )
        digest = row.digest
        rows.append(row)
    return rows


def _restored(journal: Journal, plan: Plan, program: str, rows: Sequence[JournalRow]) -> Running | None:
    """Return the run as its newest snapshot has it; None without one that this very program wrote.

    Nothing happens again up to the snapshot's row; without it the journal is played from its first row.
    """
    snapshot = journal.latest_snapshot()
    if snapshot is None or snapshot.code_version != program:
        return None
    seen, following = rows[: snapshot.sequence + 1], rows[snapshot.sequence + 1 :]
    session = Session(plan)
    times, columns = columns_of(seen, len(plan.instruments))
    session.recall(times, columns)
    for fault in filter(None, map(fault_of, seen)):
        switch_off(session.stage, fault.strategy, fault.reason)
    if not unpack(session, snapshot.blob):
        return None
    run = Running(session, Recorder(journal, following, after=snapshot.sequence), journal, program)
    run.bars = sum(row.kind == "SLICE" for row in seen)
    run.last_ns = int(times[-1]) if run.bars else None
    for row in seen:
        if row.kind == "COMMAND":
            command = decode_payload(row, CommandEvent)
            recall(session, command)
            run.note(Receipt.of(journal.run_id, row.sequence, row.time_ns, command, decode_outcome(row)))
    return run


def _play_again(run: Running) -> None:
    """Play the recorded slices and commands that follow; what comes out is compared row by row."""
    recorder = run.recorder
    slices = recorder.ahead("SLICE")
    while (row := recorder.next_known) is not None:
        if row.kind in ("START", "STOP"):
            recorder.skip()
        elif row.kind == "HISTORY":
            run.session.see(history_of(row))
            recorder.skip()
        elif row.kind == "COMMAND":
            run.obey(decode_payload(row, CommandEvent))
        elif (marked := next(slices, None)) is not None:
            run.play(slice_of(marked))
        else:
            # The crash fell into a bar: its first rows stand there, the feed brings the bar again.
            return


def _see(run: Running, history: Sequence[Slice]) -> None:
    """Begin: let the indicators see what lies before the start, and write down what they saw."""
    if history:
        run.session.see(history)
        payload = history_payload(history)
        run.recorder.record(Entry("HISTORY", run.session.time_ns, payload, "{}", run.session.decisions_hash))
