"""A run killed after any row of its journal: brought back and finished, it is the run that was never interrupted."""

from pathlib import Path

import pytest

from crypto_bot.backtesting.setup import Simulation
from crypto_bot.kernel.genesis import Costs, Limits
from crypto_bot.runtime import drive
from tests.small_runs import CROSS, GRID, PaperJournal, Setting, walk

SETTINGS = {
    "two strategies, warm-up, halts by hand": Setting(
        {"grid": GRID, "simple_ma": CROSS},
        (walk(24), walk(24, symbol="ABC/USDT", seed=5)),
        before=10,
        halted=lambda number: 5 <= number < 8 or 10 <= number < 12,
    ),
    "path fills, halts by the limits": Setting(
        {"grid": GRID},
        (walk(26),),
        Simulation(fills="path", limits=Limits(9_000, 2_500), costs=Costs(fee_in="received")),
    ),
    "fills at the close, two symbols": Setting(
        {"simple_ma": CROSS}, (walk(50), walk(50, symbol="ABC/USDT", seed=5)), Simulation(fill_at="close"), before=12
    ),
    "bars of its own": Setting(
        {"rsi_reversion": {"length": 3, "low": 45.0, "entry": "level", "trend": 0, "max_bars": 4}},
        (walk(85, timeframe="30m", width=60),),
        before=25,
    ),
    "halted from the first bar": Setting({"grid": GRID}, (walk(12),), halted=lambda number: number < 5),
}


@pytest.mark.slow
@pytest.mark.usefixtures("files_read_once")
@pytest.mark.parametrize("snapshots", [False, True], ids=["from the first row", "from snapshots"])
@pytest.mark.parametrize("name", SETTINGS)
def test_every_position(name: str, snapshots: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "_SNAPSHOT_BARS", 3 if snapshots else 10**9)
    setting = SETTINGS[name]
    journal = PaperJournal()
    running = setting.run(journal, tmp_path)
    kinds = [row.kind for row in journal.written]
    assert kinds[0] == "START" and kinds[-1] == "STOP" and running.session.fills > 0
    for count in range(len(kinds)):
        again = journal.cut(count)
        brought_back = setting.run(again, tmp_path)
        assert again.written == journal.written, f"cut after {count} rows"
        assert brought_back.session.equity == running.session.equity
        assert brought_back.bars == running.bars


def test_a_flag_that_comes_while_the_bot_is_down_waits_for_the_end_of_a_cut_bar(tmp_path: Path) -> None:
    setting = Setting({"grid": GRID}, (walk(20),))
    journal = PaperJournal()
    setting.run(journal, tmp_path)
    kinds = [row.kind for row in journal.written]
    fill = next(n for n in range(len(kinds)) if kinds[n] == "FILL" and kinds[n - 1] == "SLICE" and n > 40)
    cut = journal.cut(fill + 1)
    running = Setting({"grid": GRID}, (walk(20),), halted=lambda _: True).run(cut, tmp_path)
    kinds = [row.kind for row in cut.written]
    assert cut.written[: fill + 1] == journal.written[: fill + 1]
    assert kinds.count("COMMAND") == 1 and kinds.index("COMMAND") > kinds.index("SLICE", fill)
    assert running.session.halt and running.bars == 20
