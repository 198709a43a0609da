"""Running a session again: the same, or the first event that is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from crypto_bot.backtesting.setup import Simulation
from crypto_bot.domain.errors import DataError
from crypto_bot.kernel.genesis import Costs
from crypto_bot.persistence.payloads import FillEvent, SliceEvent, decode_payload, encode
from crypto_bot.persistence.row import JournalRow
from crypto_bot.runtime.compare import Comparison, compare
from tests.made_candles import changed
from tests.small_runs import CROSS, GRID, PaperJournal, Setting, as_journal, walk

SETTING = Setting({"grid": GRID, "simple_ma": CROSS}, (walk(40),), before=10, halted=lambda n: 9 <= n < 12)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[JournalRow]:
    journal = PaperJournal()
    SETTING.run(journal, tmp_path_factory.mktemp("recorded"))
    return journal.written


def compared(rows: list[JournalRow], *, forged: bool = False) -> Comparison:
    """Run rows again; `forged` gives them digests that fit, as somebody would who hides a change."""
    journal = PaperJournal()
    if forged:
        journal.append(rows)
    else:
        journal.written = list(rows)
    return compare(as_journal(journal))


def places(rows: list[JournalRow], kind: str) -> list[int]:
    return [row.sequence for row in rows if row.kind == kind]


def a_tick_more(row: JournalRow) -> JournalRow:
    event = decode_payload(row, SliceEvent)
    (bar,) = event.bars
    assert bar is not None
    dearer = (*bar[:3], bar[3] + 1, bar[4])
    return replace(row, payload=encode(SliceEvent(event.time, [dearer])))


def a_tick_dearer(row: JournalRow) -> JournalRow:
    fill = decode_payload(row, FillEvent)
    return replace(row, payload=encode(msgspec.structs.replace(fill, price=fill.price + 1)))


def test_the_same_rows_are_the_same(recorded: list[JournalRow]) -> None:
    found = compared(recorded)
    assert found.identical and found.unfinished == 0
    assert (found.events, found.hash_recorded) == (len(recorded), recorded[-1].decisions_hash)
    assert found.hash_replayed == found.hash_recorded
    assert found.decisions == sum(row.outcome.count('"kind"') for row in recorded)


@pytest.mark.parametrize("forged", [False, True])
def test_one_price_changed_by_a_tick_names_that_event(forged: bool, recorded: list[JournalRow]) -> None:
    for place in places(recorded, "SLICE")[3::6]:
        rows = [*recorded]
        rows[place] = a_tick_more(rows[place])
        found = compared(rows, forged=forged)
        assert found.first_difference is not None and not found.identical
        assert (found.first_difference.sequence, found.first_difference.kind) == (place, "SLICE")


@pytest.mark.parametrize("forged", [False, True])
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("FILL", a_tick_dearer),
        ("FILL", lambda row: replace(row, outcome="{}")),
        ("ORDER", lambda row: replace(row, payload=row.payload.replace('"open"', '"rejected"'))),
        ("SIGNAL", lambda row: replace(row, outcome=row.outcome.replace('"buy"', '"sell"'))),
        ("SLICE", lambda row: replace(row, outcome=row.outcome.replace('"equity":', '"equity":1'))),
        ("SLICE", lambda row: replace(row, decisions_hash="0" * 16)),
        ("SLICE", lambda row: replace(row, time_ns=row.time_ns + 1)),
    ],
)
def test_any_changed_event_is_named(
    kind: str, change: Callable[[JournalRow], JournalRow], forged: bool, recorded: list[JournalRow]
) -> None:
    place = places(recorded, kind)[1]
    rows = [*recorded]
    rows[place] = change(rows[place])
    assert rows[place] != recorded[place]
    found = compared(rows, forged=forged)
    assert found.first_difference is not None
    assert (found.first_difference.sequence, found.first_difference.kind) == (place, kind)


def test_a_left_out_and_an_added_row_are_seen(recorded: list[JournalRow]) -> None:
    place = places(recorded, "SIGNAL")[2]
    fewer = [*recorded[:place], *recorded[place + 1 :]]
    renumbered = [replace(row, sequence=n) for n, row in enumerate(fewer)]
    found = compared(renumbered, forged=True).first_difference
    assert found is not None and found.sequence == place
    more = [*recorded[:place], recorded[place], *recorded[place:]]
    renumbered = [replace(row, sequence=n) for n, row in enumerate(more)]
    found = compared(renumbered, forged=True).first_difference
    assert found is not None and found.sequence == place + 1


def test_a_command_left_out_shows_at_the_next_row(recorded: list[JournalRow]) -> None:
    place = places(recorded, "COMMAND")[0]
    fewer = [*recorded[:place], *recorded[place + 1 :]]
    found = compared([replace(row, sequence=n) for n, row in enumerate(fewer)], forged=True)
    assert found.first_difference is not None and found.first_difference.sequence == place


@pytest.mark.usefixtures("files_read_once")
def test_a_journal_that_a_crash_cut_anywhere_is_the_same_as_far_as_it_goes(recorded: list[JournalRow]) -> None:
    unfinished = set()
    for count in range(1, len(recorded) + 1):
        found = compared(recorded[:count])
        assert found.identical, f"cut after {count} rows: {found.first_difference}"
        assert found.hash_recorded == found.hash_replayed == recorded[count - 1 - found.unfinished].decisions_hash
        unfinished.add(found.unfinished)
    assert max(unfinished) > 0


def test_a_row_that_cannot_be_read_is_named(recorded: list[JournalRow]) -> None:
    place = places(recorded, "SLICE")[5]
    rows = [*recorded]
    rows[place] = replace(rows[place], payload='{"time":')
    for forged in (False, True):
        found = compared(rows, forged=forged).first_difference
        assert found is not None and found.kind in ("SLICE", "FILL", "ORDER") and place - 8 < found.sequence <= place


def test_a_run_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="nothing to replay"):
        compared([])


def test_any_changed_fill_changes_the_hash(tmp_path: Path) -> None:
    """Another price of one bar, another fee, another slippage: the fills differ, and so do the hashes."""
    base = Setting({"grid": GRID}, (walk(40),))
    hashes = {base.run(PaperJournal(), tmp_path).session.decisions_hash}
    fills = base.backtest().fills
    at = int(np.searchsorted(base.candles[0].times, fills[0]["time_ns"]))
    dearer = changed(base.candles[0], at, open=int(base.candles[0].open[at]) + 1)
    others = [
        replace(base, candles=(dearer,)),
        replace(base, simulation=Simulation(costs=Costs(maker_ppm=1_001))),
        replace(base, simulation=Simulation(costs=Costs(taker_ppm=1_001))),
        replace(base, simulation=Simulation(costs=Costs(slippage_ppm=900))),
    ]
    for other in others:
        hashes.add(other.run(PaperJournal(), tmp_path).session.decisions_hash)
    assert len(hashes) == 1 + len(others)
