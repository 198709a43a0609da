"""A run brought back at every start: the newest snapshot, then the journal's tail, played again.

Starting and recovering are the same path: a new run is one whose journal is empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crypto_bot.domain.market import Slice
from crypto_bot.persistence.journal import Journal
from crypto_bot.persistence.payloads import CommandEvent, Start, StopEvent, decode_payload, encode
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.history import history_of, history_payload, slice_of
from crypto_bot.runtime.plan import Plan
from crypto_bot.runtime.recorder import Recorder
from crypto_bot.runtime.session import Session
from crypto_bot.runtime.snapshot import unpack


@dataclass
class Recovered:
    """A session in the state its journal leaves it in, the pen, and the open time of the last bar it saw."""

    session: Session
    recorder: Recorder
    last_slice_ns: int | None
    bars: int


def recover(journal: Journal, plan: Plan, history: Sequence[Slice]) -> Recovered:
    """Bring a run to where its journal ends; write its first rows when it has none.

    Raises DataError when a stored row is not as it was written, RunFailed when a decision comes out
    differently than recorded.
    """
    rows = list(journal.rows())
    journal.verify()
    if not rows:
        return _begin(journal, plan, history)
    recorded = Plan.from_start(decode_payload(rows[0], Start))
    session = recorded.session()
    snapshot = journal.latest_snapshot()
    reached = -1
    if snapshot is not None and snapshot.code_version == plan.code:
        reached = snapshot.sequence
    recorder = Recorder(journal, [row for row in rows if row.sequence > reached], after=reached)
    last, bars = None, 0
    for row in rows:
        if row.sequence > reached:
            break
        if row.kind == "HISTORY":
            session.see(history_of(row))
        elif row.kind == "SLICE":
            item = slice_of(row)
            session.recall(item)
            last, bars = item.time_ns, bars + 1
    if snapshot is not None and reached >= 0:
        unpack(session, snapshot.blob)
    last, bars = _play_again(session, recorder, last, bars)
    return Recovered(session, recorder, last, bars)


def _begin(journal: Journal, plan: Plan, history: Sequence[Slice]) -> Recovered:
    session = plan.session()
    recorder = Recorder(journal)
    recorder.record(_plain(session, "START", encode(plan.start()), history[0].time_ns if history else 0))
    if history:
        session.see(history)
        recorder.record(_plain(session, "HISTORY", history_payload(history), history[-1].time_ns))
    recorder.flush()
    return Recovered(session, recorder, None, 0)


def _play_again(session: Session, recorder: Recorder, last: int | None, bars: int) -> tuple[int | None, int]:
    """Play the recorded slices and commands that follow; what comes out is compared row by row."""
    slices = (slice_of(row) for row in list(recorder.rest()) if row.kind == "SLICE")
    while (row := recorder.next_known) is not None:
        if row.kind in ("START", "STOP"):
            recorder.skip()
        elif row.kind == "HISTORY":
            session.see(history_of(row))
            recorder.skip()
        elif row.kind == "COMMAND":
            command = decode_payload(row, CommandEvent)
            for entry in session.obey(command.command, command.reason, command.by):
                recorder.record(entry)
        else:
            item = next(slices, None)
            if item is None:
                # The crash fell into a bar: its first rows stand there, the feed brings the bar again.
                break
            for entry in session.play(item):
                recorder.record(entry)
            last, bars = item.time_ns, bars + 1
    return last, bars


def _plain(session: Session, kind: str, payload: str, time_ns: int) -> Entry:
    return Entry(kind, time_ns, payload, "{}", session.decisions_hash, 0, False)


def stop_entry(session: Session, time_ns: int, reason: str) -> Entry:
    """Return the row that ends a run in order."""
    return _plain(session, "STOP", encode(StopEvent(reason)), time_ns)
