"""The tutorial, followed to the letter: every block is saved or run as it stands, in one empty folder.

`python -m tests.docs.test_tutorial` writes what the commands print into the page anew.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"

_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CHANGING = re.compile(r"run \d{8}-\d{6}-[0-9a-f]{4}|version \S+")
"""What differs from run to run, or from version to version."""


class Block(NamedTuple):
    """A block of the page: its language, the file it is to be saved as, its text, and where the text stands."""

    language: str
    file: str
    text: str
    place: tuple[int, int]


def blocks(page: str) -> list[Block]:
    return [Block(found[1], found[2], found[3], found.span(3)) for found in _BLOCK.finditer(page)]


def follow(page: str, folder: Path) -> list[tuple[Block, str]]:
    """Do what the page says, from top to bottom; return each block of output with what was really printed."""
    printed, answers = "", []
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text)
        elif block.language == "text":
            answers.append((block, printed))
        else:
            printed = carry_out(block, folder)
    return answers


def carry_out(block: Block, folder: Path) -> str:
    """Run a command or a script in a folder, uncompiled, without the settings of whoever runs the test."""
    words = ["bash", "-c", block.text] if block.language == "bash" else [sys.executable, "-c", block.text]
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CRYPTO_BOT_COMPILE": "0",
        "CRYPTO_BOT_CACHE_DIR": str(folder / "cache"),
    }
    ended = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == (2 if ended.stderr.startswith("error: ") else 0), ended
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutorial")


def test_the_page_says_what_happens(folder: Path) -> None:
    answers = follow(PAGE.read_text(), folder)
    assert len(answers) == 4
    for block, printed in answers:
        assert _CHANGING.sub("...", printed) == _CHANGING.sub("...", block.text)
    assert (folder / "my_first.html").read_text().startswith("<!doctype html>")


def test_the_pages_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)", PAGE.read_text())
    assert links and all((PAGE.parent / link).is_file() for link in links)


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
