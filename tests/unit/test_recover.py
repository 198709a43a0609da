"""Bringing a run back: from whose snapshot, against which rows, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.errors import CryptoBotError, DataError, RunFailed
from crypto_bot.kernel.genesis import Costs
from crypto_bot.persistence.journal import Snapshot
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime import drive
from crypto_bot.runtime.plan import Plan
from crypto_bot.runtime.recover import recover
from crypto_bot.runtime.running import Running
from crypto_bot.runtime.session import Session
from tests.small_runs import CROSS, GRID, PaperJournal, Setting, as_journal, walk

SETTING = Setting({"grid": GRID}, (walk(40),))


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PaperJournal:
    """Return the journal of a run, a snapshot after every tenth bar."""
    monkeypatch.setattr(drive, "_SNAPSHOT_BARS", 10)
    paper = PaperJournal()
    SETTING.run(paper, tmp_path)
    assert len(paper.snapshots) >= 4
    return paper


def brought_back(journal: PaperJournal, setting: Setting = SETTING) -> Running:
    return recover(as_journal(journal), setting.plan(), setting.history)


def count_plays(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the open time of every slice that is played."""
    played: list[int] = []
    play = Session.play

    def counted(self, item):  # type: ignore[no-untyped-def] # stands in for the method
        played.append(item.time_ns)
        return play(self, item)

    monkeypatch.setattr(Session, "play", counted)
    return played


def test_a_snapshot_spares_playing_what_lies_before_it(journal: PaperJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    played = count_plays(monkeypatch)
    after_first = journal.cut(journal.snapshots[1].sequence)
    running = brought_back(after_first)
    assert (len(after_first.snapshots), running.bars, len(played)) == (1, 20, 10)
    assert running.last_ns == SETTING.candles[0].times[19]


@pytest.mark.parametrize("spoilt", ["another program", "a bit flipped", "cut short", "empty", "another layout"])
def test_a_snapshot_of_others_or_a_damaged_one_is_passed_over(
    spoilt: str, journal: PaperJournal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = list(journal.written)
    cut = journal.cut(journal.snapshots[2].sequence + 1)
    kept = cut.snapshots[-1]
    flipped = kept.blob[:5_000] + bytes([kept.blob[5_000] ^ 1]) + kept.blob[5_001:]
    other = Setting({"simple_ma": CROSS}, (walk(40),))
    other_journal = PaperJournal()
    other.run(other_journal, tmp_path)
    cut.snapshots = [
        {
            "another program": replace(kept, code_version="0.0.1"),
            "a bit flipped": replace(kept, blob=flipped),
            "cut short": replace(kept, blob=kept.blob[:-1]),
            "empty": replace(kept, blob=b""),
            "another layout": replace(kept, blob=other_journal.snapshots[-1].blob),
        }[spoilt]
    ]
    played = count_plays(monkeypatch)
    running = brought_back(cut)
    assert len(played) == 30 == running.bars
    SETTING.run(cut, tmp_path)
    assert cut.written == whole


def test_an_intact_snapshot_with_a_wrong_world_is_found_out(journal: PaperJournal, tmp_path: Path) -> None:
    """The test of the tests: had a snapshot lied, the rows that follow would not come out as recorded."""
    cut = journal.cut(journal.snapshots[1].sequence + 8)
    older, newer = cut.snapshots
    cut.snapshots = [Snapshot(newer.sequence, older.blob, newer.code_version)]
    with pytest.raises(CryptoBotError):
        SETTING.run(cut, tmp_path)


@pytest.mark.parametrize("snapshots", [True, False])
def test_a_decision_that_differs_is_told_and_nothing_is_written(snapshots: bool, journal: PaperJournal) -> None:
    """The program has changed: the same prices lead to another fee."""
    cut = journal.cut(journal.snapshots[0].sequence + 30)
    if not snapshots:
        cut.snapshots = []
    before, commits = list(cut.written), cut.commits
    dearer = replace(SETTING, simulation=Simulation(costs=Costs(maker_ppm=2_000)))
    told = Plan.from_start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "from_start", lambda start: replace(told(start), simulation=dearer.simulation))
        with pytest.raises(
            RunFailed, match=r"row \d+ \((FILL|SIGNAL)\) of run .* comes out differently .* nothing was written"
        ):
            brought_back(cut)
    assert (cut.written, cut.commits) == (before, commits)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: replace(row, payload='{"a":1}'),
        lambda row: replace(row, outcome="{}x"),
        lambda row: replace(row, time_ns=row.time_ns + 1),
        lambda row: replace(row, kind="NOTE"),
        lambda row: replace(row, decisions_hash="0" * 16),
        lambda row: replace(row, digest="0" * 32),
    ],
    ids=["payload", "outcome", "time", "kind", "hash", "digest"],
)
def test_a_changed_row_is_named(change: Callable[[JournalRow], JournalRow], journal: PaperJournal) -> None:
    journal.written[30] = change(journal.written[30])
    with pytest.raises(DataError, match=r"row 30 \(\w+\) of run .* is not as it was written"):
        brought_back(journal)


def test_a_first_row_of_another_kind_of_program_is_refused() -> None:
    journal = PaperJournal()
    brought_back(journal)
    start = journal.written[0]
    alien = PaperJournal()
    alien.append([replace(start, payload=start.payload.replace('"begin_ns"', '"began"'))])
    with pytest.raises(DataError, match="the first row of the run lacks what is needed"):
        brought_back(alien)


def test_a_run_goes_on_as_it_was_begun_whatever_is_asked_for_now(journal: PaperJournal) -> None:
    cut = journal.cut(60)
    running = brought_back(cut, Setting({"simple_ma": CROSS}, (walk(40),)))
    assert running.session.names.strategies == ("grid",)


def test_what_was_not_durable_is_done_again_at_once(journal: PaperJournal) -> None:
    """The row of the slice is there, those of its decisions are not: they are written before any price comes."""
    kinds = [row.kind for row in journal.written]
    signal = kinds.index("SIGNAL", 80)
    cut = journal.cut(signal)
    cut.snapshots = []
    brought_back(cut)
    assert [row.kind for row in cut.written[signal:]][:2] == ["SIGNAL", "ORDER"]
    assert cut.written == journal.written[: len(cut.written)]
