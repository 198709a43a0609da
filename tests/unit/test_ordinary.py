"""The half of a module that runs as ordinary Python, and what of it is never run."""

import subprocess
import sys
from pathlib import Path

import pytest

from crypto_bot.authoring import watching
from crypto_bot.authoring.generator import walker_text
from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.module import Cell
from crypto_bot.authoring.ordinary import same_shape
from crypto_bot.authoring.reader import read_text
from crypto_bot.plain.guard import Allowance
from tests.authors import HEAD, PATH, module_of, refusal


def test_memory_is_understood_for_other_parameters() -> None:
    module = module_of("pass")
    assert module.cells == {
        "held": Cell("int", 0, (0,)),
        "score": Cell("float", 0, (0.0,)),
        "stops": Cell("float", 3, (0.0, 0.0, 0.0)),
    }
    other = module.memory_of(module.parameters.read({"lengths": "7"}))
    assert other["stops"] == Cell("float", 1, (0.0,))
    assert same_shape(module.cells, other)
    assert not same_shape(module.cells, {"held": Cell("int", 0, (0,))})


@pytest.mark.parametrize(
    ("start", "cell"),
    [
        ("True", Cell("int", 0, (1,))),
        ("-2", Cell("int", 0, (-2,))),
        ("(1, 2)", Cell("int", 2, (1, 2))),
        ("[0, 0.5]", Cell("float", 2, (0.0, 0.5))),
        ("[False] * p.n", Cell("int", 14, (0,) * 14)),
        ("p.share", Cell("float", 0, (1.0,))),
    ],
)
def test_memory_starts_as(start: str, cell: Cell) -> None:
    text = HEAD.replace("dict(held=0,", f"dict(held={start},") + "pass\n"
    assert read_text(text, PATH).cells["held"] == cell


@pytest.mark.parametrize(
    ("ordinary", "said"),
    [
        ("def check(p):\n    while True:\n        pass\n", "mine.py: check(p) has not returned after 0.3 s"),
        ("def wake(p):\n    while True:\n        pass\n", "mine.py: wake(p) has not returned after 0.3 s"),
        ("def memory(p):\n    return dict(x=[0.0] * 10**15)\n", "mine.py: memory(p) took more than 256 MiB of memory"),
        ("LONG = (0,) * 10**15\n", "mine.py: the top of the file took more than 256 MiB of memory"),
        ("def memory(p):\n    x = []\n    while True:\n        x = [x, 'a' * 10**6 + str(p)]\n", "256 MiB"),
        ("def memory(p):\n    return dict(x=[0.0] * 1_000_001)\n", "memory x keeps 1,000,001 numbers"),
    ],
)  # fmt: skip
def test_what_runs_before_a_run_ends(ordinary: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an endless loop nor all of the machine's memory: one sentence."""
    monkeypatch.setattr(watching, "ALLOWANCE", Allowance(0.3 if "0.3 s" in said else 60, 256, can_be_raised=False))
    step = "def step(p, m)" if "memory" in ordinary else "def step(p)"
    text = f"from crypto_bot.strategy import NamedTuple\n\n\n{ordinary}\n\n{step}:\n    pass\n"
    with pytest.raises(Mistake) as caught:
        module = read_text(text, Path("mine.py"))
        module.parameters.read({})
        module.memory_of(())
        module.wake_of(())
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_settings() -> None:
    text = '"""Trades."""\ntimeframe = "4h"\nwake: str = "bars"\nwarmup = 7\n\n\ndef step(p):\n    pass\n'
    module = read_text(text, Path("some/where/mine.py"))
    assert (module.timeframe, module.wake, module.warmup) == ("4h", "bars", 7)
    assert (module.name, module.summary, module.takes_memory, module.functions) == ("mine", "Trades.", False, ("step",))
    assert module.params() == module.parameters.defaults == ()


def test_when_it_wakes_may_hang_on_the_parameters() -> None:
    choice = """Literal["often", "seldom"] = "seldom"\n"""
    text = f"""from crypto_bot.strategy import Literal, NamedTuple\n\n\nclass Params(NamedTuple):\n    how: {choice}
def wake(p):\n    return "bars" if p.how == "often" else "fills"\n\n\ndef step(p):\n    pass\n"""
    module = read_text(text, PATH)
    assert module.wake == "fills", "it may sleep, so it has no indicators"
    for how, told in (("often", "bars"), ("seldom", "fills")):
        params = module.parameters.read({"how": how})
        assert module.wake_of(params) == told
        assert ("for t in range(" in walker_text(module, params, own=False)) == (told == "bars")


def test_a_refused_import_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "it_ran"
    (tmp_path / "dangerous_library.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    tries = (
        "import dangerous_library\n\n\ndef step(p):\n    pass\n",
        "def step(p):\n    pass\n\n\nimport dangerous_library\n",
        "def step(p):\n    pass\n\n\ndef memory(p):\n    import dangerous_library\n",
        "def step(p, m):\n    pass\n\n\ndef memory(p):\n    __import__('dangerous_library')\n",
        "def step(p, x: __import__('dangerous_library') = 3):\n    pass\n",
        "A = __import__('dangerous_library')\n\n\ndef step(p):\n    pass\n",
        "def step(p, m=__import__('dangerous_library')):\n    pass\n",
        "class Params(__import__('dangerous_library').NamedTuple):\n    pass\n\n\ndef step(p):\n    pass\n",
    )
    for text in tries:
        refusal(text)
        assert not mark.exists(), text


def test_memory_and_check_are_found_by_a_debugger() -> None:
    memory = module_of("pass").namespace["memory"]
    assert memory.__code__.co_filename == "mine.py"  # type: ignore[attr-defined]  # a function of the author
    assert memory.__code__.co_firstlineno == 14  # type: ignore[attr-defined]  # a function of the author


def test_check_still_asserts_when_python_does_not() -> None:
    text = f"{HEAD}pass\n\n\ndef check(p):\n    assert p.n > 1, 'too short'\n"
    program = (
        "from pathlib import Path\n"
        "from crypto_bot.authoring.mistake import Mistake\n"
        "from crypto_bot.authoring.reader import read_text\n"
        f"module = read_text({text!r}, Path('mine.py'))\n"
        "try:\n    module.parameters.read({'n': 1})\nexcept Mistake as mistake:\n    print(mistake.text)\n"
    )
    done = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "too short\n"


def test_the_reader_needs_no_compiler() -> None:
    program = "import sys, crypto_bot.authoring.reader as r; print({'numba', 'numpy', 'polars'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
