"""The journal: what is appended is read again, in order, whole, and any change to it is seen."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crypto_bot.domain.errors import DataError, RunFailed
from crypto_bot.persistence.database import Database
from crypto_bot.persistence.journal import Journal, JournalRow, Snapshot, chain, genesis
from crypto_bot.persistence.payloads import (
    CommandEvent,
    Decision,
    Outcome,
    SliceEvent,
    Start,
    StopEvent,
    decode_outcome,
    decode_payload,
    encode,
)
from crypto_bot.persistence.runs import RunRecord, Runs

RUN = "20261120-233000-7f3a"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "State" / "trading.db") as opened:
        Runs(opened).start(RunRecord(RUN, "run", "forward", "running", 1))
        yield opened


@pytest.fixture
def journal(database: Database) -> Iterator[Journal]:
    with Journal(database, RUN) as opened:
        yield opened


def rows(count: int, start: int = 0) -> list[JournalRow]:
    return [
        JournalRow(n, 1_000 + n, "SLICE", f'{{"time":{n}}}', "{}", f"{n:016x}") for n in range(start, start + count)
    ]


def tamper(database: Database, statement: str) -> None:
    with sqlite3.connect(database.path) as connection:
        connection.execute(statement)
    connection.close()


def test_rows_come_back_as_they_were_written_with_their_digests(journal: Journal) -> None:
    digest = journal.append(rows(3))
    found = journal.read()
    assert [replace(row, digest="") for row in found] == rows(3)
    assert journal.last() == found[-1]
    assert found[-1].digest == digest
    assert found[0].digest == chain(genesis(RUN), rows(1)[0])


def test_a_second_journal_goes_on_where_the_first_ended(database: Database, journal: Journal) -> None:
    journal.append(rows(3))
    with Journal(database, RUN) as again:
        again.append(rows(2, start=3))
        assert again.verify() == 5
    with pytest.raises(RunFailed, match="another process writes to this run"):
        journal.append(rows(1, start=3))
    journal.append(rows(1, start=5))
    assert journal.verify() == 6


def test_pages_are_read_by_the_sequence_before_them(journal: Journal) -> None:
    journal.append(rows(25))
    assert [row.sequence for row in journal.read(after=9, limit=3)] == [10, 11, 12]
    assert journal.read(after=24) == []
    assert len(list(journal.rows(after=4))) == 20


def test_a_row_out_of_order_is_refused_and_nothing_is_written(journal: Journal) -> None:
    with pytest.raises(ValueError, match="row 2 cannot follow row 0"):
        journal.append([*rows(1), *rows(1, start=2)])
    assert journal.last() is None
    assert journal.append([]) == genesis(RUN)


def test_rows_of_a_run_that_was_never_started_are_refused(database: Database) -> None:
    with Journal(database, "20260101-000000-0000") as stray, pytest.raises(RunFailed, match="never started"):
        stray.append(rows(1))


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE journal SET payload = '{}' WHERE sequence = 4", 4),
        ("UPDATE journal SET time_ns = time_ns + 1 WHERE sequence = 0", 0),
        ("UPDATE journal SET outcome = '[]' WHERE sequence = 9", 9),
        ("UPDATE journal SET decisions_hash = '' WHERE sequence = 3", 3),
        ("UPDATE journal SET kind = 'FILL' WHERE sequence = 3", 3),
        ("UPDATE journal SET digest = '00' WHERE sequence = 5", 5),
        ("DELETE FROM journal WHERE sequence = 2", 2),
        ("DELETE FROM journal WHERE sequence = 0", 0),
    ],
)
def test_verify_names_the_first_row_that_was_changed(
    database: Database, journal: Journal, statement: str, broken: int
) -> None:
    journal.append(rows(10))
    assert journal.verify() == 10
    tamper(database, statement)
    with pytest.raises(DataError, match=rf"^row {broken} of run {RUN}"):
        journal.verify()


def test_rows_of_another_run_do_not_pass_for_ours(database: Database, journal: Journal) -> None:
    other = "20261120-233000-0000"
    Runs(database).start(RunRecord(other, "run", "forward", "running", 2))
    journal.append(rows(3))
    tamper(database, f"UPDATE journal SET run_id = '{other}'")
    with Journal(database, other) as stolen, pytest.raises(DataError, match="row 0 "):
        stolen.verify()


def test_fills_are_found_newest_first_through_their_own_index(database: Database, journal: Journal) -> None:
    journal.append([replace(row, kind="FILL" if row.sequence % 3 == 0 else "SLICE") for row in rows(20)])
    assert [row.sequence for row in journal.fills_before(15, 2)] == [12, 9]
    with sqlite3.connect(database.path) as connection:
        query = "SELECT * FROM journal WHERE run_id = ? AND kind = 'FILL' AND sequence < ? ORDER BY sequence DESC"
        plan = str(connection.execute(f"EXPLAIN QUERY PLAN {query}", (RUN, 15)).fetchall())
    assert "journal_fills" in plan


def test_the_newest_two_snapshots_are_kept(database: Database, journal: Journal) -> None:
    assert journal.latest_snapshot() is None
    journal.append(rows(10))
    for sequence in (1, 4, 8, 8):
        journal.save_snapshot(sequence, f"world {sequence}".encode(), "0.1.0")
    assert journal.latest_snapshot() == Snapshot(8, b"world 8", "0.1.0")
    with sqlite3.connect(database.path) as connection:
        assert connection.execute("SELECT sequence FROM snapshots ORDER BY 1").fetchall() == [(4,), (8,)]


def test_a_snapshot_beyond_the_last_row_is_not_used(journal: Journal) -> None:
    journal.append(rows(3))
    journal.save_snapshot(2, b"in", "0.1.0")
    journal.save_snapshot(7, b"beyond", "0.1.0")
    assert journal.latest_snapshot() == Snapshot(2, b"in", "0.1.0")


def test_payloads_are_spelled_as_promised() -> None:
    assert encode(SliceEvent(60, [(1, 2, 0, 1, 5), None])) == '{"time":60,"bars":[[1,2,0,1,5],null]}'
    assert encode(StopEvent("end of data")) == '{"reason":"end of data"}'
    decision = Decision("approved", "grid", "BTC/USDT", 7, side="buy", type="limit", price="30700.00", quantity="0.02")
    assert encode(Outcome(equity=5, halt=0, decisions=[decision])) == (
        '{"equity":5,"halt":0,"decisions":[{"kind":"approved","strategy":"grid","symbol":"BTC/USDT","order_id":7,'
        '"side":"buy","type":"limit","price":"30700.00","quantity":"0.02"}]}'
    )


def test_payloads_are_read_and_unknown_keys_passed_over() -> None:
    text = (
        '{"mode":"forward","strategies":[{"name":"grid","params":{"lines":[1,2]}}],"instruments":[{"symbol":"BTC/USDT",'
        '"exchange":"binance","price_scale":100,"quantity_scale":1000000,"tick":1,"lot":10,"min_notional":0}],'
        '"timeframe":"15m","cash":100,"quote":"USDT","settings":{"speed":2.5,"deep":[1]},"code_version":"1",'
        '"data_hash":"x","later":true}'
    )
    start = decode_payload(JournalRow(0, 0, "START", text), Start)
    assert start.instruments[0].lot == 10
    assert (start.setting("speed"), start.setting("deep"), start.setting("absent")) == (2.5, None, None)
    assert decode_payload(JournalRow(1, 0, "COMMAND", '{"command":"halt"}'), CommandEvent) == CommandEvent("halt")
    assert decode_outcome(JournalRow(1, 0, "SLICE", "{}")) == Outcome()


@pytest.mark.parametrize(
    "text", ['{"time":1,"bars":[[1,2', "", "null", '{"time":"1","bars":[]}', '{"time":1}', "\ud800"]
)
def test_a_payload_that_was_cut_or_changed_names_its_row(text: str) -> None:
    with pytest.raises(DataError, match=r"^row 17 \(SLICE\) of the journal cannot be read"):
        decode_payload(JournalRow(17, 0, "SLICE", text), SliceEvent)
    with pytest.raises(DataError, match="row 17 "):
        decode_outcome(JournalRow(17, 0, "SLICE", "{}", '{"equity":1,"dec'))
