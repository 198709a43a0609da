"""The token that opens the API: taken from the environment, or made once and kept where only its owner reads it."""

import hmac
import os
import re
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from crypto_bot.domain.errors import UsageError
from crypto_bot.persistence.sqlite_file import make_private_folder, translated

VARIABLE = "API_TOKEN"
FILE = "api_token"
SHORTEST = 16
"""A token that somebody chose has at least so many characters; a made one has 43, which carry 256 bits."""

_DIFFERENT = 6
_SAMPLES = re.compile(
    r"change.?(this|me|it)|your.?(own|api|secret|token|key)|example|sample|placeholder|default|password|secret.?key"
    r"|insert.?|replace.?(this|me)|dummy|12345|abcdef|qwert|x{6}|<.*>",
    re.IGNORECASE,
)


def load_token(state_folder: Path, environment: Mapping[str, str]) -> str:
    """Return API_TOKEN if it is set, else the token of `State/api_token`, which is made when it is missing.

    Raises UsageError for a token file that others can read, that is empty, or that holds characters
    an HTTP header cannot carry; and for a token that could be guessed.
    """
    given = environment.get(VARIABLE, "").strip()
    if given:
        return _chosen(_usable(given, VARIABLE), VARIABLE)
    path = state_folder / FILE
    make_private_folder(state_folder)
    with translated(path):
        if not path.exists():
            _make(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise UsageError(
                f"{path} can be read by others; run `chmod 600 {path}`, or delete it to have a new one made"
            )
        return _chosen(_usable(path.read_text("utf-8", "replace").strip(), str(path)), str(path))


def is_token(given: str, expected: str) -> bool:
    """Compare in a time that does not tell how much was right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _usable(token: str, place: str) -> str:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"{place} holds no usable token; it must be printable ASCII without spaces")
    return token


def _chosen(token: str, place: str) -> str:
    """Refuse what is short, monotonous, or copied from a sample; the token is not shown."""
    if len(token) < SHORTEST or len(set(token)) < _DIFFERENT:
        raise UsageError(
            f"the token of {place} is too easy to guess: it needs {SHORTEST} characters, {_DIFFERENT} of them"
            f" different; remove it to have one made, or take the output of `openssl rand -base64 32`"
        )
    if _SAMPLES.search(token):
        raise UsageError(
            f"the token of {place} looks like a sample out of a document; remove it to have one made, or take the"
            " output of `openssl rand -base64 32`"
        )
    return token


def _make(path: Path) -> None:
    """Write the file whole before it gets its name, so that two processes starting together agree."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
