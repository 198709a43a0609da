"""Files of authors, as editors write them and as they should not be."""

from pathlib import Path

import pytest

from crypto_bot.authoring.mistake import Mistake
from crypto_bot.authoring.reader import read
from crypto_bot.domain.errors import UsageError
from tests.authors import FOLDER, refusal


def test_files_as_editors_write_them(tmp_path: Path) -> None:
    plain = read(FOLDER / "grid.py")
    for name, raw in {
        "mark": b"\xef\xbb\xbf" + plain.source.encode(),
        "windows": plain.source.replace("\n", "\r\n").encode(),
        "cookie": b"# -*- coding: utf-8 -*-\n" + plain.source.encode(),
    }.items():
        file = tmp_path / f"{name}.py"
        file.write_bytes(raw)
        module = read(file)
        assert module.edited_text().removeprefix("# -*- coding: utf-8 -*-\n") == plain.edited_text()


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"x = '\xe9'\n", "mine.py: the file is not UTF-8 text; save it as UTF-8"),
        (b"# coding: latin-1\nx = '\xe9'\n", "mine.py, line 1: the file is written in iso-8859-1; save it as UTF-8"),
        (b"# coding: nonsense\n", "mine.py: the file is not UTF-8 text; save it as UTF-8"),
        (b"", "mine.py: there is no function step(p) or step(p, m)"),
        (b"def step(p):\n  x = 1\n    y = 2\n", "mine.py, line 3: this is not Python: unexpected indent"),
    ],
)
def test_files_that_are_none(tmp_path: Path, raw: bytes, sentence: str) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes(raw)
    with pytest.raises(Mistake) as caught:
        read(file)
    assert str(caught.value) == sentence
    assert isinstance(caught.value, UsageError)
    assert caught.value.exit_status == 2


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="there is no such file"):
        read(tmp_path / "mine.py")
    with pytest.raises(Mistake, match="this is no file; name the file that holds the strategy"):
        read(tmp_path)


@pytest.mark.parametrize("text", ["def step(p):\n    x = 1\0\n", f"def step(p):\n    x = {'-' * 50_000}1\n"])
def test_texts_that_break_a_parser(text: str) -> None:
    refusal(text)


def test_what_is_nested_too_deeply_is_refused() -> None:
    assert "nested" in refusal(f"def step(p):\n    x = {' + '.join(['1'] * 20_000)}\n").text
