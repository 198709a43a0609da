"""The journal's pen: numbers without a gap, durable when it binds, and never a second version of a row."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.domain.errors import RunFailed
from crypto_bot.runtime import recorder as pen
from crypto_bot.runtime.entries import Entry
from crypto_bot.runtime.recorder import Recorder
from tests.small_runs import PaperJournal, as_journal


def entry(number: int, *, binding: bool = False) -> Entry:
    return Entry("SLICE", number, f'{{"n":{number}}}', "{}", f"{number:016x}", binding=binding)


@given(binding=st.lists(st.booleans(), max_size=60))
def test_what_binds_is_durable_at_once_with_everything_before_it(binding: list[bool]) -> None:
    journal = PaperJournal()
    recorder = Recorder(as_journal(journal))
    for number, binds in enumerate(binding):
        recorder.record(entry(number, binding=binds))
        if binds:
            assert len(journal.written) == number + 1
    assert journal.commits <= 1 + sum(binding) + 60
    recorder.flush()
    commits = journal.commits
    recorder.flush()
    assert journal.commits == commits, "nothing held, nothing written"
    assert [row.payload for row in journal.written] == [entry(n).payload for n in range(len(binding))]
    assert recorder.sequence == len(binding) - 1


def test_what_binds_nothing_waits_for_company_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(pen, "monotonic", lambda: now[0])
    journal = PaperJournal()
    recorder = Recorder(as_journal(journal))
    for number in range(511):
        recorder.record(entry(number))
    assert journal.commits == 0
    recorder.record(entry(511))
    assert (journal.commits, len(journal.written)) == (1, 512)
    recorder.record(entry(512))
    now[0] += 0.3
    recorder.record(entry(513))
    assert (journal.commits, len(journal.written)) == (2, 514)


def test_recorded_rows_are_compared_and_what_follows_is_written() -> None:
    journal = PaperJournal()
    first = Recorder(as_journal(journal))
    for number in range(5):
        first.record(entry(number, binding=True))
    again = Recorder(as_journal(journal), journal.written[2:], after=1)
    assert [row.sequence for row in again.ahead("SLICE")] == [2, 3, 4]
    for number in range(2, 7):
        assert (again.next_known is None) == (number > 4)
        again.record(entry(number, binding=True))
    assert [row.sequence for row in journal.written] == list(range(7))


@pytest.mark.parametrize(
    "other",
    [
        replace(entry(3), kind="FILL"), replace(entry(3), time_ns=4), replace(entry(3), payload="{}"),
        replace(entry(3), outcome='{"equity":1}'), replace(entry(3), decisions_hash="f" * 16),
    ],
    ids=["kind", "time", "payload", "outcome", "hash"],
)  # fmt: skip
def test_a_row_that_comes_out_differently_is_refused(other: Entry) -> None:
    journal = PaperJournal()
    first = Recorder(as_journal(journal))
    for number in range(5):
        first.record(entry(number, binding=True))
    before = list(journal.written)
    again = Recorder(as_journal(journal), journal.written[3:], after=2)
    with pytest.raises(RunFailed, match=r"row 3 \(SLICE\) of run .* comes out differently"):
        again.record(other)
    again.flush()
    assert journal.written == before


def test_what_cannot_be_written_is_kept_and_tried_again() -> None:
    class FullJournal(PaperJournal):
        full = True

        def append(self, rows):  # type: ignore[no-untyped-def] # stands in for the method
            if self.full:
                raise RunFailed("the disk is full")
            return super().append(rows)

    journal = FullJournal()
    recorder = Recorder(as_journal(journal))
    with pytest.raises(RunFailed):
        recorder.record(entry(0, binding=True))
    with pytest.raises(RunFailed):
        recorder.flush()
    journal.full = False
    recorder.flush()
    assert [row.sequence for row in journal.written] == [0]
