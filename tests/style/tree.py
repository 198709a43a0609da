"""The files of the project as the tidy test sees them: parsed once, named by their path from the root."""

import ast
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "src/crypto_bot/"

_HIDDEN_BUT_OURS = {".ci", ".github", ".env.example", ".gitignore", ".dockerignore"}
_NOT_OURS = {"__pycache__", "State", "peers", "out", "dist", "build", "htmlcov", "node_modules"}
_TEXT_LIMIT = 2_000_000


class Finding(NamedTuple):
    """What is wrong on one line, and what to do about it."""

    line: int
    message: str


@dataclass(frozen=True)
class Source:
    """One file; `path` is written from the project's root, with slashes."""

    path: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The parsed module."""
        return ast.parse(self.text, filename=self.path)

    @property
    def in_package(self) -> bool:
        """Whether the file is shipped to users as part of crypto_bot."""
        return self.path.startswith(PACKAGE)

    @property
    def place(self) -> str:
        """The path inside the package, as in kernel/orders.py; empty for files outside of it."""
        return self.path.removeprefix(PACKAGE) if self.in_package else ""

    @property
    def room(self) -> str:
        """The folder at the package's top level; empty for files that lie in none."""
        first, slash, _ = self.place.partition("/")
        return first if slash else ""


Rule = Callable[[Source], Iterator[Finding]]
"""A rule yields what it finds in one file; its docstring is the rule in words."""


def files() -> Iterator[Path]:
    """Yield every file of the project that a person wrote, leaving out what tools and runs leave behind."""
    for folder, folders, names in os.walk(ROOT):
        here = Path(folder)
        kept = [name for name in folders if _ours(name) and here / name != ROOT / "data"]
        folders[:] = sorted(kept)
        yield from (here / name for name in sorted(names) if _ours(name))


def _ours(name: str) -> bool:
    if name.startswith("."):
        return name in _HIDDEN_BUT_OURS
    return name not in _NOT_OURS and not name.endswith(".egg-info")


@functools.cache
def python_sources() -> tuple[Source, ...]:
    """Return every Python file of the project."""
    return tuple(source for source in text_sources() if source.path.endswith(".py"))


@functools.cache
def text_sources() -> tuple[Source, ...]:
    """Return every file that is text, whatever its kind."""
    found = []
    for path in files():
        if path.stat().st_size > _TEXT_LIMIT:
            continue
        content = path.read_bytes()
        if b"\0" in content:
            continue
        try:
            found.append(Source(path.relative_to(ROOT).as_posix(), content.decode("utf-8")))
        except UnicodeDecodeError:
            continue
    return tuple(found)
