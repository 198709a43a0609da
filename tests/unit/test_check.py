"""`check` and `strategies --new`: what is written passes, and what lies is found, rule by rule."""

import json
from pathlib import Path

import pytest

from tests.commands import End, run, run_all
from tests.plain_classes import CROSS, failing, write

LIES = {
    "reads": ("x = closs(k)", ""),
    "runs": ("", failing("self.n / 0")),
    "determinism": ("", CROSS.replace("from collections", "import random\nfrom collections").replace(
        "share=share", "share=share * random.random()")),
    "state": ("", CROSS.replace("deque(each, maxlen", "deque(each[:1], maxlen")),
    "look-ahead": ("", CROSS.replace("class Cross:", "SEEN = []\n\n\nclass Cross:").replace(
        "        for symbol, bar in shown.bars.items():\n            self.closes", (
            "        import builtins\n"
            "        for symbol, bar in shown.bars.items():\n"
            "            kept = builtins.__dict__.setdefault('kept', {})\n"
            "            kept.setdefault(bar.time_ns, bar.close)\n"
            "            self.closes"), 1).replace("round(bar.close * 100)", (
            "round(kept.get(bar.time_ns + 36 * 10**11 * 5, bar.close) * 100)"))),
}  # fmt: skip


def found(end: End) -> dict[str, str]:
    document = json.loads(end.out)
    assert set(document) == {"ok", "findings"}
    assert all(set(each) == {"rule", "severity", "where", "detail"} for each in document["findings"])
    assert document["ok"] is (end.status == 0)
    return {each["rule"]: each["severity"] for each in document["findings"]}


def test_what_is_written_to_begin_with_passes(tmp_path: Path) -> None:
    ends = run_all(
        [
            ["strategies", "--new", "my_first"],
            ["strategies", "--new", "my_class", "--plain", "--json"],
            ["check", "my_first.py", "--json"],
            ["check", "my_class.py", "--json"],
            ["check", "my_class.py"],
            ["backtest", "--strategy", "my_class.py", "--symbol", "BTC/USDT", "--timeframe", "1h", "--json"],
        ],
        tmp_path,
    )
    assert [end.status for end in ends] == [0] * 6, ends
    assert json.loads(ends[1].out) == {"file": "my_class.py", "kind": "class"}
    assert "error" not in found(ends[2]).values() and "warning" not in found(ends[2]).values(), ends[2].out
    assert found(ends[3]) == {}, ends[3].out
    assert ends[4].out == "my_class.py is fine: tried on 3000 bars of BTC/USDT, 1h\n"
    assert json.loads(ends[5].out)["fills"] > 10


def test_nothing_is_overwritten_and_no_name_misleads(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("mine")
    ends = run_all(
        [["strategies", "--new", "mine"], ["strategies", "--new", "grid"], ["strategies", "--new", "a-b"],
         ["strategies", "--plain"], ["check", "nowhere.py"]],
        tmp_path,
    )  # fmt: skip
    assert [end.status for end in ends] == [2] * 5
    assert (tmp_path / "mine.py").read_text() == "mine"
    assert "is there already, and was left as it is" in ends[0].err


@pytest.mark.parametrize("rule", LIES)
def test_what_lies_is_found(tmp_path: Path, rule: str) -> None:
    line, text = LIES[rule]
    text = (
        text or f"from crypto_bot.strategy import symbols\n\n\ndef step(p):\n    for k in symbols():\n        {line}\n"
    )
    write(tmp_path, "mine", text)
    end = run("check", "mine.py", "--json", cwd=tmp_path)
    assert end.status == 1, end
    assert found(end)[rule] == "error", end.out


def test_a_class_with_prices_of_its_own_is_warned_of(tmp_path: Path) -> None:
    """It may know the future from them; what it imports and what it keeps in memory is no matter."""
    (tmp_path / "prices.csv").write_text("1,2,3\n")
    text = CROSS.replace(
        "        self.told = []", "        self.told = []\n        self.own = open('prices.csv').read()", 1
    )
    write(tmp_path, "mine", f"import decimal\n{text}".replace("class Cross:", "class Cross:\n    warmup = 100"))
    end = run("check", "mine.py", "--json", cwd=tmp_path)
    assert (end.status, found(end)) == (0, {"look-ahead": "warning"}), end.out
    assert "it opens prices.csv; prices of its own may be those of the future" in end.out


def test_a_warm_up_that_is_too_short_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "mine", CROSS)
    end = run("check", "mine.py", "--json", cwd=tmp_path)
    assert (end.status, found(end)) == (0, {"warm-up": "warning"})


def test_chance_is_told_once(tmp_path: Path) -> None:
    """Whatever compares runs would find fault with it too, and say so in words that mislead."""
    write(tmp_path, "mine", LIES["determinism"][1])
    end = run("check", "mine.py", "--json", cwd=tmp_path)
    assert (end.status, found(end)) == (1, {"determinism": "error"}), end.out


def test_a_state_that_cannot_be_put_back_is_told_under_its_rule(tmp_path: Path) -> None:
    write(tmp_path, "mine", CROSS.replace("class Cross:", "class Cross:\n    warmup = 100").replace("cls(", "cls.no("))
    end = run("check", "mine.py", "--json", cwd=tmp_path)
    assert (end.status, found(end)) == (1, {"state": "error"}), end.out
    assert json.loads(end.out)["findings"][0]["detail"].startswith("from_state failed, line ")


def test_a_count_that_is_forgotten_is_found(tmp_path: Path) -> None:
    """Half of the trial is a round number of bars, at which a count of twenty begins anew anyway."""
    lines = [
        "from crypto_bot.plain import Signal",
        "class Counts:",
        "    seen = 0",
        "    def on_data(self, shown): self.seen += 1",
        "    def generate_signals(self, account): return [Signal('BTC/USDT', share=(self.seen % 20 < 9) / 2)]",
        "    def get_state(self): return {}",
        "    @classmethod",
        "    def from_state(cls, state): return cls()",
    ]
    write(tmp_path, "mine", "\n".join(lines))
    end = run("check", "mine.py", "--json", cwd=tmp_path)
    assert found(end)["state"] == "error", end.out
