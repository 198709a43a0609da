"""Every refusal as an author reads it. The sentences were approved by eye; a change of one is a change to review.

`python -m tests.golden.test_reader_sentences > tests/golden/reader_sentences.txt` writes them anew.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.parameters import Given
from crypto_bot.authoring.reader import read_text
from tests.golden.reader_cases import CHANGES, GIVEN, GOOD, LINES, text_of

APPROVED = Path(__file__).with_name("reader_sentences.txt")
PATH = Path("mine.py")


def sentence_of_text(text: str) -> str:
    try:
        read_text(text, PATH)
    except Mistake as mistake:
        return str(mistake)
    return "(nothing was said)"


def sentence_of_parameters(given: Mapping[str, object]) -> str:
    try:
        read_text(GOOD, PATH).parameters.read(cast(Mapping[str, Given], given))
    except Mistake as mistake:
        return str(mistake)
    return "(nothing was said)"


def sentences() -> Iterator[str]:
    yield "# The good strategy that each case changes"
    yield from (f"    {line}".rstrip() for line in GOOD.splitlines())
    yield "\n# In place of the line in step"
    for name, line in LINES.items():
        yield from block(name, line.replace("\n        ", "\n"), sentence_of_text(text_of(name)))
    yield "\n# Anywhere in the file"
    for name in CHANGES:
        changed = [line for line in text_of(name).splitlines() if line not in GOOD.splitlines()]
        yield from block(name, "\n".join(changed), sentence_of_text(text_of(name)))
    yield "\n# Given for the parameters"
    for name, given in GIVEN.items():
        shown = ", ".join(f"{key}={value!r}" for key, value in given.items())
        yield from block(name, shown, sentence_of_parameters(given))


def block(name: str, shown: str, sentence: str) -> Iterator[str]:
    yield f"\n{name}"
    yield from (f"    {line}".rstrip() for line in shown.splitlines())
    yield sentence


def test_sentences_are_the_approved_ones() -> None:
    assert "\n".join(sentences()) + "\n" == APPROVED.read_text(encoding="utf-8")


def test_the_good_strategy_is_good() -> None:
    assert sentence_of_text(GOOD) == "(nothing was said)"


def test_nothing_is_left_unsaid() -> None:
    assert "(nothing was said)" not in APPROVED.read_text(encoding="utf-8")


def test_every_sentence_about_a_file_names_its_line() -> None:
    """Only what has no line of its own may do without: a file without step, and given parameters."""
    for name in [*LINES, *CHANGES]:
        sentence = sentence_of_text(text_of(name))
        assert sentence.startswith("mine.py, line ") or name == "no step", sentence


if __name__ == "__main__":
    sys.stdout.write("\n".join(sentences()) + "\n")
