"""The author's file as text and as a tree, and the one way to refuse a part of it."""

import __future__

import ast
import io
import tokenize
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import NoReturn, TypeVar

from crypto_bot.authoring.mistake import Mistake

Result = TypeVar("Result")

TOO_DEEP = "something is nested too deeply; write it in several lines"

AUTHORS_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What ordinary Python of an author raises when it is wrong: memory(p), check(p) and the values of constants."""


@dataclass(frozen=True)
class Source:
    """One author's file."""

    path: Path
    text: str

    def refuse(self, node: ast.AST | None, text: str) -> NoReturn:
        """Raise the Mistake at the node's line."""
        raise Mistake(self.path, getattr(node, "lineno", 0), text)

    def parse(self) -> ast.Module:
        """Return the tree; Mistake when the text is not Python."""
        return self._understood(lambda: ast.parse(self.text, str(self.path)))

    def compiled(self) -> CodeType:
        """Return the code of the top level, under the file's own path so that a debugger finds it.

        Annotations are not worked out, and assertions stay on whatever Python was started with.
        """
        flags = __future__.annotations.compiler_flag
        path = str(self.path)
        code: CodeType = self._understood(
            lambda: compile(self.text, path, "exec", flags, dont_inherit=True, optimize=0)
        )
        return code

    def _understood(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except SyntaxError as error:
            raise Mistake(self.path, error.lineno or 0, f"this is not Python: {error.msg}") from None
        except ValueError as error:
            raise Mistake(self.path, 0, f"this is not Python: {error}") from None
        except (RecursionError, MemoryError):
            raise Mistake(self.path, 0, TOO_DEEP) from None

    def blame(self, error: BaseException, text: str) -> Mistake:
        """Return the Mistake at the deepest line of this file that the error came through."""
        line, step = 0, error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == str(self.path):
                line = step.tb_lineno
            step = step.tb_next
        return Mistake(self.path, line, text)


def open_source(path: Path) -> Source:
    """Read the file; Mistake when there is none, or when it is not UTF-8 text."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise Mistake(path, 0, "this is no file; name the file that holds the strategy")
        raw = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = raw.decode(encoding)
    except FileNotFoundError:
        raise Mistake(path, 0, "there is no such file") from None
    except OSError as error:
        raise Mistake(path, 0, f"the file cannot be read: {error.strerror}") from None
    except (SyntaxError, UnicodeDecodeError):
        raise Mistake(path, 0, "the file is not UTF-8 text; save it as UTF-8") from None
    if encoding not in ("utf-8", "utf-8-sig"):
        raise Mistake(path, 1, f"the file is written in {encoding}; save it as UTF-8")
    return Source(path, text.replace("\r\n", "\n").replace("\r", "\n"))
