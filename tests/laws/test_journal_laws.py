"""Laws of the journal: however rows are grouped and whatever they hold, they come back, and any change is seen."""

from collections.abc import Iterator
from dataclasses import astuple, replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow, chain, genesis
from crypto_bot.persistence.runs import RunRecord, Runs

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
BODY = st.tuples(INT64, TEXT, TEXT, TEXT, TEXT)
ROW = st.builds(JournalRow, INT64, INT64, TEXT, TEXT, TEXT, TEXT)
RUNS = (f"20261120-233000-{number:04x}" for number in range(65_536))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database.open(tmp_path_factory.mktemp("laws") / "trading.db") as opened:
        yield opened


def number(bodies: list[tuple[int, str, str, str, str]]) -> list[JournalRow]:
    return [JournalRow(sequence, *body) for sequence, body in enumerate(bodies)]


@given(bodies=st.lists(BODY, max_size=12), cuts=st.sets(st.integers(0, 12)))
def test_rows_come_back_however_they_were_grouped(
    database: Database, bodies: list[tuple[int, str, str, str, str]], cuts: set[int]
) -> None:
    run_id, rows = next(RUNS), number(bodies)
    Runs(database).start(RunRecord(run_id, "run", "forward", "running", 1))
    with Journal(database, run_id) as journal:
        edges = [0, *sorted(cuts), len(rows)]
        for start, end in pairwise(edges):
            journal.append(rows[start:end])
        found = journal.read()
        assert [replace(row, digest="") for row in found] == rows
        assert [row.digest for row in found] == list(accumulate(rows, chain, initial=genesis(run_id)))[1:]
        assert journal.verify() == len(rows)


@given(first=ROW, second=ROW)
def test_no_two_different_rows_have_one_digest(first: JournalRow, second: JournalRow) -> None:
    assert (chain("00", first) == chain("00", second)) == (astuple(first) == astuple(second))
    assert chain("00", first) != chain("01", first)


@given(parts=st.lists(st.text("{}ab1 \n", max_size=3), min_size=4, max_size=4), move=st.integers(0, 2))
def test_text_cannot_slip_from_one_field_into_the_next(parts: list[str], move: int) -> None:
    kind, payload, outcome, decisions = parts
    row = JournalRow(1, 2, kind, payload, outcome, decisions)
    fields = [kind, payload, outcome, decisions]
    if fields[move + 1]:
        fields[move], fields[move + 1] = fields[move] + fields[move + 1][0], fields[move + 1][1:]
        assert chain("", row) != chain("", JournalRow(1, 2, *fields))
