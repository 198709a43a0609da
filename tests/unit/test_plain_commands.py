"""Plain classes from outside: what they print, how other files are told from them, what a mistake reads like."""

import json
import os
from pathlib import Path

import pytest

import crypto_bot
from crypto_bot.backtesting import compiling
from tests.commands import End, run, run_all

WINDOW = ("--symbol", "BTC/USDT", "--timeframe", "1h", "--from", "2023-06-01", "--to", "2023-06-10")

TALKS = """
class Talks:
    def on_data(self, bar):
        print("seen", bar.close, end=" ")
        return 0.5 if bar.close > bar.open else 0.0
"""

LANGUAGE = """
from crypto_bot.strategy import symbols, target

def step(p):
    for k in symbols():
        target(k, 0.5)
"""

RAISES = """
class Raises:
    def on_data(self, bar):
        raise ValueError("\\x1b[31m" + "long " * 100_000)
"""

SAYS = """
from crypto_bot.plain import Signal

class Says:
    def on_data(self, shown):
        pass

    def generate_signals(self, account):
        return [Signal("BTC/USDT", share=0.5, reason="caf\u00e9 \\ud800\x1b[31m " + "long" * 1000)]
"""

FOREIGN = {
    "class SmaCross has no def on_data(self, shown), with which a plain class begins": (
        "from backtesting import Strategy\n\nclass SmaCross(Strategy):\n    def next(self):\n        self.buy()\n"
    ),
    "class Mine has no def on_data(self, shown)": "from base import Base\n\nclass Mine(Base):\n    pass\n",
    "line 2: on_data belongs into a class": "\ndef on_data(bar):\n    return 0.5\n",
    "on_data belongs into a class; put it there": "async def on_data(bar):\n    return 0.5\n",
    "the only class of a strategy is class Params(NamedTuple)": LANGUAGE + "\nclass Other:\n    pass\n",
}


def backtest(name: str, *more: str) -> tuple[str, ...]:
    return ("backtest", "--strategy", name, *WINDOW, *more)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, End]:
    """Run all commands in one process."""
    place = tmp_path_factory.mktemp("place")
    (place / "talks.py").write_text(TALKS)
    (place / "raises.py").write_text(RAISES)
    (place / "grid.py").write_text(TALKS)
    os.mkfifo(place / "pipe.py")
    (place / "says.py").write_text(SAYS)
    lines = {
        "says": ("run", "--strategy", "says.py", *WINDOW, "--speed", "0", "--no-api"),
        "said": ("why", "1", "--json"),
        "replayed": ("replay", "last"),
        "talks": backtest("talks.py", "--json"),
        "checked": ("check", "talks.py", "--json"),
        "raises": backtest("raises.py"),
        "pipe": backtest("pipe.py"),
        "grid": backtest("grid.py"),
    }
    for number, text in enumerate(FOREIGN.values()):
        (place / f"foreign{number}.py").write_text(text)
        lines[text] = backtest(f"foreign{number}.py")
    return dict(zip(lines, run_all(list(lines.values()), place), strict=True))


@pytest.mark.parametrize("which", ["talks", "checked"])
def test_what_a_class_prints_leaves_the_one_object_alone(answers: dict[str, End], which: str) -> None:
    status, out, err = answers[which]
    assert (status, len(out.splitlines())) == (0, 1)
    assert isinstance(json.loads(out), dict)
    assert "seen" in err


def test_a_sentence_is_short_and_draws_nothing(answers: dict[str, End]) -> None:
    status, out, err = answers["raises"]
    assert (status, out) == (1, "")
    assert err.startswith("error: raises: on_data failed, line 4: ValueError: ?[31mlong long")
    assert len(err) < 2_100 and err.count("\n") == 1


def test_a_reason_of_any_length_and_letters_is_kept(answers: dict[str, End]) -> None:
    assert (answers["says"].status, answers["replayed"].status) == (0, 0), answers["says"].err
    reason = json.loads(answers["said"].out)["signal"]["reason"]
    assert reason.startswith("caf\u00e9 ??[31m longlong") and len(reason) == 1_004


@pytest.mark.parametrize("sentence", FOREIGN)
def test_a_file_of_another_kind_is_told_what_it_lacks(answers: dict[str, End], sentence: str) -> None:
    status, out, err = answers[FOREIGN[sentence]]
    assert (status, out) == (2, "")
    assert sentence in err and err.count("\n") == 1


def test_a_file_called_as_a_strategy_that_ships_is_told_whose_section_it_has(answers: dict[str, End]) -> None:
    assert answers["grid"].status == 2
    assert "grid.py is called as a strategy that ships, and has its section; give the file" in answers["grid"].err


def test_a_pipe_is_not_waited_for(answers: dict[str, End]) -> None:
    assert answers["pipe"].err == "error: pipe.py: this is no file; name the file that holds the strategy\n"


def test_before_the_kernel_is_compiled_a_class_is_not_read_as_the_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Path]] = []
    monkeypatch.setattr(compiling, "compile_kernel", lambda paths, run_ns: asked.append(paths))
    files = [tmp_path / "talks.py", tmp_path / "holds.py"]
    files[0].write_text(TALKS)
    files[1].write_text(LANGUAGE)
    for chosen in (files[:1], files):
        crypto_bot.backtest(chosen, "BTC/USDT", timeframe="1h", start="2023-06-01", end="2023-06-02")
    assert asked == [[], files[1:]]


def test_a_thread_that_a_class_leaves_is_not_waited_for(tmp_path: Path) -> None:
    text = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()\n"
    (tmp_path / "leaves.py").write_text(text + TALKS)
    assert run("check", "leaves.py", cwd=tmp_path).status == 0


@pytest.mark.parametrize("name", ["random.py", "json.py", "numpy.py", "statistics.py"])
def test_a_file_called_as_a_package_hides_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "beside.py").write_text("SHARE = 0.5\n")
    (tmp_path / name).write_text("import beside\n" + TALKS.replace("return 0.5", "return beside.SHARE"))
    end = run("check", name, "--json", cwd=tmp_path)
    assert (end.status, json.loads(end.out)["ok"]) == (0, True), end.err
