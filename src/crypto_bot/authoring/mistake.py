"""The one failure of this room: something in an author's file, or in what was given to it, cannot work."""

from pathlib import Path

from crypto_bot.domain.errors import UsageError


class Mistake(UsageError):
    """Say in one sentence what cannot work in a strategy, on which line of its file, and what to write instead.

    `line` is 0 where no line is to blame, as with a parameter from the command line.
    """

    def __init__(self, path: Path, line: int, text: str, place: str = "") -> None:
        """Keep the place beside the sentence, for editors and tests; `place` is said instead of the file's name."""
        where = place or path.name
        super().__init__(f"{where}, line {line}: {text}" if line else f"{where}: {text}")
        self.path, self.line, self.text = path, line, text
