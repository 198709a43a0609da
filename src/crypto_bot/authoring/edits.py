"""Edits of a text that keep every line number, so that a compiler's message points into the author's own file."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class Place(Protocol):
    """Anything of Python's grammar that says where it stands; columns count UTF-8 bytes."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


@dataclass(frozen=True)
class Edit:
    """Put `text` in place of what lies between two places; lines count from 1, columns in UTF-8 bytes."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


def start(node: Place) -> tuple[int, int]:
    """Return line and column of the first byte."""
    return node.lineno, node.col_offset


def end(node: Place) -> tuple[int, int]:
    """Return line and column behind the last byte."""
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset


def insert(at: tuple[int, int], text: str) -> Edit:
    """Return the edit that puts text at a place."""
    return Edit(*at, *at, text)


def cut(first: tuple[int, int], last: tuple[int, int], before: str, after: str = "") -> Edit:
    """Return the edit that writes `before`, then the line ends that lay between the places, then `after`."""
    return Edit(*first, *last, before + "\n" * (last[0] - first[0]) + after)


class Text:
    """A text of which places are asked in lines and bytes."""

    def __init__(self, text: str) -> None:
        """Remember where each line begins."""
        self._raw = text.encode()
        self._starts = [0]
        for line in self._raw.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def offset(self, at: tuple[int, int]) -> int:
        """Return the place as a number of bytes from the beginning."""
        return self._starts[at[0] - 1] + at[1]

    def after_bracket(self, at: tuple[int, int]) -> tuple[int, int]:
        """Return the place behind the next opening bracket; between lie blanks, line ends and comments only."""
        line, column = at
        while (found := self._line(line)[column:].partition(b"#")[0].find(b"(")) < 0:
            line, column = line + 1, 0
        return line, column + found + 1

    def comma(self, at: tuple[int, int]) -> tuple[int, int]:
        """Return the place of the next comma; between lie brackets, blanks, line ends and comments only."""
        line, column = at
        while (found := self._line(line)[column:].partition(b"#")[0].find(b",")) < 0:
            line, column = line + 1, 0
        return line, column + found

    def _line(self, line: int) -> bytes:
        return self._raw[self._starts[line - 1] : self._starts[line] - 1]

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the text with all edits done. Edits at one place keep their order; none may overlap another."""
        pieces, done = [], 0
        places = [(self.offset((e.line, e.column)), self.offset((e.end_line, e.end_column)), e.text) for e in edits]
        for first, last, text in sorted(places, key=lambda place: place[:2]):
            if first < done:
                raise AssertionError(f"two edits meet at byte {first}")
            pieces += [self._raw[done:first], text.encode()]
            done = last
        return b"".join([*pieces, self._raw[done:]]).decode()
