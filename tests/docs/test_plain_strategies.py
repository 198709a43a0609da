"""The page on plain classes, followed to the letter like the tutorial."""

import re
import tempfile
from pathlib import Path

import pytest

from tests.docs.test_tutorial import follow

PAGE = Path(__file__).parents[2] / "docs" / "plain-strategies.md"

_CHANGING = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
"""The id of a run."""


def test_the_page_says_what_happens(tmp_path: Path) -> None:
    answers = follow(PAGE.read_text(), tmp_path)
    assert len(answers) == 2
    for block, printed in answers:
        assert _CHANGING.sub("...", printed) == _CHANGING.sub("...", block.text)


def test_every_part_of_a_signal_is_on_the_page() -> None:
    from dataclasses import fields

    from crypto_bot.plain import Signal

    page = PAGE.read_text()
    assert all(f"`{each.name}`" in page for each in fields(Signal) if each.name != "symbol")


@pytest.mark.parametrize("limit", ["time_limit_s = 10", "memory_limit_mib = 1024", "warmup = 100"])
def test_the_limits_are_those_of_the_program(limit: str) -> None:
    from crypto_bot.plain.guard import Allowance

    name, _, value = limit.partition(" = ")
    usual = {"time_limit_s": Allowance().seconds, "memory_limit_mib": Allowance().mebibytes, "warmup": 100}
    assert usual[name] == int(value) and f"`{limit}`" in PAGE.read_text()


def main() -> None:
    """Write the outputs into the page."""
    page = PAGE.read_text()
    with tempfile.TemporaryDirectory() as folder:
        for block, printed in reversed(follow(page, Path(folder))):
            first, last = block.place
            page = page[:first] + printed + page[last:]
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
