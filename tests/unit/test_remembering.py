"""What strategies remember, told by name with every snapshot."""

import json
from pathlib import Path

from tests.small_runs import GRID, PaperJournal, Setting, walk

PLAIN = '''
class Counts:
    """Remember how many bars there were."""

    def __init__(self, bars: int = 0) -> None:
        self.bars = bars

    def on_data(self, bars):
        self.bars += 1

    def generate_signals(self, bars):
        return []

    def get_state(self):
        return {"bars": self.bars}

    @classmethod
    def from_state(cls, state):
        return cls(**state)
'''


def test_a_grid_tells_what_it_holds_and_keeps_in_mind(tmp_path: Path) -> None:
    paper = PaperJournal()
    running = Setting({"grid": GRID}, (walk(40),)).run(paper, tmp_path)
    (mind,) = paper.minds
    told = json.loads(mind.text)
    held = int(running.session.stage.world.subs[0]["position"])
    assert (mind.strategy, mind.symbol) == ("grid", "COIN/USDT")
    assert held > 0 and float(told["position"]) == held / 1_000_000
    lines = [90.0 + n for n in range(21)]
    assert told["memory"]["lines"] == lines and isinstance(told["memory"]["lowest"], int)


def test_each_symbol_has_its_own_and_a_class_one_for_all(tmp_path: Path) -> None:
    file = tmp_path / "counts.py"
    file.write_text(PLAIN)
    paper = PaperJournal()
    coins = (walk(30), walk(30, symbol="MINT/USDT", seed=2))
    Setting({"dca": {"every_hours": 6, "amount": 100}, str(file): {}}, coins).run(paper, tmp_path)
    told = {(each.strategy, each.symbol): json.loads(each.text) for each in paper.minds}
    assert set(told) == {(name, symbol) for name in ("dca", "counts") for symbol in ("COIN/USDT", "MINT/USDT")} | {
        ("counts", "*")
    }
    assert told["dca", "COIN/USDT"]["memory"]["next"] == told["dca", "MINT/USDT"]["memory"]["next"] > 1_700_000_000
    assert told["counts", "*"]["state"] == {"bars": 30} and told["counts", "COIN/USDT"]["memory"] == {}
