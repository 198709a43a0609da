"""The page of the strategy language says what the words, the reader and the examples do.

`python -m tests.docs.test_strategy_language` writes its two tables anew.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.parts import SETTINGS
from crypto_bot.authoring.reader import read_text
from crypto_bot.authoring.vocabulary import PYTHON, WORDS
from crypto_bot.authoring.warming import Warming
from crypto_bot.kernel.indicators import NEEDS

PAGE = Path(__file__).parents[2] / "docs" / "strategy-language.md"
PATH = Path("mine.py")

_START = """from crypto_bot.strategy import *


class Params(NamedTuple):
    n: int = 14
    lengths: tuple[int, ...] = (5, 10)


def memory(p):
    return dict(held=0, score=0.0)


def step(p, m):
    for k in symbols():
"""

REFUSED = (
    "import numpy",
    "x = closs(k)",
    "x = close(k, -1)",
    "x = close(k) ** 2",
    "x = round(close(k), 2)",
    "x = sum(p.lengths)",
    "x = [close(k), open_(k)]",
    "print(close(k))",
    "while close(k) > 5: pass",
    "if k > 0: x = 1.0\ntarget(k, x)",
    "m.held[k] = close(k) / 2",
    "m.held = 0",
    "p.n = 20",
    "x = ema(k, m.held[k])",
    "x = rsi(k, p.n, ago=2)",
    "x = close(k / 2)",
    "x = (close(k) > 1) + (close(k) > 2)",
    "for x in (1, 2.5): target(k, x)",
    "close = 5.0",
    "x = sma(k, 3, source=m.score[k])",
    "x = close(k, timeframe='7x')",
    "m.held[k] == 3",
)


def sentence(line: str) -> str:
    """Return what an author reads who writes this in step."""
    body = "\n".join(f"        {part}" for part in line.splitlines())
    try:
        read_text(f"{_START}{body}\n", PATH)
    except Mistake as mistake:
        return mistake.text
    return "(nothing)"


def words_table() -> Iterator[str]:
    yield "| word | meaning |"
    yield "|---|---|"
    section = ""
    for word in WORDS.values():
        if word.section != section:
            section = word.section
            yield f"| **{section}** | |"
        yield f"| `{word.signature}` | {word.summary} |"


def refused_table() -> Iterator[str]:
    yield "| in step | what you read |"
    yield "|---|---|"
    for line in REFUSED:
        shown = line.replace("\n", "` and then `").replace("|", "\\|")
        yield f"| `{shown}` | {sentence(line)} |"


def between(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name}:[^\n]*-->\n(.*?)<!-- end of {name} -->", text, re.DOTALL)
    assert found is not None, name
    return found[1]


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_table_of_words_is_the_vocabulary() -> None:
    assert between(page(), "words").splitlines() == list(words_table())


def test_the_table_of_refusals_is_what_the_reader_says() -> None:
    assert "(nothing)" not in "".join(refused_table())
    assert between(page(), "refused").splitlines() == list(refused_table())


def test_the_first_bars_are_those_of_the_kernel() -> None:
    rows = [line.split(" | ") for line in between(page(), "indicators").splitlines()[2:]]
    told = {word: row[2] for row in rows for word in re.findall(r"`(\w+)`", row[0])}
    assert set(told) == {word.name for word in WORDS.values() if word.section == "indicators"}
    for word, first in told.items():
        if word not in NEEDS:
            continue
        for n in (2, 9, 50):
            assert eval(first, {"n": n}) == NEEDS[word].bars(n), word


@pytest.mark.parametrize(
    ("line", "first"), [("macd(0, 3, 7)", 7), ("macd_signal(0, 3, 7, 4)", 10), ("bollinger_upper(0, 8)", 8)]
)
def test_the_first_bars_of_words_that_stand_for_others(line: str, first: int) -> None:
    module = read_text(f"def step(p):\n    target(0, {line})\n", PATH)
    assert Warming(module, module.parameters.defaults, 60 * 10**9).turns[-1][0].bars == first


EXAMPLES = re.findall(r"```python\n(.*?)```", page(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_are_strategies(example: str) -> None:
    module = read_text(example, PATH)
    assert "step" in module.functions


def test_the_page_names_everything_there_is() -> None:
    text = page()
    for name in (*SETTINGS, "Params", "memory", "check", "step"):
        assert re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", text), name
    functions = re.search(r"the functions\s+`([a-z ]+)`", text)
    assert functions is not None
    assert functions[1].split() == sorted(PYTHON)


def rewrite() -> None:
    text = page()
    for name, lines in (("words", words_table()), ("refused", refused_table())):
        table = "".join(f"{line}\n" for line in lines)
        text = text.replace(between(text, name), table)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
